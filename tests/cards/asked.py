"""What tests of cards share: a usual patient with one draft, the cards of an advice, and their parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cards.advise import advise
from cards.card import Advice, Card
from cards.content import Content
from cards.example_charts import chart_of
from cards.finding import Refer, RemoveDraft, RequestTest
from cards.moment import Moment

Lines = dict[str, Any]

CRAMP = "muscle-cramp 20 days ago"
SCREEN = {
    "order-ue": "potassium 4.2 mmol/L [3.5-5.3] 14 days ago",
    "order-bone-profile": "calcium-adjusted 2.35 mmol/L [2.2-2.6] 14 days ago",
    "order-tsh": "tsh 2.1 mIU/L [0.4-4.5] 14 days ago",
    "order-ck": "ck-total 90 U/L [25-200] 14 days ago",
}
DONE = list(SCREEN.values())


@dataclass(frozen=True)
class Ordering:
    """A woman of 70 with a recent cramp and one draft; each line that a test names replaces the usual one."""

    topic: str
    draft: str
    usual: Mapping[str, Any] = field(default_factory=dict)

    def cards(self, content: Content, **lines: str | list[str] | bool) -> tuple[Card, ...]:
        """All cards at the moment of ordering."""
        given: Lines = {"person": "female 70", "problems": [CRAMP], "drafts": [self.draft], **self.usual, **lines}
        return advise(chart_of(content.vocabulary, **given), content, Moment.ORDER).cards

    def card(self, content: Content, **lines: str | list[str] | bool) -> Card:
        """The card of the topic; fails if there is none."""
        (found,) = [c for c in self.cards(content, **lines) if c.topic == self.topic]
        return found

    def weight(self, content: Content, **lines: str | list[str] | bool) -> str:
        """The indicator of the card of the topic; ``none`` without one."""
        found = [c for c in self.cards(content, **lines) if c.topic == self.topic]
        return "none" if not found else found[0].indicator.value


def part(found: Card, name: str) -> str:
    """One part of a card's detail, such as ``Found``."""
    return found.detail.split(f"**{name}**")[1].split("\n\n**")[0]


def removed(found: Card) -> list[str]:
    """The drafts that the card proposes to remove."""
    return [s.draft for s in found.suggestions if isinstance(s, RemoveDraft)]


def suggested(found: Card) -> list[str]:
    """The tests that the card proposes."""
    return [s.order for s in found.suggestions if isinstance(s, RequestTest)]


def dealt(advice: Advice) -> dict[str, str]:
    """Every card by its topic, with its indicator."""
    return {card.topic: card.indicator.value for card in advice.cards}


def only(advice: Advice, topic: str) -> Card:
    """The one card there is, which is of that topic."""
    (card,) = advice.cards
    assert card.topic == topic
    return card


def card_of(advice: Advice, topic: str) -> Card:
    """The card of a topic among others."""
    return next(card for card in advice.cards if card.topic == topic)


def referrals(advice: Advice) -> list[Refer]:
    """The referrals that any card proposes."""
    return [s for card in advice.cards for s in card.suggestions if isinstance(s, Refer)]
