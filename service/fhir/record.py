"""The record being read: what a reader needs beside the one resource in its hand.

Whose record it is, the day, the time zone, the words we know, and the other resources that came along. Everything it
remembers lives for one call: no patient data outlives the request (rule R12).
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from cards.entries import Area, Dose
from cards.when import When
from service.fhir import moments, references
from service.fhir.elements import code_words, contained, pairs
from service.fhir.references import Whose
from service.fhir.resource import Resource, Specimen, from_object
from service.fhir.shown import shown
from terminology.analytes import Analyte, Limits
from terminology.coding import Pair
from terminology.vocabulary import UNKNOWN, Meaning, MedicineMatch, Vocabulary

SAMPLE_HAEMOLYSED: Final = "sample-haemolysed"
"""A test of the sample, whose result must be positive (terminology rule 10)."""

SPECIMEN_HAEMOLYSED: Final = "specimen-haemolysed"
"""A value of Specimen.condition or Observation.interpretation (terminology rule 10, specification 3.8 no. 14)."""

_PANEL: Final = "panel-"
_NOTHING: Final[frozenset[str]] = frozenset()
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,256}")  # longer than FHIR allows: order ids of one large EHR are


class Unit(msgspec.Struct, frozen=True, gc=False):
    """A unit as the values of one analyte carry it in this record.

    ``shown``: as sent, fit for a card, "" if it cannot be used; ``factor``: to the canonical unit; ``why`` it cannot be
    used, "" if it can. ``ranges``: those sent with values in this unit, by their JSON text, for a laboratory repeats
    its range with every result.
    """

    shown: str
    factor: Decimal
    why: str
    ranges: dict[bytes, Limits | None]


class Named(msgspec.Struct, frozen=True, gc=False):
    """What a medicine is called in the record. ``anything``: whether it is called anything at all."""

    match: MedicineMatch | None
    label: str
    anything: bool


class Observed(msgspec.Struct, frozen=True, gc=False):
    """What the code of an observation stands for. All empty: nothing we know."""

    analytes: tuple[Analyte, ...] = ()
    ambiguous: bool = False  # its codes name more than one test, also one that no rule reads (ionised calcium)
    is_test: bool = False  # a laboratory test of any kind, also a panel or one that no rule reads
    tells_haemolysis: bool = False
    problems: frozenset[str] = _NOTHING
    only: Analyte | None = None  # the one analyte, if the code stands for nothing else
    excluded: bool = False  # a look-alike that must never be read as the analyte (terminology rule 2)

    @property
    def known(self) -> bool:
        """Whether any of our tables knows the code."""
        return bool(self.analytes or self.problems or self.is_test or self.excluded or self.tells_haemolysis)


class Record:
    """One patient's record during one call. Readers ask it; ``assemble`` makes it."""

    __slots__ = (
        "_index",
        "_meanings",
        "_moments",
        "_named",
        "_observed",
        "_resources",
        "_safe",
        "_states",
        "_subjects",
        "as_of",
        "doses",
        "encounter_id",
        "haemolysed_moments",
        "haemolysed_specimens",
        "haemolysis_tests",
        "incomplete",
        "names",
        "of_others",
        "patient_id",
        "samples_tell",
        "units",
        "unmapped",
        "vocabulary",
        "with_doses",
        "zone",
    )

    def __init__(
        self,
        *,
        patient_id: str,
        as_of: date,
        zone: ZoneInfo,
        vocabulary: Vocabulary,
        encounter_id: str | None = None,
        with_doses: bool = True,
        resources: Mapping[type[Resource], Sequence[Resource]] = MappingProxyType({}),
    ) -> None:
        self.patient_id = patient_id
        self.as_of = as_of
        self.zone = zone
        self.vocabulary = vocabulary
        self.encounter_id = encounter_id
        self.with_doses = with_doses
        """Whether the doses of medicines are read: only the rules for orders ask for them."""
        self.unmapped: Counter[Area] = Counter()
        """Codes in no set, by area: counted, never read as normal (HZ02)."""
        self.of_others: Counter[Area] = Counter()
        """Entries of another patient, by area: counted, never used (R12, E16)."""
        self.incomplete: dict[Area, set[str]] = {}
        """Why a part of the record cannot be called complete although its search answered."""
        self.haemolysis_tests: list[Resource] = []
        """Tests for haemolysis that were met while reading."""
        self.samples_tell = Specimen in resources
        """Whether any Specimen came along, or a test said of a sample that it is haemolysed."""
        self.haemolysed_specimens: set[str] = set()
        self.haemolysed_moments: set[When] = set()
        self.units: dict[tuple[str, Any, Any, Any], Unit] = {}
        self.names: dict[bytes, Named] = {}
        self.doses: dict[tuple[bytes, bytes, bool], Dose | None] = {}
        self._resources = resources
        self._index: dict[tuple[str, str], Resource] | None = None
        self._moments: dict[str, When | None] = {}
        self._meanings: dict[bytes | tuple[Pair, ...], Meaning] = {}
        self._states: dict[bytes, frozenset[str]] = {}
        self._observed: dict[bytes, Observed] = {}
        self._subjects: dict[bytes, Whose] = {}
        self._named: dict[str, MedicineMatch | None] = {}
        self._safe: dict[str, str] = {}

    def whose(self, resource: Resource) -> Whose:
        """What the resource's own reference proves of its patient (rule R12)."""
        subject = resource.subject
        if type(subject) is not msgspec.Raw or resource.patient is not None or resource.contained is not None:
            return references.whose(resource, self.patient_id)
        text = bytes(subject)  # the same words in nearly every entry: they are understood once
        found = self._subjects.get(text)
        if found is None:
            found = self._subjects[text] = references.whose(resource, self.patient_id)
        return found

    def moment(self, value: Any) -> When | None:
        """A FHIR date of any precision; None if it is none (rule R10)."""
        if type(value) is not str:
            return None
        found = self._moments.get(value)
        if found is None:
            found = self._moments[value] = moments.moment(value, self.zone)
        return found

    def period(self, value: Any) -> tuple[When | None, When | None]:
        """Start and end of a Period."""
        if type(value) is not dict:
            return None, None
        return self.moment(value.get("start")), self.moment(value.get("end"))

    def meaning(self, concept: Any) -> Meaning:
        """What the codings of a CodeableConcept, or of a list of them, mean."""
        if concept is None:
            return UNKNOWN
        # What is written the same way is understood once: a code that no table knows is long looked for.
        key = bytes(concept) if type(concept) is msgspec.Raw else pairs(concept)
        found = self._meanings.get(key)
        if found is None:
            found = self.vocabulary.meaning(pairs(concept) if isinstance(key, bytes) else key)
            self._meanings[key] = found
        return found

    def concepts(self, concept: Any) -> frozenset[str]:
        """Problem, finding and status concepts that a CodeableConcept, or a list of them, names."""
        return self.meaning(concept).problems

    def states(self, status: Any) -> frozenset[str]:
        """The codes of a status, in lower case; see :func:`service.fhir.elements.code_words`."""
        if type(status) is not msgspec.Raw:
            return code_words(status)
        text = bytes(status)
        found = self._states.get(text)
        if found is None:
            found = self._states[text] = code_words(status)
        return found

    def observed(self, concept: Any) -> Observed:
        """What the code of an observation stands for."""
        if type(concept) is not msgspec.Raw:
            return self._look_up(pairs(concept))
        text = bytes(concept)
        found = self._observed.get(text)
        if found is None:
            found = self._observed[text] = self._look_up(pairs(concept))
        return found

    def _look_up(self, codings: tuple[Pair, ...]) -> Observed:
        meaning = self.vocabulary.meaning(codings)
        measured, problems = meaning.measured, meaning.problems
        if meaning.excluded:
            return Observed(problems=problems, excluded=True)
        known = self.vocabulary.analytes
        tests = [name for name in sorted(measured) if not (name.startswith(_PANEL) or name == SAMPLE_HAEMOLYSED)]
        analytes = tuple([known[name] for name in tests if name in known])
        return Observed(
            analytes=analytes,
            only=analytes[0] if len(tests) == len(measured) == len(analytes) == 1 and not problems else None,
            ambiguous=len(tests) > 1,
            is_test=bool(measured),
            tells_haemolysis=SAMPLE_HAEMOLYSED in measured,
            problems=problems,
        )

    def medicine(self, concept: Any) -> MedicineMatch | None:
        """The medicine that the codings of a concept name."""
        return self.meaning(concept).medicine

    def medicine_named(self, texts: Iterable[str]) -> MedicineMatch | None:
        """The medicine that the first of the texts to name any names; matched by name only."""
        for text in texts:
            if text not in self._named:
                self._named[text] = self.vocabulary.medicine_named(text)
            if (match := self._named[text]) is not None:
                return match
        return None

    def orders(self, concept: Any) -> frozenset[str]:
        """Order and referral concepts that a concept, or a list of them, names."""
        return self.meaning(concept).orders

    def safe(self, text: str) -> str:
        """Record text made safe to show (rule R11)."""
        found = self._safe.get(text)
        if found is None:
            found = self._safe[text] = shown(text)
        return found

    def titles(self, concepts: Collection[str]) -> str:
        """Concepts in our own words, in a stable order (rule R11)."""
        if len(concepts) == 1:  # nearly always
            (only,) = concepts
            return self.vocabulary.title(only)
        return ", ".join(sorted({self.vocabulary.title(concept) for concept in concepts}))

    def find(self, reference: Any, kind: str, inside: Any = None) -> Resource | None:
        """The resource of that type a reference means: contained in ``inside``, or among those that came along."""
        text = references.target(reference)
        if not text:
            return None
        if text.startswith("#"):
            found = contained(inside, text[1:], kind)
            return None if found is None else from_object(found)
        named, identity = references.type_and_id(text)
        return self._by_name().get((kind, identity)) if named in (kind, "") else None

    def _by_name(self) -> dict[tuple[str, str], Resource]:
        """The resources by type and id; made when one is first looked for, as in most calls none is."""
        if self._index is None:
            self._index = {}
            for kind, resources in self._resources.items():
                for resource in resources:
                    if isinstance(resource.id, str):
                        self._index.setdefault((kind.__name__, resource.id), resource)
        return self._index

    def count_unmapped(self, area: Area) -> None:
        """A code in no set was met."""
        self.unmapped[area] += 1

    def count_of_another(self, area: Area) -> None:
        """An entry of another patient was met."""
        self.of_others[area] += 1

    def leave_incomplete(self, area: Area, why: str) -> None:
        """Something of that part could not be read, and could have been anything."""
        self.incomplete.setdefault(area, set()).add(why)


def source(resource: Resource) -> str:
    """``Observation/123``; the type alone if there is no id that may be printed.

    ``www.`` may stand in an id, and GitHub's Markdown makes a link of it, also behind a slash (rule R11, F23).
    """
    identity = resource.id
    if (
        isinstance(identity, str)
        and _ID.fullmatch(identity)
        and ("." not in identity or "www." not in identity.lower())  # hardly any id has a dot
    ):
        return f"{resource.resourceType}/{identity}"
    return str(resource.resourceType)
