"""Connections to a database: SQLite in one file with a write-ahead log, or PostgreSQL (R17)."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from service.errors import BadSettings

WAIT_SECONDS = 1  # for a lock, a connection of the pool, or PostgreSQL to answer; a hook has two seconds in all
POOL = 5  # connections of a worker, and as many again when all are taken

_WHAT_IT_MAY_BE = "store must be sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"


def connect(url: str, *, create: bool = False) -> Engine:
    """An engine, not yet connected. ``create``: a SQLite file that is not there is made.

    Without it a file that vanished is an error, so that no worker goes on with an empty store of its own.
    Raises BadSettings if the address is of another kind; it is not repeated, since it may hold a password.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise BadSettings(f"{_WHAT_IT_MAY_BE}.") from None
    match address.drivername:
        case "sqlite" if address.database and address.database != ":memory:":
            return _sqlite(address.database, create=create)
        case "postgresql+psycopg":
            return _postgresql(address)
        case _:
            raise BadSettings(f"{_WHAT_IT_MAY_BE}.")


def _sqlite(file: str, *, create: bool) -> Engine:
    path = Path(file).absolute()

    def open_file() -> sqlite3.Connection:
        if not create:
            _refuse_read_only(path)
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode={'rwc' if create else 'rw'}", timeout=WAIT_SECONDS, uri=True, check_same_thread=False
        )
        if create:
            connection.execute("PRAGMA journal_mode = WAL")  # is written into the file and holds from then on
        connection.execute("PRAGMA synchronous = FULL")  # a token that was seen stays seen, through a power cut too
        return connection

    engine = create_engine(
        "sqlite://",
        creator=open_file,
        pool_size=POOL,
        max_overflow=POOL,
        pool_timeout=WAIT_SECONDS,
        poolclass=QueuePool,
    )
    event.listen(engine, "connect", lambda _raw, record: record.info.update(file=_identity(path)))
    event.listen(engine, "checkout", lambda _raw, record, _proxy: _same_file(path, record.info["file"]))
    return engine


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


def _same_file(path: Path, opened: tuple[int, int] | None) -> None:
    """A file that was taken away or replaced lives on for those who have it open; they would not share it any more."""
    if _identity(path) != opened:
        raise DisconnectionError("The file of the store is not the one that was opened.")


def _postgresql(address: URL) -> Engine:
    milliseconds = WAIT_SECONDS * 1000
    wait: dict[str, Any] = {
        "connect_timeout": 2,  # the least libpq takes
        "options": f"-c timezone=UTC -c statement_timeout={milliseconds} -c lock_timeout={milliseconds}",
    }
    try:
        return create_engine(
            address,
            connect_args=wait,
            pool_size=POOL,
            max_overflow=POOL,
            pool_timeout=WAIT_SECONDS,
            pool_pre_ping=True,
        )
    except (NoSuchModuleError, ModuleNotFoundError):
        raise BadSettings("store is PostgreSQL, which needs the extra: pip install 'muscle-cds[postgres]'.") from None
