"""A neurology referral in hand: whether it is usual, what to add to it, and whether one is running already."""

from collections.abc import Iterable, Iterator

from cards.case import Case
from cards.entries import Draft, Problem
from cards.figures import listed
from cards.finding import Evidence, Finding
from cards.presentation import Symptom, each_once
from cards.red_flags import (
    RED_FLAGS,
    Answered,
    RedFlag,
    breathless,
    each_named,
    known_disease,
    known_neuropathy,
    neurology_referrals,
    old_signs,
    printed,
    red_flags,
    resolved_weakness,
    secondary_myopathy,
    unread_parts,
    unread_signs,
)
from cards.screening import SCREEN
from cards.topic import Sheet, load_topic


def judge(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Isolated fasciculation is not routinely referred; where there is a red flag, the referral gains by the missing
    tests and a full letter; and a referral that is already running is better added to than repeated.
    """
    drafts = case.drafted_orders(*RED_FLAGS.referrals)
    if not drafts or not case.shows.shows(*Symptom):  # 3.8 no. 20
        return
    flags = red_flags(case)
    found = [*_duplicate(case, drafts, flags), *_advice(case, sheet, drafts, flags)]
    if not found:
        return
    yield from found
    if breathing := breathless(case):
        yield Finding("breathing", evidence=breathing)
    if others := neurology_referrals(case).others:
        yield Finding("older-referral", others, {"days": str(case.windows.referral)})


def _duplicate(case: Case, drafts: tuple[Draft, ...], flags: tuple[RedFlag, ...]) -> Iterator[Finding]:
    """O19: an active referral of the last half year. The draft itself is none."""
    referrals = neurology_referrals(case)
    if not referrals.running:
        return
    yield Finding("duplicate", (*drafts, *referrals.running), {"date": referrals.date})
    later = [flag for flag in flags if referrals.answer([flag]) is Answered.NO]
    if later:
        problems = _problems(later)
        yield Finding("since-then", problems, {"sign": later[0].word, "date": referrals.date})


def _advice(case: Case, sheet: Sheet, drafts: tuple[Draft, ...], flags: tuple[RedFlag, ...]) -> Iterator[Finding]:
    """O16 to O18. Known neuromuscular disease is with its team: neither "not routine" nor a screen fits it (S8)."""
    if known_disease(case) or known_neuropathy(case):
        return
    missing = SCREEN.missing(case)
    tests = listed([SCREEN.tests[test].title for test in missing])
    suggest = sheet.open_for(case, *(test.value for test in missing))
    if flags:
        problems = _problems(flags)
        if missing:
            yield Finding("incomplete", (*drafts, *problems), {"tests": tests}, suggest=suggest)
    elif case.shows.shows(Symptom.FASCICULATION) and not (
        case.shows.shows(Symptom.MYOTONIA) or secondary_myopathy(case)
    ):
        # These are no red flag but speak for a muscle disease (F26): "isolated" would be wrong beside them.
        yield from _isolated(case, drafts)
        if missing:
            yield Finding("tests", fill={"tests": tests}, suggest=suggest)


def _isolated(case: Case, drafts: tuple[Draft, ...]) -> Iterator[Finding]:
    """O16, and what the record holds on weakness before the twitch is called isolated (HZ01)."""
    evidence: tuple[Evidence, ...] = (*drafts, *case.shows.shows(Symptom.FASCICULATION))
    unread, old = unread_signs(case), old_signs(case)
    if unread or unread_parts(case):
        yield Finding("in-part", (*evidence, *unread))
    elif old:
        problems = _problems(old)
        days = str(case.windows.symptom)
        fill = {"sign": old[0].word, "date": printed(p.when for p in old[0].problems), "days": days}
        yield Finding("background", (*evidence, *problems), fill)
    else:
        yield Finding("isolated", evidence)
    if resolved := resolved_weakness(case):
        yield Finding("resolved", fill={"labels": each_named(resolved)})


def _problems(flags: Iterable[RedFlag]) -> tuple[Problem, ...]:
    """What the flags rest on, each once."""
    return each_once(problem for flag in flags for problem in flag.problems)


TOPIC = load_topic(judge=judge, beside=__file__)
