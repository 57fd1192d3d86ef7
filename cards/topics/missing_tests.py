"""The biochemical screen of the fact sheet, where a test of it is neither done nor awaited (P14, S5, S10)."""

from collections.abc import Iterable, Iterator
from datetime import date

from cards.case import Case
from cards.chart import newest, recorded
from cards.electrolytes import POTASSIUM
from cards.entries import Medicine, Order, Result
from cards.figures import listed, value_of
from cards.finding import Finding
from cards.presentation import Symptom
from cards.screening import SCREEN, SCREEN_TESTS, Screened, ScreenTest, Standing
from cards.topic import Sheet, load_topic


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """In cramp or fasciculation the screen may be completed; without delay if the last potassium was abnormal and
    never repeated, or a diuretic is taken without a U&E since.

    Silent when results, medicines or orders were not read to the end: unknown is not missing (3.8 no. 13).
    """
    if not case.shows.shows(Symptom.CRAMP, Symptom.FASCICULATION):
        return
    if not SCREEN.can_tell_what_is_missing(case):
        return
    screened = [SCREEN.look(case, test) for test in SCREEN_TESTS]
    missing = tuple(one.test for one in screened if one.state is Standing.MISSING)
    if not missing:
        return
    if ScreenTest.UE in missing:
        yield from _pressing(case, sheet)
    yield Finding(
        "missing",
        evidence=(*_last_values(case, missing), *_awaited(screened)),
        fill={"tests": listed([SCREEN.tests[test].title for test in missing])},
        suggest=tuple(test.value for test in missing),
    )


def _pressing(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """What makes a missing U&E urgent."""
    last = _last_potassium(case, sheet)
    abnormal = [r for r in last if _is_outside(r, sheet)]
    if abnormal:
        fill = {"value": value_of(abnormal[0]), "date": str(abnormal[0].when)}
        yield Finding("old-abnormal-potassium", evidence=last, fill=fill)
    diuretics = case.taking("diuretic")
    if not diuretics:
        return
    newest = max(diuretics, key=lambda m: ((start := case.started(m)) is not None, start or date.min, m.source))
    fill = {"drug": case.drug(newest, "diuretic")}
    if last and _predates(case, last, newest):
        yield Finding("ue-before-diuretic", evidence=(*diuretics, *last), fill={**fill, "date": str(last[0].when)})
    else:
        yield Finding("diuretic-without-ue", evidence=diuretics, fill=fill)


def _last_potassium(case: Case, sheet: Sheet) -> tuple[Result, ...]:
    """The newest potassium, however old. A haemolysed sample may hide a low value, so a normal one does not count."""
    return newest(r for r in case.chart.usable(POTASSIUM) if not r.haemolysed or _is_outside(r, sheet))


def _is_outside(result: Result, sheet: Sheet) -> bool:
    """Whether a potassium lies outside the limits of P14, which are the same for everyone."""
    low, high = sheet.number("potassium-low"), sheet.number("potassium-high")
    return result.is_below(low) or result.is_above(high)


def _predates(case: Case, results: tuple[Result, ...], medicine: Medicine) -> bool:
    """Whether the potassium was taken before the medicine, or on its first day."""
    start = case.started(medicine)
    return start is not None and all(r.when.first_day <= start for r in results)


def _last_values(case: Case, missing: tuple[ScreenTest, ...]) -> Iterator[Result]:
    """What is on record of a missing test, however old or unfit to count: the reader sees why it is called missing."""
    for test in missing:
        analytes = SCREEN.tests[test].analytes
        last = recorded(case.chart.latest(*analytes))
        yield from last
        yield from case.not_final_since(last, *analytes)


def _awaited(screened: Iterable[Screened]) -> Iterator[Order]:
    """Tests of the screen that are ordered already."""
    seen: set[str] = set()
    for one in screened:
        for order in one.orders:
            if order.source not in seen:
                seen.add(order.source)
                yield order


TOPIC = load_topic(find, beside=__file__)
