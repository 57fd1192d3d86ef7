"""Whether the tables can be trusted: form, check digits, duplicates, and agreement with one another.

It proves form, not meaning. Every failure names file and line, what is wrong, and what to do; the build, the tests and
``muscle-cds check`` run it, and ``muscle-cds serve`` never meets a table that failed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from terminology.analytes import plain_unit
from terminology.errors import BadContent
from terminology.names import NameWords, derive
from terminology.shapes import SHAPES
from terminology.tables import Row, Tables

_KINDS: Final = {
    "results": {"exact", "descendant-sample"},
    "excluded": {"exclude"},
    "problems": {"exact", "descendant-sample", "exclude"},
    "orders": {"exact", "descendant-sample"},
    "medicines": {"exact", "descendant-sample"},
}
_ASSIGNED_BY: Final = {"ingredient-in-name", "co-name", "brand-name"}
_RELATIONS: Final = {
    "identity",
    "scale",
    "mass",
    "valence",
    "affine",
    "code-dependent",
    "not-comparable",
    "not-convertible",
    "implausible",
}
_OF_AN_ANALYTE: Final = {"title", "groups", "unit", "places", "plausible", "sources"}
_LIMITS: Final = {"limits", "limits_male", "limits_female"}
_MOST_PLACES: Final = 6  # decimals of a result; no laboratory reports more
_MAY_BE_EMPTY: Final = {"note", "oid", "factor"}
_SHOWN: Final = 20
_CLASSES: Final = "medicine_classes.toml"
_NAMES: Final = "value_sets/medicine_names.csv"
_NAMES_REMEDY: Final = "Run 'muscle-cds terminology build' to write the names anew, and review what changed."


def check(tables: Tables) -> None:
    """Raises BadContent with the first failures, each on its own line, if the tables cannot be trusted."""
    found = [*failures(tables)]
    if found:
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        raise BadContent("\n".join(found[:_SHOWN] + more))


def failures(tables: Tables) -> Iterator[str]:
    """Everything that is wrong with the tables, one sentence each. Names are looked at when all rows are sound."""
    checks = (_cells, _codes, _both_included_and_excluded, _classes, _titles, _analytes, _units, _licences)
    found = [failure for of in checks for failure in of(tables)]
    yield from found
    if not found:
        yield from _names(tables)


def _cells(tables: Tables) -> Iterator[str]:
    sources = {row["id"] for row in tables.sources}
    for row in (*tables.coded(), *tables.units, *tables.systems, *tables.names, *tables.refused, *tables.sources):
        for column, text in row.cells.items():
            if not text.strip() and column not in _MAY_BE_EMPTY:
                yield f"{row.place}: the column {column} is empty. Fill it in."
            elif text != text.strip():
                yield f"{row.place}: the column {column} has white space around it. Take it away."
            elif column in {"source", "seen_in"} and text not in sources:
                yield f"{row.place}: the source {text!r} is not in sources.csv. Add it there, or correct it."
    yield from _twice(tables.sources, "id")
    yield from _twice(tables.systems, "id")
    yield from _twice(tables.systems, "uri")


def _twice(rows: Iterable[Row], *columns: str) -> Iterator[str]:
    seen: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(row[column] for column in columns)
        if key in seen:
            yield f"{row.place}: {' '.join(key)} stands there twice, first in {seen[key].place}. Take one away."
        seen.setdefault(key, row)


def _codes(tables: Tables) -> Iterator[str]:
    known = {row["id"] for row in tables.systems}
    for row in tables.coded():
        if row["kind"] not in _KINDS[row.table]:
            yield f"{row.place}: the kind {row['kind']!r} is none of {', '.join(sorted(_KINDS[row.table]))}."
        if row["licence"] not in tables.licences:
            yield f"{row.place}: the licence {row['licence']!r} is not in licences.toml. Add it there, or correct it."
        if row["system"] not in known or row["system"] not in SHAPES:
            yield f"{row.place}: the system {row['system']!r} is not known. See value_sets/systems.csv."
        elif not SHAPES[row["system"]](row["code"]):
            yield (
                f"{row.place}: {row['code']!r} cannot be a code of {row['system']} (shape or check digit). "
                "Look it up again in its source."
            )
        if row.table == "medicines" and row["assigned_by"] not in _ASSIGNED_BY:
            yield f"{row.place}: assigned_by {row['assigned_by']!r} is none of {', '.join(sorted(_ASSIGNED_BY))}."
    for rows in (tables.results, tables.excluded, tables.problems, tables.orders, tables.medicines):
        yield from _twice(rows, "concept", "system", "code")


def _both_included_and_excluded(tables: Tables) -> Iterator[str]:
    included = {(row["system"], row["code"]): row for row in tables.results}
    for row in tables.excluded:
        if (other := included.get((row["system"], row["code"]))) is not None:
            yield f"{row.place}: {row['code']} is excluded here and included in {other.place}. Keep one of the two."
    problems = {(row["concept"], row["system"], row["code"]) for row in tables.problems if row["kind"] != "exclude"}
    for row in tables.problems:
        if row["kind"] == "exclude" and (row["concept"], row["system"], row["code"]) in problems:
            yield f"{row.place}: {row['code']} is both included in and excluded from {row['concept']}. Keep one."


def _classes(tables: Tables) -> Iterator[str]:
    known, groups = tables.classes.get("class", {}), tables.classes.get("group", {})
    files_of: dict[str, set[str]] = defaultdict(set)
    first_of = {row.group: row for row in reversed(tables.medicines)}
    for row in tables.medicines:
        files_of[row["concept"]].add(row.group)
    for name in sorted(set(first_of) - set(known)):
        yield f"{first_of[name].file}: the class {name!r} is not in {_CLASSES}. Add it there with its title."
    for ingredient, files in sorted(files_of.items()):
        if len(files) > 1:
            yield f"{_CLASSES}: {ingredient} has rows in {', '.join(sorted(files))}. Keep one, and use 'also'."
    for name in sorted(set(known) - set(first_of)):
        yield f"{_CLASSES}: class {name} has no file value_sets/medicines/{name}.csv. Add it, or take the class away."
    for name in sorted(set(known) & set(groups)):
        yield f"{_CLASSES}: {name} is both a class and a group. Rename one."
    for section, entries in (("class", known), ("group", groups)):
        for name, entry in entries.items():
            yield from _class_entry(f"{_CLASSES}: {section} {name}", entry, set(files_of), set(known))


def _class_entry(place: str, entry: Any, ingredients: set[str], known: set[str]) -> Iterator[str]:
    if not entry.get("title"):
        yield f"{place} has no title. Add one."
    for key in ("also", "with", "without"):
        for ingredient in entry.get(key, ()):
            if ingredient not in ingredients:
                yield f"{place} names {ingredient!r}, which no medicine row holds. Correct it."
    if " group " in place and not isinstance(entry.get("classes"), list):
        yield f"{place} has no list of classes. Add one; it may be empty where 'with' names the ingredients."
    for part in entry.get("classes", ()):
        if part not in known:
            yield f"{place} names the class {part!r}, which is not there. Correct it."


def _titles(tables: Tables) -> Iterator[str]:
    concepts = {
        "results": {row["concept"] for row in tables.results} - set(tables.analytes),
        "problems": {row["concept"] for row in tables.problems},
        "orders": {row["concept"] for row in tables.orders},
        "medicines": {row["concept"] for row in tables.medicines},
    }
    for section, wanted in concepts.items():
        given = tables.titles.get(section, {})
        for concept in sorted(wanted - set(given)):
            yield f"titles.toml, section {section}: {concept} has no title. Add one, as a card should print it."
        for concept in sorted(set(given) - wanted):
            yield f"titles.toml, section {section}: {concept} is no concept of that table. Take it away."
    seen: dict[str, str] = {}
    for section, wanted in concepts.items():
        for concept in wanted:
            if seen.setdefault(concept, section) != section:
                yield f"titles.toml: {concept} is a concept of {seen[concept]} and of {section}. Rename one."


def _analytes(tables: Tables) -> Iterator[str]:
    coded = {row["concept"] for row in tables.results}
    for name, entry in tables.analytes.items():
        place = f"analytes.toml, {name}"
        if name not in coded:
            yield f"{place}: no row of value_sets/results.csv has this concept. Add its codes, or take it away."
        missing = _OF_AN_ANALYTE - set(entry)
        if missing:
            yield f"{place}: {', '.join(sorted(missing))} missing. Add it."
        for key in sorted(set(entry) - _OF_AN_ANALYTE - _LIMITS):
            yield f"{place}: there is no {key!r} of an analyte. Correct its spelling, or take it away."
        yield from (f"{place}: {failure}" for failure in _kinds_of_values(entry))
        for key in ("plausible", *sorted(_LIMITS)):
            if key in entry and not _is_range(entry[key]):
                yield f'{place}: {key} must be two numbers as text, the lower first, such as ["3.5", "5.3"].'
            elif key in entry and _is_range(entry.get("plausible")) and not _is_inside(entry[key], entry["plausible"]):
                yield f"{place}: {key} must lie within plausible. Correct the one or the other."
        own = [row for row in tables.units if row["analyte"] == name and row["factor"] == "1"]
        if not own:
            yield f"{place}: value_sets/units.csv has no row with factor 1 for it. Add its canonical unit."
        elif "unit" in entry and entry["unit"] not in {row[at] for row in own for at in ("spelling", "ucum")}:
            yield f"{place}: no row of value_sets/units.csv with factor 1 has the unit {entry['unit']!r}. Correct one."


def _kinds_of_values(entry: Mapping[str, Any]) -> Iterator[str]:
    for key in ("title", "unit"):
        if not isinstance(entry.get(key, "-"), str) or not entry.get(key, "-").strip():
            yield f"{key} must be text in double quotes."
    groups = entry.get("groups", [])
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        yield 'groups must be a list of texts, such as ["electrolytes"]; empty: [].'
    if type(entry.get("places", 0)) is not int or not 0 <= entry.get("places", 0) <= _MOST_PLACES:
        yield f"places must be a whole number without quotes, 0 to {_MOST_PLACES}."


def _is_inside(pair: Any, span: Any) -> bool:
    (low, high), (least, most) = map(Decimal, pair), map(Decimal, span)
    return least <= low and high <= most


def _is_range(pair: Any) -> bool:
    try:
        low, high = (Decimal(end) for end in pair if isinstance(end, str))
    except (InvalidOperation, ValueError, TypeError):
        return False
    return low < high


def _units(tables: Tables) -> Iterator[str]:
    factors: dict[tuple[str, str], tuple[str, Row]] = {}
    for row in tables.units:
        if row["analyte"] not in tables.analytes:
            yield f"{row.place}: {row['analyte']!r} is not in analytes.toml. Add it there, or take the row away."
        if row["relation"] not in _RELATIONS:
            yield f"{row.place}: the relation {row['relation']!r} is none of {', '.join(sorted(_RELATIONS))}."
        if row["factor"] and not _is_factor(row["factor"]):
            yield f"{row.place}: the factor {row['factor']!r} is not a number above zero. Correct it."
        for spelling in {plain_unit(row["spelling"]), plain_unit(row["ucum"])}:
            factor, other = factors.setdefault((row["analyte"], spelling), (row["factor"], row))
            if factor != row["factor"] or (other["relation"] == "implausible") != (row["relation"] == "implausible"):
                yield f"{row.place}: {spelling} has another meaning than in {other.place}. Correct one."
    yield from _twice(tables.units, "analyte", "spelling")


def _is_factor(text: str) -> bool:
    try:
        factor = Decimal(text)
    except InvalidOperation:
        return False
    return factor.is_finite() and factor > 0


def _names(tables: Tables) -> Iterator[str]:
    expected: dict[str, tuple[str, str, str]] = {}
    ingredients = {row["concept"] for row in tables.medicines}
    for row in tables.names:
        for ingredient in row["ingredients"].split():
            if ingredient not in ingredients:
                yield f"{row.place}: no medicine row holds {ingredient!r}. Correct it."
    yield from _twice(tables.names, "name")
    yield from _twice(tables.refused, "name")
    for named in derive(tables.medicines, {row["name"] for row in tables.refused}, NameWords.of(tables.name_words)):
        expected[named.name] = (" ".join(sorted(named.ingredients)), named.sort, " ".join(sorted(named.licences)))
    standing = {row["name"]: row for row in tables.names}
    for name in sorted(set(expected) - set(standing)):
        yield f"{_NAMES}: {name!r} ({expected[name][0]}) follows from the medicine rows and is missing. {_NAMES_REMEDY}"
    for name, row in standing.items():
        if expected.get(name) != (row["ingredients"], row["is"], row["licences"]):
            yield f"{row.place}: {name!r} does not follow from the medicine rows like this. {_NAMES_REMEDY}"


def _licences(tables: Tables) -> Iterator[str]:
    if not tables.version:
        yield "version.txt: it is empty. Write the version of the content in it."
    for tag, entry in tables.licences.items():
        for key in ("name", "notice", "site_needs"):
            if not entry.get(key):
                yield f"licences.toml, {tag}: {key} missing. Add it."
