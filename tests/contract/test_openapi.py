"""The OpenAPI document is true of the application: its paths, methods and statuses, and whatever is sent to them."""

import json

import pytest
from jsonschema import Draft202012Validator

from service import errors
from service.hooks.services import SERVICES
from tests.contract.calls import address_of, cards_of, demo_settings, one_of_each_hook, request_of, service
from tests.contract.cds_hooks import example, manifest
from tests.contract.odd_calls import CHECKS, DOCUMENT, api, examples

CLIENT = service(demo_settings(serve_openapi=True))
EXAMPLES = 60  # for each of the nine operations
made: list[int] = []


def operations():
    return {
        (method.upper(), path): one for path, methods in DOCUMENT["paths"].items() for method, one in methods.items()
    }


def fits(schema, value):
    return not list(Draft202012Validator({"$ref": f"#/components/schemas/{schema}", **DOCUMENT}).iter_errors(value))


def test_the_document_is_openapi_3_1_and_served_only_where_a_setting_says_so():
    assert CLIENT.get("/openapi.json").get_json()["openapi"] == "3.1.0"
    assert CLIENT.get("/openapi.json").get_json()["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))
    assert service(demo_settings()).get("/openapi.json").status_code == 404


def test_every_address_of_the_application_is_described_and_no_other():
    rules = {
        (method, rule.rule)
        for rule in CLIENT.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if not (rule.rule == "/" or rule.rule.startswith(("/demo", "/openapi.json", "/cds-services//")))
    }
    by_id = {(method, rule.replace("<service_id>", one.id)) for method, rule in rules for one in SERVICES}

    assert by_id == set(operations())


def test_every_reference_leads_somewhere_and_every_schema_is_sound():
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"])
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    named = {
        text.split("/")[-1] for text in json.dumps(DOCUMENT).split('"') if text.startswith("#/components/schemas/")
    }

    assert named == set(DOCUMENT["components"]["schemas"])


def family(error):
    for one in error.__subclasses__():
        yield one
        yield from family(one)


def test_every_refusal_of_the_service_has_its_status_in_the_document():
    described = {int(status) for one in operations().values() for status in one["responses"]}

    # 404 is for an address that is not described
    assert {one.status for one in family(errors.CallRejected)} - {404} == described - {200, 500}


PROBES = {("GET", "/livez"), ("GET", "/readyz")}


@pytest.mark.parametrize(("method", "path"), sorted(PROBES))
def test_the_probes_ask_for_no_token_and_say_no_more_than_they_must(method, path):
    described = operations()[method, path]

    assert described["security"] == []
    assert described["responses"].keys() == {"200", "500"} | ({"503"} if path == "/readyz" else set())
    assert fits("Live" if path == "/livez" else "Ready", CLIENT.get(path).get_json())


@pytest.mark.parametrize(("method", "path"), sorted(operations().keys() - PROBES))
def test_every_operation_says_what_becomes_of_a_caller_who_is_not_proven_and_of_a_defect(method, path):
    assert {"200", "401", "403", "500", "503"} <= operations()[method, path]["responses"].keys()


@pytest.mark.parametrize("request_body", one_of_each_hook(), ids=lambda request: request["hook"])
def test_real_answers_fit_the_document(request_body):
    assert fits("Cards", {"cards": cards_of(CLIENT, request_body)})
    assert fits("Discovery", CLIENT.get("/cds-services").get_json())
    assert fits("OperationOutcome", CLIENT.post(address_of(request_body), data=b"[]").get_json())
    assert not fits("Cards", {"cards": [{"summary": "x"}]})


def test_what_the_document_says_of_requests_is_what_is_served():
    schema = DOCUMENT["paths"]["/cds-services/muscle-patient-view"]["post"]["requestBody"]["content"][
        "application/json"
    ]
    validator = Draft202012Validator(schema["schema"] | {"components": DOCUMENT["components"]})

    assert list(validator.iter_errors(request_of())) == []
    for row in manifest():
        request = json.loads(example(row["file"]))
        ours = row["schema"] == "request" and isinstance(request, dict) and request.get("hook") == "patient-view"
        if ours and not list(validator.iter_errors(request)):
            status = CLIENT.post("/cds-services/muscle-patient-view", json=request).status_code
            assert status in (200, 412) or "another-patient" in row["file"], row["file"]


API = api()
API.app = CLIENT.application


@API.parametrize()
@examples(EXAMPLES)
def test_whatever_is_sent_there_is_no_defect_and_the_answer_is_as_described(case):
    response = case.call()
    made.append(response.status_code)
    case.validate_response(response, checks=CHECKS)


def test_many_calls_were_made_and_both_answered_and_refused():
    """Runs after the test above, in this order, in one process."""
    if not made:
        pytest.skip("the calls are made by the test before this one, which was not run")
    assert len(made) >= 7 * EXAMPLES // 2
    assert {200, 400} <= set(made)
    assert [status for status in made if status >= 500] == []
