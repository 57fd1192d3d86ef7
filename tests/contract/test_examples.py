"""The examples of the protocol: the schemas judge them as the manifest says, and the service answers them so."""

import json

import pytest

from tests.contract.cds_hooks import empty_members, example, faults, manifest

ROWS = manifest()
# the examples name their prefetch keys for themselves; a client names those of our discovery
KEYS = {"observations": "results", "medicationstatements": "medicationStatements"}
# settled after the manifest: a prefetched patient who is someone else is refused (specification 3.8 no. 7, trap T4)
SETTLED = {"request-tolerate-prefetch-resource-of-another-patient.json": "400"}
CALLS = [row for row in ROWS if row["schema"] == "request"]
REPORTS = [row for row in ROWS if row["schema"] == "feedback"]
HOOKS = {"order-select": "muscle-order-select", "order-sign": "muscle-order-sign"}


def address(file):
    """Where a client posts an example: to the service of its hook; to patient-view if that is not a hook of ours."""
    request = json.loads(example(file))
    hook = request.get("hook") if isinstance(request, dict) else None
    return f"/cds-services/{HOOKS.get(hook, 'muscle-patient-view')}"


def as_sent_to_us(file):
    request = json.loads(example(file))
    if isinstance(request, dict) and isinstance(request.get("prefetch"), dict):
        request["prefetch"] = {KEYS.get(key, key): value for key, value in request["prefetch"].items()}
    return json.dumps(request).encode()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"].removesuffix(".json"))
def test_the_schemas_judge_every_example_as_the_manifest_says(row):
    value = json.loads(example(row["file"]))

    assert (not faults(row["schema"], value)) is row["strict"]
    if "minimum" in row:
        assert (not faults(f"{row['schema']}-minimum", value)) is row["minimum"]


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row["file"].removesuffix(".json"))
def test_every_example_of_a_call_is_answered_as_the_manifest_says(client, row):
    response = client.post(address(row["file"]), data=as_sent_to_us(row["file"]))

    assert str(response.status_code) in SETTLED.get(row["file"], row["expect"]).split(" or ")
    assert response.content_type == "application/json"
    answer = response.get_json()
    assert empty_members(answer) == []
    if response.status_code == 200:
        assert faults("response", answer) == []
    else:
        assert answer["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("row", REPORTS, ids=lambda row: row["file"].removesuffix(".json"))
def test_every_example_of_feedback_is_answered_as_the_manifest_says(client, row):
    response = client.post("/cds-services/muscle-patient-view/feedback", data=example(row["file"]))

    assert str(response.status_code) == row["expect"]
    assert response.content_type == "application/json"
    answer = response.get_json()
    assert empty_members(answer) == []
    if response.status_code == 200:
        sent = json.loads(example(row["file"]))["feedback"]
        assert answer["recorded"] + answer["repeated"] == len(sent)
    else:
        assert answer["resourceType"] == "OperationOutcome"


def test_there_are_examples_of_feedback_to_answer():
    assert len(REPORTS) >= 19
    assert {row["expect"] for row in REPORTS} == {"200", "400"}


def test_there_are_examples_of_calls_to_answer():
    assert len(CALLS) >= 41
    assert sum(address(row["file"]) == "/cds-services/muscle-order-select" for row in CALLS) >= 12
    assert sum(address(row["file"]) == "/cds-services/muscle-order-sign" for row in CALLS) >= 2
    assert any(row["file"] == "request-valid-other-hook.json" for row in CALLS)


def test_discovery_of_the_real_service_fits_the_schema(client):
    answer = client.get("/cds-services").get_json()

    assert faults("discovery", answer) == []
    assert empty_members(answer) == []
    ids = ["muscle-patient-view", "muscle-order-select", "muscle-order-sign"]
    assert [entry["id"] for entry in answer["services"]] == ids


EXAMPLES = {
    "patient-view": "request-valid-patient-view-least.json",
    "order-select": "request-valid-order-select.json",
    "order-sign": "request-valid-order-sign.json",
}


def entry_and_request(client, hook):
    (entry,) = (one for one in client.get("/cds-services").get_json()["services"] if one["hook"] == hook)
    return entry, json.loads(example(EXAMPLES[hook]))


@pytest.mark.parametrize("hook", EXAMPLES)
def test_a_request_made_from_discovery_alone_is_never_412(client, hook):
    entry, request = entry_and_request(client, hook)
    prefetch = {key: None for key in entry["prefetch"] if key != "encounter"}
    request["prefetch"] = prefetch
    prefetch["patient"] = {"resourceType": "Patient", "id": request["context"]["patientId"]}

    assert faults("request", request) == []
    assert client.post(f"/cds-services/{entry['id']}", json=request).status_code == 200


@pytest.mark.parametrize("hook", EXAMPLES)
@pytest.mark.parametrize("sent", [{}, {"resourceType": "Bundle", "type": "searchset"}, "x", [], 5, None, {"resourceType": "OperationOutcome"}, {"resourceType": "Patient", "entry": 5}])  # fmt: skip
def test_any_prefetch_key_may_hold_anything(client, hook, sent):
    entry, _ = entry_and_request(client, hook)
    for key in entry["prefetch"]:
        _, request = entry_and_request(client, hook)
        patient = {"resourceType": "Patient", "id": request["context"]["patientId"]}
        request["prefetch"] = {"patient": patient} | {key: sent}
        response = client.post(f"/cds-services/{entry['id']}", json=request)
        assert response.status_code in (200, 412)
        assert key == "patient" or response.status_code == 200
