"""Diltiazem drafted for cramps: what speaks against it, what asks for care, and how little is known of its benefit."""

from collections.abc import Iterable, Iterator
from typing import Final

from cards.case import Case
from cards.entries import Dose, Draft, Medicine, Problem
from cards.figures import listed
from cards.finding import Finding, Indicator
from cards.lists import Listing
from cards.ordering import (
    Concern,
    beside,
    by_kind,
    coded,
    conditions,
    drafted,
    exceeding,
    for_cramp,
    largest,
    listed_within,
    named,
    renewed,
    unchecked,
)
from cards.presentation import Symptom
from cards.topic import Sheet, load_topic
from terminology.vocabulary import Link

DILTIAZEM: Final = "diltiazem"


def judge(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Diltiazem drafted for cramps is off-label with limited evidence, and is held against its contraindications,
    cautions and interactions; drafted for the heart or blood pressure it is none of our business.
    """
    drafts = tuple(d for d in drafted(case, DILTIAZEM) if _is_for_cramp(case, sheet, d))
    if not drafts:
        return
    doses = tuple(_doses(case, sheet))
    too_much = [concern for row, concern, dose in doses if exceeding(dose, sheet.number(row.above)) is not None]
    unsure = [*_unsure(sheet, doses)]
    against = (*conditions(case, sheet.rows["contraindication"]), *beside(case, sheet.rows["contraindication"]))
    whatever_dose = [row for row in sheet.rows["interaction"] if not row.above]
    care = (*beside(case, whatever_dose), *too_much, *conditions(case, sheet.rows["caution"]))
    if against:
        yield _contraindicated(case, sheet, against, drafts)
    if care:
        names = [named(case, concern) for concern in care]
        yield Finding("caution", fill={"reason": listed_within(sheet.kinds["caution"].summary, names)})
    if not (against or care):
        yield Finding("order")
    yield from by_kind(case, (*against, *care))
    yield Finding("off-label", evidence=(*drafts, *_cramps(case, drafts)))
    if any(concern.counts_as in sheet.concepts("withdrawn-by-pacemaker") for concern in against):
        yield Finding("pacemaker")
    yield from _of_unknown_dose(sheet, unsure)
    if renewals := renewed(case, DILTIAZEM):
        yield Finding("renewal", evidence=renewals)
    if areas := unchecked(case):
        yield Finding("incomplete", fill={"areas": listed(areas)})
    if not coded((*drafts, *(concern.entry for concern in (*against, *care, *(c for _, c in unsure))))):
        yield Finding("by-name")


def _is_for_cramp(case: Case, sheet: Sheet, draft: Draft) -> bool:
    """By the reason the order gives; else a recent cramp, and nothing on record that diltiazem is usually given for."""
    if for_cramp(draft):
        return True
    cardiac = sheet.concepts("cardiac")
    if draft.reasons & frozenset(cardiac):
        return False
    return bool(case.shows.shows(Symptom.CRAMP)) and not case.chart.has(*cardiac)


def _cramps(case: Case, drafts: Iterable[Draft]) -> tuple[Problem, ...]:
    """The recorded cramp, if it alone is why a draft is taken to be for cramp: what a card rests on is named (6.2)."""
    return () if all(for_cramp(draft) for draft in drafts) else case.shows.shows(Symptom.CRAMP)


def _contraindicated(case: Case, sheet: Sheet, against: tuple[Concern, ...], drafts: tuple[Draft, ...]) -> Finding:
    """Critical only where codes name both the draft and what speaks against it (3.8 no. 4)."""
    removable = tuple(d for d in drafts if d.link is Link.CODE) if any(coded((r.entry,)) for r in against) else ()
    names = [named(case, concern) for concern in against]
    return Finding(
        "contraindicated",
        fill={"reason": listed_within(sheet.kinds["contraindicated"].summary, names)},
        indicator=None if removable else Indicator.WARNING,
        suggest=("remove",) if removable else (),
        remove=removable,
    )


def _doses(case: Case, sheet: Sheet) -> Iterator[tuple[Listing, Concern, Dose | None]]:
    """What counts only above a dose, with its dose."""
    for row in sheet.rows["interaction"]:
        if row.above:
            for concern in beside(case, (row,)):
                yield row, concern, _dose_of(concern)


def _dose_of(concern: Concern) -> Dose | None:
    return concern.entry.dose if isinstance(concern.entry, Medicine | Draft) else None


def _unsure(sheet: Sheet, doses: Iterable[tuple[Listing, Concern, Dose | None]]) -> Iterator[tuple[Listing, Concern]]:
    """What of it has a dose of which neither the whole is known nor a part that is above."""
    for row, concern, dose in doses:
        if largest(dose) is None and exceeding(dose, sheet.number(row.above)) is None:
            yield row, concern


def _of_unknown_dose(sheet: Sheet, unsure: Iterable[tuple[Listing, Concern]]) -> Iterator[Finding]:
    """One finding for each row that holds a medicine whose dose could not be read."""
    unread: dict[Listing, list[Concern]] = {}
    for row, concern in unsure:
        unread.setdefault(row, []).append(concern)
    for row, concerns in unread.items():
        entries = tuple(concern.entry for concern in concerns)
        yield Finding(f"{row.finding}-dose", evidence=entries, fill={"most": f"{sheet.number(row.above):f}"})


TOPIC = load_topic(judge=judge, beside=__file__)
