"""What holds for every whole call: the road by which facts come, their order, and older ones change nothing."""

import json
import random
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.app import create_advisor, create_app, load_parts
from service.settings import load
from service.watching import access_log
from tests.fhir_stub import TOKEN, FhirStub, running
from tests.service.fhir.builders import DMD, KEYS, LOINC, SNOMED, UCUM

pytestmark = pytest.mark.no_cover  # tests/uncovered.py

Json = dict[str, Any]
TODAY = date(2026, 6, 15)
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1958-02-11"}
BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# Codes and limits as terminology/value_sets and analytes.toml have them.
ANALYTES = {
    "2823-3": (("mmol/L", "meq/L"), ("3.5", "5.3"), ("2.4", "3.1", "3.5", "4.2", "5.4", "5.6", "6.7")),
    "2951-2": (("mmol/L", "meq/L"), ("133", "146"), ("122", "128", "131", "139", "151")),
    "29265-6": (("mmol/L",), ("2.2", "2.6"), ("1.84", "2.1", "2.35", "2.7")),
    "2157-6": (("U/L", "[IU]/L"), ("25", "200"), ("90", "260", "310", "1100", "5200")),
    "3016-3": (("m[IU]/L", "mU/L"), ("0.4", "4.5"), ("0.05", "0.2", "2.1", "6.0", "14.2")),
}
PROBLEMS = ("55300003", "82470000", "27678003", "26544005", "59026006", "37340000", "77386006", "62744007")
MEDICINES = ("55911000001104", "317972000", "320031002", "324920004", "317896006")
ORDERS = ("183521007", "1000971000000107")


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


@st.composite
def results(draw: st.DrawFn) -> Json:
    code = draw(st.sampled_from(sorted(ANALYTES)))
    units, (low, high), values = ANALYTES[code]
    unit = draw(st.sampled_from(units))
    return {
        "resourceType": "Observation",
        "status": draw(
            st.sampled_from(["final", "final", "final", "corrected", "unknown", "preliminary", "cancelled"])
        ),
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "effectiveDateTime": f"{days_ago(draw(st.integers(0, 400)))}T12:00:00Z",
        "valueQuantity": {"value": float(draw(st.sampled_from(values))), "unit": unit, "system": UCUM, "code": unit},
        "referenceRange": [{"low": {"value": float(low)}, "high": {"value": float(high)}}],
    }


@st.composite
def problems(draw: st.DrawFn) -> Json:
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": draw(st.sampled_from(["active", "active", "active", "resolved"]))}]},
        "code": {"coding": [{"system": SNOMED, "code": draw(st.sampled_from(PROBLEMS))}]},
        "recordedDate": days_ago(draw(st.integers(0, 400))),
    }


@st.composite
def medicines(draw: st.DrawFn) -> Json:
    return {
        "resourceType": draw(st.sampled_from(["MedicationStatement", "MedicationRequest"])),
        "intent": "order",
        "status": draw(st.sampled_from(["active", "active", "stopped"])),
        "medicationCodeableConcept": {"coding": [{"system": DMD, "code": draw(st.sampled_from(MEDICINES))}]},
        "effectivePeriod": {"start": days_ago(draw(st.integers(0, 400)))},
    }


@st.composite
def orders(draw: st.DrawFn) -> Json:
    return {
        "resourceType": "ServiceRequest",
        "intent": "order",
        "status": draw(st.sampled_from(["active", "completed", "draft"])),
        "code": {"coding": [{"system": SNOMED, "code": draw(st.sampled_from(ORDERS))}]},
        "authoredOn": days_ago(draw(st.integers(0, 200))),
    }


@st.composite
def records(draw: st.DrawFn) -> list[Json]:
    """A patient with a symptom, and whatever else."""
    symptom = draw(problems()) | {"code": {"coding": [{"system": SNOMED, "code": draw(st.sampled_from(PROBLEMS[:3]))}]}}
    found = [
        symptom,
        *draw(st.lists(problems(), max_size=3)),
        *draw(st.lists(results(), max_size=9)),
        *draw(st.lists(medicines(), max_size=3)),
        *draw(st.lists(orders(), max_size=2)),
    ]
    ours = {"subject": {"reference": "Patient/p1"}}
    return [resource | ours | {"id": f"r{number}"} for number, resource in enumerate(found)]


@pytest.fixture(scope="module")
def stub() -> Iterator[FhirStub]:
    with running(page_size=4) as server:
        yield server


@pytest.fixture(scope="module")
def client(stub: FhirStub) -> FlaskClient:
    ours = load({"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_FHIR_BASES": stub.base, "MUSCLE_CDS_DEADLINE_MS": "20000"})
    parts = load_parts(ours)
    advisor = create_advisor(ours, parts, today=lambda: TODAY)
    return create_app(ours, parts, advise=advisor.advise, log=access_log("error")).test_client()


def call(client: FlaskClient, **more: Json) -> list[Json]:
    """The cards of one call, without what is random by design."""
    body: Json = {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "context": {"patientId": "p1"}} | more
    answer = client.post("/cds-services/muscle-patient-view", data=json.dumps(body))
    assert answer.status_code == 200, answer.text
    cards: list[Json] = answer.get_json()["cards"]
    for card in cards:
        for part in (card, *card.get("suggestions", [])):
            del part["uuid"]
    return cards


def prefetched(record: list[Json]) -> Json:
    """Every query of discovery answered in full."""
    made: Json = {"patient": PATIENT}
    for key in sorted(set(KEYS.values()) - {"patient", "encounter"}):
        entries = [{"resource": one} for one in record if KEYS[one["resourceType"]] == key]
        made[key] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    return made


@BOUNDED
@given(record=records())
def test_the_same_facts_by_prefetch_and_by_fetch_give_the_same_answer(
    record: list[Json], client: FlaskClient, stub: FhirStub
) -> None:
    stub._resources.clear()
    stub.put(PATIENT, *record)

    fetched = call(client, fhirServer=stub.base, fhirAuthorization={"access_token": TOKEN, "token_type": "Bearer"})

    assert fetched == call(client, prefetch=prefetched(record))


@BOUNDED
@given(record=records(), seed=st.integers())
def test_the_order_of_resources_changes_nothing(record: list[Json], seed: int, client: FlaskClient) -> None:
    shuffled = random.Random(seed).sample(record, len(record))

    assert call(client, prefetch=prefetched(shuffled)) == call(client, prefetch=prefetched(record))


@BOUNDED
@given(record=records(), older=results())
def test_a_result_older_than_another_of_its_kind_changes_nothing_of_what_is_advised(
    record: list[Json], older: Json, client: FlaskClient
) -> None:
    same = [one for one in record if one.get("code") == older["code"] and one["status"] in ("final", "corrected")]
    if not same:
        return
    oldest = min(one["effectiveDateTime"] for one in same)
    older |= {"id": "older", "subject": {"reference": "Patient/p1"}, "status": "final"}
    older["effectiveDateTime"] = f"{(date.fromisoformat(oldest[:10]) - timedelta(days=7)).isoformat()}T12:00:00Z"

    before, after = call(client, prefetch=prefetched(record)), call(client, prefetch=prefetched([*record, older]))

    assert _advised(after) == _advised(before)


def _advised(cards: list[Json]) -> list[tuple[str, str, str]]:
    return [(card["source"]["topic"]["code"], card["indicator"], card["summary"]) for card in cards]
