"""A patient of whom there is much to say, how the service is asked about her, and how its answer is judged.

She has cramps and takes a diuretic; her potassium is low and her CK was never measured. Every part of the record
bears on what is said, so that a part that cannot be had must be seen to be missing.
"""

import json
import re
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from tests.faults.server import Ehr
from tests.service.fhir.builders import DMD, LOINC, SNOMED, UCUM
from tests.service.test_server import Running

Json: TypeAlias = dict[str, Any]

PATIENT_ID = "p1"
TOKEN = "t0ken-of-the-call"
PATIENT: Json = {"resourceType": "Patient", "id": PATIENT_ID, "gender": "female", "birthDate": "1958-02-11"}
PATIENT_VIEW, ORDER_SELECT = "muscle-patient-view", "muscle-order-select"

INPUTS = {
    "Patient": "patient details",
    "Condition": "problems",
    "Observation": "results",
    "MedicationStatement": "medicines",
    "MedicationRequest": "medicines",
    "ServiceRequest": "orders",
    "Procedure": "procedures",
    "FamilyMemberHistory": "family history",
}
"""Every type that a patient-view call outside an encounter asks for, and the words a card has for that part."""

WEIGHTS = ("info", "warning", "critical")

_NO_TEST = r"(?i)no usable recent|no recent usable|none recent and usable|done or ordered"
_NO_SIGN = r"without recorded weakness|(?i:no weakness recorded)(?! is no)"  # a sign may be a finding or a problem
FROM_ABSENCE = {
    "problems": re.compile(rf"{_NO_SIGN}|No cramp recorded"),
    "results": re.compile(
        rf"{_NO_TEST}|{_NO_SIGN}|no repeat that counts was found|no recent (value|CK|free)|no albumin of"
    ),
    "medicines": re.compile(_NO_TEST),
    "orders": re.compile(_NO_TEST),
}
"""What the sheets say of something that is not on record; only a complete reading of that part allows it."""

SOURCES = {
    "problems": r"Condition/",
    "results": r"Observation/",
    "medicines": r"Medication(Request|Statement)/",
    "orders": r"ServiceRequest/",
    "procedures": r"Procedure/",
    "family history": r"FamilyMemberHistory/",
}
"""How a card names the entries of a part that it rests on."""


def day(days_ago: int) -> str:
    """A date some days ago."""
    return (datetime.now(UTC).date() - timedelta(days=days_ago)).isoformat()


def of_patient(kind: str, one: str, **more: Any) -> Json:
    return {"resourceType": kind, "id": one, "subject": {"reference": f"Patient/{PATIENT_ID}"}} | more


def concept(system: str, code: str, text: str = "") -> Json:
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def problem(one: str, code: str, days_ago: int = 20) -> Json:
    return of_patient(
        "Condition",
        one,
        clinicalStatus={"coding": [{"code": "active"}]},
        code=concept(SNOMED, code),
        recordedDate=day(days_ago),
    )


def result(one: str, code: str, value: float, unit: str, span: tuple[float, float], days_ago: int = 10) -> Json:
    return of_patient(
        "Observation",
        one,
        status="final",
        code=concept(LOINC, code),
        effectiveDateTime=f"{day(days_ago)}T09:00:00Z",
        valueQuantity={"value": value, "unit": unit, "system": UCUM, "code": unit},
        referenceRange=[{"low": {"value": span[0]}, "high": {"value": span[1]}}],
    )


def medicine(one: str, code: str, text: str, kind: str = "MedicationRequest", days_ago: int = 90) -> Json:
    return of_patient(
        kind,
        one,
        status="active",
        intent="order",
        medicationCodeableConcept=concept(DMD, code, text),
        authoredOn=day(days_ago),
        effectivePeriod={"start": day(days_ago)},
    )


def record() -> list[Json]:
    """All of it."""
    return [
        PATIENT,
        problem("c1", "55300003"),  # cramp
        result("o1", "2823-3", 3.1, "mmol/L", (3.5, 5.3)),  # potassium
        result("o2", "2951-2", 139, "mmol/L", (133, 146)),  # sodium
        medicine("m1", "317972000", "Bumetanide 1mg tablets"),
        medicine("m2", "55911000001104", "Salbutamol inhaler", "MedicationStatement"),
    ]


