"""Adjusted calcium: the laboratory's own value first, else total adjusted for albumin of the same day (HZ05)."""

from datetime import date

from cards.bands import limits_for
from cards.case import Case, answered_once
from cards.chart import Lookup, NotReadable, NotRecorded, Recorded, Result, ResultStatus, newest
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
    day = total.when.first_day
    return newest(
        r
        for r in case.chart.usable(ALBUMIN)
        if r.comparator is None and r.when.first_day == r.when.last_day == day == total.when.last_day
    )


def _calculated(case: Case, *, after: date | None = None) -> tuple[Result, ...]:
    """Worked out from the newest total; ``after``: if it was surely taken later than that day."""
    match case.chart.latest(TOTAL):
        case Recorded(totals):
            return tuple(
                _adjust(case, total, albumin)
                for total in totals
                if total.comparator is None and (after is None or total.when.first_day > after)
                for albumin in _albumin_of(case, total)[-1:]
            )
        case NotRecorded() | NotReadable():
            return ()


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
