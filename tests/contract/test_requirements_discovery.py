"""Requirements B1 to B16: what GET /cds-services says, that it is true, and that it costs nothing."""

import re
import socket

import pytest

from service.hooks.services import SPECIFICATION_VERSION, discovery
from tests.contract.calls import demo_settings, one_of_each_hook, service, to_sign
from tests.contract.cds_hooks import faults
from tests.repository import pages, text_of

UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]+")


@pytest.fixture
def entries(client):
    return client.get("/cds-services").get_json()["services"]


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_b1_discovery_is_a_200_with_an_object_at_its_path(client, path):
    response = client.get(path)

    assert response.status_code == 200
    assert isinstance(response.get_json(), dict)


def test_b2_the_object_has_an_array_of_services_that_fits_the_schema(client):
    answer = client.get("/cds-services").get_json()

    assert isinstance(answer["services"], list)
    assert faults("discovery", answer) == []


def test_b3_without_services_the_array_is_empty():
    assert discovery((), {}) == {"services": []}
    assert faults("discovery", discovery((), {})) == []


@pytest.mark.parametrize("member", ["hook", "description", "id", "title", "usageRequirements"])
def test_b4_b5_b7_b9_every_entry_says_what_it_is(entries, member):
    assert [entry["id"] for entry in entries if not entry[member].strip()] == []


def test_b4_every_hook_is_one_of_the_standard(entries):
    assert {entry["hook"] for entry in entries} == {"patient-view", "order-select", "order-sign"}


def test_b6_every_advertised_id_answers(client, entries):
    asked = {request["hook"]: request for request in (*one_of_each_hook(), to_sign())}
    for entry in entries:
        assert client.post(f"/cds-services/{entry['id']}", json=asked[entry["hook"]]).status_code == 200


def test_b8_prefetch_keys_are_the_ones_sites_have_copied(entries):
    shared = ["patient", "encounter", "problems", "results", "medicationStatements", "medicationRequests", "serviceRequests"]  # fmt: skip
    keys = {entry["hook"]: list(entry["prefetch"]) for entry in entries}

    assert keys == {
        "patient-view": [*shared, "procedures", "familyHistory"],
        "order-select": [*shared, "allergies", "procedures"],
        "order-sign": [*shared, "allergies", "procedures"],
    }


def test_b9_the_requirements_name_the_data_that_is_needed(entries):
    for entry in entries:
        for words in ("patient", "problems", "laboratory results", "medicines", "FHIR R4", "prefetch", "FHIR server"):
            assert words in entry["usageRequirements"]


def test_b10_every_entry_carries_the_version_of_the_specification_from_one_constant(entries):
    assert re.fullmatch(r"\d+\.\d+\.\d+", SPECIFICATION_VERSION)
    assert {entry["version"] for entry in entries} == {SPECIFICATION_VERSION}


def test_b11_a_hook_version_is_either_left_out_or_that_of_the_library(entries):
    assert {entry.get("hookVersion", "1.0") for entry in entries} == {"1.0"}


def test_b12_b14_an_id_stands_for_one_hook_and_needs_no_escape(entries):
    assert len({entry["id"] for entry in entries}) == len(entries) == len({entry["hook"] for entry in entries})
    assert [entry["id"] for entry in entries if not UNRESERVED.fullmatch(entry["id"])] == []


def test_b15_every_service_and_prefetch_key_is_described_on_a_page(entries):
    written = "\n".join(text_of(page) for page in pages())
    named = {entry["id"] for entry in entries} | {key for entry in entries for key in entry["prefetch"]}

    assert {name for name in named if not re.search(rf"\b{re.escape(name)}\b", written)} == set()


def test_b16_discovery_opens_no_connection_and_is_always_the_same(monkeypatch):
    client = service(demo_settings(fhir_bases=["https://fhir.hospital.example/r4"]))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("discovery opened a connection"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("discovery looked up a name"))

    assert client.get("/cds-services").data == client.get("/cds-services").data


# --- the templates: what a client of CDS Hooks 2.0, and a person who copies them by hand, can work with ---------------

TOKENS = {"context.patientId", "context.encounterId", "context.userId", "userPractitionerId", "userPractitionerRoleId",
          "userPatientId", "userRelatedPersonId"}  # fmt: skip
ALLOWED = {"patient", "code", "_count", "_sort"}


def templates():
    answer = service(demo_settings()).get("/cds-services").get_json()
    return [
        pytest.param(template, id=f"{entry['id']}.{key}")
        for entry in answer["services"]
        for key, template in entry["prefetch"].items()
    ]


def parameters(template):
    _, _, query = template.partition("?")
    return [tuple(pair.split("=", 1)) for pair in query.split("&")] if query else []


@pytest.mark.parametrize("template", templates())
def test_e1_a_template_is_a_relative_read_or_search_of_one_type(template):
    assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.\w+\}\}|\?[^?#]+)", template)


@pytest.mark.parametrize("template", templates())
def test_e2_d8_a_template_holds_only_tokens_of_2_0_and_never_the_drafts(template):
    found = re.findall(r"\{\{(.*?)\}\}", template)

    assert found
    assert set(found) <= TOKENS
    assert not set(re.sub(r"\{\{.*?\}\}", "", template)) & set("{}")
    assert "draftOrders" not in template
    assert "selections" not in template


@pytest.mark.parametrize("template", templates())
def test_e3_e4_a_template_depends_on_no_expression_and_on_no_other_key(template):
    unescaped = re.sub(r"%[0-9A-F]{2}", "", template)

    assert not any(sign in unescaped for sign in ("today()", "%", "ofType(", "resolve("))


@pytest.mark.parametrize("template", templates())
def test_e5_a_search_keeps_to_the_restricted_parameters_but_for_the_medication(template):
    names = {name for name, _ in parameters(template)}

    assert all(":" not in name and "." not in name for name in names)
    included = {value for name, value in parameters(template) if name == "_include"}
    assert included <= {"MedicationRequest:medication", "MedicationStatement:medication"}  # decision 2
    assert names - ALLOWED - {"_include"} == set()


@pytest.mark.parametrize("template", templates())
def test_e6_a_search_is_sorted_newest_first_as_r4_writes_it_and_counted(template):
    query = dict(parameters(template))
    if query:
        assert query["_sort"].startswith("-")
        assert 0 < int(query["_count"]) <= 1000
    assert "_maxresults" not in template


@pytest.mark.parametrize("template", templates())
def test_e7_no_parameter_stands_twice(template):
    names = [name for name, _ in parameters(template)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("template", templates())
def test_a_template_is_short_enough_to_be_typed_in(template):
    assert len(template) <= 2000
    assert template.isascii()
    assert " " not in template
