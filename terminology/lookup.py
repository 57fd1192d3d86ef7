"""The look-up tables a running service holds in memory, made from the compact index."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from terminology.analytes import Analyte, Limits
from terminology.coding import Coding
from terminology.errors import BadContent
from terminology.index import AnalyteEntry, Group, IndexContent, decode
from terminology.numbers import Numbered

#: Where the index is.
INDEX: Final = Path(__file__).parent / "index.json"

#: Code of one system as it is compared -> concepts.
OfOneSystem: TypeAlias = dict[str, frozenset[str]] | Numbered

#: system id -> the codes of that system. A local system of the site stands there under its own address.
Codes: TypeAlias = dict[str, OfOneSystem]

#: A name in words, and the ingredients it stands for.
NamedIngredients: TypeAlias = tuple[tuple[str, ...], frozenset[str]]


class CodeTables(msgspec.Struct, frozen=True):
    """Everything that can be asked: filled while loading, by the index and the site's overlay, then left alone."""

    version: str
    systems: Mapping[str, str]  # every address of a known code system -> its short id
    analytes: Mapping[str, Analyte]
    titles: Mapping[str, str]
    classes: Mapping[str, frozenset[str]]
    classes_of: Mapping[str, frozenset[str]]
    names: Mapping[str, tuple[NamedIngredients, ...]]  # by first word
    offers: dict[str, tuple[Coding, ...]]
    about: Mapping[str, str]  # concept -> the table it is in: result, problem, order or medicine
    results: Codes = {}
    excluded: Codes = {}
    problems: Codes = {}
    not_problems: Codes = {}
    orders: Codes = {}
    by_code: Codes = {}  # ingredients that the product's own name shows
    by_brand: Codes = {}  # ingredients that only an unsourced brand row names
    search: dict[str, dict[str, list[str]]] = {}  # concept -> system -> codes, exact first

    def of(self, about: str) -> Codes:
        """The table of result, excluded, problem, not-problem or order codes; of medicines, the one by code."""
        return {
            "result": self.results,
            "excluded": self.excluded,
            "problem": self.problems,
            "not-problem": self.not_problems,
            "order": self.orders,
            "medicine": self.by_code,
        }[about]


def read_index(without_licences: frozenset[str]) -> tuple[CodeTables, str]:
    """The tables of index.json without the rows of some licences, and the hash of what is left.

    Raises BadContent if the index cannot be trusted, or a licence is not one of licences.toml.
    """
    try:
        data = INDEX.read_bytes()
    except FileNotFoundError:
        raise BadContent("terminology/index.json: the file is missing. Run 'muscle-cds terminology build'.") from None
    content, content_hash = decode(data)
    if unknown := sorted(without_licences - set(content.licences)):
        raise BadContent(
            f"There is no licence {', '.join(unknown)} to leave out. Choose from {', '.join(content.licences)}."
        )
    if without_licences:
        content_hash = mixed(content_hash, *sorted(without_licences))
    return _tables(content, without_licences), content_hash


def mixed(content_hash: str, *more: str) -> str:
    """A hash of the content and of what a site changed in it."""
    from hashlib import sha256  # noqa: PLC0415 -- only a site that changes something needs it

    return sha256("\n".join((content_hash, *more)).encode()).hexdigest()


def _tables(content: IndexContent, without: frozenset[str]) -> CodeTables:
    about: dict[str, str] = {}
    for group in content.groups:
        if group.about != "excluded":
            table = group.about.removeprefix("not-")  # a concept may have no more than codes that it is not
            about.update({meaning.concept: table for meaning in group.means})
    classes = {name: frozenset(ingredients) for name, ingredients in content.classes.items()}
    classes_of: dict[str, set[str]] = defaultdict(set)
    for name, ingredients in classes.items():
        for ingredient in ingredients:
            classes_of[ingredient].add(name)
    tables = CodeTables(
        version=content.version,
        systems=content.systems,
        analytes={entry.name: _analyte(entry) for entry in content.analytes},
        titles=content.titles,
        classes=classes,
        classes_of={ingredient: frozenset(names) for ingredient, names in classes_of.items()},
        names=_names(content, without),
        offers=_offers(content, without),
        about=about,
    )
    for how, medicines in (("code", tables.by_code), ("brand", tables.by_brand)):
        meanings = [_concepts(group, without, how) for group in content.groups]
        medicines.update({system: Numbered(numbers, meanings) for system, numbers in content.medicines.items()})
    for group in content.groups:
        if group.codes:
            _enter(group, without, tables)
    for by_system in tables.search.values():
        for system, codes in by_system.items():
            by_system[system] = [*dict.fromkeys(codes)]
    return tables


def _enter(group: Group, without: frozenset[str], tables: CodeTables) -> None:
    """Puts a group's codes into their table, as far as the licences of their rows are held."""
    codes = group.codes.split(" ")
    if group.about == "medicine":
        _put(tables.by_code, group.system, codes, _concepts(group, without, "code"))
        _put(tables.by_brand, group.system, codes, _concepts(group, without, "brand"))
        return
    _put(tables.of(group.about), group.system, codes, _concepts(group, without))
    if group.about in {"result", "problem", "order"}:
        for meaning in group.means:
            if meaning.licence in without:
                continue
            known = tables.search.setdefault(meaning.concept, {}).setdefault(group.system, [])
            if meaning.how == "exact":
                known[:0] = codes
            else:
                known += codes


def _concepts(group: Group, without: frozenset[str], how: str = "") -> frozenset[str]:
    """What the codes of a group mean by the licences that are held; ``how``: only what is known in that way."""
    return frozenset([one.concept for one in group.means if one.licence not in without and (not how or one.how == how)])


def _put(table: Codes, system: str, codes: list[str], meaning: frozenset[str]) -> None:
    if meaning:
        table.setdefault(system, {}).update(dict.fromkeys(codes, meaning))


def _names(content: IndexContent, without: frozenset[str]) -> dict[str, tuple[NamedIngredients, ...]]:
    names: dict[str, list[NamedIngredients]] = defaultdict(list)
    for name in content.names:
        if not without.issuperset(name.licences):
            parts = tuple(name.words.split(" "))
            names[parts[0]].append((parts, frozenset(name.ingredients)))
    return {first: tuple(entries) for first, entries in names.items()}


def _offers(content: IndexContent, without: frozenset[str]) -> dict[str, tuple[Coding, ...]]:
    offers: dict[str, tuple[Coding, ...]] = {}
    for offer in content.offers:
        if offer.licence not in without:
            offers[offer.concept] = (*offers.get(offer.concept, ()), Coding(offer.uri, offer.code, offer.display))
    return offers


def _analyte(entry: AnalyteEntry) -> Analyte:
    return Analyte(
        name=entry.name,
        title=entry.title,
        groups=frozenset(entry.groups),
        unit=entry.unit,
        places=entry.places,
        plausible=_limits(entry.plausible) or Limits(None, None),
        limits=_limits(entry.limits),
        limits_male=_limits(entry.limits_male),
        limits_female=_limits(entry.limits_female),
        conversions={unit: Decimal(factor) for unit, factor in entry.conversions.items()},
    )


def _limits(pair: tuple[str, str] | None) -> Limits | None:
    if pair is None:
        return None
    low, high = pair
    return Limits(Decimal(low) if low else None, Decimal(high) if high else None)
