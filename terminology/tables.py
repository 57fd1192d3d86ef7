"""The reviewable tables as they stand on disk, each row with the file and line it came from.

Only the build, the checks, the export and the tests read them; a running service reads the compact index alone.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomli

from terminology.errors import BadContent

#: Where the tables are.
HERE: Final = Path(__file__).parent

#: Columns of each table, in order. A medicine's file is named after its class.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "results": ("concept", "kind", "system", "code", "display", "source", "licence"),
    "excluded": ("concept", "kind", "system", "code", "display", "source", "licence", "reason"),
    "problems": ("concept", "kind", "system", "code", "display", "source", "licence", "note"),
    "orders": ("concept", "kind", "system", "code", "display", "source", "licence"),
    "medicines": ("concept", "kind", "system", "code", "display", "level", "assigned_by", "source", "licence"),
    "systems": ("id", "uri", "name", "oid", "note"),
    "units": ("analyte", "spelling", "ucum", "factor", "relation", "note", "source", "seen_in"),
    "names": ("name", "ingredients", "is", "licences", "seen_as"),
    "refused": ("name", "reason"),
    "sources": ("id", "text"),
}

_FILES: Final[Mapping[str, str]] = {
    "results": "value_sets/results.csv",
    "excluded": "value_sets/results_excluded.csv",
    "problems": "value_sets/problems.csv",
    "orders": "value_sets/orders.csv",
    "systems": "value_sets/systems.csv",
    "units": "value_sets/units.csv",
    "names": "value_sets/medicine_names.csv",
    "refused": "value_sets/medicine_names_refused.csv",
    "sources": "sources.csv",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. ``table`` is a key of COLUMNS; ``group`` is the medicine class, "" in other tables."""

    table: str
    file: str
    line: int
    cells: Mapping[str, str]
    group: str = ""

    def __getitem__(self, column: str) -> str:
        """The text of a column."""
        return self.cells[column]

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Tables:
    """Every table and sheet of the terminology, unchecked: see check.py."""

    results: tuple[Row, ...]
    excluded: tuple[Row, ...]
    problems: tuple[Row, ...]
    orders: tuple[Row, ...]
    medicines: tuple[Row, ...]
    systems: tuple[Row, ...]
    units: tuple[Row, ...]
    names: tuple[Row, ...]
    refused: tuple[Row, ...]
    sources: tuple[Row, ...]
    classes: Mapping[str, Any]  # medicine_classes.toml
    titles: Mapping[str, Any]  # titles.toml
    analytes: Mapping[str, Any]  # analytes.toml
    licences: Mapping[str, Any]  # licences.toml
    name_words: Mapping[str, Any]  # medicine_name_words.toml
    version: str

    def coded(self) -> Iterator[Row]:
        """Every row that holds a code."""
        for table in (self.results, self.excluded, self.problems, self.orders, self.medicines):
            yield from table


def read(root: Path = HERE) -> Tables:
    """All tables under ``root``. Raises BadContent if a file is missing, misshapen, or no UTF-8."""
    medicines: list[Row] = []
    for path in sorted((root / "value_sets" / "medicines").glob("*.csv")):
        medicines += _csv(root, f"value_sets/medicines/{path.name}", "medicines", path.stem)
    tables = {name: tuple(_csv(root, file, name)) for name, file in _FILES.items()}
    return Tables(
        **tables,
        medicines=tuple(medicines),
        classes=_toml(root, "medicine_classes.toml"),
        titles=_toml(root, "titles.toml"),
        analytes=_toml(root, "analytes.toml"),
        licences=_toml(root, "licences.toml"),
        name_words=_toml(root, "medicine_name_words.toml"),
        version=_text(root, "version.txt").strip(),
    )


def _text(root: Path, file: str) -> str:
    try:
        return (root / file).read_text(encoding="utf-8-sig")  # -sig: without the mark of editors on Windows
    except FileNotFoundError:
        raise BadContent(f"{file}: the file is missing. Restore it from the release.") from None
    except UnicodeDecodeError:
        raise BadContent(f"{file}: the file is not UTF-8 text. Save it again as UTF-8.") from None


def _csv(root: Path, file: str, table: str, group: str = "") -> Iterator[Row]:
    columns = COLUMNS[table]
    reader = csv.reader(_text(root, file).splitlines())
    header = tuple(next(reader, ()))
    if header != columns:
        raise BadContent(f"{file}, line 1: the columns are {', '.join(header)}; write {', '.join(columns)}.")
    for cells in reader:
        if len(cells) != len(columns):
            raise BadContent(
                f"{file}, line {reader.line_num}: {len(cells)} fields where {len(columns)} are needed. "
                "Put a field that holds a comma in double quotes."
            )
        yield Row(table, file, reader.line_num, dict(zip(columns, cells, strict=True)), group)


def _toml(root: Path, file: str) -> Mapping[str, Any]:
    try:
        return tomli.loads(_text(root, file))
    except tomli.TOMLDecodeError as error:
        raise BadContent(f"{file}: {error}. Correct the TOML there.") from None
