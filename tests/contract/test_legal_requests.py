"""A legal request never fails, whatever the records in it look like."""

import json
from datetime import date

import pytest

from service.demo import patients
from tests.contract.cds_hooks import empty_members, faults

CALL = "/cds-services/muscle-patient-view"


def a_demo_request(name="low-potassium-on-indapamide"):
    return patients()[name].on(date(2026, 6, 15))


def cards(client, request, call=CALL):
    response = client.post(call, json=request)
    assert response.status_code == 200
    assert faults("response", response.get_json()) == []
    assert empty_members(response.get_json()) == []
    return response.get_json()["cards"]


def test_five_thousand_entries_are_answered(client):
    request = a_demo_request()
    results = request["prefetch"]["results"]
    one = results["entry"][0]["resource"]
    results["entry"] = [{"resource": one | {"id": f"o{number}"}} for number in range(5000)]
    for observation in results["entry"]:
        observation["resource"].pop("referenceRange", None)  # below the limit of a body

    cards(client, request)


@pytest.mark.parametrize("broken", [None, 5, "x", [], {}, {"resource": None}, {"resource": []}, {"resource": {"resourceType": 5}}, {"resource": {"resourceType": "Observation", "code": "x", "valueQuantity": [], "status": {}}}], ids=str)  # fmt: skip
@pytest.mark.parametrize("place", [0, 2, -1])
def test_one_broken_entry_among_good_ones_costs_only_itself(client, broken, place):
    whole = a_demo_request()
    damaged = a_demo_request()
    damaged["prefetch"]["results"]["entry"].insert(place, broken)

    topics = [{card["source"]["topic"]["code"] for card in cards(client, request)} for request in (whole, damaged)]
    assert "biochemistry" in topics[0]
    assert topics[0] <= topics[1]


@pytest.mark.parametrize("key", sorted(a_demo_request()["prefetch"]))
@pytest.mark.parametrize("left", ["null", "absent"])
def test_any_key_may_be_null_or_absent(client, key, left):
    request = a_demo_request()
    request["prefetch"][key] = None
    if left == "absent":
        del request["prefetch"][key]

    cards(client, request)


@pytest.mark.parametrize("name", sorted(patients()))
def test_the_patient_or_a_relative_gets_no_cards(client, name):
    for user in (f"Patient/demo-{name}", "RelatedPerson/1"):
        request = a_demo_request(name)
        request["context"]["userId"] = user
        assert cards(client, request, f"/cds-services/{patients()[name].service}") == []


def test_the_same_request_however_written_gives_the_same_cards(client):
    request = a_demo_request()
    answers = [
        client.post(CALL, data=json.dumps(request, **how).encode(), content_type=None).get_json()
        for how in ({}, {"indent": 3}, {"sort_keys": True}, {"separators": (",", ":")})
    ]
    texts = [[(card["summary"], card["detail"]) for card in answer["cards"]] for answer in answers]

    assert texts[0]
    assert all(text == texts[0] for text in texts)
