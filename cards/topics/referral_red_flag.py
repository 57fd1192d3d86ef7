"""Red flags: weakness, bulbar signs, rigidity or severe cramp beside a twitch or cramp, and what a referral answers."""

from collections.abc import Iterable, Iterator

from cards.case import Case
from cards.entries import Problem
from cards.finding import Finding
from cards.presentation import Symptom, each_once
from cards.red_flags import (
    POWER,
    Answered,
    RedFlag,
    Referrals,
    Sign,
    breathless,
    may_propose_referral,
    named_symptom,
    neurology_referrals,
    printed,
    red_flags,
)
from cards.screening import SCREEN
from cards.topic import Sheet, load_topic


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Weakness, wasting, speech or swallowing difficulty, rigidity or a severe cramp beside a twitch or cramp is a
    reason to refer, at once if breathing is affected, unless a neurology referral of the same day or later is running.
    """
    flags = red_flags(case)
    if not flags:
        return
    referrals = neurology_referrals(case)
    evidence = _evidence(case, flags)
    power = [flag for flag in flags if flag.sign in POWER]
    if power and (breathing := breathless(case)):
        kind = "immediate-referred" if referrals.all else "immediate"
        fill = {"sign": power[0].word, "referral": referrals.date}
        yield Finding(kind, evidence=(*evidence, *breathing, *referrals.all), fill=fill)
        return
    match referrals.answer(flags):
        case Answered.YES:
            yield Finding("referred", evidence=referrals.running)
            return
        case Answered.NO if referrals.running:
            later = next(flag for flag in flags if referrals.answer([flag]) is Answered.NO)
            fill = {"sign": later.word, "date": referrals.date}
            yield Finding("expedite", evidence=(*evidence, *referrals.running), fill=fill)
        case Answered.UNPROVEN:
            unproven = next(flag for flag in flags if referrals.answer([flag]) is Answered.UNPROVEN)
            fill = {"sign": unproven.word, "date": referrals.date}
            yield Finding("unproven", evidence=(*evidence, *referrals.running), fill=fill)
        case Answered.NO:
            yield from _refer(case, sheet, flags, referrals)
    if breathing := breathless(case):
        yield Finding("breathing", evidence=breathing)
    if relatives := tuple(r for r in case.chart.relatives if r.concepts & frozenset(sheet.concepts("family"))):
        yield Finding("family", evidence=relatives)


def _evidence(case: Case, flags: Iterable[RedFlag]) -> tuple[Problem, ...]:
    """What the flags rest on, then the symptoms they stand beside, each once."""
    return each_once((*(problem for flag in flags for problem in flag.problems), *case.shows.shows(*Symptom)))


def _refer(case: Case, sheet: Sheet, flags: tuple[RedFlag, ...], referrals: Referrals) -> Iterator[Finding]:
    """No referral is running: one finding for each kind of flag, the one to act on first in front."""
    evidence = _evidence(case, flags)
    for kind, signs in (
        ("bulbar", (Sign.BULBAR,)),
        ("rigidity", (Sign.RIGIDITY,)),
        ("weakness", POWER),
        ("severe-cramp", (Sign.SEVERE_CRAMP,)),
    ):
        of_kind = [flag for flag in flags if flag.sign in signs]
        if not of_kind:
            continue
        suggest: tuple[str, ...] = ()
        if may_propose_referral(case):
            suggest = sheet.open_for(case, f"refer-{kind}")
        if kind == "weakness":
            suggest += sheet.open_for(case, *(test.value for test in SCREEN.missing(case)))
        date = printed(problem.when for flag in of_kind for problem in flag.problems)
        yield Finding(kind, evidence, {"symptom": named_symptom(case), "date": date}, suggest=suggest)
        evidence = ()  # printed once
    if referrals.others:
        yield Finding("older-referral", referrals.others, {"days": str(case.windows.referral)})
    if not may_propose_referral(case):
        yield Finding("orders-unread")


TOPIC = load_topic(find, beside=__file__)
