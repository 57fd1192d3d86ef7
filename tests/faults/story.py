"""A patient of whom there is much to say, how the service is asked about her, and how its answer is judged.

She has cramps and takes a diuretic; her potassium is low and her CK was never measured. Every part of the record
bears on what is said, so that a part that cannot be had must be seen to be missing.
"""

import json
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from tests.faults.server import Ehr
from tests.service.fhir.builders import DMD, LOINC, SNOMED, UCUM

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
FROM_ABSENCE = {
    "problems": (),
    "results": ("No usable recent", "No usable CK", "None on record"),
    "medicines": ("No usable recent", "no diuretic"),
    "orders": ("No usable recent",),
}
"""Words that only a complete reading of that part allows."""


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


def topic(card: Json) -> str:
    code: str = card["source"]["topic"]["code"]
    return code


def topics(cards: Iterable[Json]) -> dict[str, str]:
    """Weight by topic."""
    return {topic(card): card["indicator"] for card in cards}


def said(cards: Iterable[Json]) -> str:
    """Every word of some cards."""
    return json.dumps(list(cards), ensure_ascii=False)


def notes(cards: Iterable[Json]) -> set[tuple[str, str]]:
    """Which parts were not had, and why, by the notes that stand on each of the cards."""
    found = [
        set(re.findall(r"Not checked or not complete: ([a-z ]+) \(([^)]*)\)\.", card["detail"])) for card in cards
    ]
    assert all(one == found[0] for one in found), "one card names what another does not"
    return found[0] if found else set()


def judge(before: list[Json], after: list[Json], *damaged: str) -> None:
    """What holds when parts of the record could not be had (reliability section 1, F14): the parts are named on every
    card, no card that stays is calmer or says more, none is new but the one that says so, and nothing is said that
    only the missing part could tell.
    """
    named = {part for part, _ in notes(after)}
    assert after, "silence would pass for an all-clear"
    assert named >= set(damaged), f"{damaged} damaged, {named} named"
    old, new = topics(before), topics(after)
    assert new.keys() <= {*old, "data-quality"}, f"a card that was not there before: {new.keys() - old.keys()}"
    for one in new.keys() & old.keys():
        assert WEIGHTS.index(new[one]) >= WEIGHTS.index(old[one]), f"{one} became calmer"
    for part in damaged:
        for words in FROM_ABSENCE.get(part, ()):
            assert words not in said(after), f"{words!r} is said though {part} could not be read"
