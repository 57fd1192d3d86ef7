"""A statin in hand, and creatine kinase: far above its limit, or not measured although there are muscle symptoms."""

from collections.abc import Iterator
from typing import Final

from cards.case import Case
from cards.chart import NotReadable, NotRecorded, Recorded
from cards.creatine_kinase import CK, fill_of, is_over, may_be_over
from cards.entries import Area, Draft, Medicine, Order, Problem, Result
from cards.finding import Finding
from cards.screening import SCREEN, ScreenTest, Standing
from cards.topic import Sheet, load_topic

STATIN: Final = "statin"


def judge(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Before a statin, a creatine kinase over five times its limit deserves a repeat and advice; with muscle symptoms
    and none measured, one is worth having first.
    """
    drafts = case.drafted(STATIN)
    if not drafts:
        return
    found = [*_over(case, sheet, drafts)]
    if not any(finding.kind.startswith("over") for finding in found):
        found += _unmeasured(case, sheet, drafts)
    yield from found
    taken = _taken(case, drafts)
    if taken:
        yield Finding("renewal", evidence=taken, fill={"drug": case.drug(taken[0], STATIN)})


def _taken(case: Case, drafts: tuple[Draft, ...]) -> tuple[Medicine, ...]:
    """Active records of the drafted statin: the order renews it."""
    names = frozenset[str]().union(*(draft.ingredients for draft in drafts)) & case.vocabulary.ingredients_of(STATIN)
    return case.chart.taking(names)


def _over(case: Case, sheet: Sheet, drafts: tuple[Draft, ...]) -> Iterator[Finding]:
    """O14; what cannot be placed because the sex is not known earns a line only (3.2)."""
    times = sheet.number("action")
    match case.latest_fresh(CK):
        case Recorded(results):
            over = [r for r in results if is_over(case, r, times)]
            unplaced = [r for r in results if r not in over and may_be_over(case, r, times)]
        case NotRecorded() | NotReadable():
            return
    if over:
        worst = max(over, key=lambda r: r.value)
        kind = "over-renewal" if _taken(case, drafts) else "over"
        yield Finding(
            kind, (*drafts, *results), fill_of(case, worst), about=CK, suggest=sheet.open_for(case, "repeat-ck")
        )
    else:
        for result in unplaced:
            yield Finding("unclassifiable", evidence=(result,), fill=fill_of(case, result))


def _unmeasured(case: Case, sheet: Sheet, drafts: tuple[Draft, ...]) -> Iterator[Finding]:
    """O15; unknown is not missing: results that were not read to the end may hold a creatine kinase (P19)."""
    symptoms = case.recent(*sheet.concepts("muscle-symptoms"))
    if not symptoms or not case.complete(Area.RESULTS):
        return
    standing = SCREEN.look(case, ScreenTest.CK)
    if standing.state is Standing.DONE:
        return
    last: tuple[Result, ...] = ()
    match case.chart.latest(CK):
        case Recorded(results):
            kind, last = "unmeasured", results
        case NotRecorded():
            kind = "unmeasured"
        case NotReadable():
            kind = "unusable"
    evidence: tuple[Draft | Problem | Result | Order, ...] = (*drafts, *symptoms, *last, *standing.orders)
    every = case.complete(Area.MEDICINES, Area.ORDERS)  # an order that was not read may be the test (3.8 no. 13)
    yield Finding(kind, evidence, suggest=sheet.open_for(case, "ck") if every else ())


TOPIC = load_topic(judge=judge, beside=__file__)
