"""Bringing the tables up to date, with the migrations (R17)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
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
    except SQLAlchemyError as why:
        raise StoreUnavailable(f"The tables could not be brought up to date ({type(why).__name__}).") from None
    finally:
        engine.dispose()


def _current(connection: Connection) -> str:
    """The revision the tables have."""
    return str(connection.execute(text(REVISION)).scalar())
