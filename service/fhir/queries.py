"""Which data each service needs: every search stated once.

The prefetch templates of discovery and our own searches both come from here, so they cannot drift apart. A template
uses only the context tokens of CDS Hooks 2.0 and parameters of FHIR R4, each once, newest first, because some EHRs
have it typed in by hand (architecture decision 2; requirements E1 to E7).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import quote

import msgspec

from cards.entries import Area

PATIENT_VIEW = "muscle-patient-view"
ORDER_SELECT = "muscle-order-select"
ORDER_SIGN = "muscle-order-sign"
SERVICES = frozenset({PATIENT_VIEW, ORDER_SELECT, ORDER_SIGN})
_ORDER_SERVICES = frozenset({ORDER_SELECT, ORDER_SIGN})

LONGEST_TEMPLATE = 2_000
"""Characters of a template, at most: a longer search is split over keys ``results``, ``results-2``, ... ."""

PATIENT_TOKEN = "{{context.patientId}}"  # noqa: S105 -- a placeholder of the CDS Hooks specification, no secret
ENCOUNTER_TOKEN = "{{context.encounterId}}"  # noqa: S105 -- as above

_ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9\-.]{1,64}")


class CodesToSearch(Protocol):
    """What of the vocabulary is needed here."""

    def codes_to_search(self, concepts: Iterable[str]) -> tuple[str, ...]:
        """Bare codes of these concepts, without repeats, in a stable order."""


class Query(msgspec.Struct, frozen=True):
    """One read or search of the EHR's FHIR server.

    ``key``: the prefetch key. ``area``: the part of the record it fills. ``types``: the resource types it asks for,
    with the names older FHIR versions have for them; included resources are not among them. ``needed``: whether its
    failure makes the answer incomplete (P19); otherwise it is named and nothing more.
    """

    key: str
    area: Area
    types: frozenset[str]
    template: str
    needed: bool = True

    @property
    def is_read(self) -> bool:
        """Whether it reads one resource by id, rather than searching."""
        return "?" not in self.template

    def path(self, *, patient_id: str, encounter_id: str | None) -> str | None:
        """The template with the ids filled in, to be put behind ``base/``.

        None if an id it needs is missing or is not a FHIR id (R4): then there is nothing that could be asked.
        """
        path = self.template
        for token, value in ((PATIENT_TOKEN, patient_id), (ENCOUNTER_TOKEN, encounter_id)):
            if token in path:
                if value is None or not is_fhir_id(value):
                    return None
                path = path.replace(token, quote(value, safe=""))
        return path


def is_fhir_id(value: str) -> bool:
    """Whether the text is in the FHIR id alphabet, 1 to 64 characters, and no dot segment of a path (R4, T12)."""
    return _ID.fullmatch(value) is not None


class _SearchedCode(msgspec.Struct, frozen=True):
    """A code asked for although its concept is not asked for as a whole."""

    code: str
    display: str
    source: str


_ANALYTES = (
    "potassium",
    "sodium",
    "calcium-total",
    "calcium-adjusted",
    "magnesium",
    "albumin",
    "ck-total",
    "tsh",
    "free-t4",
    "free-t3",
    "sample-haemolysed",
    "panel-ue",
    "panel-bmp",
    "panel-cmp",
    "panel-bone",
    "panel-tft",
    "panel-ck",
)
"""Laboratory concepts the rules use (specification 3.2, P9 to P14)."""

_SIGNS = (
    "muscle-weakness",
    "muscle-wasting",
    "foot-drop",
    "wrist-drop",
    "muscle-rigidity",
    "dysarthria",
    "dysphagia",
    "breathlessness-at-rest",
    "orthopnoea",
)
"""Signs of the red flags (P1 to P3), which some records keep as Observations."""

_SINGLE_CODES = (
    _SearchedCode("77386006", "Pregnant (finding)", "terminology: pregnancy, exact (F13)"),
    _SearchedCode("11341-5", "History of occupation", "US Core Observation Occupation profile (F34)"),
)


class _Row(msgspec.Struct, frozen=True):
    """One row of the table below; ``search`` is the part of the template after the patient."""

    key: str
    area: Area
    types: tuple[str, ...]
    search: str
    needed: bool = True
    services: frozenset[str] = SERVICES


_ROWS = (
    _Row("problems", Area.PROBLEMS, ("Condition",), "_sort=-recorded-date&_count=250"),
    _Row("results", Area.RESULTS, ("Observation",), "code={codes}&_sort=-date&_count=250"),
    _Row(
        "medicationStatements",
        Area.MEDICINES,
        ("MedicationStatement",),
        "_sort=-effective&_count=250&_include=MedicationStatement:medication",
    ),
    _Row(
        "medicationRequests",
        Area.MEDICINES,
        ("MedicationRequest", "MedicationOrder"),
        "_sort=-authoredon&_count=250&_include=MedicationRequest:medication",
    ),
    _Row(
        "serviceRequests",
        Area.ORDERS,
        ("ServiceRequest", "ReferralRequest", "ProcedureRequest", "DiagnosticOrder"),
        "_sort=-authored&_count=250",
    ),
    # Allergies decide about a drafted quinine only (O2), relatives are told of in symptom-advice only (F28): the
    # least that is needed is asked for (requirement F8).
    _Row("allergies", Area.ALLERGIES, ("AllergyIntolerance",), "_sort=-date&_count=100", services=_ORDER_SERVICES),
    _Row("procedures", Area.PROCEDURES, ("Procedure",), "_sort=-date&_count=100", needed=False),
    _Row(
        "familyHistory",
        Area.FAMILY,
        ("FamilyMemberHistory",),
        "_sort=-date&_count=100",
        needed=False,
        services=frozenset({PATIENT_VIEW}),
    ),
)


def queries_for(service: str, vocabulary: CodesToSearch) -> tuple[Query, ...]:
    """All queries of one service, in the order they stand in discovery. Raises KeyError for an unknown service."""
    if service not in SERVICES:
        raise KeyError(service)
    queries = [
        Query("patient", Area.PATIENT, frozenset({"Patient"}), f"Patient/{PATIENT_TOKEN}"),
        Query("encounter", Area.ENCOUNTER, frozenset({"Encounter"}), f"Encounter/{ENCOUNTER_TOKEN}"),
    ]
    for row in _ROWS:
        if service in row.services:
            for number, template in enumerate(_templates(row, vocabulary), start=1):
                key = row.key if number == 1 else f"{row.key}-{number}"
                queries.append(Query(key, row.area, frozenset(row.types), template, row.needed))
    return tuple(queries)


def prefetch_templates(queries: Iterable[Query]) -> Mapping[str, str]:
    """The ``prefetch`` object of discovery (requirement B8)."""
    return {query.key: query.template for query in queries}


def medications_path(ids: Iterable[str]) -> str:
    """The search for Medications that were referred to but not sent, to be put behind ``base/``.

    The caller has checked the ids with :func:`is_fhir_id`.
    """
    ids = tuple(ids)
    return f"Medication?_id={','.join(quote(one, safe='') for one in ids)}&_count={len(ids)}"


def _templates(row: _Row, vocabulary: CodesToSearch) -> list[str]:
    """The template of a row, or several if the list of codes makes it too long."""
    start = f"{row.types[0]}?patient={PATIENT_TOKEN}&"
    if "{codes}" not in row.search:
        return [start + row.search]
    room = LONGEST_TEMPLATE - 1 - len(start + row.search.replace("{codes}", ""))
    parts: list[list[str]] = [[]]
    used = 0
    for code in _codes(vocabulary):
        written = _as_search_value(code)
        if used + len(written) > room and parts[-1]:
            parts.append([])
            used = 0
        parts[-1].append(written)
        used += len(written) + 1
    return [start + row.search.replace("{codes}", ",".join(part)) for part in parts]


def _codes(vocabulary: CodesToSearch) -> tuple[str, ...]:
    """Codes of the results search, without repeats: analytes first, so that the first key holds what matters most.

    They go without their system, which keeps the templates short; the reader checks system and code again.
    """
    wanted = (
        *vocabulary.codes_to_search(_ANALYTES),
        *vocabulary.codes_to_search(_SIGNS),
        *(single.code for single in _SINGLE_CODES),
    )
    return tuple(dict.fromkeys(wanted))


def _as_search_value(code: str) -> str:
    r"""A code as one value of a token list: ``,`` ``|`` ``$`` ``\`` escaped as FHIR says, then percent-encoded.

    A site's local codes may hold anything.
    """
    return quote(re.sub(r"([,|$\\])", r"\\\1", code), safe="")
