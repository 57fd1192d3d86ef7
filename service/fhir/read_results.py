"""Observation -> Result: a laboratory value we can stand behind, or why we cannot (specification 3.2, 3.8; R10)."""

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from cards.entries import Area, Comparator, Problem, Result, ResultStatus, Unread, as_sent
from cards.when import When
from service.fhir.elements import number, objects, pairs, said, words
from service.fhir.quantities import limits_of, unit_of
from service.fhir.read_problems import read_finding
from service.fhir.record import SPECIMEN_HAEMOLYSED, Observed, Record, source
from service.fhir.references import Whose, target
from service.fhir.resource import Observation, Resource, from_object, quantity
from terminology.analytes import Analyte

Said: TypeAlias = Result | Problem | Unread
"""What an Observation, or a part of one, can say."""

STATUSES: Final = {
    "final": ResultStatus.FINAL,
    "amended": ResultStatus.AMENDED,
    "corrected": ResultStatus.CORRECTED,
    "unknown": ResultStatus.UNSTATED,  # UK GP records mark laboratory-fed results so (architecture decision 3)
    "preliminary": ResultStatus.PRELIMINARY,
}
LEFT_OUT: Final = {
    "entered-in-error": "was entered in error",
    "cancelled": "was cancelled",
    "not-done": "was not done",
}
COMPARATORS: Final = {comparator.value: comparator for comparator in Comparator}


def read_observation(resource: Resource, record: Record) -> tuple[Said, ...]:
    """Everything one Observation says: its own value, its components', and those of Observations contained in it.

    Members that are only referred to come as entries of their own, and are not counted twice. Empty: it says nothing
    we know, or a finding that is recorded as absent.
    """
    observed = record.observed(resource.code)
    if observed.only is not None and resource.component is None and resource.contained is None:
        return (_result(resource, observed.only, record, source(resource)),)
    if (
        resource.component is None
        and resource.contained is None
        and not observed.known
        and resource.valueCodeableConcept is None
    ):
        record.count_unmapped(Area.RESULTS)
        return ()
    return tuple(_readings(resource, observed, record, source(resource)))


def note_haemolysed_samples(record: Record) -> bool:
    """Remember the samples of the tests for haemolysis met so far that were positive; whether there are any.

    Results of the same specimen, or of the same instant, are haemolysed (specification 3.8 no. 14, terminology rule
    10). A positive result in words, or of the same day only, cannot be linked safely and is not used.
    """
    for test in record.haemolysis_tests:
        concepts = record.concepts(test.valueCodeableConcept)
        if test.status not in STATUSES or not (test.valueBoolean is True or SPECIMEN_HAEMOLYSED in concepts):
            continue
        specimen = target(test.specimen)
        if specimen and not specimen.startswith("#"):
            record.haemolysed_specimens.add(specimen)
        when = _when(test, record)
        if when is not None and when.earliest == when.latest:
            record.haemolysed_moments.add(when)
    found = bool(record.haemolysed_specimens or record.haemolysed_moments)
    record.samples_tell = record.samples_tell or found
    return found


def _readings(resource: Resource, observed: Observed, record: Record, origin: str) -> Iterator[Said]:
    """One Observation that is more than a plain value, or is none of ours."""
    if observed.tells_haemolysis:
        record.haemolysis_tests.append(resource)
    parts = tuple(_parts(resource, record, origin))
    yield from parts
    for analyte in observed.analytes:
        if observed.ambiguous:
            why = f"{analyte.title}: its codes name more than one test"
            yield Unread(Area.RESULTS, analyte.name, why, origin, _when(resource, record))
        elif not (_has_no_value(resource) and analyte.name in {_about(part) for part in parts}):
            yield _result(resource, analyte, record, origin)
    if not observed.excluded:
        yield from read_finding(resource, observed.problems, record, origin, STATUSES, _when(resource, record))
    if not observed.known and not record.concepts(resource.valueCodeableConcept):
        record.count_unmapped(Area.RESULTS)


