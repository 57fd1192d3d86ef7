"""The vocabulary: every code and name the project knows, looked up by what a record carries.

One ``Vocabulary`` is loaded when the process starts and never changes. Above all it answers what the codings of an
entry mean. A coding that no table knows means nothing here: it is counted as unmapped by the reader, and is never taken
for normal.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from terminology.analytes import Analyte
from terminology.closed import Closed
from terminology.coding import Coding, Pair
from terminology.errors import BadContent
from terminology.lookup import CodeTables, OfOneSystem, read_index
from terminology.overlay import apply
from terminology.shapes import ALIKE, SHAPES, WITHOUT_DOT, normal, only_owner
from terminology.words import words


class Link(Closed):
    """How well founded the link from a code or a name to a medicine is. Only CODE may suppress or lower a card."""

    CODE = "code"  # the code's own display names the ingredient
    BRAND = "brand"  # a brand name without its ingredient: not sourced, may name a possible contributor only
    NAME = "name"  # known by text alone (architecture decision 4): the same limits as BRAND


@dataclass(frozen=True, slots=True)
class MedicineMatch:
    """Which ingredients a medicine holds, and how we know.

    ``also_by_brand``: further ingredients of the same product that only an unsourced brand row names, while ``link`` is
    CODE. They may be named as possible contributors and nothing else, as if they stood in a match of ``Link.BRAND``.
    """

    ingredients: frozenset[str]
    link: Link
    also_by_brand: frozenset[str] = frozenset()


#: In this order codes are put into a search; a local system of the site comes last.
_SEARCHED: Final = ("loinc", "snomed")

_NONE: Final[frozenset[str]] = frozenset()


class Meaning(NamedTuple):
    """What codings mean, in each of the tables that records are read by. All empty: nothing we know.

    ``results``: analytes, and panels such as ``panel-ue``. ``excluded``: what the codings must never be read as, though
    it looks alike (CK-MB, urine sodium). ``problems``: problems, findings and states (``muscle-cramp``, ``pregnancy``).
    ``orders``: orders and referrals (``order-ck``, ``refer-neurology``). ``medicine``: all ingredients of a combination
    product together; an ingredient has ``Link.CODE`` if a row of any of the codings shows it in the product's own name,
    and what only unsourced brand rows name never gains that link.
    """

    results: frozenset[str] = _NONE
    excluded: frozenset[str] = _NONE
    problems: frozenset[str] = _NONE
    orders: frozenset[str] = _NONE
    medicine: MedicineMatch | None = None

    @property
    def measured(self) -> frozenset[str]:
        """The results, none of them if anything is excluded."""
        return _NONE if self.excluded else self.results


UNKNOWN: Final = Meaning()
"""What a coding means that no table knows."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """All tables, ready to be asked. Build one with :func:`load`. Two are the same only if they are one."""

    version: str
    content_hash: str
    analytes: Mapping[str, Analyte]
    systems: Mapping[str, str] = field(repr=False)  # every address of a known code system -> its short id
    tables: CodeTables = field(repr=False)
    _met: dict[Pair, Meaning] = field(default_factory=dict, init=False, repr=False)
    """Rows of our tables that were looked up before, by system and code as the tables spell them. What a record holds
    beside these is never kept (rule R12), so there are at most as many as there are rows."""
    _of_classes: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict, init=False, repr=False)
    """Ingredients of the classes that rows of the sheets name together; no record names a class."""
    _groups: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False)
    _by_system: dict[str, tuple[OfOneSystem, ...]] = field(default_factory=dict, init=False, repr=False)
    """The codes of each system in each of the six tables that records are read by."""

    def __post_init__(self) -> None:
        one = self.tables
        of = (one.results, one.excluded, one.problems, one.orders, one.by_code, one.by_brand)
        for system in {system for table in of for system in table}:
            self._by_system[system] = tuple([table.get(system, {}) for table in of])

    def meaning(self, codings: Sequence[Pair]) -> Meaning:
        """What codings mean together; each is a system ("" if none was sent) and a code."""
        if len(codings) == 1:  # as in most concepts
            return self._met.get(codings[0]) or self._look_up(*codings[0])
        found = UNKNOWN
        for pair in codings:
            found = _both(found, self._met.get(pair) or self._look_up(*pair))
        return found

    def analytes_in(self, group: str) -> tuple[str, ...]:
        """Analytes of a group (``electrolytes``), in the order of their names."""
        found = self._groups.get(group)
        if found is None:
            found = tuple(sorted(name for name, analyte in self.analytes.items() if group in analyte.groups))
            self._groups[group] = found
        return found

    def medicine_named(self, text: str) -> MedicineMatch | None:
        """The medicine whose whole ingredient or brand words stand in the text; its link is ``Link.NAME``.

        A text that names several gives them all. "Not", "allergic to" and the like are not read: the caller knows
        where the text came from.
        """
        parts = words(text)
        found: set[str] = set()
        for place, word in enumerate(parts):
            for name, ingredients in self.tables.names.get(word, ()):
                if parts[place : place + len(name)] == name:
                    found |= ingredients
        return MedicineMatch(frozenset(found), Link.NAME) if found else None

    def classes_of(self, ingredient: str) -> frozenset[str]:
        """Classes of an ingredient (``loop-diuretic`` and its groups, ``diuretic``); more than one is usual."""
        return self.tables.classes_of.get(ingredient, _NONE)

    def ingredients_of(self, *classes: str) -> frozenset[str]:
        """Ingredients of a class or group of classes, of several together. Raises BadContent if there is no such
        class.
        """
        found = self._of_classes.get(classes)
        if found is None:
            found = self._of_classes[classes] = _NONE.union(*[self._ingredients_of(name) for name in classes])
        return found

    def _ingredients_of(self, medicine_class: str) -> frozenset[str]:
        try:
            return self.tables.classes[medicine_class]
        except KeyError:
            raise BadContent(
                f"There is no medicine class {medicine_class!r}. "
                "See terminology/medicine_classes.toml for those there are."
            ) from None

    def title(self, concept: str) -> str:
        """The concept in our own words, for a card: ``Muscle cramp``, ``Furosemide``, ``Urea and electrolytes (U&E)``.

        Analytes, medicine classes and groups have one too. Raises BadContent if there is no such concept.
        """
        try:
            return self.tables.titles[concept]
        except KeyError:
            raise BadContent(
                f"There is no concept {concept!r}. See terminology/titles.toml for those there are."
            ) from None

    def codings_for(self, concept: str) -> tuple[Coding, ...]:
        """Codings to send for an order concept, the preferred one of each system, SNOMED CT first."""
        return self.tables.offers.get(concept, ())

    def codes_to_search(self, concepts: Iterable[str]) -> tuple[str, ...]:
        """Bare codes for a FHIR search by code, without repeats, in a stable order (LOINC, then SNOMED CT).

        Exact and narrower codes of results, problems and orders, in the order of the concepts; the site's local codes
        come last. Codes of diagnosis classifications are not listed: records do not search Observations by them.
        Raises BadContent if there is no such concept.
        """
        asked = tuple(concepts)
        for concept in asked:
            self.title(concept)
        known = frozenset(self.systems.values())
        codes: dict[str, None] = {}
        for system in _SEARCHED:
            for concept in asked:
                codes.update(dict.fromkeys(self.tables.search.get(concept, {}).get(system, ())))
        for concept in asked:
            for system, local in sorted(self.tables.search.get(concept, {}).items()):
                if system not in known:
                    codes.update(dict.fromkeys(local))
        return tuple(codes)

    def _look_up(self, sent_system: str, sent_code: str) -> Meaning:
        """What one coding means: under its system, or under the only system that could own the code."""
        code = sent_code.partition("|")[0].strip()
        if not code:
            return UNKNOWN
        address = sent_system.partition("|")[0].strip()
        system = self.systems.get(address)
        keys: list[tuple[str, str]] = []
        if system is None:
            if address:
                keys.append((address, code))  # a local code of the site's overlay
            system = only_owner(code)
        if system is not None:
            keys.append((ALIKE.get(system, system), normal(system, code)))
        meaning = UNKNOWN
        for owner, spelled in keys:
            meaning = _both(meaning, self._in_tables(owner, spelled))
        is_ours = not address or address in self.systems or address in self._by_system
        # Codes compared without the dot are found under endless spellings (R.2..5.2); only the regular ones are kept.
        has_its_shape = system not in WITHOUT_DOT or SHAPES[system](code)
        if meaning is not UNKNOWN and is_ours and has_its_shape and (sent_system, sent_code) == (address, code):
            self._met[address, code] = meaning
        return meaning

    def _in_tables(self, system: str, code: str) -> Meaning:
        """What our tables say of a code of one system."""
        found = [codes.get(code, _NONE) for codes in self._by_system.get(system, ())]
        if not any(found):
            return UNKNOWN
        results, excluded, problems, orders, by_code, by_brand = found
        return Meaning(results, excluded, problems, orders, _match(by_code, by_brand))


def _both(one: Meaning, other: Meaning) -> Meaning:
    """What two codings of one thing mean together."""
    if other is UNKNOWN or one is UNKNOWN:
        return one if other is UNKNOWN else other
    medicine = one.medicine or other.medicine
    if one.medicine is not None and other.medicine is not None:
        medicine = joined((one.medicine, other.medicine))
    return Meaning(
        one.results | other.results,
        one.excluded | other.excluded,
        one.problems | other.problems,
        one.orders | other.orders,
        medicine,
    )


def joined(matches: Collection[MedicineMatch]) -> MedicineMatch | None:
    """All ingredients together; what only a brand or a name shows stays apart from what a code names."""
    founded = _NONE.union(*[one.ingredients for one in matches if one.link is Link.CODE])
    others = _NONE.union(*[one.ingredients for one in matches if one.link is not Link.CODE])
    return _match(founded, others.union(*[one.also_by_brand for one in matches]))


def _match(founded: frozenset[str], branded: frozenset[str]) -> MedicineMatch | None:
    """A match of what a code names and what only a brand does; None if neither names anything."""
    if founded:
        return MedicineMatch(founded, Link.CODE, branded - founded)
    return MedicineMatch(branded, Link.BRAND) if branded else None


def load(*, without_licences: frozenset[str] = frozenset(), overlay: Path | None = None) -> Vocabulary:
    """Read the compact index, leave out licences the site does not hold, apply the site's overlay.

    Raises BadContent, naming file and line, if either cannot be trusted, or a licence is not one of licences.toml.
    """
    tables, content_hash = read_index(without_licences)
    if overlay is not None:
        content_hash = apply(overlay, tables, content_hash)
    return Vocabulary(tables.version, content_hash, tables.analytes, tables.systems, tables)