def without(*kinds: str) -> list[Json]:
    """The record less some types."""
    return [one for one in record() if one["resourceType"] not in kinds]


def body(ehr: Ehr | None = None, **more: Any) -> bytes:
    """A patient-view call that leaves all to be fetched from a record, or brings prefetch in ``more``."""
    call = {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "context": context()}
    if ehr is not None:
        call |= {
            "fhirServer": ehr.base,
            "fhirAuthorization": {
                "access_token": TOKEN,
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": "patient/*.read",
                "subject": "muscle-cds",
            },
        }
    return json.dumps(call | more).encode()


def context() -> Json:
    return {"userId": "Practitioner/gp-1", "patientId": PATIENT_ID}


# ---- the answer


@dataclass(frozen=True)
class Answer:
    """What came back. ``ms``: as the caller sees it."""

    status: int
    body: Json
    ms: float

    @property
    def cards(self) -> list[Json]:
        assert self.status == 200, self.body
        cards: list[Json] = self.body["cards"]
        return cards


def ask(service: Running, raw: bytes, service_id: str = PATIENT_VIEW) -> Answer:
    """Ask the running service."""
    began = time.perf_counter()
    status, _, answer = service.ask("POST", f"/cds-services/{service_id}", raw)
    return Answer(status, json.loads(answer), (time.perf_counter() - began) * 1000)


def topics(cards: Iterable[Json]) -> dict[str, Json]:
    """The cards by their topic."""
    return {card["source"]["topic"]["code"]: card for card in cards}


def said(cards: Iterable[Json]) -> str:
    """Every word of some cards."""
    return json.dumps(list(cards), ensure_ascii=False)


def notes(cards: Iterable[Json]) -> dict[str, str]:
    """Which parts were not had, and why, by the notes that stand on each of the cards."""
    found = [
        dict(re.findall(r"Not checked or not complete: ([a-z ]+) \(([^)]*)\)\.", card["detail"])) for card in cards
    ]
    assert all(one == found[0] for one in found), "one card names what another does not"
    return found[0] if found else {}


def judge(before: list[Json], after: list[Json], *damaged: str) -> None:
    """What holds when parts of the record could not be had (reliability section 1, F14).

    The parts are named on every card. Nothing is said that only a missing part could tell. No card is new but the one
    that says so. No card that stays is calmer, unless an entry that it rested on is among what is missing: then it
    does not rest on that entry any more, and the note says that more may be behind it.
    """
    assert after, "silence would pass for an all-clear"
    assert notes(after).keys() >= set(damaged), f"{damaged} damaged, {notes(after)} named"
    old, new = topics(before), topics(after)
    assert new.keys() <= {*old, "data-quality"}, f"a card that was not there before: {new.keys() - old.keys()}"
    for one in new.keys() & old.keys():
        if weight(new[one]) < weight(old[one]):
            lost = rested_on(old[one], damaged) - rested_on(new[one], damaged)
            assert lost, f"{one} became calmer, and not for want of an entry"
    says_nothing_from_absence(after, *damaged)


def says_nothing_from_absence(cards: list[Json], *damaged: str) -> None:
    """No sentence rests on the absence of something in a part that was not read to the end (R8)."""
    for part in damaged:
        words = FROM_ABSENCE.get(part)
        found = words.search(said(cards)) if words else None
        assert found is None, f"{found[0]!r} is said though {part} could not be read"


def weight(card: Json) -> int:
    return WEIGHTS.index(card["indicator"])


def rested_on(card: Json, parts: Iterable[str]) -> set[str]:
    """The entries of these parts that a card names as what was found."""
    found = card["detail"].partition("**Why it may matter**")[0]
    return {one[0] for part in parts if part in SOURCES for one in re.finditer(SOURCES[part] + r"[\w.-]+", found)}
