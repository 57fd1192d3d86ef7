"""Myotonia: rare, and suggestive of neuromuscular disease."""

from collections.abc import Iterator

from cards.case import Case
from cards.finding import Finding
from cards.presentation import Symptom
from cards.red_flags import (
    POWER,
    breathless,
    may_propose_referral,
    neurology_referrals,
    recent_signs,
)
from cards.screening import SCREEN, ScreenTest
from cards.topic import Sheet, load_topic


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Myotonia is rare and suggests neuromuscular disease, so a neurology referral and CK, TSH and U&E may help."""
    myotonia = case.shows.shows(Symptom.MYOTONIA)
    if not myotonia:
        return
    tests = SCREEN.missing(case, ScreenTest.CK, ScreenTest.TSH, ScreenTest.UE)
    suggest = sheet.open_for(case, *(test.value for test in tests))
    referrals = neurology_referrals(case)
    if referrals.running:
        yield Finding("referred", (*myotonia, *referrals.running), {"date": referrals.date}, suggest=suggest)
    else:
        if may_propose_referral(case):
            suggest = (*sheet.open_for(case, "refer"), *suggest)
        yield Finding("myotonia", (*myotonia, *referrals.others), suggest=suggest)
    power = tuple(p for flag in recent_signs(case) if flag.sign in POWER for p in flag.problems)
    if power:
        yield Finding("weakness", evidence=power)
    if power and (breathing := breathless(case)):
        yield Finding("breathing", evidence=breathing)


TOPIC = load_topic(find, beside=__file__)
