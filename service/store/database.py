"""The store in a database. Every statement is short, and everything that must happen once is an insert by key."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError

from service.errors import StoreUnavailable
from service.store import revision
from service.store.contract import RETENTION_DAYS, FeedbackItem, FeedbackOutcome, Outcome, ShownCard
from service.store.engine import WAIT_SECONDS, connect
from service.store.keys import feedback_key, token_key
from service.store.report import Line, Reported, Shown, lines
from service.store.tables import CARDS_SHOWN, FEEDBACK, SEEN_TOKENS
from service.store.writer import Writer

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


class DatabaseStore:
    """Keeps the promises of :class:`~service.store.contract.Store` for all workers that share the database."""

    def __init__(self, url: str, retention_days: int = RETENTION_DAYS) -> None:
        self._engine = connect(url)
        self._retention = timedelta(days=retention_days)
        self._writer = Writer[ShownCard](self._keep)
        # SQLite takes one writer at a time and lets the others sleep for a guessed time; in turn, nobody sleeps.
        self._turn = Lock() if self._engine.dialect.name == "sqlite" else None

    def claim(self, issuer: str, jti: str, expires: datetime) -> bool:
        """See Store."""
        with self._connected() as connection:
            return _insert_new(connection, SEEN_TOKENS, {"token": token_key(issuer, jti), "expires": expires})

    def shown(self, cards: Sequence[ShownCard]) -> None:
        """See Store. Written by a thread of its own, a moment later."""
        self._writer.add(cards)

    def record(self, items: Sequence[FeedbackItem], client: str) -> FeedbackOutcome:
        """See Store."""
        self._writer.flush()  # a card shown a moment ago is still waiting to be written
        with self._connected() as connection:
            known = _clients(connection, {item.card for item in items})
            foreign = tuple(at for at, item in enumerate(items) if known.get(item.card, client) != client)
            if foreign:
                return FeedbackOutcome(foreign=foreign)
            ordered = sorted(
                items, key=lambda item: feedback_key(item, client)
            )  # or two batches could wait on each other
            new = [item for item in ordered if _insert_new(connection, FEEDBACK, _feedback_row(item, client))]
        return FeedbackOutcome(len(new), len(items) - len(new), sum(item.card not in known for item in new))

    def prune(self, now: datetime) -> int:
        """See Store."""
        oldest = now - self._retention
        with self._connected() as connection:
            return sum(
                connection.execute(statement).rowcount
                for statement in (
                    delete(SEEN_TOKENS).where(SEEN_TOKENS.c.expires < now),
                    delete(FEEDBACK).where(FEEDBACK.c.received < oldest),
                    delete(CARDS_SHOWN).where(CARDS_SHOWN.c.at < oldest),
                )
            )

    def ready(self) -> bool:
        """See Store."""
        try:
            with self._connected() as connection:
                connection.execute(
                    delete(SEEN_TOKENS).where(SEEN_TOKENS.c.token == "")
                )  # removes nothing; needs to write
                return revision.current(connection) == revision.WANTED
        except StoreUnavailable:
            return False

    def report(self) -> tuple[Line, ...]:
        """Shown, accepted and overridden by week and topic, of all that is kept. Raises StoreUnavailable."""
        cards = select(CARDS_SHOWN.c.topic, CARDS_SHOWN.c.at)
        own = (CARDS_SHOWN.c.card == FEEDBACK.c.card) & (CARDS_SHOWN.c.client == FEEDBACK.c.client)
        outcomes = select(
            CARDS_SHOWN.c.topic, CARDS_SHOWN.c.at, FEEDBACK.c.outcome, FEEDBACK.c.reason, FEEDBACK.c.received
        ).select_from(FEEDBACK.outerjoin(CARDS_SHOWN, own))
        with self._connected() as connection:
            return lines(
                (Shown(row.topic, row.at) for row in connection.execute(cards)),
                (
                    Reported(row.topic or "", Outcome(row.outcome), row.reason, row.at or row.received)
                    for row in connection.execute(outcomes)
                ),
            )

    @property
    def dropped(self) -> int:
        """See Store."""
        return self._writer.dropped

    def close(self) -> None:
        """See Store."""
        self._writer.close()
        self._engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """One transaction. Whatever the database says against it, its words stay here: they may hold what was sent."""
        if self._turn is not None and not self._turn.acquire(timeout=WAIT_SECONDS):
            raise StoreUnavailable("The store is busy: other calls of this process are waiting for it.")
        try:
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as why:
            raise StoreUnavailable(
                f"The store cannot be used ({type(why).__name__}): is it running and reachable, may this process write "
                "to it, and was 'muscle-cds db upgrade' run?"
            ) from None
        finally:
            if self._turn is not None:
                self._turn.release()

    def _keep(self, cards: Sequence[ShownCard]) -> None:
        with self._connected() as connection:
            connection.execute(_insert(connection.dialect.name, CARDS_SHOWN), [_shown_row(card) for card in cards])


@cache
def _insert(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Insert rows whose keys are not there yet. Made once, since making it takes as long as carrying it out."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 -- slow to load, and most sites have SQLite

        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _insert_new(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row unless its key is there: one statement, so that of any number at once exactly one is True."""
    return connection.execute(_insert(connection.dialect.name, table), row, execution_options=_COUNTED).rowcount == 1


_COUNTED: Final = MappingProxyType({"preserve_rowcount": True})  # without it the rows of an insert are not counted


def _clients(connection: Connection, cards: set[str]) -> dict[str, str]:
    """To whom the cards we know were shown."""
    query = select(CARDS_SHOWN.c.card, CARDS_SHOWN.c.client).where(CARDS_SHOWN.c.card.in_(cards))
    return {row.card: row.client for row in connection.execute(query)}


def _shown_row(card: ShownCard) -> dict[str, Any]:
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


def _feedback_row(item: FeedbackItem, client: str) -> dict[str, Any]:
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
