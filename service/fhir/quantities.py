"""Units and reference ranges of laboratory values, by the closed table of each analyte (HZ04, specification 3.2)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from service.fhir.elements import code_words, member, number, objects, words
from service.fhir.record import Record
from service.fhir.resource import opened
from terminology.analytes import Analyte, Limits

UCUM: Final = frozenset({"http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8", ""})
"""Systems of a unit's code: UCUM by either of its names, or none stated."""

_UNIT_UNREADABLE: Final = ("", "the unit could not be read")


def unit_of(quantity: dict[str, Any], analyte: Analyte, record: Record) -> tuple[str, str]:
    """The unit as sent, and "" or why it cannot be used: a unit is never guessed (HZ04, terminology rule 1).

    The UCUM code first, else the printed unit. If both can be converted and differ, neither is believed.
    """
    unit, code, system = quantity.get("unit"), quantity.get("code"), quantity.get("system")
    key = (analyte.name, unit, code, system)
    try:
        found = record.units.get(key)
    except TypeError:  # an object or a list where a word belongs
        return _UNIT_UNREADABLE
    if found is None:
        if all(one is None or type(one) is str for one in (unit, code, system)):
            ucum = words(code) if (system or "").strip() in UCUM else ""
            found = _spelling(words(unit), ucum, analyte, record)
        else:
            found = _UNIT_UNREADABLE
        record.units[key] = found
    return found


def _spelling(unit: str, code: str, analyte: Analyte, record: Record) -> tuple[str, str]:
    if not (unit or code):
        return "", "the value has no unit"
    by_code = analyte.factor(code) if code else None
    by_unit = analyte.factor(unit) if unit else None
    if by_code is not None and by_unit is not None and by_code != by_unit:
        return "", f"the unit '{record.safe(unit)}' and its code '{record.safe(code)}' contradict each other"
    if by_code is None and by_unit is None:
        return "", f"the unit '{record.safe(unit or code)}' is not one that can be converted"
    return (unit if by_unit is not None else code), ""


def limits_of(ranges: Any, analyte: Analyte, spelling: str, record: Record) -> Limits | None:
    """The range sent with the result, converted and rounded; None if there is none, or several that differ.

    Used: a range with a low or a high number whose type is ``normal`` or not stated. A range in words is not parsed.
    A range no value could lie in (0 to 0, or beyond the plausible span) stands for "none", or for another unit.
    """
    if type(ranges) is msgspec.Raw:
        key = (analyte.name, spelling, bytes(ranges))  # a laboratory repeats its range with every result
        if key not in record.ranges:
            record.ranges[key] = limits_of(opened(ranges), analyte, spelling, record)
        return record.ranges[key]
    only = ranges[0] if type(ranges) is list and len(ranges) == 1 else None
    if type(only) is dict and "type" not in only and "meaning" not in only:
        # one plain range is what nearly every laboratory sends: told apart, it is read the quicker
        low, high = only.get("low"), only.get("high")
        return None if low is None and high is None else _one_range(low, high, analyte, spelling, record)
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
    """One range; a laboratory repeats it with every result, so it is worked out once."""
    key = (analyte.name, spelling, _side(low), _side(high))
    try:
        return record.ranges[key]
    except KeyError:
        found = record.ranges[key] = _converted(low, high, analyte, spelling, record)
        return found
    except TypeError:  # an object or a list where a number or a word belongs
        return None


def _side(quantity: Any) -> tuple[Any, ...]:
    """What tells one side of a range from another; the type too, for true is equal to 1."""
    if type(quantity) is not dict:
        return type(quantity), quantity
    get = quantity.get
    value = get("value")
    return type(value), value, get("unit"), get("code"), get("system")


def _converted(low: Any, high: Any, analyte: Analyte, spelling: str, record: Record) -> Limits | None:
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
            unit, trouble = unit_of(side, analyte, record)
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
