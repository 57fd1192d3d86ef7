"""How far each part of the record could be read (rule R8): from what came back for each query to ``Chart.inputs``."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from cards.entries import Area, Input, Reading
from service.fhir.bundle import HARMLESS
from service.fhir.elements import objects, words
from service.fhir.resource import Resource
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
_READING_BY_TROUBLE: Final = {Trouble.NOT_PERMITTED: Reading.NOT_PERMITTED}


@lru_cache(256)  # the keys are those of our queries, in their hundreds of calls a second
def area_of(key: str) -> Area | None:
    """The part of the record that a query fills; None for a query that is not ours."""
    return AREAS.get(_SPLIT.sub("", key))


def tells_of_an_error(outcome: Resource) -> bool:
    """Whether an OperationOutcome says more than a warning (E11, R8)."""
    severities = {words(issue.get("severity")).lower() for issue in objects(outcome.issue)}
    return not severities or not severities <= HARMLESS


def states_of(retrieved: Mapping[str, Retrieved], incomplete: Mapping[Area, set[str]]) -> dict[Area, Input]:
    """How far each part of the record could be read (R8). ``incomplete``: why parts are not, though they answered.

    A part that several queries fill is failed only if all of them failed; if some did, it is incomplete.
    """
    answers: dict[Area, list[Retrieved]] = {}
    for key in sorted(retrieved):
        area = area_of(key)
        if area is not None:
            answers.setdefault(area, []).append(retrieved[key])
    return {
        area: _COMPLETE if area not in incomplete and _all_whole(found) else _input(found, incomplete.get(area, set()))
        for area, found in answers.items()
    }


_COMPLETE: Final = Input(Reading.COMPLETE)


def _all_whole(answers: Sequence[Retrieved]) -> bool:
    """Whether every query was answered with all there is, as nearly all are."""
    for answer in answers:
        if isinstance(answer, Failed) or (isinstance(answer, Resources) and answer.trouble is not None):
            return False
    return True


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
        return _COMPLETE
    return Input(Reading.INCOMPLETE, text)
