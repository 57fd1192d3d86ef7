"""Requirements A1 to A8: JSON both ways, nothing null or empty, bodies read whatever they call themselves."""

import json

import pytest
from fhir.resources.R4B import get_fhir_model_class

from service.errors import BadSettings
from service.hooks.request import MAX_BODY
from service.settings import load
from tests.contract.calls import address_of, cards_of, every_card, members_named, one_of_each_hook, request_of

CALL = "/cds-services/muscle-patient-view"


def test_a1_the_production_profile_refuses_a_fhir_server_without_tls():
    with pytest.raises(BadSettings, match="https"):
        load({"MUSCLE_CDS_FHIR_BASES": "http://fhir.hospital.example/r4"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/cds-services", None, 200),
        ("POST", CALL, "good", 200),
        ("POST", CALL, b"[]", 400),
        ("POST", CALL, b'{"hook": "patient-view",}', 400),
        ("POST", CALL, b'{"hook": "patient-view" /* a comment */}', 400),
        ("POST", "/cds-services/none", b"{}", 404),
        ("GET", CALL, None, 405),
        ("GET", "/nowhere", None, 404),
    ],
)
def test_a2_every_answer_is_json_and_says_so_errors_too(client, method, path, body, status):
    raw = json.dumps(request_of()).encode() if body == "good" else body
    response = client.open(path, method=method, data=raw)

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert isinstance(json.loads(response.data), dict)


def test_a3_a4_no_member_of_any_card_is_null_or_empty(client):
    cards = every_card(client)  # judged by tests/conftest.py, too

    assert len(cards) >= 20
    assert [text for text in map(json.dumps, cards) if any(empty in text for empty in ("null", '""', "[]", "{}"))] == []


def test_a5_every_resource_in_an_action_is_fhir_json(client):
    resources = list(members_named(every_card(client), "resource"))

    assert len(resources) > 10
    for resource in resources:
        model = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert json.loads(model.model_dump_json(exclude_none=True)) == resource


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "application/fhir+json", "text/plain", None])  # fmt: skip
@pytest.mark.parametrize("request_body", one_of_each_hook(), ids=lambda request: request["hook"])
def test_a6_the_content_type_of_a_call_does_not_matter(client, request_body, content_type):
    response = client.post(address_of(request_body), data=json.dumps(request_body), content_type=content_type)

    assert response.status_code == 200
    assert response.get_json()["cards"]


def with_unknown_members(value):
    """The same JSON with a member nobody knows in every object that is not a map of keys."""
    if isinstance(value, list):
        return [with_unknown_members(member) for member in value]
    if isinstance(value, dict):
        return {name: with_unknown_members(member) for name, member in value.items()} | {"x-unknown": {"a": [1, None]}}
    return value


@pytest.mark.parametrize("request_body", one_of_each_hook(), ids=lambda request: request["hook"])
def test_a7_unknown_members_anywhere_change_nothing(client, request_body):
    plain = [card["summary"] for card in cards_of(client, request_body)]

    assert plain
    assert [card["summary"] for card in cards_of(client, with_unknown_members(request_body))] == plain


def test_a8_a_body_past_the_limit_is_refused_and_the_next_call_is_served(client):
    response = client.post(CALL, data=b'{"hook": "' + b"x" * (20 * 1024 * 1024) + b'"}')

    assert response.status_code == 413
    assert response.get_json()["issue"][0]["code"] == "too-long"
    assert client.post(CALL, data=json.dumps(request_of())).status_code == 200
    assert MAX_BODY < 20 * 1024 * 1024


@pytest.mark.parametrize("depth", [65, 2_000, 100_000])
def test_a8_a_body_nested_too_deep_is_refused(client, depth):
    deep = b'{"hook": ' + b"[" * depth + b"]" * depth + b"}"

    assert client.post(CALL, data=deep).status_code == 400
