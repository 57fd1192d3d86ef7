"""F6: a call names a FHIR server that is not listed for its client. Nobody is called and no token leaves: what was sent
is used, and where nothing was, the answer is 412.
"""

import json

import pytest

from tests.faults.production import Listener, a_call, a_call_with_cards, access, in_production
from tests.fhir_stub import TOKEN, running

SPELLINGS = {
    "another port": "http://{other}/fhir",
    "another port, as localhost": "http://localhost:{other_port}/fhir",
    "another host": "https://fhir.attacker.example/fhir",
    "the metadata address": "http://169.254.169.254/latest/meta-data",
    "the metadata address as a number": "http://2852039166/latest/meta-data",
    "https of the same": "https://{host}/fhir",
    "a path below": "{base}/x",
    "a path above": "http://{host}",
    "a path above and down again": "{base}/../fhir",
    "a dot": "{base}/.",
    "an escaped slash": "http://{host}%2Ffhir",
    "two slashes at the end": "{base}//",
    "two slashes within": "http://{host}//fhir",
    "a query": "{base}?a=b",
    "a query that is empty": "{base}?",
    "a fragment": "{base}#a",
    "a user": "http://user@{host}/fhir",
    "the listed server as a user": "http://{host}@{other}/fhir",
    "the listed server as a user, escaped": "http://{host}%40{other}/fhir",
    "a backslash": "http://{other}\\\\@{host}/fhir",
    "capitals": "{upper}",
    "blanks around it": " {base} ",
    "a line break": "{base}\n",
    "a tab within": "http://{other}/\tfhir",
    "no scheme": "//{host}/fhir",
    "another scheme": "file:///etc/passwd",
    "the same by name": "http://localhost:{port}/fhir",
    "the same as a number": "http://2130706433:{port}/fhir",
    "the same in IPv6": "http://[::ffff:127.0.0.1]:{port}/fhir",
    "a dot after the host": "http://127.0.0.1.:{port}/fhir",
    "the port with a zero before it": "http://127.0.0.1:0{port}/fhir",
    "the server of another client": "http://{theirs}/fhir",
    "two in one": "{base},http://{other}/fhir",
    "nothing": "",
    "a word": "{base}x",
}


@pytest.fixture(scope="module")
def listed():
    with running() as stub:
        stub.put({"resourceType": "Patient", "id": "pat-1", "birthDate": "1970-01-01"})
        yield stub


@pytest.fixture(scope="module")
def theirs():
    """The server of another client."""
    with Listener() as listener:
        yield listener


@pytest.fixture(scope="module")
def service(listed, theirs):
    ours = {"fhir_bases": [listed.base]}
    another = {"name": "b", "issuer": "https://b.example", "fhir_bases": [f"http://{theirs.address}/fhir"]}
    site = {"accept_risk": ["http-fhir-base"], "deadline_ms": 20_000}
    with in_production(ours, another, **site) as started:
        yield started


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_server_that_is_not_listed_letter_for_letter_is_not_called(service, listed, stranger, theirs, spelling):
    host = listed.origin.removeprefix("http://")
    named = spelling.format(
        base=listed.base,
        host=host,
        port=host.split(":")[1],
        upper=listed.base.upper(),
        other=stranger.address,
        other_port=stranger.address.split(":")[1],
        theirs=theirs.address,
    )
    before = len(listed.calls)

    assert service.status(a_call(prefetch=None, **access(named))) == 412
    assert service.status(a_call(prefetch={}, **access(named))) == 412
    status, _, body = service.post(a_call(**access(named)))  # what was sent is enough
    assert (status, body) == (200, {"cards": []})
    assert (len(listed.calls), stranger.connections, theirs.connections) == (before, 0, 0)
    assert TOKEN.encode() not in stranger.heard + theirs.heard


@pytest.mark.parametrize("member", [None, 5, True, ["{base}"], {"url": "{base}"}])
def test_a_server_that_is_no_text_is_no_server(service, listed, member):
    named = {"fhirServer": [listed.base] if isinstance(member, list) else member}
    before = len(listed.calls)
    sent = a_call(prefetch=None, **access("x") | named)

    assert service.status(sent) in (400, 412)
    assert len(listed.calls) == before


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_listed_server_is_called_with_its_token(service, listed, slash):
    before = len(listed.calls)

    assert service.status(a_call(prefetch=None, **access(listed.base + slash))) == 200
    assert len(listed.calls) > before
    assert {call.token for call in listed.calls} == {TOKEN}


def test_without_a_token_the_listed_server_is_not_called(service, listed):
    before = len(listed.calls)

    assert service.status(a_call(prefetch=None, **access(listed.base, token=None))) == 412
    assert len(listed.calls) == before


def test_cards_from_what_was_sent_say_what_could_not_be_looked_up(service, stranger):

    sent = json.loads(a_call_with_cards()) | access(f"http://{stranger.address}/fhir")
    del sent["prefetch"]["results"], sent["prefetch"]["medicationStatements"]
    status, answered, body = service.post(json.dumps(sent).encode())
    inputs = service.line_of(answered["X-Correlation-ID"])["inputs"]

    assert status == 200
    assert "Not checked" in json.dumps(body)
    assert (inputs["results"], inputs["medicines"]) == ("failed", "incomplete")
    assert stranger.connections == 0
    assert stranger.works()
