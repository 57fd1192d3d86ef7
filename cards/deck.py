"""Which topics speak, in which order, and the limit of four; who is silent when another speaks is decided here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cards.card import Card
from cards.case import Case
from cards.compose import Said, allowed, compose, lines, speaks
from cards.content import Content
from cards.finding import Finding, Indicator, Intent
from cards.moment import Moment
from cards.topic import Topic

MOST_CARDS = 4  # DEF, specification 3.5
LAST = "data-quality"  # never folded away: it takes the last place (3.8 no. 3)

Found = Mapping[str, tuple[Finding, ...]]


class NotComposed(Exception):  # noqa: N818 -- not an error of its own: it carries the one that a topic's sheet raised
    """A topic whose card could not be written. ``topic`` is its code; the cause is chained."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic


def deal(found: Found, case: Case, content: Content) -> tuple[Card, ...]:
    """The cards for the findings of all topics, at most four, gravest first, then in the topics' own order.

    What is over the limit is folded into the last card, never dropped. Raises NotComposed if a sheet fails.
    """
    topics = [topic for topic in content.topics if topic.code in found]
    withheld = _withheld(topics, found, content)
    heard = [topic for topic in topics if topic.code not in withheld]
    speaking = _in_order(heard, found, case, content)
    guests = [said for topic in heard if topic not in speaking for said in lines(topic, found[topic.code], content)]
    host = next((topic for topic in reversed(speaking) if topic.code != LAST), None)
    cards = [_compose(t, found[t.code], case, content, guests if t is host else ()) for t in speaking]
    dealt = _fold(list(_once_each(cards)), content)
    return tuple(_lowered(card) for card in dealt) if content.critical_as_warning else tuple(dealt)


def _withheld(topics: Iterable[Topic], found: Found, content: Content) -> set[str]:
    return {
        other
        for topic in topics
        for finding in found[topic.code]
        if allowed(finding, topic, content)
        for other in topic.sheet.kinds[finding.kind].withholds
    }


def _in_order(topics: list[Topic], found: Found, case: Case, content: Content) -> list[Topic]:
    """The topics that make a card, in the order of their cards."""
    weighed = [(speaks(topic, found[topic.code], content), topic) for topic in topics]
    critical = any(indicator is Indicator.CRITICAL for indicator, _ in weighed)
    quiet = bool(case.failed_topics) or critical
    palliative = bool(case.chart.has(*content.gatekeeper.palliative))
    made = [
        (indicator, topic)
        for indicator, topic in weighed
        if indicator is not None
        and not (topic.sheet.reassures and quiet)
        and not (palliative and indicator is not Indicator.CRITICAL)
    ]
    if case.moment is Moment.ORDER and len(made) > 1:
        made = [(indicator, topic) for indicator, topic in made if topic.code != LAST]  # 3.8 no. 6
    made.sort(key=lambda pair: pair[0], reverse=True)  # stable: equal weights keep the topics' own order
    return [topic for _, topic in made]


def _compose(topic: Topic, findings: tuple[Finding, ...], case: Case, content: Content, guests: Iterable[Said]) -> Card:
    try:
        card = compose(topic, findings, case, content, guests)
    except Exception as error:
        raise NotComposed(topic.code) from error
    if card is None:
        raise NotComposed(topic.code)
    return card


def _once_each(cards: Iterable[Card]) -> Iterator[Card]:
    """A suggestion made by two cards stays on the first of them."""
    seen: set[tuple[str, str]] = set()
    for card in cards:
        kept = []
        for intent in card.suggestions:
            if _same(intent) not in seen:
                seen.add(_same(intent))
                kept.append(intent)
        yield card if len(kept) == len(card.suggestions) else replace(card, suggestions=tuple(kept))


def _same(intent: Intent) -> tuple[str, str]:
    """What makes two suggestions the same: the order asked for, the medicine to review, or the draft to remove."""
    about = (getattr(intent, name, "") for name in ("order", "medicine", "draft"))
    return (type(intent).__name__, "".join(about))


def _fold(cards: list[Card], content: Content) -> list[Card]:
    if len(cards) <= MOST_CARDS:
        return cards
    last = [card for card in cards if card.topic == LAST]
    others = [card for card in cards if card.topic != LAST]
    kept, surplus = others[: MOST_CARDS - len(last)], others[MOST_CARDS - len(last) :]
    host = kept[-1]
    folded = [host.detail]
    folded += [f"**{content.frame.say('folded', 'line', summary=card.summary)}**\n\n{card.detail}" for card in surplus]
    kept[-1] = replace(
        host,
        detail="\n\n".join(folded),
        suggestions=tuple(dict.fromkeys([*host.suggestions, *(i for card in surplus for i in card.suggestions)])),
        rules=tuple(dict.fromkeys([*host.rules, *(rule for card in surplus for rule in card.rules)])),
    )
    return [*kept, *last]


def _lowered(card: Card) -> Card:
    return replace(card, indicator=Indicator.WARNING) if card.indicator is Indicator.CRITICAL else card
