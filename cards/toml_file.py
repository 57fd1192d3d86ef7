"""Reading the content files: TOML with the few shapes the sheets use, and an error that says where it went wrong."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from terminology.errors import BadContent

Table = Mapping[str, Any]


def read_toml(path: Path | Traversable) -> dict[str, Any]:
    """The whole file. Raises BadContent, naming the file, if it cannot be read as TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadContent(f"{path.name}: cannot be read as TOML: {error}") from error


class Section:
    """A table of a content file, read key by key; keys that nobody asked for are an error."""

    def __init__(self, where: str, table: object) -> None:
        if not isinstance(table, dict):
            raise BadContent(f"{where}: should be a table")
        self.where = where
        self.table: dict[str, Any] = dict(table)

    def text(self, key: str, default: str | None = None) -> str:
        """A piece of text. Raises BadContent if it is missing without a default, or no text."""
        return str(self._typed(key, str, default))

    def flag(self, key: str, *, default: bool = False) -> bool:
        """True or false."""
        return bool(self._typed(key, bool, default))

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number."""
        return int(self._typed(key, int, default))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty if it is not there."""
        found = self._typed(key, list, [])
        if not all(isinstance(item, str) for item in found):
            raise BadContent(f"{self.where}: {key} should be a list of texts")
        return tuple(found)

    def number(self, key: str) -> Decimal:
        """A number written as text, so that 3.50 keeps its zero."""
        try:
            value = Decimal(self.text(key))
        except InvalidOperation as error:
            raise BadContent(f'{self.where}: {key} should be a number in quotes, such as "3.5"') from error
        if not value.is_finite():
            raise BadContent(f"{self.where}: {key} should be a finite number")
        return value

    def section(self, key: str) -> "Section":
        """A table inside this one, empty if it is not there."""
        return Section(f"{self.where}: [{key}]", self.table.pop(key, {}))

    def sections(self, key: str) -> dict[str, "Section"]:
        """Named tables inside this one, such as [finding.NAME]."""
        inside = self.section(key)
        return {name: Section(f"{self.where}: [{key}.{name}]", table) for name, table in inside.table.items()}

    def rows(self, key: str) -> list["Section"]:
        """A list of tables, such as [[example]]; empty if it is not there."""
        found = self._typed(key, list, [])
        return [Section(f"{self.where}: [[{key}]] no. {number}", row) for number, row in enumerate(found, 1)]

    def has(self, key: str) -> bool:
        """Whether the key is there and not yet read."""
        return key in self.table

    def done(self) -> None:
        """Call when all is read. Raises BadContent for a key that is left: most often a misspelling."""
        if self.table:
            raise BadContent(f"{self.where}: unknown key {min(self.table)!r}; remove it or correct its spelling")

    def _typed(self, key: str, kind: type, default: Any) -> Any:
        if key not in self.table:
            if default is None:
                raise BadContent(f"{self.where}: {key} is missing")
            return default
        value = self.table.pop(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BadContent(f"{self.where}: {key} should be of type {kind.__name__}")
        return value
