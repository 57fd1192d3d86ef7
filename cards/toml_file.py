"""Reading the content files: TOML with the few shapes the sheets use, and an error that says where it went wrong."""

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, TypeVar

import tomli

from terminology.errors import BadContent

E = TypeVar("E", bound=Enum)
Table = Mapping[str, Any]
_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")


def read_toml(path: Path | Traversable) -> dict[str, Any]:
    """The whole file. Raises BadContent, naming the file, if it cannot be read as TOML."""
    try:
        return tomli.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise BadContent(f"{path.name}: cannot be read as TOML: {error}") from error


def headers(path: Path | Traversable) -> dict[str, int]:
    """The line of every table's header, so that an error can name it: ``[finding.low]``, ``[[example]] no. 3``."""
    lines: dict[str, int] = {}
    rows = Counter[str]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if "[" in line and (found := _HEADER.match(line)):
            name = found[2].replace('"', "")
            if found[1] == "[[":
                rows[name] += 1
                lines[f"[[{name}]] no. {rows[name]}"] = number
            else:
                lines[f"[{name}]"] = number
    return lines


class Section:
    """A table of a content file, read key by key; keys that nobody asked for are an error.

    ``lines``: where the tables inside begin, as :func:`headers` finds them; then errors in them name the line.
    """

    def __init__(self, where: str, table: object, lines: Mapping[str, int] | None = None) -> None:
        if not isinstance(table, dict):
            raise BadContent(f"{where}: should be a table")
        self.where = where
        self.table: dict[str, Any] = dict(table)
        self.lines = lines or {}

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
        return Section(self._place(f"[{key}]"), self.table.pop(key, {}))

    def sections(self, key: str) -> dict[str, "Section"]:
        """Named tables inside this one, such as [finding.NAME]."""
        inside = self.section(key)
        return {name: Section(self._place(f"[{key}.{name}]"), table) for name, table in inside.table.items()}

    def rows(self, key: str) -> list["Section"]:
        """A list of tables, such as [[example]]; empty if it is not there."""
        found = self._typed(key, list, [])
        return [Section(self._place(f"[[{key}]] no. {number}"), row) for number, row in enumerate(found, 1)]

    def member(self, kind: type[E], word: str) -> E:
        """The member of an enumeration with that value. Raises BadContent, listing those there are, for another."""
        for member in kind:
            if member.value == word:
                return member
        raise BadContent(f"{self.where}: {word!r} should be one of {', '.join(str(m.value) for m in kind)}")

    def has(self, key: str) -> bool:
        """Whether the key is there and not yet read."""
        return key in self.table

    def done(self) -> None:
        """Call when all is read. Raises BadContent for a key that is left: most often a misspelling."""
        if self.table:
            raise BadContent(f"{self.where}: unknown key {min(self.table)!r}; remove it or correct its spelling")

    def _place(self, header: str) -> str:
        line = self.lines.get(header)
        return f"{self.where}: {header}" + (f", line {line}" if line else "")

    def _typed(self, key: str, kind: type, default: Any) -> Any:
        if key not in self.table:
            if default is None:
                raise BadContent(f"{self.where}: {key} is missing")
            return default
        value = self.table.pop(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BadContent(f"{self.where}: {key} should be of type {kind.__name__}")
        return value
