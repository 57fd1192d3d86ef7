"""Observation -> Result: a laboratory value we can stand behind, or why we cannot (specification 3.2, 3.8; R10)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, TypeAlias

from cards.chart import Area, Comparator, Problem, Result, ResultStatus, Unread
from cards.when import When
from service.fhir.elements import code_words, member, number, objects, pairs, said, words
from service.fhir.read_problems import read_finding
from service.fhir.record import SPECIMEN_HAEMOLYSED, Observed, Record, source
from service.fhir.references import Whose, target
from service.fhir.resource import Resource, from_object
from terminology.analytes import Analyte, Limits

Reading: TypeAlias = Result | Problem | Unread

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
UCUM: Final = frozenset({"http://unitsofmeasure.org", "https://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8", ""})
_LONGEST_NUMBER: Final = 24  # characters of a number as it was sent that are printed


def read_observation(resource: Resource, record: Record) -> tuple[Reading, ...]:
    """Everything one Observation says: its own value, its components', and those of Observations contained in it.

    Members that are only referred to come as entries of their own, and are not counted twice. Empty: it says nothing
    we know, or a finding that is recorded as absent.
    """
    observed = record.observed(resource.code)
    if (
        len(observed.analytes) == 1
        and resource.component is None
        and resource.contained is None
        and not observed.problems
    ):
        return (_result(resource, observed.analytes[0], record, source(resource)),)
    return tuple(_readings(resource, observed, record, source(resource)))


def haemolysed_sample(resource: Resource, record: Record) -> bool:
    """Whether it is a test for haemolysis with a positive result (specification 3.8 no. 14, terminology rule 10).

    Its specimen and its instant are then remembered: results of the same specimen, or of the same instant, are
    haemolysed. A positive result in words, or of another day, cannot be linked safely and is not used.
    """
    if not record.observed(resource.code).tells_haemolysis or resource.status not in STATUSES:
        return False
    positive = resource.valueBoolean is True or SPECIMEN_HAEMOLYSED in record.concepts(resource.valueCodeableConcept)
    if not positive:
        return False
    specimen = target(resource.specimen)
    when = _when(resource, record)
    if specimen and not specimen.startswith("#"):
        record.haemolysed_specimens.add(specimen)
    if when is not None and when.earliest == when.latest:
        record.haemolysed_moments.add(when)
    return True


def _readings(resource: Resource, observed: Observed, record: Record, origin: str) -> Iterator[Reading]:
    """One Observation that is more than a plain value, or is none of ours."""
    parts = tuple(_parts(resource, record, origin))
    yield from parts
    match observed.analytes:
        case (analyte,):
            if not (_has_no_value(resource) and analyte.name in {_about(part) for part in parts}):
                yield _result(resource, analyte, record, origin)
        case ():
            pass
        case several:
            for analyte in several:
                why = f"{analyte.title}: its codes name more than one test"
                yield Unread(Area.RESULTS, analyte.name, why, origin, _when(resource, record))
    if not observed.excluded:
        yield from read_finding(resource, observed.problems, record, origin, STATUSES, _when(resource, record))
    if not observed.known and not record.concepts(resource.valueCodeableConcept):
        record.count_unmapped(Area.RESULTS)


def _parts(resource: Resource, record: Record, origin: str) -> Iterator[Reading]:
    """What the components say, and the Observations contained in this one."""
    for component in objects(resource.component):
        part = _component(resource, component)
        yield from _readings(part, record.observed(part.code), record, origin)
    for inside in objects(resource.contained):
        if inside.get("resourceType") == "Observation":
            held = from_object(inside)
            if (held.subject is None and held.patient is None) or record.whose(held) is Whose.OURS:
                held_alone = _without_contained(held, resource.contained)
                yield from _readings(held_alone, record.observed(held.code), record, origin)


def _about(reading: Reading) -> str:
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
    return Resource(
        resourceType="Observation",
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
    return Resource(
        **{
            name: getattr(held, name)
            for name in held.__struct_fields__
            if name != "contained" and getattr(held, name) is not None
        },
        contained=specimens or None,
    )


def _result(resource: Resource, analyte: Analyte, record: Record, origin: str) -> Result | Unread:
    """The value of one analyte, converted and rounded, or the first reason why it cannot be used."""
    status = STATUSES.get(resource.status) if type(resource.status) is str else None
    stamp = resource.effectiveDateTime
    when = record.moment(stamp) if type(stamp) is str else _when(resource, record)

    def refused(reason: str, *, expected: bool = False) -> Unread:
        return Unread(Area.RESULTS, analyte.name, f"{analyte.title}: {reason}", origin, when, expected)

    if status is None:
        return _by_status(resource.status, refused)
    quantity = resource.valueQuantity
    if type(quantity) is not dict:
        return refused(_no_quantity(resource, record))
    value = number(quantity.get("value"))
    if value is None:
        return refused(_no_number(quantity.get("value"), resource, record))
    comparator = quantity.get("comparator")
    if comparator is not None:
        comparator = COMPARATORS.get(comparator) if type(comparator) is str else None
        if comparator is None:
            return refused("the value has a comparator that is not known")
    spelling, trouble = _unit(quantity, analyte, record)
    if trouble:
        return refused(trouble)
    exact = analyte.convert(value, spelling)
    if exact is None:
        return refused("the unit is not one that can be converted")
    if not analyte.is_plausible(exact):
        return refused(f"{_sent(value, spelling, record)} is not a plausible value")
    if when is None:
        return refused(_no_date(resource))
    if when.first_day > record.as_of:
        return refused("it is dated in the future")
    return Result(
        analyte.name,
        analyte.rounded(exact),
        exact,
        when,
        origin,
        status,
        comparator,
        None if resource.referenceRange is None else _limits(resource.referenceRange, analyte, spelling, record),
        _sent(value, spelling, record),
        _haemolysed(resource, when, record),
        _note(resource, record),
    )


def _by_status(status: Any, refused: Any) -> Unread:
    """Why a status does not count. R4, STU3 and DSTU2 all require one, so none at all is unusable too."""
    code = words(status)
    if code in LEFT_OUT:
        made: Unread = refused(LEFT_OUT[code], expected=True)
    elif code == "registered":
        made = refused("the result is not there yet")
    else:
        made = refused("it has a status that is not known" if code else "it has no status")
    return made


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


def _unit(quantity: dict[str, Any], analyte: Analyte, record: Record) -> tuple[str, str]:
    """The unit as sent, and "" or why it cannot be used: a unit is never guessed (HZ04, terminology rule 1).

    The UCUM code first, else the printed unit. If both can be converted and differ, neither is believed.
    """
    unit, code, system = quantity.get("unit"), quantity.get("code"), quantity.get("system")
    if not ((unit is None or type(unit) is str) and (code is None or type(code) is str)):
        return "", "the unit could not be read"
    if system is not None and type(system) is not str:
        return "", "the unit could not be read"
    key = (analyte.name, unit, code, system)
    found = record.units.get(key)
    if found is None:
        found = record.units[key] = _spelling(words(unit), words(code) if (system or "") in UCUM else "", analyte, record)
    return found


def _spelling(unit: str, code: str, analyte: Analyte, record: Record) -> tuple[str, str]:
    if not (unit or code):
        return "", "the value has no unit"
    by_code = analyte.convert(Decimal(1), code) if code else None
    by_unit = analyte.convert(Decimal(1), unit) if unit else None
    if by_code is not None and by_unit is not None and by_code != by_unit:
        return "", f"the unit '{record.safe(unit)}' and its code '{record.safe(code)}' contradict each other"
    if by_code is None and by_unit is None:
        return "", f"the unit '{record.safe(unit or code)}' is not one that can be converted"
    return (unit if by_unit is not None else code), ""


def _sent(value: Decimal, spelling: str, record: Record) -> str:
    """Value and unit as the laboratory wrote them, fit to print."""
    return f"{format(value, 'f')[:_LONGEST_NUMBER]} {record.safe(spelling)}"


def _limits(ranges: Any, analyte: Analyte, spelling: str, record: Record) -> Limits | None:
    """The range sent with the result, converted and rounded; None if there is none, or several that differ.

    Used: a range with a low or a high number whose type is ``normal`` or not stated. A range in words is not parsed.
    A range no value could lie in (0 to 0, or beyond the plausible span) stands for "none", or for another unit.
    """
    found: Limits | None = None
    for one in objects(ranges):
        kind = one.get("type", one.get("meaning"))
        if kind is not None and code_words(kind) != {"normal"}:
            continue
        low, high = one.get("low"), one.get("high")
        if low is None and high is None:
            continue
        read = _one_range(low, high, analyte, spelling, record)
        if read is None or (found is not None and found != read):
            return None
        found = read
    return found


def _one_range(low: Any, high: Any, analyte: Analyte, spelling: str, record: Record) -> Limits | None:
    sides: list[Decimal | None] = []
    for side in (low, high):
        if side is None:
            sides.append(None)
            continue
        value = number(member(side, "value"))
        if value is None:
            return None
        unit, trouble = spelling, ""
        if side.get("unit") is not None or side.get("code") is not None:
            unit, trouble = _unit(side, analyte, record)
        exact = None if trouble else analyte.convert(value, unit)
        if exact is None:
            return None
        sides.append(analyte.rounded(exact))
    lowest, highest = sides
    if highest is not None and (not analyte.is_plausible(highest) or (lowest is not None and lowest >= highest)):
        return None
    if highest is None and lowest is not None and not analyte.is_plausible(lowest):
        return None
    return Limits(lowest, highest)


def _haemolysed(resource: Resource, when: When, record: Record) -> bool:
    """Specimen.condition, or Observation.interpretation, or a test of the same sample; never a note (3.8 no. 14)."""
    if resource.interpretation is not None and SPECIMEN_HAEMOLYSED in record.concepts(resource.interpretation):
        return True
    if resource.specimen is not None:
        if target(resource.specimen) in record.haemolysed_specimens:
            return True
        specimen = record.find(resource.specimen, "Specimen", resource.contained)
        if specimen is not None and SPECIMEN_HAEMOLYSED in record.concepts(specimen.condition):
            return specimen.subject is None or resource.contained is not None or record.whose(specimen) is Whose.OURS
    return when in record.haemolysed_moments


def _note(resource: Resource, record: Record) -> str:
    """The laboratory's remark, to be shown and never parsed (3.1 no. 3): R4 ``note``, STU3 and DSTU2 spellings."""
    if resource.note is None and resource.comment is None and resource.comments is None:
        return ""
    texts = [words(one.get("text")) for one in objects(resource.note)]
    texts += [words(resource.comment), words(resource.comments)]
    return record.safe(" ".join(text for text in texts if text))
