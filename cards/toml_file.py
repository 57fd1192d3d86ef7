"""Reading the content files: TOML with the few shapes the sheets use, and an error that says where it went wrong."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
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
_PLACE: Final = re.compile(r" \(at line (\d+), column \d+\)$")

#: What a key should hold, as somebody who never wrote a program says it.
_IN_WORDS: Final[Mapping[type, str]] = {
    str: 'text in double quotes, such as "3.5"',
    bool: "true or false, without quotes",
    int: "a whole number without quotes",
    list: 'a list in square brackets, such as ["F16", "F38"]',
}


def _text(path: Path | Traversable) -> str:
    """The text of a file; the mark some editors put before the first line (BOM) is no part of it."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError:
        raise BadContent(f"{path.name}: the file cannot be read. Restore it, or look at its permissions.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BadContent(f"{path.name}, line {line}: this is not UTF-8 text. Save the file again as UTF-8.") from None


def _parsed(name: str, text: str) -> dict[str, Any]:
    try:
        return tomli.loads(text, parse_float=Decimal)
    except tomli.TOMLDecodeError as error:
        said, found = str(error), _PLACE.search(str(error))
        number = int(found[1]) if found else len(text.splitlines())
        line = text.splitlines()[number - 1].strip() if text else ""
        raise BadContent(
            f"{name}, line {number}: cannot be read as TOML: {_PLACE.sub('', said)}. Look at this line, and at the one "
            f"before it: {line}"
        ) from error


def read_toml(path: Path | Traversable) -> dict[str, Any]:
    """The whole file. Raises BadContent, naming file and line, if it cannot be read as TOML."""
    return _parsed(path.name, _text(path))


def read_section(path: Path | Traversable) -> "Section":
    """The whole file, with the line of every table. Raises BadContent as :func:`read_toml` does."""
    text = _text(path)
    return Section(path.name, _parsed(path.name, text), headers(text))


def headers(text: str) -> dict[str, int]:
    """The line of every table's header, so that an error can name it: ``[finding.low]``, ``[[example]] no. 3``."""
    lines: dict[str, int] = {}
    rows = Counter[str]()
    for number, line in enumerate(text.splitlines(), 1):
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

    def said(self, key: str) -> str:
        """A piece of text that is shown to somebody. Raises BadContent if it is missing or holds nothing."""
        text = self.text(key)
        if not text.strip():
            raise BadContent(f"{self.where}: {key} is empty; write what it should say, or take the table away")
        return text

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
            raise BadContent(f"{self.where}: {key} should be a list of texts, each in double quotes")
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
            key = min(self.table)
            line = next((line for name, line in self.lines.items() if _begins(name, key)), None)
            where = f"{self.where}, line {line}" if line else self.where
            raise BadContent(f"{where}: unknown key {key!r}; remove it or correct its spelling")

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
            raise BadContent(f"{self.where}: {key} should be {_IN_WORDS[kind]}")
        return value


def _begins(header: str, key: str) -> bool:
    """Whether a header is that of the table or the tables with that key: ``[finding.low]`` for ``finding``."""
    return header.strip("[").split("]")[0].split(".")[0] == key


def known(where: str, what: str, named: Iterable[str], there_are: Iterable[str]) -> None:
    """Raise BadContent, naming the place, for the first name that is none of those there are."""
    for name in named:
        if name not in there_are:
            raise BadContent(f"{where}: there is no {what} {name!r}")
