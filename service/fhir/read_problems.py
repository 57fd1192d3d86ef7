"""Condition, Encounter reason, finding and Procedure -> Problem (specification 3.1 no. 2 and 3, HZ03).

Only codes are read: words without a code never become a problem (3.8 no. 4), and what is recorded of the family never
becomes a problem of the patient.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

from cards.entries import Area, Problem, Relative, Unread
from cards.when import When
from service.fhir.elements import member, objects, words
from service.fhir.record import Record, source
from service.fhir.resource import Resource, opened

ACTIVE: Final = frozenset({"active", "recurrence", "relapse"})
RETURNED: Final = frozenset({"recurrence", "relapse"})
"""Of these a recorded end is that of the episode before."""
INACTIVE: Final = frozenset({"inactive", "remission", "resolved"})
DENIED: Final = {"refuted": "is recorded as refuted", "entered-in-error": "was entered in error"}

STATES: Final = frozenset({"pregnancy", "breastfeeding", "dialysis"})
"""States that come and go: without a date or an active status a code for one is history (terminology rule 6)."""

VALUES: Final = frozenset({"pregnancy", "medical-practitioner"})
"""The only concepts a value can give; a red flag never comes from one: the question may have been about the family."""

NEVER: Final = frozenset({"specimen-haemolysed", "severity-severe"})
"""Values of other elements (terminology rule 10), which are no problem of their own."""

FAMILY: Final = "family-history"
"""Concepts whose name begins so are about relatives (3.1 no. 3)."""

SEVERE: Final = "severity-severe"


def read_condition(resource: Resource, record: Record) -> tuple[Problem | Relative | Unread, ...]:
    """A coded Condition. Empty if its code is in no set; that is counted."""
    concepts = record.concepts(resource.code) - NEVER
    if not concepts:
        record.count_unmapped(Area.PROBLEMS)
        return ()
    onset = record.moment(resource.onsetDateTime) or record.period(resource.onsetPeriod)[0]
    when = _latest(
        onset,
        record.moment(resource.recordedDate),
        record.moment(resource.assertedDate),
        record.moment(resource.dateRecorded),
    )
    origin = source(resource)
    verification = record.states(resource.verificationStatus)
    if not verification.isdisjoint(DENIED):
        why = next(DENIED[code] for code in sorted(verification) if code in DENIED)
        return _left_out(concepts, Area.PROBLEMS, why, origin, when, record)
    clinical = record.states(resource.clinicalStatus)
    stated = False
    if not clinical.isdisjoint(INACTIVE):
        active = False
    elif not clinical.isdisjoint(ACTIVE):
        active = not (clinical.isdisjoint(RETURNED) and _has_ended(resource, record))
        stated = True
    elif clinical:
        return _unread(concepts, Area.PROBLEMS, "its clinical status could not be understood", origin, when, record)
    else:
        active = not _has_an_end(resource, record)
    severe = SEVERE in record.concepts(resource.severity)
    about_family = [concept for concept in concepts if concept.startswith(FAMILY)]
    own = concepts.difference(about_family) if about_family else concepts
    found = _problems(own, record, origin, when=when, active=active, stated=stated, severe=severe, onset=onset)
    if about_family:
        return (Relative(frozenset(about_family), "", record.titles(about_family), origin), *found)
    return tuple(found)


def read_encounter(resource: Resource, record: Record) -> tuple[Problem | Unread, ...]:
    """The reasons of the encounter in the context, and of no other (3.8 no. 26), dated by its start.

    R4 ``reasonCode``; STU3 and DSTU2 ``reason``; R5 ``reason[].value[].concept``.
    """
    if record.encounter_id is None or resource.id != record.encounter_id:
        return ()
    start = record.period(resource.period)[0] or record.period(resource.actualPeriod)[0]
    status = words(resource.status)
    found: list[Problem | Unread] = []
    for concept in (*objects(resource.reasonCode), *_reasons(resource.reason)):
        concepts = record.concepts(concept) - NEVER
        concepts = frozenset(one for one in concepts if not one.startswith(FAMILY))
        if not concepts:
            record.count_unmapped(Area.ENCOUNTER)
        elif status in ("entered-in-error", "cancelled"):
            why = "was a reason of an encounter that did not take place"
            found.extend(_left_out(concepts, Area.ENCOUNTER, why, source(resource), start, record))
        else:
            found.append(Problem(concepts, record.titles(concepts), start, source(resource)))
    return tuple(found)


def _reasons(reason: Any) -> Iterator[Any]:
    for one in objects(reason):
        if "value" in one:
            for value in objects(one["value"]):
                yield member(value, "concept")
        else:
            yield one


def read_finding(
    resource: Resource,
    named: frozenset[str],
    record: Record,
    origin: str,
    counting: Collection[str],
    when: When | None,
) -> Iterator[Problem | Unread]:
    """An Observation that states a finding: by its code (present, unless its value says otherwise) or by its value.

    ``named``: concepts of its code; ``counting``: statuses that count. ``valueBoolean`` false means absent, which is
    no problem and no gap (3.1 no. 3). Any other value than true is not understood and named.
    """
    if resource.valueCodeableConcept is not None:
        yielded = record.concepts(resource.valueCodeableConcept) & VALUES
    else:
        yielded = frozenset()
    named = frozenset(one for one in named - NEVER if not one.startswith(FAMILY))
    if not (named or yielded):
        return
    status = words(resource.status)
    if status not in counting:
        if status in ("entered-in-error", "cancelled", "not-done"):
            why = "was entered in error" if status == "entered-in-error" else "was cancelled or not done"
            yield from _left_out(named | yielded, Area.PROBLEMS, why, origin, when, record)
        else:
            yield from _unread(named | yielded, Area.PROBLEMS, "it has no status that counts", origin, when, record)
        return
    if yielded:
        yield from _problems(yielded, record, origin, when=when)
    if not named or resource.valueBoolean is False:
        return
    if resource.valueBoolean is True or (not _has_value(resource) and resource.dataAbsentReason is None):
        yield from _problems(named, record, origin, when=when)
    elif not yielded:
        yield from _unread(named, Area.PROBLEMS, "its value does not say whether it is present", origin, when, record)


def read_procedure(resource: Resource, record: Record) -> tuple[Problem | Unread, ...]:
    """A coded Procedure that was done or is being done (dialysis), dated by when it was performed."""
    concepts = frozenset(one for one in record.concepts(resource.code) - NEVER if not one.startswith(FAMILY))
    if not concepts:
        record.count_unmapped(Area.PROCEDURES)
        return ()
    origin = source(resource)
    when = record.moment(resource.performedDateTime) or record.moment(resource.occurrenceDateTime)
    if when is None:
        for period in (resource.performedPeriod, resource.occurrencePeriod):
            start, end = record.period(period)
            when = when or end or start
    status = words(resource.status)
    if status in ("entered-in-error", "not-done", "cancelled") or True in (resource.notDone, resource.notPerformed):
        why = "was entered in error" if status == "entered-in-error" else "was not done"
        return _left_out(concepts, Area.PROCEDURES, why, origin, when, record)
    if status == "preparation":
        return _left_out(concepts, Area.PROCEDURES, "has not been done yet", origin, when, record)
    if status in ("completed", "in-progress", "unknown"):
        return tuple(_problems(concepts, record, origin, when=when, stated=status == "in-progress"))
    if status in ("stopped", "aborted", "suspended", "on-hold"):
        return tuple(_problems(concepts, record, origin, when=when, active=False))
    return _unread(concepts, Area.PROCEDURES, "it has no status that counts", origin, when, record)


def _problems(  # noqa: PLR0913 -- named, and each a fact of the problem
    concepts: frozenset[str],
    record: Record,
    origin: str,
    *,
    when: When | None,
    active: bool = True,
    stated: bool = False,
    severe: bool = False,
    onset: When | None = None,
) -> list[Problem]:
    """The problem, and apart from it those of its states that are only history (terminology rule 6).

    ``stated``: the record says outright that it is active.
    """
    if not concepts:
        return []
    history = concepts & STATES if active and when is None and not stated else None
    if not history:
        return [Problem(concepts, record.titles(concepts), when, origin, active, severe, onset)]
    return [
        Problem(some, record.titles(some), when, origin, now, severe, onset)
        for some, now in ((concepts - history, active), (history, False))
        if some
    ]


def _left_out(
    concepts: frozenset[str], area: Area, why: str, origin: str, when: When | None, record: Record
) -> tuple[Unread, ...]:
    """Left out by rule: named once for each concept."""
    return tuple(
        Unread(area, one, f"{record.vocabulary.title(one)}: {why}", origin, when, expected=True)
        for one in sorted(concepts)
    )


def _unread(
    concepts: frozenset[str], area: Area, why: str, origin: str, when: When | None, record: Record
) -> tuple[Unread, ...]:
    """Not understood: named once for each concept."""
    return tuple(Unread(area, one, f"{record.vocabulary.title(one)}: {why}", origin, when) for one in sorted(concepts))


def _latest(*moments: When | None) -> When | None:
    """The latest of the moments that are known."""
    latest: When | None = None
    for one in moments:
        if one is None or one is latest:  # the same date is the same object, as it was read once
            continue
        if latest is None or (one.latest, one.earliest) > (latest.latest, latest.earliest):
            latest = one
    return latest


def _has_ended(resource: Resource, record: Record) -> bool:
    """Whether a recorded end has surely passed: then it is not active, whatever the status says."""
    end = _end(resource, record)
    return resource.abatementBoolean is True or (end is not None and end.last_day <= record.as_of)


def _has_an_end(resource: Resource, record: Record) -> bool:
    """Whether any end is recorded that is not still to come; decides where no clinical status is stated."""
    end = _end(resource, record)
    if end is not None:
        return end.first_day <= record.as_of
    return any(
        value is not None and value is not False
        for value in (
            resource.abatementDateTime,
            resource.abatementPeriod,
            resource.abatementBoolean,
            resource.abatementAge,
            resource.abatementString,
            resource.abatementRange,
        )
    )


def _end(resource: Resource, record: Record) -> When | None:
    start, end = record.period(resource.abatementPeriod)
    return record.moment(resource.abatementDateTime) or end or start


def _has_value(resource: Resource) -> bool:
    return any(
        value is not None
        for value in (
            opened(resource.valueQuantity),
            resource.valueString,
            resource.valueBoolean,
            resource.valueCodeableConcept,
            resource.valueInteger,
            resource.valueRange,
            resource.valueRatio,
        )
    )
