"""The codes of dosage instructions that are understood, each table with its source. Nothing else is guessed."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

_MICRO: Final = Decimal("0.001")

MILLIGRAMS: Final = {"mg": Decimal(1), "g": Decimal(1000), "ug": _MICRO, "ng": Decimal("0.000001")}
"""Milligrams in a unit of weight, by its UCUM code, in UCUM's own case: "MG" and "Mg" are not milligrams there."""

MILLIGRAMS_IN_WORDS: Final = {
    **dict.fromkeys(("mg", "milligram", "milligrams"), Decimal(1)),
    **dict.fromkeys(("g", "gram", "grams"), Decimal(1000)),
    **dict.fromkeys(("microgram", "micrograms", "mcg", "ug", "µg", "\N{GREEK SMALL LETTER MU}g"), _MICRO),
}
"""The same by ``Quantity.unit``, in lower case: the names of dm+d's units of measure, and how UCUM prints its own."""

DAYS: Final = {
    "s": Fraction(1, 86_400),
    "min": Fraction(1, 1_440),
    "h": Fraction(1, 24),
    "d": Fraction(1),
    "wk": Fraction(7),
    "mo": Fraction(28),  # the shortest month: the most in a day is asked for
    "a": Fraction(365),
}
"""Days in a unit of time: FHIR value set units-of-time, which are UCUM codes."""

DAYS_IN_WORDS: Final = {
    **dict.fromkeys(("second", "seconds"), DAYS["s"]),
    **dict.fromkeys(("minute", "minutes"), DAYS["min"]),
    **dict.fromkeys(("hour", "hours"), DAYS["h"]),
    **dict.fromkeys(("day", "days"), DAYS["d"]),
    **dict.fromkeys(("week", "weeks"), DAYS["wk"]),
    **dict.fromkeys(("month", "months"), DAYS["mo"]),
    **dict.fromkeys(("year", "years"), DAYS["a"]),
}
"""The same by ``Quantity.unit``: the displays of units-of-time."""

TIMES_A_DAY: Final = {
    **dict.fromkeys(("QD", "QOD", "AM", "PM", "BED", "WK", "MO"), 1),
    "BID": 2,
    "TID": 3,
    "QID": 4,
    "Q1H": 24,
    "Q2H": 12,
    "Q3H": 8,
    "Q4H": 6,
    "Q6H": 4,
    "Q8H": 3,
    "QAM": 1,
    "QPM": 1,
    "QHS": 1,
}
"""The most times in one day by ``Timing.code``: FHIR value set timing-abbreviation (HL7 v3 GTSAbbreviation), all of it;
the last three are of HL7 v2 table 0335 (repeat pattern), which American record systems write in the same place."""

IN_THE_MORNING: Final = frozenset({"AM", "QAM"})
"""Those of them that say that nothing is taken at night. PM, "every afternoon", is written for the evening too."""

BY_DAY: Final = frozenset(
    {
        *("MORN", "MORN.early", "MORN.late", "NOON", "AFT", "AFT.early", "AFT.late"),
        *("WAKE", "CM", "ACM", "PCM", "CD", "ACD", "PCD"),
    }
)
"""``Timing.repeat.when`` that says that it is taken by day: FHIR event-timing and HL7 v3 TimingEvent. Evening, night,
bedtime and the evening meal are not among them."""

EACH_MEAL: Final = frozenset({"C", "AC", "PC", "IC"})
"""``when`` of every meal (same source): how many times a day that is, it does not say."""
