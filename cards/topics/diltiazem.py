"""Diltiazem drafted for cramps: what speaks against it, what asks for care, and how little is known of its benefit."""

from collections.abc import Iterator
from typing import Final

from cards.case import Case
from cards.chart import Draft
from cards.figures import listed
from cards.finding import Finding, Indicator
from cards.ordering import (
    Concern,
    beside,
    by_kind,
    coded,
    conditions,
    drafted,
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

DILTIAZEM, SIMVASTATIN = "diltiazem", "simvastatin"
#: Row O8: with one of these on record, or as its reason, diltiazem is taken to be for the heart or the blood pressure.
CARDIAC: Final = ("angina", "ischaemic-heart-disease", "hypertension", "atrial-fibrillation")
#: Row O5. A pacemaker would withdraw the blocks (3.8 no. 23), but no code of one is in the tables: the sheet asks.
CONTRAINDICATIONS: Final = (
    ("sinus", ("sick-sinus-syndrome",)),
    ("block", ("av-block-complete",)),
    ("block", ("av-block-second-degree",)),
    ("breastfeeding", ("breastfeeding",)),
)
FORBIDDEN: Final = (("ivabradine", "ivabradine"),)
#: Row O6; simvastatin stands beside them, by its dose.
CAUTIONS: Final = (("heart-failure", ("heart-failure",)), ("bradycardia", ("bradycardia",)))
INTERACTIONS: Final = (("beta-blocker", "beta-blocker"),)


def judge(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Diltiazem drafted for cramps is off-label with limited evidence, and is held against its contraindications,
    cautions and interactions; drafted for the heart or blood pressure it is none of our business.
    """
    drafts = tuple(d for d in drafted(case, DILTIAZEM) if _is_for_cramp(case, d))
    if not drafts:
        return
    simvastatin, unsure = _simvastatin(case, sheet)
    against = (*conditions(case, CONTRAINDICATIONS), *beside(case, FORBIDDEN))
    care = (*beside(case, INTERACTIONS), *simvastatin, *conditions(case, CAUTIONS))
    if against:
        yield _contraindicated(case, sheet, against, drafts)
    if care:
        names = [named(case, concern) for concern in care]
        yield Finding("caution", fill={"reason": listed_within(sheet.kinds["caution"].summary, names)})
    if not (against or care):
        yield Finding("order")
    yield from by_kind(case, (*against, *care))
    yield Finding("off-label", evidence=drafts)
    if any(concern.kind in ("sinus", "block") for concern in against):
        yield Finding("pacemaker")
    if unsure:
        entries = tuple(concern.entry for concern in unsure)
        yield Finding("simvastatin-dose", evidence=entries, fill={"most": f"{sheet.number('simvastatin'):f}"})
    if renewals := renewed(case, DILTIAZEM):
        yield Finding("renewal", evidence=renewals)
    if areas := unchecked(case):
        yield Finding("incomplete", fill={"areas": listed(areas)})
    if not coded((*drafts, *(concern.entry for concern in (*against, *care, *unsure)))):
        yield Finding("by-name")


def _is_for_cramp(case: Case, draft: Draft) -> bool:
    """By the reason the order gives; else a recent cramp, and nothing on record that diltiazem is usually given for."""
    if for_cramp(draft):
        return True
    if draft.reasons & frozenset(CARDIAC):
        return False
    return bool(case.shows.shows(Symptom.CRAMP)) and not case.chart.has(*CARDIAC)


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


def _simvastatin(case: Case, sheet: Sheet) -> tuple[tuple[Concern, ...], tuple[Concern, ...]]:
    """Simvastatin above the dose allowed beside diltiazem, and simvastatin whose dose is not known."""
    above: list[Concern] = []
    unsure: list[Concern] = []
    for concern in beside(case, (("simvastatin", "statin"),)):
        if concern.counts_as != SIMVASTATIN:
            continue
        dose = largest(getattr(concern.entry, "dose", None))
        if dose is None:
            unsure.append(concern)
        elif dose > sheet.number("simvastatin"):
            above.append(concern)
    return tuple(above), tuple(unsure)


TOPIC = load_topic(judge=judge, beside=__file__)
