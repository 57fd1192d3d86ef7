"""Creatine kinase above the upper limit, by how many times (specification P12, 3.5; silence rules S11 and S15)."""

from collections.abc import Iterator

from cards.bands import Grade, Grading, Ungraded, Within
from cards.case import Case
from cards.chart import recorded
from cards.creatine_kinase import CK, fill_of, upper_limits
from cards.entries import Area, Result
from cards.finding import Finding, Indicator
from cards.screening import SCREEN, ScreenTest
from cards.topic import Sheet, load_topic


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """A creatine kinase clearly above its limit is worth a repeat after rest, and from five times the limit a closer
    look; a trivial rise is rarely relevant.
    """
    yield from _judge(case, sheet, recorded(case.latest_fresh(CK)))
    for result in case.preliminary(CK):
        yield Finding("preliminary", evidence=(result,))


def _judge(case: Case, sheet: Sheet, results: tuple[Result, ...]) -> Iterator[Finding]:
    placed = [(case.grade(r), r) for r in results]
    raised = [(grade, r) for grade, r in placed if isinstance(grade, Grade)]
    if raised:
        grade, result = max(raised, key=lambda pair: (pair[0].indicator, pair[1].value))  # the graver of two decides
        yield _raised(case, sheet, grade.indicator, result, results)
        statins = case.taking("statin", named=True)
        if statins:
            drug = " and ".join(sorted({case.drug(m, "statin") for m in statins}))
            yield Finding("statin", evidence=statins, fill={"drug": drug})
        return
    for graded, result in placed:
        if graded is Ungraded.SEX:
            yield Finding("unclassifiable", evidence=(result,), fill=fill_of(case, result))
        elif _is_trivially_raised(case, graded, result):
            yield Finding("trivial", evidence=(result,), fill=fill_of(case, result))


def _raised(case: Case, sheet: Sheet, indicator: Indicator, result: Result, results: tuple[Result, ...]) -> Finding:
    kind = {Indicator.INFO: "raised", Indicator.WARNING: "marked", Indicator.CRITICAL: "urgent"}[indicator]
    if kind == "urgent" and not case.is_fresh(result, case.windows.critical):
        # That no repeat was found may be said only if all results were read.
        kind = "not-repeated" if case.complete(Area.RESULTS) else "marked"
    repeat = "repeat-ck-soon" if kind in ("urgent", "not-repeated") else "repeat-ck"  # no rest is waited for
    missing = SCREEN.missing(case, ScreenTest.UE, ScreenTest.TSH)
    return Finding(
        kind,
        evidence=(*results, *case.not_final_since(results, CK)),
        fill=fill_of(case, result),
        about=CK,
        suggest=(*sheet.open_for(case, repeat), *(test.value for test in missing)),
    )


def _is_trivially_raised(case: Case, grading: Grading, result: Result) -> bool:
    """Above every upper limit that may apply, and in no band (S15)."""
    highs = upper_limits(case, result)
    return isinstance(grading, Within) and bool(highs) and all(result.is_above(high) for high in highs)


TOPIC = load_topic(find, beside=__file__)
