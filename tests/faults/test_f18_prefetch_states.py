"""F18: every prefetch key in every state it can be sent in. Exactly what is missing is fetched, exactly once; what the
record system says it has looked for is not asked for again (R8, E9 to E15).
"""

from collections import Counter
from urllib.parse import parse_qsl

import pytest

from cards.entries import Area
from service.fhir.queries import queries_for
from tests.contract.calls import all_parts
from tests.faults.production import CRAMP, VIEW, a_call, access, in_production, nothing_known, templates
from tests.fhir_stub import outcome, running

QUERIES = {query.key: query for query in queries_for(VIEW, all_parts().content.vocabulary)}
SUBJECT = {"subject": {"reference": "Patient/pat-1"}, "patient": {"reference": "Patient/pat-1"}}
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
TOMCAT = (
    "<!doctype html><html><head><title>HTTP Status 500 - Internal Server Error</title></head>"
    "<body><h1>HTTP Status 500</h1></body></html>"
)


def a_resource(key):
    """One of the kind the key asks for, that is about the patient and says next to nothing."""
    kind = templates()[key].partition("?")[0].partition("/")[0]
    if kind == "Patient":
        return {"resourceType": "Patient", "id": "pat-1"}
    if kind == "Encounter":
        return {"resourceType": "Encounter", "id": "enc-1", "status": "in-progress", **SUBJECT}
    return {"resourceType": kind, "id": "one", **SUBJECT}


def a_bundle(key, base):
    """A page that says there is another."""
    kind = a_resource(key)["resourceType"]
    following = {"relation": "next", "url": f"{base}/{kind}?patient=pat-1&_page=2&key={key}"}
    return EMPTY | {"total": 2, "link": [following], "entry": [{"resource": a_resource(key)}]}


STATES = {
    "a resource": lambda key, _base: a_resource(key),
    "an empty Bundle": lambda _key, _base: EMPTY,
    "null": lambda _key, _base: None,
    "missing": lambda _key, _base: ...,
    "an OperationOutcome": lambda _key, _base: outcome("exception"),
    "an OperationOutcome that forbids": lambda _key, _base: outcome("forbidden"),
    "the error page of a server": lambda _key, _base: TOMCAT,
    "a Bundle with a next page": a_bundle,
}
SAYS_IT_ALL = ("an empty Bundle", "null", "missing", "an OperationOutcome", "an OperationOutcome that forbids")
FETCHED = ("missing", "the error page of a server")


@pytest.fixture(scope="module")
def stub():
    with running() as fhir:
        fhir.put({"resourceType": "Patient", "id": "pat-1"})
        fhir.put({"resourceType": "Encounter", "id": "enc-1", "status": "in-progress", **SUBJECT})
        yield fhir


@pytest.fixture(scope="module")
def service(stub):
    site = {"accept_risk": ["http-fhir-base"], "deadline_ms": 20_000}
    with in_production({"fhir_bases": [stub.base]}, **site) as started:
        yield started


def sent(stub, states, **known):
    """A call whose keys are in these states; the others say that there is nothing."""
    made = {key: STATES[state](key, stub.base) for key, state in states.items()}
    prefetch = {key: value for key, value in (nothing_known(**known) | made).items() if value is not ...}
    context = {"userId": "Practitioner/gp-1", "patientId": "pat-1", "encounterId": "enc-1"}
    return a_call(prefetch=prefetch, context=context, **access(stub.base))


def asked_for(key):
    """What is fetched where the key is missing: the path, and every parameter of its query."""
    filled = templates()[key].replace("{{context.patientId}}", "pat-1").replace("{{context.encounterId}}", "enc-1")
    path, _, query = filled.partition("?")
    return path, frozenset(parse_qsl(query))


def seen(stub):
    return [(call.path, frozenset(call.query.items())) for call in stub.calls]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("key", templates())
def test_a_key_is_fetched_if_it_is_missing_and_only_then(service, stub, key, state):
    stub.calls.clear()
    status, answered, body = service.post(sent(stub, {key: state}))
    line = service.line_of(answered["X-Correlation-ID"])

    assert status == 200
    assert TOMCAT[:20] not in str(body)
    if state == "a Bundle with a next page":
        kind = a_resource(key)["resourceType"]
        assert [(call.path, call.query.get("key")) for call in stub.calls] == [(kind, key)]
    elif state in FETCHED:
        assert seen(stub) == [asked_for(key)]
    else:
        assert stub.calls == []
    area = QUERIES[key].area
    if "OperationOutcome" in state and sum(query.area is area for query in QUERIES.values()) == 1:
        assert line["inputs"][area.value] == ("failed" if state == "an OperationOutcome" else "not permitted")
    elif state in ("null", "an empty Bundle") and area not in (Area.PATIENT, Area.ENCOUNTER):
        assert line["inputs"][area.value] == "complete"


@pytest.mark.parametrize("missing", range(len(templates()) + 1))
def test_of_any_number_of_missing_keys_each_is_fetched_once(service, stub, missing):
    stub.calls.clear()
    keys = list(templates())[:missing]
    status, _, _ = service.post(sent(stub, dict.fromkeys(keys, "missing")))

    assert status == 200
    assert Counter(seen(stub)) == Counter(asked_for(key) for key in keys)


@pytest.mark.parametrize("state", SAYS_IT_ALL)
@pytest.mark.parametrize("key", [key for key, query in QUERIES.items() if query.needed and key not in ("problems", "encounter")])  # fmt: skip
def test_the_cards_say_what_could_not_be_read_and_only_that(service, stub, key, state):
    cramp = {"resourceType": "Bundle", "entry": [{"resource": CRAMP}]}
    status, _, body = service.post(sent(stub, {key: state}, problems=cramp))

    assert status == 200
    assert body["cards"]
    assert ("Not checked" in str(body)) == ("OperationOutcome" in state)
