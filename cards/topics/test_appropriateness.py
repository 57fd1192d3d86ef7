"""Tests in hand that are likely to help little: nerve tests without a red flag, CK or thyroid tests done just now."""

from collections.abc import Iterator
from typing import Final

from cards.case import Case
from cards.chart import recorded
from cards.creatine_kinase import CK, is_at_most
from cards.entries import Draft
from cards.finding import Finding
from cards.presentation import Symptom
from cards.red_flags import (
    known_disease,
    known_neuropathy,
    old_signs,
    recent_signs,
    red_flags,
    secondary_myopathy,
    unread_parts,
    unread_signs,
)
from cards.topic import Sheet, load_topic

TSH: Final = "tsh"


def judge(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Creatine kinase or thyroid function measured just now, creatine kinase in a statin user without muscle symptoms,
    and nerve tests without a red flag are likely to add little.
    """
    yield from _creatine_kinase(case, sheet)
    yield from _thyroid(case, sheet)
    yield from _nerve_tests(case, sheet)


def _creatine_kinase(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """O21. A value clearly above its limit is worth a repeat, so nothing is said of a routine then (P12)."""
    orders = sheet.listed("creatine-kinase").orders
    drafts = case.drafted_orders(*orders)
    if not drafts:
        return
    trivial, days = sheet.number("ck-ratio"), sheet.number("ck-days")
    last = recorded(case.chart.latest(CK))
    normal = bool(last) and all(is_at_most(case, r, trivial) for r in last)
    if normal and all(r.when.oldest(case.chart.as_of) <= days for r in last):
        yield Finding("ck-recent", (*drafts, *last), {"test": _title(case, drafts, *orders)})
        return
    raised = not normal and any(case.is_fresh(r) for r in last)
    statins = case.taking("statin")
    if statins and not raised and _has_no_muscle_symptom(case):
        fill = {"test": _title(case, drafts, *orders), "drug": case.drug(statins[0], "statin")}
        yield Finding("ck-statin", (*drafts, *statins, *last), fill)


def _has_no_muscle_symptom(case: Case) -> bool:
    """Whether all that may record a twitch, cramp, stiffness, weakness, wasting or myopathy was read, and has none."""
    return (
        not unread_parts(case)
        and not unread_signs(case)
        and not case.shows.unread
        and not case.shows.shows(*Symptom)
        and not recent_signs(case)
        and not secondary_myopathy(case)
    )


def _thyroid(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """O22: within the usual least time between two thyroid tests."""
    orders = sheet.listed("thyroid").orders
    drafts = case.drafted_orders(*orders)
    symptoms = case.shows.shows(*Symptom)
    days = sheet.number("tsh-days")
    last = recorded(case.chart.latest(TSH))
    if drafts and symptoms and last and all(r.when.oldest(case.chart.as_of) <= days for r in last):
        fill = {"test": _title(case, drafts, *orders), "days": str(days)}
        yield Finding("thyroid-recent", (*drafts, *last), fill)


def _nerve_tests(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """O20; with known neuromuscular disease the team decides (S8), and a myopathy is a reason for such tests."""
    orders = sheet.listed("nerve-tests").orders
    drafts = case.drafted_orders(*orders)
    symptoms = case.shows.shows(*Symptom)
    reasons = red_flags(case) or known_disease(case) or known_neuropathy(case) or secondary_myopathy(case)
    if drafts and symptoms and not reasons:
        old = [problem for flag in old_signs(case) for problem in flag.problems]  # background: named, no flag (3.1)
        yield Finding("nerve-tests", (*drafts, *symptoms, *old), {"test": _title(case, drafts, *orders)})


def _title(case: Case, drafts: tuple[Draft, ...], *concepts: str) -> str:
    """What was drafted, as a summary begins with it."""
    drafted = frozenset[str]().union(*(draft.concepts for draft in drafts))
    return case.vocabulary.title(next(concept for concept in concepts if concept in drafted))


TOPIC = load_topic(judge=judge, beside=__file__)
