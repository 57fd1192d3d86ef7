"""The figures that the fault suite measures: kept while it runs, shown at its end, and written to a page if asked.

A test says ``record("F10", "answer under a dripping server, worst of 20", 612, "ms")``. The terminal summary prints
the table; with FAULT_FIGURES=docs/faults.md in the environment the part of that page between the two marks is written
anew. Figures of rows that this run did not measure stay as they are on the page.
"""

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
VARIABLE = "FAULT_FIGURES"

_ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Figure:
    """One measured figure of a row of the table of faults. ``row``: its id, ``F10``."""

    row: str
    name: str
    value: str
    unit: str


_figures: dict[tuple[str, str], tuple[Any, str, bool]] = {}
"""Value, unit and whether it adds up, by row and name."""


def record(row: str, name: str, value: float | str, unit: str = "", *, adds: bool = False) -> None:
    """Keep a figure; one of the same row and name is replaced, or if it ``adds`` up, added to. Shown to three digits.

    ``row``: a letter and a number, as ``F10``.
    """
    before, _, _ = _figures.get((row, name), (0, unit, adds))
    _figures[row, name] = (before + value if adds else value, unit, adds)


def given() -> list[tuple[str, str, float | str, str, bool]]:
    """All figures of this process, for another one to :func:`take`."""
    return [(row, name, *kept) for (row, name), kept in _figures.items()]


def take(figures: list[tuple[str, str, float | str, str, bool]]) -> None:
    """Record what another process measured."""
    for row, name, value, unit, adds in figures:
        record(row, name, value, unit, adds=adds)


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if abs(value) < 0.001:
        return "0"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def recorded() -> list[Figure]:
    """What was recorded in this run, by row and name."""
    return [Figure(*key, _shown(_figures[key][0]), _figures[key][1]) for key in sorted(_figures, key=_place)]


def show(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, and write it to the page that the environment names."""
    found = recorded()
    if not found:
        return
    terminalreporter.section("figures of the fault suite")
    for one in found:
        terminalreporter.write_line(f"{one.row:<4} {one.name}: {one.value} {one.unit}".rstrip())
    page = os.environ.get(VARIABLE)
    if page:
        write_page(Path(page))
        terminalreporter.write_line(f"written to {page}")


def page_with(page: str, figures: list[Figure]) -> str:
    """The text of a page with these figures between its two marks, beside those of other rows that stood there."""
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    lines = {(row, name): said for row, name, said in _ROW.findall(page[start:end])}
    measured = {one.row for one in figures}
    lines = {key: said for key, said in lines.items() if key[0] not in measured}
    lines |= {(one.row, one.name): f"{one.value} {one.unit}".strip() for one in figures}
    table = "\n".join(f"| {row} | {name} | {lines[row, name]} |" for row, name in sorted(lines, key=_place))
    return (
        f"{page[:start]}\n\nLast measured on {_today()}, on a machine of {os.cpu_count()} shared cores with CPython "
        f"{platform.python_version()}.\n\n| Row | Measured | Figure |\n|---|---|---|\n{table}\n\n{page[end:]}"
    )


def write_page(path: Path) -> None:
    """Write the figures of this run into a page that has the two marks."""
    path.write_text(page_with(path.read_text(encoding="utf-8"), recorded()), encoding="utf-8")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _place(key: tuple[str, str]) -> tuple[int, str, str]:
    number = re.search(r"\d+", key[0])
    return int(number[0]) if number else 0, key[0], key[1]
