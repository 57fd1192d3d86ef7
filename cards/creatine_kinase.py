"""Creatine kinase as a multiple of its upper limit, for every topic that judges one (specification 2.3, 3.2; HZ06)."""

from decimal import Decimal
from typing import Final

from cards.bands import limits_for
from cards.case import Case
from cards.entries import Comparator, Result
from cards.figures import ratio_of, value_of

CK: Final = "ck-total"


def upper_limits(case: Case, result: Result) -> frozenset[Decimal]:
    """Every upper limit that may apply: two if none was sent and the sex is not known, none if there is no limit."""
    used = limits_for(result, case.analyte(CK), case.chart.person)
    return frozenset(one.limits.high for one in used if one.limits.high)


def multiple(case: Case, result: Result) -> str:
    """How many times the upper limit, as printed; both multiples when the limit depends on a sex not known."""
    marks = [b.value for b in case.bands.of(CK) if b.bound.endswith("_ratio") and b.value is not None]
    sign = "" if result.comparator is None else result.comparator.value
    ratios = [ratio_of(result.value, high, marks) for high in sorted(upper_limits(case, result), reverse=True)]
    return sign + " to ".join(ratios)


def fill_of(case: Case, result: Result) -> dict[str, str]:
    """What the sheets' sentences on creatine kinase are filled with: value, date, and the multiple."""
    return {"value": value_of(result), "ratio": multiple(case, result), "date": str(result.when)}


def is_over(case: Case, result: Result, times: Decimal) -> bool:
    """Whether the value is more than so many times every upper limit that may apply."""
    return bool(highs := upper_limits(case, result)) and all(result.is_above(times * high) for high in highs)


def may_be_over(case: Case, result: Result, times: Decimal) -> bool:
    """Whether the value is more than so many times some upper limit that may apply."""
    return any(result.is_above(times * high) for high in upper_limits(case, result))


def is_at_most(case: Case, result: Result, times: Decimal) -> bool:
    """Whether the value is no more than so many times every upper limit that may apply."""
    if result.comparator in (Comparator.MORE, Comparator.AT_LEAST):
        return False
    highs = upper_limits(case, result)
    return bool(highs) and all(result.value <= times * high for high in highs)
