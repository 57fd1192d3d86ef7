"""The newest value of an electrolyte, as every topic that judges one asks for it (specification 3.2, 2.3)."""

from typing import Final

from cards.bands import Grade, Within
from cards.calcium import ADJUSTED, adjusted_calcium
from cards.case import Case, answered_once
from cards.chart import Lookup, NotReadable, NotRecorded, Recorded, newest, recorded
from cards.entries import Result

POTASSIUM: Final = "potassium"


def latest(case: Case, analyte: str) -> Lookup[tuple[Result, ...]]:
    """The newest value: of adjusted calcium as :func:`adjusted_calcium` finds it, of potassium as :func:`potassium`."""
    if analyte == ADJUSTED:
        return adjusted_calcium(case)
    return potassium(case) if analyte == POTASSIUM else case.chart.latest(analyte)


def passed_over(case: Case, analyte: str) -> tuple[Result, ...]:
    """Later values in whose place an earlier one stands: to be shown beside it."""
    if analyte != POTASSIUM:
        return ()
    match case.chart.latest(POTASSIUM), potassium(case):
        case Recorded(newest_of_all), Recorded(stands):
            return tuple(r for r in newest_of_all if r not in stands)
        case _:
            return ()


def recent(case: Case, analyte: str) -> tuple[Result, ...]:
    """The newest values as :func:`latest` finds them, if they lie within the look-back.

    Empty if there is none, it is older, or it could not be read: for rules to which that is all the same.
    """
    return tuple([r for r in recorded(latest(case, analyte)) if case.is_fresh(r)])


def recent_out_of_range(case: Case, analyte: str) -> list[tuple[Grade, Result]]:
    """Those of the :func:`recent` values that are outside their range, each with how far."""
    return [(grade, r) for r in recent(case, analyte) if isinstance(grade := case.grade(r), Grade)]


@answered_once
def potassium(case: Case) -> Lookup[tuple[Result, ...]]:
    """The newest potassium. Haemolysis raises the value and may hide a low one, so a haemolysed potassium within its
    limits does not stand in place of an earlier one that was not haemolysed (specification 2.3, HZ08).
    """
    found = case.chart.latest(POTASSIUM)
    match found:
        case Recorded(results) if all(r.haemolysed and isinstance(case.grade(r), Within) for r in results):
            clean = newest(r for r in case.chart.usable(POTASSIUM) if not r.haemolysed)
            return Recorded(clean) if clean else found
        case Recorded() | NotRecorded() | NotReadable():
            return found
