"""The tables as FHIR R4 ValueSets, for a site that keeps its value sets on a terminology server.

One ValueSet per concept of results, problems and orders, and one per medicine class. Each lists its codes by system
and carries the notices of the licences its rows are under.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from terminology.build import classes
from terminology.tables import HERE, Row, Tables, read

#: The default of the setting ``canonical_base`` (architecture 4).
CANONICAL_BASE: Final = "https://muscle-cds.example/fhir"

_KINDS: Final[Mapping[str, str]] = {
    "results": "result",
    "problems": "problem",
    "orders": "order",
}
_DESCRIPTION: Final = (
    "Codes that muscle-cds reads as {title}. A selection for this one purpose, not a full expansion of the concept."
)


def value_sets(
    root: Path = HERE, *, canonical_base: str = CANONICAL_BASE, without_licences: frozenset[str] = frozenset()
) -> Iterator[dict[str, Any]]:
    """Every ValueSet as plain JSON data, in alphabetical order of its kind and name.

    Concepts of which no row is left without the licences are left out. Raises BadContent if a table cannot be read.
    """
    tables = read(root)
    uris = {row["id"]: row["uri"] for row in tables.systems}
    for table, kind in _KINDS.items():
        rows: tuple[Row, ...] = getattr(tables, table)
        for concept, included in _by(rows, without_licences, "concept"):
            title = _title(tables, table, concept)
            yield _value_set(f"{kind}-{concept}", title, included, tables, uris, canonical_base)
    of_ingredient = dict(_by(tables.medicines, without_licences, "concept"))
    members = classes(tables)
    for name, entry in sorted(tables.classes["class"].items()):
        if included := [row for ingredient in members[name] for row in of_ingredient.get(ingredient, ())]:
            yield _value_set(f"medicine-{name}", entry["title"], included, tables, uris, canonical_base)


def write(
    folder: Path,
    root: Path = HERE,
    *,
    canonical_base: str = CANONICAL_BASE,
    without_licences: frozenset[str] = frozenset(),
) -> tuple[Path, ...]:
    """Writes each ValueSet to ``folder`` as ValueSet-ID.json and says which files. The folder is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for value_set in value_sets(root, canonical_base=canonical_base, without_licences=without_licences):
        path = folder / f"ValueSet-{value_set['id']}.json"
        path.write_text(json.dumps(value_set, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        written.append(path)
    return tuple(written)


def _by(rows: Iterable[Row], without: frozenset[str], column: str) -> list[tuple[str, list[Row]]]:
    """Rows to include, by a column."""
    together: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["kind"] != "exclude" and row["licence"] not in without:
            together[row[column]].append(row)
    return sorted(together.items())


def _title(tables: Tables, table: str, concept: str) -> str:
    entry = tables.analytes.get(concept) if table == "results" else None
    return str(entry["title"] if entry else tables.titles[table][concept])


def _value_set(
    name: str, title: str, rows: list[Row], tables: Tables, uris: Mapping[str, str], canonical_base: str
) -> dict[str, Any]:
    codes: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        codes[uris[row["system"]]].setdefault(row["code"], row["display"])
    notices = dict.fromkeys(tables.licences[tag]["notice"] for tag in sorted({row["licence"] for row in rows}))
    return {
        "resourceType": "ValueSet",
        "id": name,
        "url": f"{canonical_base}/ValueSet/{name}",
        "version": tables.version,
        "name": "".join(part.capitalize() for part in name.split("-")),
        "title": title,
        "status": "active",
        "experimental": False,
        "description": _DESCRIPTION.format(title=title),
        "copyright": "\n\n".join(notices),
        "compose": {
            "include": [
                {
                    "system": system,
                    "concept": [{"code": code, "display": display} for code, display in sorted(listed.items())],
                }
                for system, listed in sorted(codes.items())
            ]
        },
    }
