"""Requirements C1 to C9 and D1 to D9: the call and the context of each hook, and what becomes of broken ones."""

import itertools
import json
import uuid

import pytest

from tests.contract.calls import (
    AN_ORDER,
    address_of,
    cards_of,
    demo_settings,
    one_of_each_hook,
    request_of,
    service,
    to_sign,
    topics,
    without_uuids,
)
from tests.contract.cds_hooks import faults
from tests.fhir_stub import TOKEN, running

BY_HOOK = pytest.mark.parametrize("request_body", one_of_each_hook(), ids=lambda request: request["hook"])
CALL = "/cds-services/muscle-patient-view"


def status_of(client, request):
    return client.post(address_of(request), data=json.dumps(request)).status_code


@BY_HOOK
def test_c1_d1_d2_d6_a_conformant_call_of_each_hook_is_answered(client, request_body):
    assert faults("request", request_body) == []
    assert cards_of(client, request_body)


@BY_HOOK
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_c1_an_address_of_a_service_takes_post_alone(client, request_body, method):
    response = client.open(address_of(request_body), method=method)

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


@BY_HOOK
@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
@pytest.mark.parametrize("broken", ["absent", None, 5, [], ""], ids=str)
def test_c2_without_hook_instance_or_context_the_call_is_refused(client, request_body, member, broken):
    changed = {**request_body, member: broken}
    if broken == "absent":
        del changed[member]

    assert client.post(address_of(request_body), json=changed).status_code == 400


@BY_HOOK
@pytest.mark.parametrize("instance", [str(uuid.uuid1()), str(uuid.uuid4()), str(uuid.uuid5(uuid.NAMESPACE_URL, "x")), "d1577c69-DFBE-44ad-ba6d-3e05e953b2ea", "no uuid at all"], ids=["version 1", "version 4", "version 5", "capitals", "none"])  # fmt: skip
def test_c3_any_hook_instance_is_served(client, request_body, instance):
    assert status_of(client, request_body | {"hookInstance": instance}) == 200


def test_c4_a_token_without_a_server_is_not_used(client):
    request = request_of(fhirAuthorization={"access_token": "t", "token_type": "Bearer", "expires_in": 1, "scope": "x", "subject": "y"})  # fmt: skip

    assert cards_of(client, request)


@pytest.mark.parametrize("present", list(itertools.product([True, False], repeat=3)), ids=str)
def test_c5_authorization_prefetch_and_server_may_be_missing_in_any_combination(present):
    with running() as stub:
        request = request_of()
        given = {
            "fhirAuthorization": {"access_token": TOKEN, "token_type": "Bearer"},
            "prefetch": request.pop("prefetch"),
            "fhirServer": stub.base,
        }
        request |= {name: value for (name, value), there in zip(given.items(), present, strict=True) if there}
        client = service(demo_settings(fhir_bases=[stub.base]))
        status = status_of(client, request)

    assert status == (200 if "prefetch" in request or {"fhirAuthorization", "fhirServer"} <= request.keys() else 412)


@pytest.mark.parametrize("kind", ["MedicationOrder", "ProcedureRequest", "DiagnosticOrder", "ReferralRequest", "Practitioner", "X"])  # fmt: skip
def test_c6_resources_of_an_older_version_are_no_error(client, kind):
    request = request_of(AN_ORDER)
    draft = {"resourceType": kind, "id": "old-1", "status": "draft", "patient": {"reference": "Patient/1"}}
    request["context"]["draftOrders"]["entry"].append({"resource": draft})

    assert topics(cards_of(client, request)) == topics(cards_of(client, request_of(AN_ORDER)))


def test_c7_an_unknown_service_is_a_404_and_another_hook_a_400(client):
    assert client.post("/cds-services/no-such-service", json=request_of()).status_code == 404
    assert client.post(CALL, json=request_of() | {"hook": "order-sign"}).status_code == 400
    assert client.post(CALL, json=request_of() | {"hook": "encounter-start"}).status_code == 400


@BY_HOOK
@pytest.mark.parametrize("odd", ["..", ".", "a/../b", "pat-1\n", "pat-1?x=y", "1&_id=2", "../Patient/2", "p 1", "%2e%2e", "p#1", "", "\u0661"])  # fmt: skip
def test_c8_an_odd_patient_id_is_refused_and_asked_of_nobody(request_body, odd):
    with running() as stub:
        request = {**request_body, "context": {**request_body["context"], "patientId": odd}, "fhirServer": stub.base}
        request["fhirAuthorization"] = {"access_token": TOKEN, "token_type": "Bearer"}
        del request["prefetch"]
        client = service(demo_settings(fhir_bases=[stub.base]))

        assert status_of(client, request) == 400
        assert stub.calls == []


