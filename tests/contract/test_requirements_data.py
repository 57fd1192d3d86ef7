"""Requirements E8 to E17 and F1 to F10: data by prefetch or by search, as far as they can be had, and no further."""

import json
from datetime import UTC, datetime

import pytest

from service.observe import AccessLog
from tests.contract.calls import (
    AN_ORDER,
    address_of,
    cards_of,
    demo_settings,
    records_of,
    request_of,
    service,
    topics,
    without_uuids,
)
from tests.fhir_stub import TOKEN, Reply, bundle, outcome, running

AUTHORIZATION = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs", "subject": "us"}  # fmt: skip
KEYS = [key for key in request_of()["prefetch"] if key != "patient"]


@pytest.fixture
def stub():
    """A FHIR server that holds the record of the patient with the low potassium."""
    with running() as server:
        server.put(*records_of(request_of()))
        yield server


@pytest.fixture
def client_of(stub):
    return service(demo_settings(fhir_bases=[stub.base], deadline_ms=10_000))


def by_search(stub, **changed):
    """The same patient without prefetch."""
    return request_of(**{"prefetch": None, "fhirServer": stub.base, "fhirAuthorization": AUTHORIZATION} | changed)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("sent", ["absent", None, outcome("exception")], ids=["absent", "null", "OperationOutcome"])
def test_e8_a_client_may_honour_all_templates_or_some(client, key, sent):
    request = request_of()
    request["prefetch"][key] = sent
    if sent == "absent":
        del request["prefetch"][key]

    cards_of(client, request)


@pytest.mark.parametrize("key", KEYS)
def test_e9_exactly_the_key_that_is_missing_is_fetched(client_of, stub, key):
    request = request_of(fhirServer=stub.base, fhirAuthorization=AUTHORIZATION)
    del request["prefetch"][key]
    cards_of(client_of, request)

    asked = {"problems": "Condition", "results": "Observation", "medicationStatements": "MedicationStatement",
             "medicationRequests": "MedicationRequest", "serviceRequests": "ServiceRequest",
             "procedures": "Procedure", "familyHistory": "FamilyMemberHistory"}[key]  # fmt: skip
    assert [call.path for call in stub.calls] == [asked]


@pytest.mark.parametrize("key", KEYS)
def test_e10_null_means_looked_and_found_nothing_and_is_not_asked_again(client_of, stub, key):
    request = request_of(fhirServer=stub.base, fhirAuthorization=AUTHORIZATION)
    request["prefetch"][key] = None
    cards_of(client_of, request)

    assert stub.calls == []


def test_e10_e11_what_could_not_be_had_is_named_and_never_shown_as_normal(client_of, stub):
    request = request_of(fhirServer=stub.base, fhirAuthorization=AUTHORIZATION)
    request["prefetch"]["results"] = outcome("exception")
    cards = cards_of(client_of, request)

    assert stub.calls == []
    assert "biochemistry" not in topics(cards)
    assert "Not checked or not complete: results" in json.dumps(cards)
    assert "data-quality" in topics(cards)


def test_e11_an_outcome_beside_the_matches_costs_no_match(client):
    request = request_of()
    entry = {"resource": outcome("informational", "information"), "search": {"mode": "outcome"}}
    request["prefetch"]["results"]["entry"].insert(0, entry)

    assert topics(cards_of(client, request)) == topics(cards_of(client, request_of()))


def test_e12_pages_are_followed_under_the_listed_base_alone(client_of, stub):
    with running() as elsewhere:
        stub.answers("Observation", Reply(200, bundle(next_url=f"{elsewhere.base}/Observation?page=2")))
        cards = cards_of(client_of, by_search(stub))

        assert elsewhere.calls == []
    assert len(stub.calls_of("Observation")) == 1
    assert "Not checked or not complete: results (only part of it could be had)" in json.dumps(cards)


def test_e13_a_key_that_was_not_asked_for_is_not_looked_at(client):
    request = request_of()
    request["prefetch"]["mine"] = request["prefetch"].pop("results")

    assert "biochemistry" in topics(cards_of(client, request_of()))
    assert "biochemistry" not in topics(cards_of(client, request))


def test_e14_without_prefetch_and_server_it_is_a_412_that_names_the_keys(client):
    response = client.post(address_of(request_of()), json=request_of(prefetch=None))

    assert response.status_code == 412
    for key in ("patient", "problems", "results", "medicationStatements"):
        assert key in response.get_json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("wrong", ["<html>", [], 5, True, {"resourceType": "Practitioner"}, {"entry": "x"}], ids=str)
def test_e15_a_wrong_thing_in_prefetch_counts_as_missing(client, key, wrong):
    request = request_of()
    request["prefetch"][key] = wrong

    cards_of(client, request)


@pytest.mark.parametrize("reference", ["Patient/someone-else", "https://ehr.example/Patient/someone-else", "Patient/someone-else/_history/1"])  # fmt: skip
def test_e16_a_resource_of_another_patient_is_never_used(client, reference):
    request = request_of()
    for entry in request["prefetch"]["results"]["entry"]:
        entry["resource"]["subject"] = {"reference": reference}
    cards = cards_of(client, request)

    assert "biochemistry" not in topics(cards)
    assert "someone-else" not in json.dumps(cards)


def test_e16_a_resource_of_another_patient_is_logged_as_a_number():
    lines = []
    client = service(demo_settings(), AccessLog(lines.append, lambda: datetime(2026, 6, 15, tzinfo=UTC)))
    request, order = request_of(), request_of(AN_ORDER)
    for entry in request["prefetch"]["results"]["entry"][:3]:
        entry["resource"]["subject"] = {"reference": "Patient/someone-else"}
    draft = order["context"]["draftOrders"]["entry"][0]["resource"]
    draft["subject"] = {"reference": "Patient/someone-else"}
    for one in (request_of(), request, order):
        client.post(address_of(one), json=one)

    assert [json.loads(line).get("of_others") for line in lines] == [None, {"results": 3}, {"medicines": 1}]
    assert "someone-else" not in "".join(lines)


