"""Potassium, sodium, adjusted calcium and magnesium outside their range, as contributors to the symptom."""

from collections.abc import Iterator

from cards.bands import Grade
from cards.calcium import ADJUSTED, adjusted_calcium, low_total_without_albumin
from cards.case import Case
from cards.chart import Lookup, NotReadable, NotRecorded, Recorded, Result
from cards.figures import value_of
from cards.finding import Finding, Indicator
from cards.topic import Sheet, load_topic

POTASSIUM, MAGNESIUM = "potassium", "magnesium"


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """An electrolyte outside its range may contribute to cramps or twitching; how far outside decides how urgent."""
    low = []
    electrolytes = sorted(n for n, a in case.vocabulary.analytes.items() if "electrolytes" in a.groups)
    for name in electrolytes:
        match _latest(case, name):
            case Recorded(results):
                graded = [(grade, r) for r in results if isinstance(grade := case.grade(r), Grade)]
                if not graded:
                    continue
                grade, result = max(graded, key=lambda pair: _kind(case, *pair)[1])  # the graver decides (3.8 no. 12)
                if grade.side == "low" and name in (POTASSIUM, ADJUSTED):
                    low.append(name)
                yield _judge(case, sheet, grade, result, results)
                if name == ADJUSTED and grade.side == "high":
                    yield Finding("high-calcium", about=name)
                if name == ADJUSTED and grade.side == "low":
                    yield Finding("low-calcium", about=name)
            case NotRecorded() | NotReadable():
                pass
    if low and not _has_recent_magnesium(case):
        yield Finding("magnesium", suggest=sheet.open_for(case, "magnesium"))
    if case.chart.has("dialysis"):
        yield Finding("dialysis", evidence=case.chart.has("dialysis"))
    if case.chart.has("pregnancy"):
        yield Finding("pregnancy")
    for result in low_total_without_albumin(case):
        yield Finding("total-without-albumin", evidence=(result,))
    for result in case.preliminary(*electrolytes):
        yield Finding("preliminary", evidence=(result,))


def _latest(case: Case, name: str) -> Lookup[tuple[Result, ...]]:
    found = adjusted_calcium(case) if name == ADJUSTED else case.chart.latest(name)
    match found:
        case Recorded(results):
            fresh = tuple(r for r in results if case.is_fresh(r))
            return Recorded(fresh) if fresh else NotRecorded()
        case NotRecorded() | NotReadable():
            return found


def _judge(case: Case, sheet: Sheet, grade: Grade, result: Result, results: tuple[Result, ...]) -> Finding:
    analyte = case.analyte(result.analyte)
    kind, indicator = _kind(case, grade, result)
    if indicator is Indicator.WARNING and case.chart.has("dialysis"):
        indicator = Indicator.INFO  # P11: different targets; critical stays
    return Finding(
        kind,
        evidence=results,
        fill={
            "analyte": analyte.title,
            "value": value_of(result),
            "unit": analyte.unit,
            "date": str(result.when),
        },
        indicator=indicator,
        about=result.analyte,
        suggest=sheet.open_for(case, f"repeat-{result.analyte}"),
        beyond=grade.beyond,
    )


def _kind(case: Case, grade: Grade, result: Result) -> tuple[str, Indicator]:
    if result.analyte == POTASSIUM and grade.side == "high" and result.haemolysed:
        return "haemolysed", Indicator.WARNING
    if grade.indicator is Indicator.CRITICAL:
        if case.is_fresh(result, case.windows.critical):
            return "urgent", Indicator.CRITICAL
        return "not-repeated", Indicator.WARNING
    return ("slight", Indicator.INFO) if grade.indicator is Indicator.INFO else ("outside", Indicator.WARNING)


def _has_recent_magnesium(case: Case) -> bool:
    return isinstance(case.latest_fresh(MAGNESIUM), Recorded)


TOPIC = load_topic(find, beside=__file__)