@BY_HOOK
def test_c9_the_same_call_twice_gives_the_same_advice(client, request_body):
    first, second = cards_of(client, request_body), cards_of(client, request_body)

    assert first != second
    assert without_uuids(first) == without_uuids(second)


# --- the contexts of the hooks ----------------------------------------------------------------------------------------


@BY_HOOK
@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/1", "1", None, 5, "https://ehr.example/Practitioner/1"])  # fmt: skip
def test_d1_the_user_may_be_any_clinician_however_written(client, request_body, user):
    request = json.loads(json.dumps(request_body))
    request["context"]["userId"] = user
    if user is None:
        del request["context"]["userId"]

    assert cards_of(client, request)


@BY_HOOK
@pytest.mark.parametrize("encounter", [None, "enc-1", 5, "../x", {"a": 1}], ids=str)
def test_d1_an_encounter_may_be_there_or_not(client, request_body, encounter):
    request = json.loads(json.dumps(request_body))
    request["context"]["encounterId"] = encounter

    assert cards_of(client, request)


@pytest.mark.parametrize("request_body", [request_of(AN_ORDER), to_sign()], ids=lambda request: request["hook"])
@pytest.mark.parametrize("drafts", ["absent", None, [], "x", {"resourceType": "MedicationRequest"}], ids=str)
def test_d2_d6_without_a_bundle_of_drafts_an_order_hook_is_refused(client, request_body, drafts):
    request = {**request_body, "context": {**request_body["context"], "draftOrders": drafts}}
    if drafts == "absent":
        del request["context"]["draftOrders"]

    assert status_of(client, request) == 400


def test_d3_without_selections_every_draft_is_judged(client):
    request = request_of(AN_ORDER)
    expected = topics(cards_of(client, request))
    del request["context"]["selections"]

    assert expected
    assert topics(cards_of(client, request)) == expected


def with_two_drafts():
    """An order of quinine beside one of creatine kinase; only the latter is selected."""
    request = request_of(AN_ORDER)
    bundle = request["context"]["draftOrders"]
    quinine = bundle["entry"][0]["resource"]
    other = {"resourceType": "ServiceRequest", "id": "other-1", "status": "draft", "intent": "order",
             "subject": quinine["subject"], "code": {"text": "Chest X-ray"}}  # fmt: skip
    bundle["entry"].append({"resource": other})
    return request, f"{quinine['resourceType']}/{quinine['id']}", "ServiceRequest/other-1"


def test_d4_d5_advice_is_about_what_is_selected_and_the_rest_is_context(client):
    request, quinine, other = with_two_drafts()
    request["context"]["selections"] = [quinine]
    selected = topics(cards_of(client, request))
    request["context"]["selections"] = [other]

    assert "quinine" in selected
    assert cards_of(client, request) == []


def test_d5_an_order_without_its_details_is_no_error(client):
    request = request_of(AN_ORDER)
    resource = request["context"]["draftOrders"]["entry"][0]["resource"]
    for detail in ("dosageInstruction", "dispenseRequest", "intent", "authoredOn", "status", "reasonCode"):
        resource.pop(detail, None)

    assert "quinine" in topics(cards_of(client, request))


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "unknown", None])
def test_d6_orders_that_are_signed_again_are_judged_whatever_their_status(client, status):
    request = to_sign()
    request["context"]["draftOrders"]["entry"][0]["resource"]["status"] = status

    assert "quinine" in topics(cards_of(client, request))


@pytest.mark.parametrize("kind", ["NutritionOrder", "VisionPrescription", "DeviceRequest", "Medication", "CommunicationRequest"])  # fmt: skip
def test_d7_other_types_of_draft_are_skipped_one_by_one(client, kind):
    request = request_of(AN_ORDER)
    request["context"]["draftOrders"]["entry"].insert(0, {"resource": {"resourceType": kind, "id": "d1"}})

    assert topics(cards_of(client, request)) == topics(cards_of(client, request_of(AN_ORDER)))


@pytest.mark.parametrize("request_body", [request_of(AN_ORDER), to_sign()], ids=lambda request: request["hook"])
def test_d9_draft_orders_are_never_read_from_the_server(request_body):
    with running() as stub:
        request = {**request_body, "fhirServer": stub.base}
        request["fhirAuthorization"] = {"access_token": TOKEN, "token_type": "Bearer"}
        del request["prefetch"]
        drafts = {entry["resource"]["id"] for entry in request["context"]["draftOrders"]["entry"]}
        cards_of(service(demo_settings(fhir_bases=[stub.base])), request)

        assert stub.calls
        assert [call for call in stub.calls if any(one in call.path or one in call.query.values() for one in drafts)] == []  # fmt: skip
