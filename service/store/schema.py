"""Bringing the tables up to date, with the migrations (R17)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from service.errors import StoreUnavailable
from service.store.database import REVISION
from service.store.engine import connect


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def upgrade(url: str) -> str:
    """Make or change the tables as this version needs them, all or nothing; the revision they then have.

    Doing it again changes nothing. Raises BadSettings for an address of another kind, StoreUnavailable.
    """
    engine = connect(url, create=True, patient=True)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "sqlite":  # whose driver begins no transaction for a change of tables
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return _current(connection)
    except CommandError:
        raise StoreUnavailable(
            "The tables are of a newer release than this one, and there is no way back for them: run the newer "
            "release, or put back the copy of the database that was made before the upgrade."
        ) from None
    except SQLAlchemyError as why:
        raise StoreUnavailable(
            f"The tables could not be brought up to date ({type(why).__name__}): is the database running and reachable "
            "(SQLite: is the folder there and writable), and is nobody else changing it?"
        ) from None
    finally:
        engine.dispose()


def _current(connection: Connection) -> str:
    """The revision the tables have."""
    return str(connection.execute(text(REVISION)).scalar())
