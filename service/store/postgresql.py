"""PostgreSQL: for more than one host (R17)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import SQLAlchemyError

from service.store.database import unusable
from service.store.engine import connect


class Postgres:
    """The tables on a server. See :class:`~service.store.database.Database`."""

    def __init__(self, url: str, *, patient: bool = False) -> None:
        """Connects to nothing yet. ``patient``: see connect. Raises BadSettings if the address is of another kind, or
        the driver is missing.
        """
        self._engine = connect(url, patient=patient)

    @contextmanager
    def transaction(self) -> Iterator["_Transaction"]:
        """See Database."""
        try:
            with self._engine.begin() as connection:
                yield _Transaction(connection)
        except (SQLAlchemyError, OSError) as why:
            raise unusable(why) from None

    def close(self) -> None:
        """See Database. A later transaction would connect anew."""
        self._engine.dispose()


class _Transaction:
    """See :class:`~service.store.database.Connection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, **values: object) -> Sequence[Sequence[Any]]:
        return self._connection.execute(_made(statement), values).all()

    def change(self, statement: str, **values: object) -> int:
        return self._connection.execute(_made(statement), values, execution_options=_COUNTED).rowcount

    def change_each(self, statement: str, rows: Sequence[Mapping[str, object]]) -> None:
        self._connection.execute(_made(statement), rows)


_COUNTED: Final = MappingProxyType(
    {"preserve_rowcount": True}
)  # SQLAlchemy promises the rows of an insert no other way


@cache
def _made(statement: str) -> TextClause:
    """Made once, since making it takes as long as carrying it out. There are as many as database.py has."""
    return text(statement)
