"""Connections by SQLAlchemy: to PostgreSQL, and for the migrations to SQLite too (R17)."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from service.errors import BadSettings
from service.store.hurried import hurried
from service.store.sqlite import file_of, open_file

WAIT_SECONDS = 1  # for a lock, a connection of the pool, or PostgreSQL to answer; a hook has two seconds in all
POOL = 5  # connections of a worker, and as many again when all are taken

_WHAT_IT_MAY_BE = "store must be sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"


def connect(url: str, *, create: bool = False, patient: bool = False) -> Engine:
    """An engine, not yet connected. ``create``: a SQLite file that is not there is made. ``patient``: for a command,
    which may take longer than a hook can wait.

    Raises BadSettings if the address is of another kind; it is not repeated, since it may hold a password.
    """
    file = file_of(url)
    if file is not None:
        return _sqlite(file, create=create)
    try:
        address = make_url(url)
    except ArgumentError:
        raise BadSettings(f"{_WHAT_IT_MAY_BE}.") from None
    if address.drivername != "postgresql+psycopg":
        raise BadSettings(f"{_WHAT_IT_MAY_BE}.")
    return _postgresql(address, patient=patient)


def _sqlite(path: Path, *, create: bool) -> Engine:
    return create_engine("sqlite://", creator=lambda: open_file(path, create=create), poolclass=NullPool)


def _postgresql(address: URL, *, patient: bool) -> Engine:
    milliseconds = WAIT_SECONDS * 1000
    of_the_site = " ".join(address.normalized_query.get("options", ()))  # such as a search_path
    options = f"{of_the_site} -c timezone=UTC -c lock_timeout={milliseconds}".strip()
    wait: dict[str, Any] = {
        "connect_timeout": 2,  # the least libpq takes
        "options": options if patient else f"{options} -c statement_timeout={milliseconds}",
    }
    try:
        engine = create_engine(
            address,
            connect_args=wait,
            pool_size=POOL,
            max_overflow=POOL,
            pool_timeout=WAIT_SECONDS,
            pool_pre_ping=True,
        )
    except (NoSuchModuleError, ModuleNotFoundError):
        raise BadSettings("store is PostgreSQL, which needs the extra: pip install 'muscle-cds[postgres]'.") from None
    if not patient:
        event.listen(engine, "do_connect", _hurried)
    return engine


def _hurried(dialect: Any, _record: object, arguments: list[Any], more: dict[str, Any]) -> Any:
    return hurried(dialect.loaded_dbapi).connect(*arguments, **more)
