"""The vocabulary: every code and name the project knows, looked up by what a record carries.

One ``Vocabulary`` is loaded when the process starts and never changes. It answers one question in five kinds: what do
these codings mean? A coding that no table knows means nothing here: it is counted as unmapped by the reader, and is
never taken for normal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from terminology.analytes import Analyte
from terminology.coding import Coding


class Link(Enum):
    """How well founded the link from a code or a name to a medicine is. Only CODE may suppress or lower a card."""

    CODE = "code"  # the code's own display names the ingredient
    BRAND = "brand"  # a brand name without its ingredient: not sourced, may name a possible contributor only
    NAME = "name"  # known by text alone (architecture decision 4): the same limits as BRAND


@dataclass(frozen=True, slots=True)
class MedicineMatch:
    """Which ingredients a medicine holds, and how we know."""

    ingredients: frozenset[str]
    link: Link


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All tables, ready to be asked. Build one with :func:`load`."""

    version: str
    content_hash: str
    analytes: Mapping[str, Analyte]

    def measured(self, codings: Iterable[Coding]) -> frozenset[str]:
        """Analytes (and panels, ``panel-ue``) that an observation's codings name; empty if any coding is excluded."""
        raise NotImplementedError

    def is_excluded(self, codings: Iterable[Coding]) -> bool:
        """Whether any coding is a known look-alike that must never be read as the analyte (CK-MB, urine sodium)."""
        raise NotImplementedError

    def problems(self, codings: Iterable[Coding]) -> frozenset[str]:
        """Problem, finding and status concepts (``muscle-cramp``, ``pregnancy``) that the codings name."""
        raise NotImplementedError

    def orders(self, codings: Iterable[Coding]) -> frozenset[str]:
        """Order and referral concepts (``order-ck``, ``refer-neurology``) that the codings name."""
        raise NotImplementedError

    def medicine(self, codings: Iterable[Coding]) -> MedicineMatch | None:
        """The medicine the codings name, all ingredients of a combination product together."""
        raise NotImplementedError

    def medicine_named(self, text: str) -> MedicineMatch | None:
        """The medicine whose whole ingredient or brand words stand in the text; its link is ``Link.NAME``."""
        raise NotImplementedError

    def classes_of(self, ingredient: str) -> frozenset[str]:
        """Classes of an ingredient (``loop-diuretic`` and its groups, ``diuretic``); more than one is usual."""
        raise NotImplementedError

    def ingredients_of(self, medicine_class: str) -> frozenset[str]:
        """Ingredients of a class or group of classes. Raises BadContent if there is no such class."""
        raise NotImplementedError

    def title(self, concept: str) -> str:
        """The concept in our own words, for a card: ``Muscle cramp``, ``Furosemide``, ``Urea and electrolytes``."""
        raise NotImplementedError

    def codings_for(self, concept: str) -> tuple[Coding, ...]:
        """Codings to send for an order concept, the preferred one of each system, SNOMED CT first."""
        raise NotImplementedError

    def codes_to_search(self, concepts: Iterable[str]) -> tuple[str, ...]:
        """Bare codes for a FHIR search by code, without repeats, in a stable order (LOINC, then SNOMED CT)."""
        raise NotImplementedError


def load(*, without_licences: frozenset[str] = frozenset(), overlay: Path | None = None) -> Vocabulary:
    """Read the compact index, leave out licences the site does not hold, apply the site's overlay.

    Raises BadContent, naming file and line, if either cannot be trusted.
    """
    raise NotImplementedError
