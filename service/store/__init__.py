"""State between calls: seen tokens, cards shown, feedback. See docs/state.md."""

from typing import TYPE_CHECKING

from service.store.contract import (
    RETENTION_DAYS,
    FeedbackItem,
    FeedbackOutcome,
    Outcome,
    ShownCard,
    Store,
)
from service.store.memory import MemoryStore

if TYPE_CHECKING:
    from service.store.database import DatabaseStore

__all__ = [
    "FeedbackItem",
    "FeedbackOutcome",
    "MemoryStore",
    "Outcome",
    "ShownCard",
    "Store",
    "open_store",
]


def open_store(url: str, retention_days: int = RETENTION_DAYS, *, patient: bool = False) -> "DatabaseStore":
    """The store at a database address: ``sqlite:///file`` or ``postgresql+psycopg://…``. ``patient``: for a command
    that reads everything; a hook waits a second or two for each answer.

    Connects to nothing yet: a store that is down or without its tables is noticed, and recovers, call by call.
    Raises BadSettings for any other address.
    """
    from service.store.database import DatabaseStore  # noqa: PLC0415 -- a demo needs no database
    from service.store.sqlite import SqliteFile, file_of  # noqa: PLC0415 -- as above

    file = file_of(url)
    if file is not None:
        return DatabaseStore(SqliteFile(file), retention_days)
    from service.store.postgresql import Postgres  # noqa: PLC0415 -- slow to load, and most sites have SQLite

    return DatabaseStore(Postgres(url, patient=patient), retention_days)
