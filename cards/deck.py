"""Which topics speak, in which order, and the limit of four; who is silent when another speaks is decided here."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from cards.card import Card
from cards.case import Case
from cards.compose import card_weight, guest_lines, heard, write
from cards.content import Content
from cards.finding import Finding, Indicator, Intent, Refer, RemoveDraft, RequestTest, ReviewMedicine
from cards.layout import Said
from cards.moment import Moment
from cards.topic import Topic

MOST_CARDS = 4  # DEF, specification 3.5
LAST = "data-quality"  # never folded away: it takes the last place (3.8 no. 3)

Found: TypeAlias = Mapping[str, tuple[Finding, ...]]  # by topic
Heard: TypeAlias = list[tuple[Topic, list[Said]]]


class NotComposed(Exception):  # noqa: N818 -- not an error of its own: it carries the one that a topic's sheet raised
    """A topic whose card could not be written. ``topic`` is its code; the cause is chained."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic


def deal(found: Found, case: Case, content: Content) -> tuple[Card, ...]:
    """The cards for the findings of all topics, at most four, gravest first, then in the topics' own order.

    What is over the limit is folded into the last card, never dropped. Raises NotComposed if a sheet fails.
    """
    topics: Heard = [
        (topic, _heard(topic, found[topic.code], content)) for topic in content.topics if found.get(topic.code)
    ]
    withheld = {other for _, own in topics for script, _ in own for other in script.kind.withholds}
    voiced = [(topic, own) for topic, own in topics if topic.code not in withheld]
    speaking = _in_order(voiced, case, content)
    codes = {topic.code for topic, _ in speaking}
    guests = [said for topic, own in voiced if topic.code not in codes for said in guest_lines(own)]
    host = next((topic.code for topic, _ in reversed(speaking) if topic.code != LAST), None)
    cards = [_write(topic, own, case, content, guests if topic.code == host else ()) for topic, own in speaking]
    dealt = _fold(list(_once_each(cards)), content)
    return tuple(_lowered(card) for card in dealt) if content.critical_as_warning else tuple(dealt)


def _in_order(voiced: Heard, case: Case, content: Content) -> Heard:
    """The topics that make a card, in the order of their cards."""
    weighed = [(weight, topic, own) for topic, own in voiced if (weight := card_weight(own)) is not None]
    critical = any(weight is Indicator.CRITICAL for weight, _, _ in weighed)
    quiet = bool(case.failed_topics) or critical
    palliative = bool(case.chart.has(*content.gatekeeper.palliative))
    made = [
        (weight, topic, own)
        for weight, topic, own in weighed
        if not (topic.sheet.reassures and quiet) and not (palliative and weight is not Indicator.CRITICAL)
    ]
    if case.moment is Moment.ORDER and len(made) > 1:
        made = [one for one in made if one[1].code != LAST]  # 3.8 no. 6
    made.sort(key=_gravest_first)  # stable: equal weights keep the topics' own order
    return [(topic, own) for _, topic, own in made]


def _gravest_first(made: tuple[Indicator, Topic, list[Said]]) -> int:
    return -made[0].rank


def _heard(topic: Topic, findings: tuple[Finding, ...], content: Content) -> list[Said]:
    try:
        return heard(topic, findings, content)
    except Exception as error:
        raise NotComposed(topic.code) from error


def _write(topic: Topic, own: list[Said], case: Case, content: Content, guests: Iterable[Said]) -> Card:
    try:
        card = write(topic, own, case, content, guests)
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
            same = _same(intent)
            if same not in seen:
                seen.add(same)
                kept.append(intent)
        yield card if len(kept) == len(card.suggestions) else replace(card, suggestions=tuple(kept))


def _same(intent: Intent) -> tuple[str, str]:
    """What makes two suggestions the same: the order asked for, the medicine to review, or the draft to remove."""
    match intent:
        case RequestTest(order=about) | Refer(order=about) | ReviewMedicine(medicine=about) | RemoveDraft(draft=about):
            return type(intent).__name__, about


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
