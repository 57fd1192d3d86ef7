"""Parts of the record, or of the rules, that could not be used, so that silence elsewhere is not read as normal (P19).

A part that no patient-view rule needs (allergies, procedures, family history, the encounter) is named under "Not known"
of the other cards and makes no card of its own.
"""

from collections.abc import Iterator
from typing import Final

from cards.case import Case
from cards.chart import Area, Reading
from cards.finding import Finding
from cards.presentation import Gate
from cards.topic import Sheet, load_topic

NEEDED: Final = (Area.PATIENT, Area.PROBLEMS, Area.RESULTS, Area.MEDICINES, Area.ORDERS)
_NAMED_IN_TEMPLATE: Final = frozenset({Area.RESULTS, Area.MEDICINES})


def find(case: Case, sheet: Sheet) -> Iterator[Finding]:  # noqa: ARG001 -- every topic is asked in the same way
    """When a part of the record that the rules need could not be read, the absence of a card means nothing."""
    unread = [area for area in NEEDED if _is_wanting(case, area)]
    if unread:
        kind = "results-or-medicines" if _NAMED_IN_TEMPLATE & set(unread) else "other-parts"
        yield Finding(kind, fill={"areas": _listed([area.value for area in unread])})
    if case.shows.gate is Gate.PROBLEMS_UNREADABLE:
        yield Finding("without-problems")
    if case.shows.gate is Gate.AGE_UNKNOWN:
        yield Finding("age-unknown")
    if case.failed_topics:
        yield Finding("rules-failed")


def _is_wanting(case: Case, area: Area) -> bool:
    state = case.chart.inputs.get(area)
    return state is not None and state.reading is not Reading.COMPLETE


def _listed(names: list[str]) -> str:
    """``results, medicines and orders``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


TOPIC = load_topic(find, beside=__file__)
