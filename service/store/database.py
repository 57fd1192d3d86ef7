"""The store in a database. Every statement is short, and everything that must happen once is an insert by key.

The statements are SQL that SQLite and PostgreSQL both understand (docs/decisions/0012). How each is connected to stands
in sqlite.py and postgresql.py.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from service.errors import StoreUnavailable
from service.store.contract import RETENTION_DAYS, FeedbackItem, FeedbackOutcome, Outcome, ShownCard
from service.store.keys import feedback_key, token_key
from service.store.report import Line, Reported, Shown, lines
from service.store.revision import WANTED
from service.store.writer import Writer

_CLAIM: Final = """
    INSERT INTO seen_token (token, expires) VALUES (:token, :expires) ON CONFLICT DO NOTHING
"""
_SHOWN: Final = """
    INSERT INTO card_shown (card, topic, rules, content_version, content_hash, client, hook, at)
    VALUES (:card, :topic, :rules, :content_version, :content_hash, :client, :hook, :at) ON CONFLICT DO NOTHING
"""
_REPORTED: Final = """
    INSERT INTO feedback (report, card, client, outcome, reason, suggestions, at, at_receipt, received, comment)
    VALUES (:report, :card, :client, :outcome, :reason, :suggestions, :at, :at_receipt, :received, :comment)
    ON CONFLICT DO NOTHING
"""
_CLIENT: Final = "SELECT client FROM card_shown WHERE card = :card"
_ENDED: Final = """
    DELETE FROM seen_token WHERE token IN (SELECT token FROM seen_token WHERE expires < :before LIMIT :most)
"""
_TOO_OLD: Final = (
    "DELETE FROM feedback WHERE report IN (SELECT report FROM feedback WHERE received < :before LIMIT :most)",
    "DELETE FROM card_shown WHERE card IN (SELECT card FROM card_shown WHERE at < :before LIMIT :most)",
)
_AT_ONCE: Final = 2_000  # rows that are pruned in one transaction; SQLite takes one writer at a time, and a hook is one
_LET_OTHERS_SECONDS: Final = 0.02  # between two of them
_WRITTEN: Final = "INSERT INTO seen_token (token, expires) VALUES ('ready', :expires) ON CONFLICT DO NOTHING"
_TAKEN_BACK: Final = "DELETE FROM seen_token WHERE token = 'ready'"
REVISION: Final = "SELECT version_num FROM alembic_version"
_ALL_SHOWN: Final = "SELECT topic, at FROM card_shown"
_ALL_REPORTED: Final = """
    SELECT card_shown.topic, feedback.outcome, feedback.reason, coalesce(card_shown.at, feedback.received)
    FROM feedback LEFT JOIN card_shown ON card_shown.card = feedback.card AND card_shown.client = feedback.client
"""


class Connection(Protocol):
    """A transaction under way. Values are named in a statement as ``:name``; instants are aware datetimes."""

    def rows(self, statement: str, **values: object) -> Sequence[Sequence[Any]]:
        """What a SELECT gives."""
        ...

    def change(self, statement: str, **values: object) -> int:
        """Carry out anything else; how many rows it changed."""
        ...

    def change_each(self, statement: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Carry a statement out once for each of the rows."""
        ...


class Database(Protocol):
    """Where the tables are."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """All or nothing. Raises StoreUnavailable for whatever the database says against it, in words of ours."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def unusable(why: Exception) -> StoreUnavailable:
    """What is raised for an error of a database. Its own words are left out: they may hold what was sent."""
    return StoreUnavailable(
        f"The store cannot be used ({type(why).__name__}): is it running and reachable, may this process write to it, "
        "and was 'muscle-cds db upgrade' run?"
    )


