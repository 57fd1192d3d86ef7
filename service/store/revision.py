"""Which version of the tables this code needs, and which they have (R17).

Asked at every start and by every probe, so it is looked up without the migration library, which takes long to load.
"""

from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

WANTED: Final = "0001"
"""The newest of the migrations; a test compares."""

_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32)))


def current(connection: Connection) -> str:
    """The revision the tables have; "" if there are none."""
    if not inspect(connection).has_table(_VERSION.name):
        return ""
    return connection.execute(select(_VERSION.c.version_num)).scalar() or ""
