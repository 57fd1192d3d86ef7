"""Requests of the order hooks as others have published them, and drafts however they are damaged: never an error."""

import json
from pathlib import Path

import pytest

from service.demo import patients
from tests.contract.cds_hooks import empty_members, example, faults
from tests.contract.test_legal_requests import a_demo_request

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "fhir-samples" / "cds-hooks-requests"
SERVICES = {
    "patient-view": "muscle-patient-view",
    "order-select": "muscle-order-select",
    "order-sign": "muscle-order-sign",
}
ORDERS = [name for name in patients() if name.startswith("order-")]


def ask(client, request, service=None):
    """The cards; the answer fits the schema."""
    response = client.post(f"/cds-services/{service or SERVICES[request['hook']]}", json=request)
    assert response.status_code == 200
    assert faults("response", response.get_json()) == []
    assert empty_members(response.get_json()) == []
    return response.get_json()["cards"]


def samples():
    """The published requests by file name; other files there are answers."""
    found = {}
    for path in sorted(SAMPLES.glob("*.json")) if SAMPLES.is_dir() else []:
        request = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(request, dict) and request.get("hook") in SERVICES:
            found[path.name] = request
    return found


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the published hook requests are not at hand")
def test_there_are_published_requests_of_every_hook():
    assert {request["hook"] for request in samples().values()} == SERVICES.keys()


@pytest.mark.parametrize("file", samples())
def test_every_published_request_is_answered_with_a_valid_body(client, file):
    request = samples()[file]
    response = client.post(f"/cds-services/{SERVICES[request['hook']]}", json=request)

    # keys of another service are none of ours, and no server may be called: nothing to work with but for an order
    has_data = request["hook"] != "patient-view" or "patient" in request.get("prefetch", {})
    expected = 200 if has_data else 412
    assert response.status_code == expected
    if expected == 200:
        assert faults("response", response.get_json()) == []
        assert empty_members(response.get_json()) == []
    if request["hook"] != "patient-view":
        assert response.get_json()["cards"] == []  # none of them is about an order of ours


@pytest.mark.parametrize("name", ORDERS)
def test_a_draft_for_another_patient_is_not_used(client, name):
    request = a_demo_request(name)
    for entry in request["context"]["draftOrders"]["entry"]:
        entry["resource"]["subject"] = {"reference": "Patient/someone-else"}

    assert ask(client, request) == []


@pytest.mark.parametrize("name", ORDERS)
def test_a_draft_that_is_not_selected_is_not_judged(client, name):
    request = a_demo_request(name)
    request["context"]["selections"] = ["MedicationRequest/elsewhere"]

    assert ask(client, request) == []


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("broken", [None, 5, "x", [], {}, {"resource": None}, {"resource": {"resourceType": "MedicationRequest"}}, {"resource": {"resourceType": "MedicationRequest", "dosageInstruction": "x", "medicationCodeableConcept": []}}, {"resource": {"resourceType": "ServiceRequest", "code": 5, "subject": []}}], ids=str)  # fmt: skip
def test_one_broken_draft_among_good_ones_costs_only_itself(client, name, broken):
    whole, damaged = a_demo_request(name), a_demo_request(name)
    damaged["context"]["draftOrders"]["entry"].insert(0, broken)

    topics = [[card["source"]["topic"]["code"] for card in ask(client, request)] for request in (whole, damaged)]
    assert topics[0]
    assert topics[0] == topics[1]


@pytest.mark.parametrize("name", ORDERS)
def test_every_action_is_a_new_draft_or_takes_away_a_draft_of_the_request(client, name):
    request = a_demo_request(name)
    drafts = {
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in request["context"]["draftOrders"]["entry"]
    }

    for card in ask(client, request):
        for suggestion in card.get("suggestions", []):
            for action in suggestion["actions"]:
                if action["type"] == "delete":
                    assert action["resourceId"] in drafts
                else:
                    assert (action["type"], action["resource"]["status"]) == ("create", "draft")
                    assert not action["resource"]["resourceType"].startswith("Medication")


def test_five_thousand_drafts_are_answered(client):
    request = json.loads(example("request-valid-order-select.json"))
    (entry,) = request["context"]["draftOrders"]["entry"]
    request["context"]["draftOrders"]["entry"] = [
        {"resource": entry["resource"] | {"id": f"draft-{number}"}} for number in range(5000)
    ]

    ask(client, request)


def test_before_a_medicine_is_chosen_there_is_no_card(client):
    file = "request-tolerate-sandbox-order-select-before-a-medicine-is-chosen.json"

    assert ask(client, json.loads(example(file))) == []
