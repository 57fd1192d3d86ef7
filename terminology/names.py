"""Words that name a medicine, for records that hold no code (architecture decision 4): ingredients and brands.

The names are derived from the medicine tables by the rules below and stand in value_sets/medicine_names.csv, where a
pharmacist can review them; a test holds table and rules together. Words that must not stand for a medicine are in
value_sets/medicine_names_refused.csv with the reason.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from terminology.tables import Row
from terminology.words import words

_BRACKETS: Final = re.compile(r"\(.*?\)|\[.*?\]|\(.*$")
_BRAND_SUFFIX: Final = re.compile(r"\[([^\]]+)\]\s*$")

#: Where the name of a product ends and its form begins. Words of pharmacy, not of medicines.
_FORMS: Final = frozenset(
    """
    ampoule ampoules buccal caplet caplets capsule capsules chewable chewtab chrono concentrate cream delayed dispersible
    drops effervescent elixir emulsion enema extended eye filmtab gel gastro granules hydrochloride hour hr implant
    infusion inhaler injectable injection intravenous irrigation liquid lotion lozenge lozenges modified mouthwash
    nebuliser oculus oint ointment ophthalmic oral orodispersible oromucosal pack paediatric paste pastille pastilles
    patch patches pen pessaries pill pills plaster powder pre prefilled product prolonged rectal release sachet sachets
    soluble solution sprinkle spray starter sublingual suppositories suppository suspension syringe syrup tab tablet
    tablets tabs topical transdermal vial vials
    """.split()
)
#: Letters after a brand that tell how it releases, not what it holds: "Adalat LA".
_RELEASE: Final = frozenset("cd chronosphere cr da duriles er forte hcl ir la lar mr odt od pm retard sr tr xl xr xt".split())
#: Salts and the like in the name of a generic product, which name no medicine.
_SALTS: Final = frozenset(
    """
    acetate anhydrous and bisulfate bisulphate bromide calcium citrate fumarate hydrobromide hydrochloride maleate
    mesilate phosphate potassium sodium strong succinate sulfate sulphate tartrate with
    """.split()
)
_STRENGTH: Final = re.compile(r"\d")
_SHORTEST: Final = 4


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


def derive(rows: Iterable[Row], refused: Mapping[str, str]) -> tuple[NamedMedicine, ...]:
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
    for sort, candidates in (("ingredient", _ingredients), ("combination", _combinations), ("older-name", _older), ("brand", _brands)):
        seen: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            for name in candidates(row, found):
                if name not in found and name not in refused and any(len(word) >= _SHORTEST and word.isalpha() for word in name.split()):
                    seen[name].append(row)
        for name, givers in sorted(seen.items(), key=lambda item: (len(item[0].split()), item[0])):
            common = frozenset[str].intersection(*(holds[_key(row)] for row in givers))
            if not common or common <= _already(name, found):
                continue
            licences = frozenset(row["licence"] for row in givers)
            found[name] = NamedMedicine(name, common, sort, licences, min(row["display"] for row in givers))
    return tuple(found[name] for name in sorted(found) if name not in refused)


def _key(row: Row) -> tuple[str, str]:
    return ("snomed" if row["system"] == "dmd" else row["system"], row["code"])


def _ingredients_by_code(rows: Iterable[Row]) -> dict[tuple[str, str], frozenset[str]]:
    holds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        holds[_key(row)].add(row["concept"])
    return {key: frozenset(concepts) for key, concepts in holds.items()}


def _already(name: str, found: Mapping[str, NamedMedicine]) -> frozenset[str]:
    """What the shorter names inside a name mean already."""
    parts = name.split()
    spans = (" ".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1) if j - i < len(parts))
    return frozenset().union(*(found[span].ingredients for span in spans if span in found))


def _ingredients(row: Row, _found: Mapping[str, NamedMedicine]) -> Iterator[str]:
    """The display of a row that stands for the ingredient itself."""
    if row["kind"] == "exact" and row["assigned_by"] == "ingredient-in-name":
        yield " ".join(words(_BRACKETS.sub(" ", row["display"])))


def _combinations(row: Row, _found: Mapping[str, NamedMedicine]) -> Iterator[str]:
    """British approved names of combinations: co-amilofruse."""
    parts = words(row["display"])
    if row["assigned_by"] != "brand-name":
        for first, second in zip(parts, parts[1:], strict=False):
            if first == "co" and second.isalpha() and len(second) > _SHORTEST:
                yield f"co {second}"


def _older(row: Row, found: Mapping[str, NamedMedicine]) -> Iterator[str]:
    """The first words of a generic product in which no name of its ingredient stands yet: frusemide.

    Names of its other ingredients and salts are taken away first: bendrofluazide, of "Timolol maleate 10mg /
    Bendrofluazide 2.5mg tablets".
    """
    if row["assigned_by"] != "ingredient-in-name" or row["level"] != "VMP/AMP":
        return
    if row["concept"] in _meant(words(row["display"]), found):
        return
    left = [word for word in _leading(row["display"]).split() if word not in _SALTS and word not in found]
    if left:
        yield " ".join(left)


def _brands(row: Row, found: Mapping[str, NamedMedicine]) -> Iterator[str]:
    """Brand names: RxNorm brand rows, the bracketed brand of a branded product, and products known by brand alone."""
    if row["system"] == "rxnorm":
        suffix = _BRAND_SUFFIX.search(row["display"])
        if suffix is not None:
            yield _without_release(words(suffix[1]))
        elif row["level"] == "BN":
            yield _without_release(words(row["display"]))
    elif row["assigned_by"] == "brand-name":
        name = _leading(row["display"])
        if name and not _meant(tuple(name.split()), found):
            yield name


def _leading(display: str) -> str:
    """The words before the strength, the form or a bracket."""
    taken: list[str] = []
    for word in words(_BRACKETS.sub(" ", display)):
        if word in _FORMS or _STRENGTH.search(word):
            break
        taken.append(word)
    return _without_release(tuple(taken))


def _without_release(parts: tuple[str, ...]) -> str:
    while len(parts) > 1 and parts[-1] in _RELEASE:
        parts = parts[:-1]
    return " ".join(parts)


def _meant(parts: tuple[str, ...], found: Mapping[str, NamedMedicine]) -> frozenset[str]:
    spans = (" ".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, min(i + 5, len(parts)) + 1))
    return frozenset().union(*(found[span].ingredients for span in spans if span in found))