def _parts(resource: Resource, record: Record, origin: str) -> Iterator[Said]:
    """What the components say, and the Observations contained in this one."""
    for component in objects(resource.component):
        part = _component(resource, component)
        yield from _readings(part, record.observed(part.code), record, origin)
    for inside in objects(resource.contained):
        if inside.get("resourceType") == "Observation":
            held = _without_contained(from_object(inside), resource.contained)
            observed = record.observed(held.code)
            if (held.subject is None and held.patient is None) or record.whose(held) is Whose.OURS:
                yield from _readings(held, observed, record, origin)
            elif observed.known:
                why = "a contained result is not proven to be the patient's"
                yield Unread(Area.RESULTS, "", why, origin, expected=record.whose(held) is Whose.FOREIGN)


def _about(reading: Said) -> str:
    """The analyte a reading is about."""
    match reading:
        case Result():
            return reading.analyte
        case Unread():
            return reading.about
        case Problem():
            return ""


def _has_no_value(resource: Resource) -> bool:
    """Whether the value stands in its parts, so that having none of its own is no gap."""
    return resource.valueQuantity is None and resource.valueString is None and resource.dataAbsentReason is None


def _component(parent: Resource, component: dict[str, Any]) -> Resource:
    """A component, read like an Observation of its own with its parent's status, date and specimen."""
    return Observation(
        id=parent.id,
        status=parent.status,
        effectiveDateTime=parent.effectiveDateTime,
        effectivePeriod=parent.effectivePeriod,
        effectiveInstant=parent.effectiveInstant,
        issued=parent.issued,
        specimen=parent.specimen,
        code=component.get("code"),
        valueQuantity=component.get("valueQuantity"),
        valueString=component.get("valueString"),
        valueBoolean=component.get("valueBoolean"),
        valueCodeableConcept=component.get("valueCodeableConcept"),
        valueInteger=component.get("valueInteger"),
        valueRange=component.get("valueRange"),
        valueRatio=component.get("valueRatio"),
        dataAbsentReason=component.get("dataAbsentReason"),
        interpretation=component.get("interpretation"),
        referenceRange=component.get("referenceRange"),
    )


def _without_contained(held: Resource, siblings: Any) -> Resource:
    """A contained Observation as one of its own: what it may refer to is contained in its parent, never in itself."""
    specimens = [one for one in objects(siblings) if one.get("resourceType") == "Specimen"]
    return Observation(
        **{
            name: getattr(held, name)
            for name in held.__struct_fields__
            if name != "contained" and getattr(held, name) is not None
        },
        contained=specimens or None,
    )


def _result(resource: Resource, analyte: Analyte, record: Record, origin: str) -> Result | Unread:
    """The value of one analyte, converted and rounded, or the first reason why it cannot be used."""
    stamp = resource.effectiveDateTime
    when = record.moment(stamp) if type(stamp) is str else _when(resource, record)
    status = STATUSES.get(resource.status) if type(resource.status) is str else None
    if status is None:
        why, expected = _by_status(resource.status)
        return Unread(Area.RESULTS, analyte.name, f"{analyte.title}: {why}", origin, when, expected)
    sent = quantity(resource.valueQuantity)
    value = None if sent is None else number(sent.value)
    if sent is None or value is None:
        why = _no_quantity(resource, record) if sent is None else _no_number(sent.value, resource, record)
    elif sent.comparator is not None and _comparator(sent.comparator) is None:
        why = "the value has a comparator that is not known"
    else:
        unit = unit_of(sent.unit, sent.code, sent.system, analyte, record)
        found = None if unit.why else analyte.measured(value, unit.factor)
        if found is None:
            why = unit.why or f"{as_sent(value, unit.shown)} is not a plausible value"
        elif when is None or when.begins_after(record.as_of):
            why = _no_date(resource) if when is None else "it is dated in the future"
        else:
            ranges = resource.referenceRange
            limits = None if ranges is None else limits_of(ranges, analyte, unit, record)
            return Result(
                analyte.name,
                *found,
                when,
                origin,
                status,
                None if sent.comparator is None else _comparator(sent.comparator),
                limits,
                value,
                unit.shown,
                # Most results carry nothing that could say so.
                (record.samples_tell or resource.interpretation is not None or resource.contained is not None)
                and _haemolysed(resource, when, record),
                ""
                if resource.note is None and resource.comment is None and resource.comments is None
                else _note(resource, record),
                "",
                limits is None and ranges is not None,
            )
    return Unread(Area.RESULTS, analyte.name, f"{analyte.title}: {why}", origin, when)


