"""Potassium, sodium, adjusted calcium and magnesium outside their range, as contributors to the symptom."""

from collections.abc import Iterator

from cards.bands import Grade
from cards.calcium import ADJUSTED, ALBUMIN, TOTAL, low_total_without_albumin
from cards.case import Case
from cards.chart import NotRecorded
from cards.electrolytes import POTASSIUM, passed_over, recent, recent_out_of_range
from cards.entries import Area, Result
from cards.figures import value_of
from cards.finding import Finding, Indicator
from cards.topic import Sheet, load_topic

GROUP, MAGNESIUM = "electrolytes", "magnesium"


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """An electrolyte outside its range may contribute to cramps or twitching; how far outside decides how urgent."""
    electrolytes = case.vocabulary.analytes_in(GROUP)
    low = set()
    for name in electrolytes:
        for grade, finding in _outside(case, sheet, name):
            yield finding
            if grade.side == "low":
                low.add(name)
            if name == ADJUSTED:
                yield Finding(f"{grade.side}-calcium", about=name)
    if low & {POTASSIUM, ADJUSTED} and isinstance(case.latest_fresh(MAGNESIUM), NotRecorded):
        yield Finding("magnesium", suggest=sheet.open_for(case, "magnesium"))
    yield from _circumstances(case, sheet)
    for result in case.preliminary(*electrolytes, TOTAL, ALBUMIN):
        yield Finding("preliminary", evidence=(result,))


def _outside(case: Case, sheet: Sheet, name: str) -> Iterator[tuple[Grade, Finding]]:
    """The newest recent value of one analyte, if it is outside its range; of two, the graver (3.8 no. 12)."""
    graded = recent_out_of_range(case, name)
    if graded:
        grade, result = max(graded, key=lambda pair: _kind(case, *pair)[1])
        yield grade, _judge(case, sheet, grade, result, recent(case, name))


def _circumstances(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """What changes how the values are to be read."""
    if dialysis := case.chart.has(*sheet.concepts("dialysis")):
        yield Finding("dialysis", evidence=dialysis)
    if case.chart.has(*sheet.concepts("pregnancy")):
        yield Finding("pregnancy")
    for result in low_total_without_albumin(case):
        yield Finding("total-without-albumin", evidence=(result,))


def _judge(case: Case, sheet: Sheet, grade: Grade, result: Result, results: tuple[Result, ...]) -> Finding:
    analyte = case.analyte(result.analyte)
    kind, indicator = _kind(case, grade, result)
    if indicator is Indicator.WARNING and case.chart.has(*sheet.concepts("dialysis")):
        indicator = Indicator.INFO  # P11: different targets; critical stays
    return Finding(
        kind,
        evidence=(
            *results,
            *passed_over(case, result.analyte),
            *case.not_final_since(results, result.analyte),
        ),
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
        # That no repeat was found may be said only if all results were read.
        return "not-repeated" if case.chart.complete(Area.RESULTS) else "outside", Indicator.WARNING
    return ("slight", Indicator.INFO) if grade.indicator is Indicator.INFO else ("outside", Indicator.WARNING)


TOPIC = load_topic(find, beside=__file__, group=GROUP)
