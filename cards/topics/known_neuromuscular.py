"""A neuromuscular disease that is known already: its own team is the one to ask."""

from collections.abc import Iterator

from cards.case import Case
from cards.finding import Finding
from cards.presentation import Symptom
from cards.red_flags import breathless, known_disease, known_neuropathy
from cards.topic import Sheet, load_topic


def find(case: Case, _sheet: Sheet) -> Iterator[Finding]:
    """With a known neuromuscular disease, or a neuropathy referred to neurology, the existing team is to be asked."""
    disease, neuropathy = known_disease(case), known_neuropathy(case)
    if disease:
        yield Finding("known", evidence=(*case.shows.shows(*Symptom), *disease))
    elif neuropathy:
        yield Finding("neuropathy", evidence=(*case.shows.shows(*Symptom), *neuropathy))
    if (disease or neuropathy) and (breathing := breathless(case)):
        yield Finding("breathing", evidence=breathing)


TOPIC = load_topic(find, beside=__file__)
