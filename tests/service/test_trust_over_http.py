"""In production: one FHIR server for each client (R4, F6), and two kinds of token that never take each other's place
(K17). The faults themselves are shown over real HTTP in tests/faults.
"""

import json
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey

from service.app import create_advisor, create_app, load_parts
from service.settings import Settings
from service.store import MemoryStore
from service.watching import access_log
from tests.faults.production import production
from tests.fhir_stub import TOKEN, running
from tests.service.hooks.tokens import (
    BASE,
    CALL,
    NOW,
    a_client,
    bearer,
    claims,
    headers,
    public,
    signed,
)
from tests.service.stand_ins import a_request

OTHER = ECKey.generate_key("P-384", {"kid": "other"})


def test_an_accepted_risk_is_logged_at_the_start(tmp_path):
    with production(tmp_path, accept_risk=["any-origin", "replay-off"], origins=["*"]) as service:
        _, out, _ = service.stop()

    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["risk"] for line in lines if line["event"] == "process"] == ["any-origin"]


# --- R4, F6, K17: which FHIR server is called for whom -------------------------------------------------------------


@pytest.fixture(scope="module")
def parts():
    return load_parts(Settings())


@pytest.fixture
def servers():
    with running() as first, running() as second:
        for stub in (first, second):
            stub.put({"resourceType": "Patient", "id": "pat-1", "birthDate": "1970-01-01"})
        yield first, second


def site(folder, parts, servers, **second):
    (folder / "b").mkdir()
    file = folder / "b" / "jwks.json"
    file.write_text(json.dumps(public(OTHER)))
    one = a_client(folder, fhir_bases=(servers[0].base,))
    two = replace(one, name="b", issuer="https://b", jwks_file=file, fhir_bases=(servers[1].base,), **second)
    ours = Settings(clients=(one, two), public_url=BASE, deadline_ms=20_000)
    advisor = create_advisor(ours, parts, today=NOW.date)
    return create_app(
        ours, parts, advise=advisor.advise, log=access_log("error"), store=MemoryStore(), now=lambda: NOW
    ).test_client()


def ask(site, token, base, *, with_token=True):
    access = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
    asked = a_request(fhirServer=base, prefetch=None, fhirAuthorization=access if with_token else None)
    return site.post(CALL, data=json.dumps(asked), headers=bearer(token)).status_code


ONE = signed()
TWO = signed(claims(iss="https://b"), headers(kid="other"), OTHER)


def test_each_client_has_its_own_fhir_servers_called_and_no_other(tmp_path, parts, servers):
    hooks = site(tmp_path, parts, servers)

    assert ask(hooks, ONE, servers[0].base) == 200
    assert (len(servers[0].calls) > 0, servers[1].calls) == (True, [])
    seen = len(servers[0].calls)
    assert ask(hooks, TWO, servers[0].base) == 412
    assert (len(servers[0].calls), servers[1].calls) == (seen, [])
    assert ask(hooks, signed(claims(iss="https://b", jti="2"), headers(kid="other"), OTHER), servers[1].base) == 200
    assert len(servers[1].calls) > 0


def test_only_the_access_token_reaches_the_fhir_server_never_the_token_of_the_caller(tmp_path, parts, servers):
    hooks = site(tmp_path, parts, servers)
    assert ask(hooks, ONE, servers[0].base) == 200

    assert {call.token for call in servers[0].calls} == {TOKEN}
    assert not any(part in repr(call) for call in servers[0].calls for part in ONE.split("."))


def test_an_access_token_proves_no_caller(tmp_path, parts, servers):
    assert ask(site(tmp_path, parts, servers), TOKEN, servers[0].base) == 401
    assert servers[0].calls == []


def test_without_an_access_token_only_an_open_server_is_called(tmp_path, parts, servers):
    servers[1].token = None
    hooks = site(tmp_path, parts, servers, open_server=True)

    assert ask(hooks, ONE, servers[0].base, with_token=False) == 412
    assert servers[0].calls == []
    assert ask(hooks, TWO, servers[1].base, with_token=False) == 200
    assert {call.token for call in servers[1].calls} == {None}


@pytest.mark.parametrize(
    "asked",
    ["{base}/x", "{base}/../fhir", "{base}?a", "http://u@{host}/fhir", "http://{host}", "//{host}/fhir", "{upper}"],
)
def test_another_spelling_of_a_listed_server_is_not_called(tmp_path, parts, servers, asked):
    base = servers[0].base
    spelled = asked.format(base=base, host=base.removeprefix("http://").removesuffix("/fhir"), upper=base.upper())

    assert ask(site(tmp_path, parts, servers), ONE, spelled) == 412
    assert servers[0].calls == []
