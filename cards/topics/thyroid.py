"""Thyroid stimulating hormone outside its range, weighed with the free hormones of the same time (P13, 3.5)."""

from collections.abc import Iterator, Mapping

from cards.bands import Grade, Whose, Within
from cards.case import Case
from cards.chart import NotRecorded, recorded
from cards.entries import Result
from cards.figures import value_of
from cards.finding import Finding, Indicator
from cards.topic import Sheet, load_topic

TSH, FREE_T4, FREE_T3 = "tsh", "free-t4", "free-t3"


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """A TSH outside its range may go with cramps; far outside, or with a free hormone out on the other side, it is
    worth a review.
    """
    yield from _judge(case, sheet, recorded(case.latest_fresh(TSH)))
    for result in case.preliminary(TSH, FREE_T4, FREE_T3):
        yield Finding("preliminary", evidence=(result,))


def _judge(case: Case, sheet: Sheet, results: tuple[Result, ...]) -> Iterator[Finding]:
    outside = [(grade, r) for r in results if isinstance(grade := case.grade(r), Grade)]
    if not outside:
        for result in results:
            grading = case.grade(result)
            if isinstance(grading, Within) and grading.used.whose is Whose.NONE:
                yield Finding("no-range", evidence=(result,), fill=_fill(result))
        return
    opposite = {grade.side: tuple(_out_on_the_other_side(case, grade.side)) for grade, _ in outside}
    grade, result = max(outside, key=lambda pair: _is_grave(pair[0], opposite))  # the graver of two (3.8 no. 12)
    hormones = opposite[grade.side]
    kind = "outside" if _is_grave(grade, opposite) else "mild"
    wanted = ["repeat-tft"] if _on_record(case, FREE_T4) else ["free-t4", "repeat-tft"]
    shown = (*results, *case.not_final_since(results, TSH))
    yield Finding(kind, evidence=shown, fill=_fill(result), about=TSH, suggest=sheet.open_for(case, *wanted))
    yield Finding(f"{grade.side}-tsh")
    if hormones:
        yield Finding(f"{grade.side}-with-hormone", evidence=hormones)
    elif normal := recorded(case.latest_fresh(FREE_T4)):
        yield Finding("free-t4-seen", evidence=normal)


def _is_grave(grade: Grade, opposite: Mapping[str, tuple[Result, ...]]) -> bool:
    return grade.indicator is Indicator.WARNING or bool(opposite[grade.side])


def _fill(result: Result) -> dict[str, str]:
    return {"value": value_of(result), "date": str(result.when)}


def _out_on_the_other_side(case: Case, side: str) -> Iterator[Result]:
    """Low free T4 beside a high TSH, raised free T4 or T3 beside a low one; judged by the range sent and no other."""
    for name in (FREE_T4,) if side == "high" else (FREE_T4, FREE_T3):
        for result in recorded(case.latest_fresh(name)):
            if _is_low(result) if side == "high" else _is_raised(result):
                yield result


def _is_low(result: Result) -> bool:
    low = None if result.limits is None else result.limits.low
    return low is not None and result.is_below(low)


def _is_raised(result: Result) -> bool:
    high = None if result.limits is None else result.limits.high
    return high is not None and result.is_above(high)


def _on_record(case: Case, analyte: str) -> bool:
    """Whether a recent value is there, or may be there unread: then the test is not suggested."""
    return not isinstance(case.latest_fresh(analyte), NotRecorded)


TOPIC = load_topic(find, beside=__file__)
