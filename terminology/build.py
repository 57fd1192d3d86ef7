"""The build step: reviewable tables in, compact index out. The same tables always give the same bytes."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from terminology.analytes import plain_unit
from terminology.check import check
from terminology.index import AnalyteEntry, Group, IndexContent, Name, Numbers, Offer, RowMeaning, encode
from terminology.names import NameWords, derive
from terminology.numbers import is_number, packed
from terminology.shapes import ALIKE, normal
from terminology.tables import COLUMNS, HERE, Row, Tables, read

#: Units of these relations are in the closed table only to say that they are known and refused.
_REFUSED_UNITS: Final = frozenset({"code-dependent", "not-comparable", "not-convertible", "implausible", "affine"})

#: A code supports what may suppress or lower a card; a brand without its ingredient in the display does not.
_HOW: Final[Mapping[str, str]] = {"ingredient-in-name": "code", "co-name": "code", "brand-name": "brand"}

#: Which system's coding an order offers first.
_OFFER_ORDER: Final = ("snomed", "loinc")


def build(root: Path = HERE) -> bytes:
    """The bytes of index.json for the tables under ``root``. Raises BadContent if a table cannot be trusted."""
    tables = read(root)
    check(tables)
    return encode(content(tables))


def names(root: Path = HERE) -> str:
    """The text of value_sets/medicine_names.csv as it follows from the medicine rows, for a reviewer to look at."""
    tables = read(root)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS["names"])
    for named in derive(tables.medicines, {row["name"] for row in tables.refused}, NameWords.of(tables.name_words)):
        ingredients, licences = " ".join(sorted(named.ingredients)), " ".join(sorted(named.licences))
        writer.writerow((named.name, ingredients, named.sort, licences, named.seen_as))
    return text.getvalue()


def write(root: Path = HERE) -> tuple[Path, Path]:
    """Writes the names and the index anew under ``root``, and says where. Raises BadContent as :func:`build` does."""
    names_file, index_file = root / "value_sets" / "medicine_names.csv", root / "index.json"
    names_file.write_text(names(root), encoding="utf-8")
    index_file.write_bytes(build(root))
    return names_file, index_file


def content(tables: Tables) -> IndexContent:
    """What the checked tables say, grouped for quick loading."""
    groups, medicines = _with_numbers_apart(_groups(tables))
    return IndexContent(
        version=tables.version,
        systems=_systems(tables.systems),
        licences=tuple(sorted(tables.licences)),
        groups=groups,
        medicines=medicines,
        names=tuple(_names(tables.names)),
        offers=tuple(_offers(tables)),
        classes=classes(tables),
        titles=_titles(tables),
        analytes=tuple(_analytes(tables)),
    )


def classes(tables: Tables) -> dict[str, tuple[str, ...]]:
    """Every class and group of classes with its ingredients, in alphabetical order."""
    members: dict[str, set[str]] = {name: set() for name in sorted(tables.classes["class"])}
    for row in tables.medicines:
        members[row.group].add(row["concept"])
    for name, entry in tables.classes["class"].items():
        members[name].update(entry.get("also", ()))
    for name, entry in sorted(tables.classes["group"].items()):
        whole = set(entry.get("with", ()))
        whole.update(*(members[part] for part in entry["classes"]))
        members[name] = whole - set(entry.get("without", ()))
    return {name: tuple(sorted(ingredients)) for name, ingredients in sorted(members.items())}


def _systems(rows: Iterable[Row]) -> dict[str, str]:
    addresses = {row["uri"]: row["id"] for row in rows} | {row["oid"]: row["id"] for row in rows if row["oid"]}
    return dict(sorted(addresses.items()))


def _groups(tables: Tables) -> Iterator[Group]:
    rows_about: dict[str, tuple[Row, ...]] = {
        "result": tables.results,
        "excluded": tables.excluded,
        "problem": tuple(row for row in tables.problems if row["kind"] != "exclude"),
        # Such a code is merely not that concept (terminology rule 5). It is never looked up; a site may not add it.
        "not-problem": tuple(row for row in tables.problems if row["kind"] == "exclude"),
        "order": tables.orders,
        "medicine": tables.medicines,
    }
    for about, rows in rows_about.items():
        meanings: dict[tuple[str, str], set[RowMeaning]] = defaultdict(set)
        for row in rows:
            system = ALIKE.get(row["system"], row["system"])
            how = _HOW[row["assigned_by"]] if about == "medicine" else row["kind"]
            key = (system, normal(system, row["code"]))
            meanings[key].add(RowMeaning(row["licence"], row["concept"], how))
        together: dict[tuple[str, tuple[RowMeaning, ...]], list[str]] = defaultdict(list)
        for (system, code), means in meanings.items():
            together[system, tuple(sorted(means, key=_by_text))].append(code)
        for (system, means_sorted), codes in sorted(together.items(), key=_by_meaning):
            yield Group(about, system, means_sorted, " ".join(sorted(codes, key=lambda code: (len(code), code))))


def _with_numbers_apart(groups: Iterable[Group]) -> tuple[tuple[Group, ...], dict[str, Numbers]]:
    """The groups, and by system the codes of medicines that are numbers, taken out of them."""
    kept: list[Group] = []
    apart: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for group in groups:
        codes = group.codes.split(" ")
        if group.about == "medicine" and all(map(is_number, codes)):
            apart[group.system] += ((code, len(kept)) for code in codes)
            kept.append(msgspec.structs.replace(group, codes=""))
        else:
            kept.append(group)
    return tuple(kept), {system: packed(codes) for system, codes in sorted(apart.items())}


def _by_meaning(item: tuple[tuple[str, tuple[RowMeaning, ...]], object]) -> tuple[str, list[tuple[str, str, str]]]:
    system, means = item[0]
    return (system, [*map(_by_text, means)])


def _by_text(meaning: RowMeaning) -> tuple[str, str, str]:
    return (meaning.concept, meaning.how, meaning.licence)


def _names(rows: Iterable[Row]) -> Iterator[Name]:
    for row in rows:
        licences = tuple("" if licence == "ours" else licence for licence in row["licences"].split())
        yield Name(row["name"], tuple(row["ingredients"].split()), licences)


def _offers(tables: Tables) -> Iterator[Offer]:
    """The first row of a concept in a system is the one to send."""
    uris = {row["id"]: row["uri"] for row in tables.systems}
    first: dict[tuple[str, str], Row] = {}
    for row in tables.orders:
        if row["kind"] == "exact":
            first.setdefault((row["concept"], row["system"]), row)
    for concept in sorted({concept for concept, _ in first}):
        for system in _OFFER_ORDER:
            if (offered := first.get((concept, system))) is not None:
                yield Offer(concept, uris[system], offered["code"], offered["display"], offered["licence"])


def _titles(tables: Tables) -> dict[str, str]:
    titles: dict[str, str] = {}
    for section in ("class", "group"):
        titles.update({name: entry["title"] for name, entry in tables.classes[section].items()})
    for section in ("results", "problems", "orders", "medicines"):
        titles.update(tables.titles[section])
    titles.update({name: entry["title"] for name, entry in tables.analytes.items()})
    return dict(sorted(titles.items()))


def _analytes(tables: Tables) -> Iterator[AnalyteEntry]:
    for name, entry in sorted(tables.analytes.items()):
        conversions: dict[str, str] = {}
        for row in tables.units:
            if row["analyte"] == name and row["factor"] and row["relation"] not in _REFUSED_UNITS:
                conversions[plain_unit(row["spelling"])] = row["factor"]
                conversions[plain_unit(row["ucum"])] = row["factor"]
        yield AnalyteEntry(
            name=name,
            title=entry["title"],
            groups=tuple(sorted(entry["groups"])),
            unit=entry["unit"],
            places=entry["places"],
            plausible=_range(entry["plausible"]) or ("", ""),
            limits=_range(entry.get("limits")),
            limits_male=_range(entry.get("limits_male")),
            limits_female=_range(entry.get("limits_female")),
            conversions=dict(sorted(conversions.items())),
        )


def _range(pair: Any) -> tuple[str, str] | None:
    return None if pair is None else (pair[0], pair[1])