@pytest.mark.parametrize("place", [0, 1, -1])
def test_e17_one_bad_entry_loses_no_other(client, place):
    request = request_of()
    request["prefetch"]["results"]["entry"].insert(place, {"resource": {"resourceType": "Observation", "status": 5, "code": [], "valueQuantity": "x"}})  # fmt: skip

    assert "biochemistry" in topics(cards_of(client, request))


# --- the FHIR server --------------------------------------------------------------------------------------------------


def test_f1_f2_the_same_patient_by_prefetch_and_by_search_gives_the_same_cards(client, client_of, stub):
    fetched = cards_of(client_of, by_search(stub))

    assert fetched
    assert without_uuids(fetched) == without_uuids(cards_of(client, request_of()))


def test_f3_every_call_carries_the_token_of_the_hook_call(client_of, stub):
    cards_of(client_of, by_search(stub))

    assert len(stub.calls) >= len(KEYS)
    assert {call.headers["authorization"] for call in stub.calls} == {f"Bearer {TOKEN}"}


def test_f3_without_a_token_none_is_sent_and_only_where_a_setting_allows_the_call():
    with running(token=None) as open_server:
        open_server.put(*records_of(request_of()))
        client = service(demo_settings(fhir_bases=[open_server.base]))  # the demo profile calls its servers open
        cards_of(client, by_search(open_server, fhirAuthorization=None))

        assert open_server.calls
        assert [call for call in open_server.calls if "authorization" in call.headers] == []


def test_f4_the_token_is_in_no_answer_and_no_line_of_the_log(stub):
    lines = []
    log = AccessLog(lines.append, lambda: datetime(2026, 6, 15, tzinfo=UTC))
    client = service(demo_settings(fhir_bases=[stub.base]), log)
    answer = client.post(address_of(request_of()), json=by_search(stub))

    assert answer.status_code == 200
    assert lines
    assert TOKEN not in answer.text + "".join(lines)


@pytest.mark.parametrize("broken", [{"token_type": "MAC"}, {"token_type": None}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a b\r\nX: y"}], ids=str)  # fmt: skip
def test_f5_a_token_with_a_wrong_part_is_not_used_and_the_call_goes_on(stub, broken):
    client = service(demo_settings(fhir_bases=[stub.base]))
    request = request_of(fhirServer=stub.base, fhirAuthorization=AUTHORIZATION | broken)
    del request["prefetch"]["procedures"]
    cards_of(client, request)

    assert [call for call in stub.calls if call.token is not None] == []


def test_f6_a_token_that_the_server_no_longer_takes_is_data_not_available(client_of, stub):
    request = request_of(fhirServer=stub.base, fhirAuthorization=AUTHORIZATION | {"access_token": "revoked"})
    del request["prefetch"]["results"]
    before = cards_of(client_of, request)
    made = len(stub.calls)

    assert "biochemistry" not in topics(before)
    assert made == len(stub.calls) == 1  # nothing goes on behind the answer


@pytest.mark.parametrize("scope", ["patient/*.*", "user/Observation.Read", "launch Some label (read)", "", 5, None])
def test_f7_the_scope_decides_nothing(client_of, stub, scope):
    assert cards_of(client_of, by_search(stub, fhirAuthorization=AUTHORIZATION | {"scope": scope}))


def test_f8_m3_searches_only_read_and_are_narrow(client_of, stub):
    cards_of(client_of, by_search(stub))

    assert {call.method for call in stub.calls} == {"GET"}
    for call in stub.calls:
        if "/" not in call.path:
            assert {"patient", "_count", "_sort"} <= call.query.keys()
        if call.path == "Observation":
            assert "code" in call.query


@pytest.mark.parametrize("server", ["http://169.254.169.254/", "https://evil.example/fhir", "http://127.0.0.1:1/fhir", "{base}/../other", "{base}.evil.example", "{base}@evil.example", "{base}/sub"])  # fmt: skip
def test_f9_a_server_that_is_not_listed_is_never_called(client_of, stub, server):
    request = by_search(stub, fhirServer=server.format(base=stub.base))

    assert client_of.post(address_of(request), json=request).status_code == 412
    assert stub.calls == []


def test_f9_a_redirect_is_not_followed(client_of, stub):
    with running() as other:
        stub.answers("Observation", Reply(302, headers={"Location": f"{other.base}/Observation"}))
        cards_of(client_of, by_search(stub))

        assert other.calls == []


@pytest.mark.parametrize(
    "reply",
    [Reply(status, outcome("exception")) for status in (401, 403, 404, 410, 429, 500, 502, 503)]
    + [
        Reply(200, b"<html>", content_type="text/html"),
        Reply(200, b"{"),
        Reply(200, b""),
        Reply(200, []),
        Reply(200, outcome("exception")),
        Reply(200, {"resourceType": "Practitioner"}),
        Reply(reset=True),
    ],
    ids=lambda reply: f"{reply.status}-{str(reply.body)[:20]}",
)
def test_f10_a_server_that_fails_is_data_not_available_and_never_a_500(client_of, stub, reply):
    stub.answers("Observation", reply)
    cards = cards_of(client_of, by_search(stub))

    assert "biochemistry" not in topics(cards)
    assert "data-quality" in topics(cards)


def test_the_patient_of_these_tests_has_a_low_potassium(client):
    assert "biochemistry" in topics(cards_of(client, request_of()))
