"""Parts of the record, or of the rules, that could not be used, so that silence elsewhere is not read as normal (P19).

A part that no patient-view rule needs (allergies, procedures, family history, the encounter) is named under "Not known"
of the other cards and makes no card of its own.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from cards.case import Case
from cards.entries import Area
from cards.figures import listed
from cards.finding import Finding
from cards.ordering import drafted
from cards.presentation import Gate
from cards.red_flags import RED_FLAGS
from cards.topic import Sheet, load_topic

NEEDED: Final = (Area.PATIENT, Area.PROBLEMS, Area.RESULTS, Area.MEDICINES, Area.ORDERS)
_RESULTS_OR_MEDICINES: Final = frozenset({Area.RESULTS, Area.MEDICINES})

#: O16-O19: what decides on a neurology referral.
_REFERRAL: Final = (Area.PROBLEMS, Area.RESULTS, Area.MEDICINES, Area.ORDERS)


def find(case: Case, _sheet: Sheet) -> Iterator[Finding]:
    """When a part of the record that the rules need could not be read, the absence of a card means nothing."""
    yield from _unread(case, NEEDED)
    if case.shows.gate is Gate.PROBLEMS_UNREADABLE:
        if entries := tuple(entry for entries in case.shows.unread.values() for entry in entries):
            yield Finding("symptom-unread", evidence=entries)
        yield Finding("without-problems")
    if case.shows.gate is Gate.AGE_UNKNOWN:
        yield Finding("age-unknown")
    if case.failed_topics:
        yield Finding("rules-failed")


def judge(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """When a part of the record that decides on the order in hand could not be read, the absence of a card means
    nothing.

    The deck leaves this card out beside any other (3.8 no. 6); what was not read is named on that one.
    """
    deciding = {area for areas in _judged(case, sheet) for area in areas}
    yield from _unread(case, [area for area in NEEDED if area in deciding])
    if case.failed_topics:
        yield Finding("rules-failed")


def _unread(case: Case, areas: Iterable[Area]) -> Iterator[Finding]:
    """One finding that names those of the parts that were not read to the end."""
    unread = [area for area in areas if area in case.chart.wanting]
    if unread:
        kind = "results-or-medicines" if _RESULTS_OR_MEDICINES & set(unread) else "other-parts"
        yield Finding(kind, fill={"areas": listed([area.value for area in unread])})


def _judged(case: Case, sheet: Sheet) -> Iterator[tuple[Area, ...]]:
    """For each kind of order in hand that is judged (3.4): the parts of the record that can make a card of it.

    Quinine is not among them: it has a card whatever could be read, unless it is for malaria.
    """
    for row in sheet.rows["judged"]:
        if (row.medicines and case.drafted(*row.medicines, named=row.by_name)) or case.drafted_orders(*row.orders):
            yield row.areas
    if any(not draft.reasons for draft in drafted(case, "diltiazem")):
        yield (Area.PROBLEMS,)  # O5: only a cramp on record makes a card of it
    if case.drafted_orders(*RED_FLAGS.referrals):
        yield _REFERRAL


TOPIC = load_topic(find, judge, beside=__file__)
