"""A store in memory: for the demo profile and for tests. One process, gone when it ends."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeVar

from service.store.contract import RETENTION_DAYS, FeedbackItem, FeedbackOutcome, ShownCard
from service.store.keys import feedback_key, token_key
from service.store.report import Line, Reported, Shown, lines

Row = TypeVar("Row")

MOST = 10_000  # rows of each kind; the oldest go first, so a demo that runs for weeks does not grow


class MemoryStore:
    """Keeps the promises of :class:`~service.store.contract.Store` within one process."""

    def __init__(self, retention_days: int = RETENTION_DAYS) -> None:
        self.tokens: OrderedDict[str, datetime] = OrderedDict()
        self.cards: OrderedDict[str, ShownCard] = OrderedDict()
        self.feedback: OrderedDict[str, tuple[str, FeedbackItem]] = OrderedDict()
        self.dropped = 0
        self._retention = timedelta(days=retention_days)
        self._lock = Lock()

    def claim(self, issuer: str, jti: str, expires: datetime) -> bool:
        """See Store."""
        key = token_key(issuer, jti)
        with self._lock:
            if key in self.tokens:
                return False
            self.tokens[key] = expires
            _bound(self.tokens)
            return True

    def shown(self, cards: Sequence[ShownCard]) -> None:
        """See Store."""
        with self._lock:
            self.cards.update((card.card, card) for card in cards)
            _bound(self.cards)

    def record(self, items: Sequence[FeedbackItem], client: str) -> FeedbackOutcome:
        """See Store."""
        with self._lock:
            known = {item.card: self.cards[item.card].client for item in items if item.card in self.cards}
            foreign = tuple(at for at, item in enumerate(items) if known.get(item.card, client) != client)
            if foreign:
                return FeedbackOutcome(foreign=foreign)
            new = {feedback_key(item, client): item for item in items}
            new = {key: item for key, item in new.items() if key not in self.feedback}
            self.feedback.update((key, (client, item)) for key, item in new.items())
            _bound(self.feedback)
        unmatched = sum(item.card not in known for item in new.values())
        return FeedbackOutcome(len(new), len(items) - len(new), unmatched)

    def prune(self, now: datetime) -> int:
        """See Store."""
        oldest = now - self._retention
        with self._lock:
            return (
                _drop(self.tokens, [key for key, expires in self.tokens.items() if expires < now])
                + _drop(self.cards, [key for key, card in self.cards.items() if card.at < oldest])
                + _drop(self.feedback, [key for key, (_, item) in self.feedback.items() if item.received < oldest])
            )

    def report(self) -> tuple[Line, ...]:
        """Shown, accepted and overridden by week and topic, of all that is kept."""
        with self._lock:
            cards = dict(self.cards)
            reports = tuple(self.feedback.values())
        return lines(
            (Shown(card.topic, card.at) for card in cards.values()),
            (_reported(cards.get(item.card), client, item) for client, item in reports),
        )

    def ready(self) -> bool:
        """Memory is always there."""
        return True

    def close(self) -> None:
        """Nothing waits."""


def _reported(card: ShownCard | None, client: str, item: FeedbackItem) -> Reported:
    if card is None or card.client != client:
        return Reported("", item.outcome, item.reason, item.received)
    return Reported(card.topic, item.outcome, item.reason, card.at)


def _bound(rows: OrderedDict[str, Row]) -> None:
    while len(rows) > MOST:
        rows.popitem(last=False)


def _drop(rows: OrderedDict[str, Row], keys: list[str]) -> int:
    for key in keys:
        del rows[key]
    return len(keys)
