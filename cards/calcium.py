"""Adjusted calcium: the laboratory's own value first, else total adjusted for albumin of the same day (HZ05)."""

from collections.abc import Iterable
from datetime import date

from cards.bands import limits_for
from cards.case import Case, answered_once
from cards.chart import Lookup, NotReadable, NotRecorded, Recorded, newest
from cards.entries import Result, ResultStatus
from terminology.analytes import Limits

ADJUSTED, TOTAL, ALBUMIN = "calcium-adjusted", "calcium-total", "albumin"


@answered_once
def adjusted_calcium(case: Case) -> Lookup[tuple[Result, ...]]:
    """The newest adjusted calcium, reported or calculated; on the same day the reported one (specification 3.2)."""
    reported = case.chart.latest(ADJUSTED)
    match reported:
        case Recorded(results):
            calculated = _calculated(case, after=max(r.when.last_day for r in results))
        case NotRecorded() | NotReadable():
            calculated = _calculated(case)
    return Recorded(calculated) if calculated else reported


def low_total_without_albumin(case: Case) -> tuple[Result, ...]:
    """Recent total calcium below its range that nothing adjusts: worth a line, never a card (specification 3.2)."""
    newest: date | None = None
    match adjusted_calcium(case):
        case Recorded(results):
            newest = max(r.when.last_day for r in results)
        case NotRecorded() | NotReadable():
            pass
    match case.latest_fresh(TOTAL):
        case Recorded(results):
            return tuple(
                r
                for r in results
                if (newest is None or r.when.first_day > newest) and not _albumin_of(case, r) and _is_low(case, r)
            )
        case NotRecorded() | NotReadable():
            return ()


def _is_low(case: Case, total: Result) -> bool:
    # A total without a range is held against the adjusted limits: it can only earn a line that asks for the adjusted.
    analyte = case.analyte(ADJUSTED)
    used = limits_for(total, analyte, case.chart.person)[0]
    return used.limits.low is not None and total.value < used.limits.low


def _albumin_of(case: Case, total: Result) -> tuple[Result, ...]:
    """The newest albumin of the same day; a corrected one goes before others of its time."""
    day = total.when.only_day
    return () if day is None else newest(r for r in case.chart.usable(ALBUMIN) if _day_of(r) == day)


def _day_of(result: Result) -> date | None:
    """The day of a number; None if it is no number, or of no day that is known: nothing else can be paired."""
    return result.when.only_day if result.comparator is None else None


def _calculated(case: Case, *, after: date | None = None) -> tuple[Result, ...]:
    """Worked out from the newest total that can be; ``after``: if it was surely taken later than that day."""
    return tuple(
        _adjust(case, total, albumin)
        for total, albumin in _newest_pairs(case)
        if after is None or total.when.first_day > after
    )


def _newest_pairs(case: Case) -> list[tuple[Result, Result]]:
    """The newest total with its albumin; if it has none of its day, the newest that has one.

    As a total without albumin says nothing against an adjusted calcium of the laboratory, so it says nothing against
    one that is worked out.
    """
    match case.chart.latest(TOTAL):
        case Recorded(totals):
            pairs = _paired(case, totals)
            if pairs:
                return pairs
            days = {day for r in case.chart.usable(ALBUMIN) if (day := _day_of(r)) is not None}
            earlier = [r for r in case.chart.usable(TOTAL) if _day_of(r) in days] if days else []
            return _paired(case, newest(earlier))
        case NotRecorded() | NotReadable():
            return []


def _paired(case: Case, totals: Iterable[Result]) -> list[tuple[Result, Result]]:
    return [(t, albumin) for t in totals if t.comparator is None for albumin in _albumin_of(case, t)[-1:]]


def _adjust(case: Case, total: Result, albumin: Result) -> Result:
    bands, analyte = case.bands, case.analyte(ADJUSTED)
    exact = total.exact + bands.slope * (bands.reference - albumin.exact)
    return Result(
        analyte=ADJUSTED,
        value=analyte.rounded(exact),
        exact=exact,
        when=total.when,
        source=f"{total.source}, {albumin.source}",
        status=total.status if total.status is not ResultStatus.FINAL else albumin.status,
        limits=Limits(None, None),
        calculated_from=f"total {total.value} mmol/L, albumin {albumin.value} g/L",
    )
