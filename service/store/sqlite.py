"""SQLite: one file with a write-ahead log, for the workers of one host (R17).

A process has one connection, and its threads take turns at it: SQLite takes one writer at a time anyway, and lets
others sleep for a guessed time; in turn, nobody sleeps. Spoken to by the standard library, which loads in a hundredth
of the time of a database library for every database (docs/decisions/0012).
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

from service.errors import StoreUnavailable
from service.store.database import unusable

WAIT_SECONDS: Final = 1  # for a turn, or a lock of another process; a hook has two seconds in all
_ADDRESS: Final = "sqlite:///"


def file_of(url: str) -> Path | None:
    """The file that a database address names, None if it is no address of a SQLite file."""
    file = url.removeprefix(_ADDRESS).partition("?")[0]
    return Path(file).absolute() if url.startswith(_ADDRESS) and file and file != ":memory:" else None


def open_file(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A connection. ``create``: a file that is not there is made, and not for others than its owner and group; without
    it that is an error, so that no worker goes on with an empty store of its own. Raises sqlite3.Error.
    """
    if create:
        with suppress(OSError):  # what is the matter, SQLite says
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660))
    else:
        _refuse_read_only(path)
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={'rwc' if create else 'rw'}", timeout=WAIT_SECONDS, uri=True, check_same_thread=False
    )
    if create:
        connection.execute("PRAGMA journal_mode = WAL")  # is written into the file and holds from then on
    connection.execute("PRAGMA synchronous = FULL")  # a token that was seen stays seen, through a power cut too
    return connection


class SqliteFile:
    """The tables in a file. See :class:`~service.store.database.Database`."""

    def __init__(self, path: Path) -> None:
        """Opens nothing yet."""
        self._path = path
        self._turn = Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None  # which file that was

    @contextmanager
    def transaction(self) -> Iterator["_Transaction"]:
        """See Database."""
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise StoreUnavailable("The store is busy: other calls of this process are waiting for it.")
        try:
            with self._connected() as connection:
                yield _Transaction(connection)
        except (sqlite3.Error, OSError) as why:
            self._let_go()  # whatever is the matter with it, the next call begins anew
            raise unusable(why) from None
        finally:
            self._turn.release()

    def close(self) -> None:
        """See Database. A later transaction would open the file anew."""
        with self._turn:
            self._let_go()

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one if the file was taken away or replaced: the old one lives on for those who have it
        open, and they would not share it any more.
        """
        if self._connection is not None and _identity(self._path) != self._opened:
            self._let_go()
        if self._connection is None:
            self._connection = open_file(self._path)
            self._opened = _identity(self._path)
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


class _Transaction:
    """See :class:`~service.store.database.Connection`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, **values: object) -> Sequence[Sequence[Any]]:
        return self._connection.execute(statement, _bound(values)).fetchall()

    def change(self, statement: str, **values: object) -> int:
        return self._connection.execute(statement, _bound(values)).rowcount

    def change_each(self, statement: str, rows: Sequence[Mapping[str, object]]) -> None:
        self._connection.executemany(statement, map(_bound, rows))


def _bound(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _text_of(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _text_of(instant: datetime) -> str:
    """An instant as the file keeps it, in UTC: 2026-06-15 12:00:00.000000. As text, earlier ones come before later."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _refuse_read_only(path: Path) -> None:
    """A connection opened while the file, or the log beside it, can only be read stays so and would be kept for later
    calls, whatever becomes of the file: the service would not recover (F28).
    """
    for part in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        if part.exists() and not os.access(part, os.W_OK):
            raise sqlite3.OperationalError("The file of the store may only be read.")