class DatabaseStore:
    """Keeps the promises of :class:`~service.store.contract.Store` for all workers that share the database."""

    def __init__(self, database: Database, retention_days: int = RETENTION_DAYS) -> None:
        self._database = database
        self._retention = timedelta(days=retention_days)
        self._writer = Writer[ShownCard](self._keep)

    def claim(self, issuer: str, jti: str, expires: datetime) -> bool:
        """See Store. One statement, so that of any number at once exactly one is True."""
        with self._database.transaction() as connection:
            return connection.change(_CLAIM, token=token_key(issuer, jti), expires=expires) == 1

    def shown(self, cards: Sequence[ShownCard]) -> None:
        """See Store. Written by a thread of its own, a moment later."""
        self._writer.add(cards)

    def record(self, items: Sequence[FeedbackItem], client: str) -> FeedbackOutcome:
        """See Store."""
        self._writer.flush()  # a card shown a moment ago is still waiting to be written
        with self._database.transaction() as connection:
            known = _clients(connection, {item.card for item in items})
            foreign = tuple(at for at, item in enumerate(items) if known.get(item.card, client) != client)
            if foreign:
                return FeedbackOutcome(foreign=foreign)
            rows = [(_feedback_row(item, client), item) for item in items]
            rows.sort(key=lambda row: str(row[0]["report"]))  # or two batches could wait on each other
            new = [item for row, item in rows if connection.change(_REPORTED, **row) == 1]
        return FeedbackOutcome(len(new), len(items) - len(new), sum(item.card not in known for item in new))

    def prune(self, now: datetime) -> int:
        """See Store. A little at a time, since calls are answered meanwhile; what went before an error stays gone."""
        oldest = now - self._retention
        return self._remove(_ENDED, now) + sum(self._remove(statement, oldest) for statement in _TOO_OLD)

    def _remove(self, statement: str, before: datetime) -> int:
        removed = 0
        while True:
            with self._database.transaction() as connection:
                some = connection.change(statement, before=before, most=_AT_ONCE)
            removed += some
            if some < _AT_ONCE:
                return removed
            time.sleep(_LET_OTHERS_SECONDS)

    def ready(self) -> bool:
        """See Store. Something is written and taken back: a disk that is full takes what changes nothing (F28)."""
        try:
            with self._database.transaction() as connection:
                connection.change(_WRITTEN, expires=datetime.fromtimestamp(0, UTC))
                connection.change(_TAKEN_BACK)
                return [tuple(row) for row in connection.rows(REVISION)] == [(WANTED,)]
        except StoreUnavailable:
            return False

    def report(self) -> tuple[Line, ...]:
        """Shown, accepted and overridden by week and topic, of all that is kept. Raises StoreUnavailable."""
        with self._database.transaction() as connection:
            return lines(
                (Shown(topic, _instant(at)) for topic, at in connection.rows(_ALL_SHOWN)),
                (
                    Reported(topic or "", Outcome(outcome), reason, _instant(at))
                    for topic, outcome, reason, at in connection.rows(_ALL_REPORTED)
                ),
            )

    @property
    def dropped(self) -> int:
        """See Store."""
        return self._writer.dropped

    def close(self) -> None:
        """See Store."""
        self._writer.close()
        self._database.close()

    def _keep(self, cards: Sequence[ShownCard]) -> None:
        with self._database.transaction() as connection:
            connection.change_each(_SHOWN, [_shown_row(card) for card in cards])


def _clients(connection: Connection, cards: set[str]) -> dict[str, str]:
    """To whom the cards we know were shown."""
    return {card: client for card in sorted(cards) for (client,) in connection.rows(_CLIENT, card=card)}


def _instant(value: datetime | str) -> datetime:
    """An instant as it comes back: SQLite keeps text, without a zone, in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


def _shown_row(card: ShownCard) -> dict[str, object]:
    return {
        "card": card.card,
        "topic": card.topic,
        "rules": " ".join(card.rules),
        "content_version": card.content_version,
        "content_hash": card.content_hash,
        "client": card.client,
        "hook": card.hook,
        "at": card.at,
    }


def _feedback_row(item: FeedbackItem, client: str) -> dict[str, object]:
    return {
        "report": feedback_key(item, client),
        "card": item.card,
        "client": client,
        "outcome": item.outcome.value,
        "reason": item.reason,
        "suggestions": item.suggestions,
        "at": item.at,
        "at_receipt": item.at_receipt,
        "received": item.received,
        "comment": item.comment,
    }
