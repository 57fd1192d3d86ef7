"""How far each part of the record could be read (rule R8): from what came back for each query to ``Chart.inputs``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from cards.chart import Area, Input, Reading
from service.fhir.elements import objects, words
from service.fhir.retrieved import Failed, Nothing, Resources, Retrieved, Trouble

AREAS: Final = {
    "patient": Area.PATIENT,
    "encounter": Area.ENCOUNTER,
    "problems": Area.PROBLEMS,
    "results": Area.RESULTS,
    "medicationStatements": Area.MEDICINES,
    "medicationRequests": Area.MEDICINES,
    "serviceRequests": Area.ORDERS,
    "allergies": Area.ALLERGIES,
    "procedures": Area.PROCEDURES,
    "familyHistory": Area.FAMILY,
}
"""The part of the record each query fills; a query that was split ends in ``-2``, ``-3``."""

_SPLIT: Final = re.compile(r"-\d+\Z")
_HARMLESS: Final = frozenset({"information", "warning", "success"})
_READING_BY_TROUBLE: Final = {Trouble.NOT_PERMITTED: Reading.NOT_PERMITTED}


@lru_cache(256)  # the keys are those of our queries, in their hundreds of calls a second
def area_of(key: str) -> Area | None:
    """The part of the record that a query fills; None for a query that is not ours."""
    return AREAS.get(_SPLIT.sub("", key))


def areas_with_errors(retrieved: Mapping[str, Retrieved]) -> Iterable[Area]:
    """Parts of the record whose answer holds an OperationOutcome that says more than a warning (E11, R8)."""
    for key, answer in retrieved.items():
        area = area_of(key)
        if area is not None and isinstance(answer, Resources):
            for one in answer.entries:
                if one.resourceType == "OperationOutcome":
                    severities = {words(issue.get("severity")).lower() for issue in objects(one.issue)}
                    if not severities or not severities <= _HARMLESS:
                        yield area


def states_of(retrieved: Mapping[str, Retrieved], incomplete: Mapping[Area, set[str]]) -> dict[Area, Input]:
    """How far each part of the record could be read (R8). ``incomplete``: why parts are not, though they answered.

    A part that several queries fill is failed only if all of them failed; if some did, it is incomplete.
    """
    answers: dict[Area, list[Retrieved]] = {}
    for key in sorted(retrieved):
        area = area_of(key)
        if area is not None:
            answers.setdefault(area, []).append(retrieved[key])
    return {area: _input(found, incomplete.get(area, set())) for area, found in answers.items()}


def _input(answers: Sequence[Retrieved], reasons: set[str]) -> Input:
    readings: set[Reading] = set()
    why = set(reasons)
    for answer in answers:
        match answer:
            case Nothing():
                readings.add(Reading.COMPLETE)
            case Resources():
                readings.add(Reading.COMPLETE if answer.trouble is None else Reading.INCOMPLETE)
                why |= set() if answer.trouble is None else {answer.trouble.value}
            case Failed(trouble=trouble):
                readings.add(_READING_BY_TROUBLE.get(trouble, Reading.FAILED))
                why.add(trouble.value)
    text = "; ".join(sorted(why))
    if readings <= {Reading.FAILED, Reading.NOT_PERMITTED}:
        return Input(Reading.NOT_PERMITTED if Reading.FAILED not in readings else Reading.FAILED, text)
    if readings == {Reading.COMPLETE} and not why:
        return Input(Reading.COMPLETE)
    return Input(Reading.INCOMPLETE, text)
