"""A patient under the age the adult rules are made for (specification 3.1 no. 1, S7)."""

from collections.abc import Iterator

from cards.case import Case
from cards.finding import Finding
from cards.presentation import Symptom
from cards.topic import Sheet, load_topic


def find(case: Case, _sheet: Sheet) -> Iterator[Finding]:
    """Twitching or cramp under 16 is not judged by adult rules, and the card says so."""
    yield Finding("under-age", evidence=case.shows.shows(*Symptom))


TOPIC = load_topic(find, beside=__file__)
