"""Blepharospasm and hemifacial spasm: is it causing problems?"""

from collections.abc import Iterator

from cards.case import Case
from cards.finding import Finding
from cards.presentation import Symptom
from cards.red_flags import known_disease, known_neuropathy, may_propose_referral, neurology_referrals
from cards.topic import Sheet, load_topic


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """Blepharospasm or hemifacial spasm is worth a referral if it causes problems."""
    spasm = case.shows.shows(Symptom.FACIAL_SPASM)
    if not spasm:
        return
    running = neurology_referrals(case).running
    under_specialist = bool(running or known_disease(case) or known_neuropathy(case))  # S8: no new referral prompt
    suggest: tuple[str, ...] = ()
    if may_propose_referral(case) and not under_specialist:
        suggest = sheet.open_for(case, "refer")
    yield Finding("facial-spasm", evidence=(*spasm, *running), suggest=suggest)
    for kind in ("blepharospasm", "hemifacial-spasm"):
        if any(kind in problem.concepts for problem in spasm):
            yield Finding(kind)


TOPIC = load_topic(find, beside=__file__)
