"""Units and reference ranges of laboratory values, by the closed table of each analyte (HZ04, specification 3.2)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from service.fhir.elements import code_words, member, number, objects, words
from service.fhir.record import Record, Unit
from service.fhir.resource import opened
from terminology.analytes import Analyte, Limits

UCUM: Final = frozenset({"http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8", ""})
"""Systems of a unit's code: UCUM by either of its names, or none stated."""

_NO_FACTOR: Final = Decimal(1)


def unit_of(unit: Any, code: Any, system: Any, analyte: Analyte, record: Record) -> Unit:
    """The unit as sent, or why it cannot be used: a unit is never guessed (HZ04, terminology rule 1).

    The UCUM code first, else the printed unit. If both can be converted and differ, neither is believed.
    """
    key = (analyte.name, unit, code, system)
    try:
        found = record.units.get(key)
    except TypeError:  # an object or a list where a word belongs
        return _unusable("the unit could not be read")
    if found is None:
        found = record.units[key] = _unit(unit, code, system, analyte, record)
    return found


def _unit(unit: Any, code: Any, system: Any, analyte: Analyte, record: Record) -> Unit:
    if not all(one is None or type(one) is str for one in (unit, code, system)):
        return _unusable("the unit could not be read")
    printed, ucum = words(unit), words(code) if (system or "").strip() in UCUM else ""
    if not (printed or ucum):
        return _unusable("the value has no unit")
    by_code = analyte.factor(ucum) if ucum else None
    by_unit = analyte.factor(printed) if printed else None
    if by_code is not None and by_unit is not None and by_code != by_unit:
        shown, other = record.safe(printed), record.safe(ucum)
        return _unusable(f"the unit '{shown}' and its code '{other}' contradict each other")
    if by_unit is not None:
        return Unit(record.safe(printed), by_unit, "", {})
    if by_code is not None:
        return Unit(record.safe(ucum), by_code, "", {})
    return _unusable(f"the unit '{record.safe(printed or ucum)}' is not one that can be converted")


def _unusable(why: str) -> Unit:
    return Unit("", _NO_FACTOR, why, {})


def limits_of(ranges: Any, analyte: Analyte, unit: Unit, record: Record) -> Limits | None:
    """The range sent with the result, converted and rounded; None if there is none, or several that differ.

    Used: a range with a low or a high number whose type is ``normal`` or not stated. A range in words is not parsed.
    A range no value could lie in (0 to 0, or beyond the plausible span) stands for "none", or for another unit.
    """
    if type(ranges) is not msgspec.Raw:
        return _limits(ranges, analyte, unit, record)
    text = bytes(ranges)
    try:
        return unit.ranges[text]
    except KeyError:
        found = unit.ranges[text] = _limits(opened(ranges), analyte, unit, record)
        return found


def _limits(ranges: Any, analyte: Analyte, unit: Unit, record: Record) -> Limits | None:
    found: Limits | None = None
    for one in objects(ranges):
        kind = one.get("type", one.get("meaning"))
        if kind is not None and code_words(kind) != {"normal"}:
            continue
        low, high = one.get("low"), one.get("high")
        if low is None and high is None:
            continue
        read = _one_range(low, high, analyte, unit, record)
        if read is None or (found is not None and found != read):
            return None
        found = read
    return found


def _one_range(low: Any, high: Any, analyte: Analyte, unit: Unit, record: Record) -> Limits | None:
    sides: list[Decimal | None] = []
    for side in (low, high):
        if side is None:
            sides.append(None)
            continue
        value = number(member(side, "value"))
        if value is None:
            return None
        printed, code = side.get("unit"), side.get("code")
        own = unit if printed is None and code is None else unit_of(printed, code, side.get("system"), analyte, record)
        exact = None if own.why else analyte.scaled(value, own.factor)
        if exact is None:
            return None
        sides.append(analyte.rounded(exact))
    lowest, highest = sides
    if highest is not None and (not analyte.is_plausible(highest) or (lowest is not None and lowest >= highest)):
        return None
    if highest is None and lowest is not None and not analyte.is_plausible(lowest):
        return None
    return Limits(lowest, highest)
