"""Dosage instructions -> Dose: the most that is taken at night, and the most in a day, in milligrams (rows O3, O6).

Only what is coded is read: a quantity with a unit of weight, a timing of the tables in dose_codes.py. Words are not
parsed, and no unit, strength or frequency is guessed: what is not known says why, and of a dose that is known in part
the part that is taken for certain is kept. "As needed" counts as if it were always needed.

The dose of the night is the most that is taken at any one time, unless that time is stated and is by day: a single
daily dose of quinine for cramp is taken at night, and so may be any dose whose time of day is not stated.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from typing import Any, Final, NamedTuple

from cards.entries import Dose
from service.fhir.dose_codes import (
    BY_DAY,
    DAYS,
    DAYS_IN_WORDS,
    EACH_MEAL,
    IN_THE_MORNING,
    MILLIGRAMS,
    MILLIGRAMS_IN_WORDS,
    TIMES_A_DAY,
)
from service.fhir.elements import member, number, objects, pairs, words
from service.fhir.quantities import UCUM
from service.fhir.resource import Resource
from terminology.vocabulary import MedicineMatch


class Amount(NamedTuple):
    """An amount in milligrams. ``why``: in words fit for a card why no more than the ``least`` of it is known; "" if
    that is all there is of it.
    """

    least: Decimal
    why: str = ""


IN_WORDS: Final = "the dose is given in words only"
NO_UNIT: Final = "the dose has no unit"
NO_WEIGHT: Final = "the dose is not given as a weight (tablets, capsules or the like)"
CONTRADICTION: Final = "the unit of the dose and its code contradict each other"
NO_AMOUNT: Final = "the amount of the dose could not be read"
NO_UPPER_END: Final = "the dose is a range without an upper end"
A_RATE: Final = "the dose is given as a rate"
HOW_OFTEN: Final = "how often it is taken is not stated in a code"
BY_DAY_ONLY: Final = "it is taken by day, not at night"
A_COMBINATION: Final = "it is a combination product, and the dose does not say of which ingredient"

_NOTHING: Final = Decimal(0)
_MOST: Final = Decimal(10) ** 9  # mg; bounds the arithmetic and stands for no clinical limit
_MOST_TIMES: Final = 86_400  # once a second
_FINEST: Final = Decimal("0.000001")  # a nanogram
_NO_CODES: Final[frozenset[str]] = frozenset()
_UPPER: Final = frozenset({"", "<", "<="})  # comparators whose value is the most it can be
_LOWER: Final = frozenset({">", ">="})  # comparators whose value is the least it can be
_NONE: Final = Amount(_NOTHING)


def dose_of(resource: Resource, match: MedicineMatch) -> Dose | None:
    """What the dosage of a medicine amounts to; None if it has no dosage at all. Never raises.

    Instructions of one ``sequence``, or of none, go together and are added up; of the steps of a sequence the greatest
    counts. ``Medicine.dose`` and ``Draft.dose`` come from here.
    """
    dosages = [*objects(resource.dosageInstruction)] or [*objects(resource.dosage)]
    if not dosages:
        return None
    if is_combination(match):
        return Dose(why=A_COMBINATION)
    steps: dict[Decimal | None, list[tuple[Amount, Amount]]] = {}
    for dosage in dosages:
        steps.setdefault(number(dosage.get("sequence")), []).append(_read(dosage))
    night = _greatest([_sum(night for night, _ in step) for step in steps.values()])
    daily = _greatest([_sum(daily for _, daily in step) for step in steps.values()])
    if night == _NONE:
        night = Amount(_NOTHING, BY_DAY_ONLY)
    known = [one.least for one in (night, daily) if not one.why]
    least = max(night.least, daily.least)
    return Dose(
        night=None if night.why else _plain(night.least),
        daily=None if daily.why else _plain(daily.least),
        why=night.why or daily.why,
        least=_plain(least) if least > max(known, default=_NOTHING) else None,
    )


def is_combination(match: MedicineMatch) -> bool:
    """Whether the medicine holds more than one ingredient: nothing else of a medicine decides its dose."""
    return len(match.ingredients | match.also_by_brand) > 1


def _read(dosage: dict[str, Any]) -> tuple[Amount, Amount]:
    """One instruction: at night, and in a day."""
    timing = next(objects(dosage.get("timing")), {})
    once, times = _at_once(dosage), _times_a_day(timing)
    daily = Amount(once.least * (times or 1), once.why or ("" if times else HOW_OFTEN))
    limits = [limit for one in objects(dosage.get("maxDosePerPeriod")) if (limit := _limit(one)) is not None]
    if limits:
        daily = Amount(min([*limits, daily.least]) if not daily.why else min(limits))
    return (_NONE if _is_by_day(timing) else once), daily


def _at_once(dosage: dict[str, Any]) -> Amount:
    """What is taken at one time. R4 and R5 ``doseAndRate``; STU3 and DSTU2 write the dose beside the timing."""
    found: list[Amount] = []
    is_rate = False
    for one in (*objects(dosage.get("doseAndRate")), *objects(dosage.get("dose")), dosage):
        found += [
            _milligrams(one[name])
            for name in ("doseQuantity", "doseSimpleQuantity", "quantityQuantity")
            if one.get(name) is not None
        ]
        found += [_upper_end(one[name]) for name in ("doseRange", "quantityRange") if one.get(name) is not None]
        is_rate = is_rate or any(one.get(name) is not None for name in ("rateQuantity", "rateRatio", "rateRange"))
    return _greatest(found) if found else Amount(_NOTHING, A_RATE if is_rate else IN_WORDS)


def _upper_end(ranged: Any) -> Amount:
    """The most of a range; of one whose upper end is not known, the lower end is taken for certain."""
    high = member(ranged, "high")
    most = _milligrams(high)
    if not most.why:
        return most
    why = NO_UPPER_END if member(high, "value") is None else most.why
    return Amount(max(most.least, _milligrams(member(ranged, "low")).least), why)


def _milligrams(quantity: Any) -> Amount:
    value = number(member(quantity, "value"))
    if value is None or not 0 < value <= _MOST:
        return Amount(_NOTHING, NO_AMOUNT)
    factor = _factor(quantity)
    if isinstance(factor, str):
        return Amount(_NOTHING, factor)
    comparator = words(quantity.get("comparator"))
    if comparator in _UPPER:
        return Amount(value * factor)
    return Amount(value * factor if comparator in _LOWER else _NOTHING, NO_UPPER_END)


def _factor(quantity: dict[str, Any]) -> Decimal | str:
    """Milligrams in the unit of a quantity, by its UCUM code or its printed unit; if both are known they agree. Else
    why it is none of weight.
    """
    unit = words(quantity.get("unit"))
    code = words(quantity.get("code")) if words(quantity.get("system")) in UCUM else ""
    by_code, by_unit = MILLIGRAMS.get(code), MILLIGRAMS_IN_WORDS.get(unit.lower())
    if by_code is not None and by_unit is not None and by_code != by_unit:
        return CONTRADICTION
    found = by_code if by_code is not None else by_unit
    if found is not None:
        return found
    return NO_WEIGHT if unit or words(quantity.get("code")) else NO_UNIT


def _times_a_day(timing: dict[str, Any]) -> int | None:
    """The most times on one day; None if that is not stated in a code. Several statements: the greatest."""
    repeat = member(timing, "repeat")
    found = [_by_repeat(repeat) if isinstance(repeat, dict) else None]
    found += [TIMES_A_DAY.get(code) for code in _timing_codes(timing)]
    known = [times for times in found if times is not None]
    return max(known) if known and max(known) <= _MOST_TIMES else None


def _by_repeat(repeat: dict[str, Any]) -> int | None:
    """Frequency and period, the times of day, or the events of the day, such as bedtime."""
    stated = [number(repeat.get(name)) for name in ("frequency", "frequencyMax")]
    frequency = max((one for one in stated if one is not None and one > 0), default=None)
    events, clocks = _listed(repeat.get("when")), _listed(repeat.get("timeOfDay"))
    on_the_day = max(len(clocks), 0 if EACH_MEAL & events else len(events))
    period = number(repeat.get("period"))
    unit = next((repeat[name] for name in ("periodUnit", "periodUnits", "units") if name in repeat), None)
    days = DAYS.get(words(unit))
    if period is not None and period > 0 and days is not None:
        if period == 1 and days == 1:  # what nearly every sender writes
            return max(ceil(frequency or 1), on_the_day)
        length = Fraction(period) * days
        if length > 1 and (weekdays := _listed(repeat.get("dayOfWeek"))):
            length = min(length, Fraction(len(weekdays)))
        return max(ceil(Fraction(frequency or 1) / length), on_the_day)
    return max(on_the_day, ceil(frequency or 0)) if on_the_day else None


def _is_by_day(timing: dict[str, Any]) -> bool:
    """Whether a time of day is stated, and every time stated is by day."""
    events = _listed(member(member(timing, "repeat"), "when"))
    return events <= BY_DAY if events else any(code in IN_THE_MORNING for code in _timing_codes(timing))


def _timing_codes(timing: dict[str, Any]) -> frozenset[str]:
    """The codes of ``Timing.code``, or its text if that is written like one."""
    code = timing.get("code")
    if code is None:
        return _NO_CODES
    return frozenset((*(one for _, one in pairs(code)), words(code), words(member(code, "text")))) & TIMES_A_DAY.keys()


def _limit(ratio: dict[str, Any]) -> Decimal | None:
    """The most in a day that a ``maxDosePerPeriod`` allows; None if it cannot be read."""
    most, period = _milligrams(ratio.get("numerator")), ratio.get("denominator")
    value = number(member(period, "value"))
    code = words(member(period, "code")) if words(member(period, "system")) in UCUM else ""
    days = DAYS.get(code) or DAYS_IN_WORDS.get(words(member(period, "unit")).lower())
    if most.why or value is None or value <= 0 or days is None:
        return None
    times = ceil(1 / (Fraction(value) * days))
    return most.least * times if times <= _MOST_TIMES else None


def _listed(value: Any) -> frozenset[str]:
    """The texts of a list, or of the one text that stands where a list belongs."""
    if value is None:
        return _NO_CODES
    return frozenset(text for one in (value if isinstance(value, list) else [value]) if (text := words(one)))


def _sum(amounts: Iterable[Amount]) -> Amount:
    """All together; known in part if any of them is."""
    least, why = _NONE
    for amount in amounts:
        least, why = least + amount.least, why or amount.why
    return Amount(least, why)


def _greatest(amounts: Iterable[Amount]) -> Amount:
    """The greatest; known in part if any of them is."""
    least, why = _NONE
    for amount in amounts:
        least, why = max(least, amount.least), why or amount.why
    return Amount(least, why)


def _plain(amount: Decimal) -> Decimal:
    """To the nanogram, half up, as it is printed: 200, not 200.0 or 2E+2."""
    whole = int(amount)
    return Decimal(whole) if whole == amount else Decimal(f"{amount.quantize(_FINEST, ROUND_HALF_UP).normalize():f}")