def _comparator(sent: Any) -> Comparator | None:
    return COMPARATORS.get(sent) if type(sent) is str else None


def _by_status(status: Any) -> tuple[str, bool]:
    """Why a status does not count, and whether that is by rule. R4, STU3 and DSTU2 all require a status."""
    code = words(status)
    if code in LEFT_OUT:
        return LEFT_OUT[code], True
    if code == "registered":
        return "the result is not there yet", False
    return ("it has a status that is not known" if code else "it has no status"), False


def _when(resource: Resource, record: Record) -> When | None:
    """The effective time: dateTime, instant, or the end of the period, else its start.

    ``issued`` is the time of release, not of the sample. Taking it would make a sample look fresher than it is, so a
    result that has nothing else is undated, and unusable (HZ07).
    """
    for stamp in (resource.effectiveDateTime, resource.effectiveInstant):
        if (when := record.moment(stamp)) is not None:
            return when
    start, end = record.period(resource.effectivePeriod)
    return end or start


def _no_date(resource: Resource) -> str:
    if any((resource.effectiveDateTime, resource.effectiveInstant, resource.effectivePeriod)):
        return "its date could not be read"
    return "it has no date of its own, only that of the report" if resource.issued is not None else "it has no date"


def _no_quantity(resource: Resource, record: Record) -> str:
    """Why there is no quantity; a value in text is refused, whatever it says (specification 3.8 no. 15)."""
    if resource.valueQuantity is not None:
        return "the value could not be read"
    if resource.valueString is not None:
        return "the value was sent as text"
    if resource.valueInteger is not None:
        return "the value has no unit"
    if resource.valueRange is not None or resource.valueRatio is not None:
        return "the value was sent as a range or ratio"
    if resource.valueBoolean is not None or resource.valueCodeableConcept is not None:
        return "the value is not a number"
    return _absent(resource, record)


def _absent(resource: Resource, record: Record) -> str:
    """That no value was sent, with the laboratory's reason if it gave one."""
    for text in said(resource.dataAbsentReason):
        if reason := record.safe(text):
            return f"it has no value (reason given: {reason})"
    codes = sorted(code for _, code in pairs(resource.dataAbsentReason))
    reason = record.safe(codes[0]) if codes else ""
    return f"it has no value (reason given: {reason})" if reason else "it has no value"


def _no_number(value: Any, resource: Resource, record: Record) -> str:
    if value is None:
        return _absent(resource, record)
    if isinstance(value, str):
        return "the value was sent as text"
    return "the value is not a number that can be used"


def _haemolysed(resource: Resource, when: When, record: Record) -> bool:
    """Specimen.condition, or Observation.interpretation, or a test of the same sample; never a note (3.8 no. 14)."""
    if resource.interpretation is not None and SPECIMEN_HAEMOLYSED in record.concepts(resource.interpretation):
        return True
    if resource.specimen is not None:
        if target(resource.specimen) in record.haemolysed_specimens:
            return True
        specimen = record.find(resource.specimen, "Specimen", resource.contained)
        if specimen is not None and SPECIMEN_HAEMOLYSED in record.concepts(specimen.condition):
            inside = target(resource.specimen).startswith("#")
            return inside or specimen.subject is None or record.whose(specimen) is Whose.OURS
    return bool(record.haemolysed_moments) and when in record.haemolysed_moments


def _note(resource: Resource, record: Record) -> str:
    """The laboratory's remark, to be shown and never parsed (3.1 no. 3): R4 ``note``, STU3 and DSTU2 spellings."""
    texts = [words(one.get("text")) for one in objects(resource.note)]
    texts += [words(resource.comment), words(resource.comments)]
    return record.safe(" ".join(text for text in texts if text))
