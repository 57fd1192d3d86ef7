"""Words that name a medicine, for records that hold no code (architecture decision 4): ingredients and brands.

The names are derived from the medicine tables by the rules below and stand in value_sets/medicine_names.csv, where a
pharmacist can review them; a test holds table and rules together. Words that must not stand for a medicine are in
value_sets/medicine_names_refused.csv with the reason; words of forms and salts in medicine_name_words.toml.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from terminology.shapes import ALIKE
from terminology.tables import Row
from terminology.words import words

_BRACKETS: Final = re.compile(r"\(.*?\)|\[.*?\]|\(.*$")
_BRAND_SUFFIX: Final = re.compile(r"\[([^\]]+)\]\s*$")

_STRENGTH: Final = re.compile(r"\d")
_SHORTEST: Final = 4


@dataclass(frozen=True, slots=True)
class NameWords:
    """Words of medicine_name_words.toml that are part of a product's display and not of its name."""

    forms: frozenset[str]
    release: frozenset[str]
    salts: frozenset[str]

    @classmethod
    def of(cls, sheet: Mapping[str, Any]) -> "NameWords":
        """From the sheet as it was read."""
        return cls(*(frozenset(sheet.get(key, ())) for key in ("forms", "release", "salts")))


@dataclass(frozen=True, slots=True)
class NamedMedicine:
    """One name: its words in lower case, what it holds, what sort of name it is, and a display it was read from.

    ``sort``: ingredient, older-name, combination or brand. ``licences`` are those of the rows that gave it; "ours"
    where the concept itself is so called.
    """

    name: str
    ingredients: frozenset[str]
    sort: str
    licences: frozenset[str]
    seen_as: str


Found: TypeAlias = Mapping[str, NamedMedicine]


def derive(rows: Iterable[Row], refused: Collection[str], lexicon: NameWords) -> tuple[NamedMedicine, ...]:
    """Every name the medicine rows give, in alphabetical order, less the refused ones.

    A name is kept if it has a word of four letters or more, is not refused, and means the same in every row it was
    read from: a brand that stands for unrelated ingredients names nothing. A name that only adds words to a shorter
    one of the same meaning is left out ("quinine sulfate" beside "quinine").
    """
    rows = tuple(rows)
    holds = _ingredients_by_code(rows)
    found: dict[str, NamedMedicine] = {}
    for concept in sorted({row["concept"] for row in rows}):
        name = concept.replace("-", " ")
        found[name] = NamedMedicine(name, frozenset({concept}), "ingredient", frozenset({"ours"}), concept)
    for sort, candidates in _SORTS:
        seen: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            for name in candidates(row, found, lexicon):
                if name not in found and name not in refused and _can_name(name):
                    seen[name].append(row)
        for name, givers in sorted(seen.items(), key=lambda item: (len(item[0].split()), item[0])):
            common = frozenset[str].intersection(*(holds[_key(row)] for row in givers))
            if not common or common <= _already(name, found):
                continue
            licences = frozenset(row["licence"] for row in givers)
            found[name] = NamedMedicine(name, common, sort, licences, min(row["display"] for row in givers))
    return tuple(found[name] for name in sorted(found) if name not in refused)


def _can_name(name: str) -> bool:
    return any(len(word) >= _SHORTEST and word.isalpha() for word in name.split())


def _key(row: Row) -> tuple[str, str]:
    return (ALIKE.get(row["system"], row["system"]), row["code"])


def _ingredients_by_code(rows: Iterable[Row]) -> dict[tuple[str, str], frozenset[str]]:
    holds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        holds[_key(row)].add(row["concept"])
    return {key: frozenset(concepts) for key, concepts in holds.items()}


def _already(name: str, found: Found) -> frozenset[str]:
    """What the shorter names inside a name mean already."""
    parts = name.split()
    spans = (
        " ".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1) if j - i < len(parts)
    )
    return frozenset().union(*(found[span].ingredients for span in spans if span in found))


def _ingredients(row: Row, _found: Found, _lexicon: NameWords) -> Iterator[str]:
    """The display of a row that stands for the ingredient itself."""
    if row["kind"] == "exact" and row["assigned_by"] == "ingredient-in-name":
        yield " ".join(words(_BRACKETS.sub(" ", row["display"])))


def _combinations(row: Row, _found: Found, _lexicon: NameWords) -> Iterator[str]:
    """British approved names of combinations: co-amilofruse."""
    match words(row["display"]):
        case ("co", second, *_) if row["assigned_by"] != "brand-name" and second.isalpha():
            yield f"co {second}"


def _older(row: Row, found: Found, lexicon: NameWords) -> Iterator[str]:
    """The first words of a generic product in which no name of its ingredient stands yet: frusemide.

    Names of its other ingredients and salts are taken away first: bendrofluazide, of "Timolol maleate 10mg /
    Bendrofluazide 2.5mg tablets".
    """
    if row["assigned_by"] != "ingredient-in-name" or row["level"] != "VMP/AMP":
        return
    if row["concept"] in _meant(words(row["display"]), found):
        return
    left = [
        word for word in _leading(row["display"], lexicon).split() if word not in lexicon.salts and word not in found
    ]
    if left:
        yield " ".join(left)


def _brands(row: Row, found: Found, lexicon: NameWords) -> Iterator[str]:
    """Brand names: RxNorm brand rows, the bracketed brand of a branded product, and products known by brand alone."""
    if row["system"] == "rxnorm":
        suffix = _BRAND_SUFFIX.search(row["display"])
        if suffix is not None:
            yield _without_release(words(suffix[1]), lexicon)
        elif row["level"] == "BN":
            yield _without_release(words(row["display"]), lexicon)
    elif row["assigned_by"] == "brand-name":
        name = _leading(row["display"], lexicon)
        if name and not _meant(tuple(name.split()), found):
            yield name


def _leading(display: str, lexicon: NameWords) -> str:
    """The words before the strength, the form or a bracket."""
    taken: list[str] = []
    for word in words(_BRACKETS.sub(" ", display)):
        if word in lexicon.forms or _STRENGTH.search(word):
            break
        taken.append(word)
    return _without_release(tuple(taken), lexicon)


def _without_release(parts: tuple[str, ...], lexicon: NameWords) -> str:
    while len(parts) > 1 and parts[-1] in lexicon.release:
        parts = parts[:-1]
    return " ".join(parts)


def _meant(parts: tuple[str, ...], found: Found) -> frozenset[str]:
    spans = (" ".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, min(i + 5, len(parts)) + 1))
    return frozenset().union(*(found[span].ingredients for span in spans if span in found))


#: In this order: a name of an earlier sort is not given again by a later one.
_SORTS: Final[tuple[tuple[str, Callable[[Row, Found, NameWords], Iterator[str]]], ...]] = (
    ("ingredient", _ingredients),
    ("combination", _combinations),
    ("older-name", _older),
    ("brand", _brands),
)
