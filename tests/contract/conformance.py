"""The table of requirements, the tests that exist, and the page made of both: ``python -m tests.contract.conformance``.

``requirements.toml`` lists every item of the CDS Hooks checklist with what is held to show it. The page is
docs/conformance.md; tests/docs/test_conformance.py keeps both true.
"""

import ast
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "contract" / "requirements.toml"
PAGE = ROOT / "docs" / "conformance.md"
STATUSES = {
    "met": "met",
    "setting": "met by a setting of the site",
    "survived": "duty of the client, survived when broken",
    "later": "later",
    "work": "in work",
}
SHOWN = ("met", "setting", "survived")
GROUPS = {
    "A": "Transport and JSON",
    "B": "Discovery",
    "C": "Calling a service",
    "D": "Contexts of the hooks",
    "E": "Prefetch",
    "F": "FHIR access",
    "G": "Cards",
    "H": "Suggestions, actions, links, reasons",
    "I": "Feedback",
    "J": "Status codes and errors",
    "K": "Client authentication",
    "L": "Browser clients",
    "M": "Speed",
    "N": "Extensions",
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One item. ``level``: MUST, MUST NOT, SHOULD, MAY or OWN (our own rule); ``whose``: service or client."""

    number: str
    level: str
    whose: str
    rule: str
    status: str
    tests: tuple[str, ...]
    note: str = ""


@cache
def requirements() -> tuple[Requirement, ...]:
    """All items in the order of the checklist."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["requirement"]
    return tuple(Requirement(**{**row, "tests": tuple(row["tests"])}) for row in rows)


@cache
def existing_tests() -> frozenset[str]:
    """Every test function of the suite as path::name."""
    found = set()
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return frozenset(found)


def numbers_in(test: str) -> list[str]:
    """The requirement numbers a test of test_requirements_*.py carries in its name."""
    path, _, name = test.partition("::")
    if not Path(path).name.startswith("test_requirements_"):
        return []
    carried = re.match(r"test_((?:[a-z][0-9]+_)*)", name)
    return [part.upper() for part in carried[1].split("_") if part and part[0] != "t"] if carried else []


def page(rows: Iterable[Requirement]) -> str:
    """docs/conformance.md."""
    rows = tuple(rows)
    counts = {status: sum(row.status == status for row in rows) for status in STATUSES}
    lines = [
        "# Conformance to CDS Hooks",
        "",
        "Made by `make docs` from `tests/contract/requirements.toml`; a test fails when it is not current, and when a test",
        "it names does not exist.",
        "",
        f"Every item of our checklist of CDS Hooks 2.0.1 with the additions of the 3.0 ballot: {len(rows)} items. MUST, SHOULD",
        'and MAY are the words of the specification; OWN is a rule of ours. "Client" marks a duty of the record system that',
        "we rely on and must survive when it is broken.",
        "",
        "| Status | Items |",
        "|---|---|",
        *(f"| {words} | {counts[status]} |" for status, words in STATUSES.items() if counts[status]),
    ]
    for letter, title in GROUPS.items():
        lines += ["", f"## {letter}. {title}", "", "| # | Level | Rule | Status | Shown by |", "|---|---|---|---|---|"]
        lines += [_line(row) for row in rows if row.number[0] == letter]
    return "\n".join(lines) + "\n"


def _line(row: Requirement) -> str:
    level = f"{row.level} (client)" if row.whose == "client" else row.level
    rule = f"{row.rule}. {row.note}" if row.note else row.rule
    return f"| {row.number} | {level} | {rule} | {STATUSES[row.status]} | {'<br>'.join(f'`{test}`' for test in row.tests)} |"


if __name__ == "__main__":
    PAGE.write_text(page(requirements()), encoding="utf-8")
