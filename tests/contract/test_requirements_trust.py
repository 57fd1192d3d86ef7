"""Requirements K1 to K17, B13, J3, I10 and L1 to L4 over the whole service, as a hospital runs it.

The finer points of tokens, keys and origins stand in tests/service/hooks.
"""

import hmac
import itertools
import json

import pytest
import responses

from service.app import create_advisor, create_app
from service.errors import BadSettings
from service.observe import AccessLog
from service.settings import load
from service.store import MemoryStore
from tests.contract.calls import AN_ORDER, TODAY, all_parts, demo_settings, request_of, service
from tests.service.hooks.tokens import (
    BASE,
    CALL,
    EC,
    FEEDBACK,
    FOREIGN,
    NOW,
    RSA,
    a_client,
    bearer,
    claims,
    headers,
    segment,
    signed,
)

ORIGIN = "https://ehr.example"
REPORT = {"feedback": [{"card": "1f2e3d4c-0000-4000-8000-000000000001", "outcome": "overridden", "outcomeTimestamp": "2026-06-15T09:00:00Z"}]}  # fmt: skip
ALL_THREE = [("GET", "/cds-services", None), ("POST", CALL, request_of()), ("POST", FEEDBACK, REPORT)]
BY_ADDRESS = pytest.mark.parametrize(("method", "path", "body"), ALL_THREE, ids=["discovery", "call", "feedback"])
tokens_made = itertools.count()


@pytest.fixture
def lines():
    return []


@pytest.fixture
def hospital(tmp_path, lines):
    """A function that gives a test client of a hospital whose client entry has these keys."""

    def made(**entry):
        settings = load({}, clients=[a_client(tmp_path, **entry)], public_url=BASE)
        advisor = create_advisor(settings, all_parts(), today=lambda: TODAY)
        log = AccessLog(lines.append, lambda: NOW)
        return create_app(
            settings, all_parts(), advise=advisor.advise, log=log, store=MemoryStore(), now=lambda: NOW
        ).test_client()

    return made


def new(path=CALL, header=None, key=None, **said):
    """A token nobody has seen yet."""
    made = claims(path, **{"jti": f"t{next(tokens_made)}"} | said)
    return signed(made, header) if key is None else signed(made, header, key)


def ask(client, method, path, body, token=None, **more):
    return client.open(path, method=method, json=body, headers={**(bearer(token) if token else {}), **more})


@BY_ADDRESS
def test_k1_k2_b13_i10_every_address_asks_for_a_token(hospital, method, path, body):
    client = hospital()

    assert ask(client, method, path, body).status_code == 401
    assert ask(client, method, path, body, new(path)).status_code == 200


def test_k1_without_a_client_the_production_profile_does_not_start():
    with pytest.raises(BadSettings, match="client"):
        create_app(load({}), all_parts())


@BY_ADDRESS
def test_k3_in_the_demo_profile_any_bearer_header_is_ignored(method, path, body):
    assert ask(service(demo_settings()), method, path, body, "junk").status_code == 200


@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
def test_k4_a_header_without_alg_kid_or_typ_is_refused(hospital, name):
    assert ask(hospital(), "POST", CALL, request_of(), new(header=headers(**{name: ...}))).status_code == 401


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "jti"])
def test_k5_each_claim_is_required(hospital, name):
    assert ask(hospital(), "POST", CALL, request_of(), new(**{name: ...})).status_code == 401


def test_k5_the_claims_that_epic_adds_do_no_harm(hospital):
    seconds = claims()["iat"]

    assert ask(hospital(), "POST", CALL, request_of(), new(sub="client-1", nbf=seconds - 300)).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "HS384", "HS512"])
def test_k6_neither_no_signature_nor_a_symmetric_one_is_a_proof(hospital, algorithm):
    signing = f"{segment(headers(alg=algorithm))}.{segment(claims())}"
    digest = {"HS384": "sha384", "HS512": "sha512"}.get(algorithm, "sha256")
    by_public_key = hmac.new(EC.as_pem(private=False), signing.encode(), digest).digest()

    for signature in (b"", by_public_key):
        token = f"{signing}.{segment(signature)}"
        assert ask(hospital(), "POST", CALL, request_of(), token).status_code == 401


def test_k7_es384_and_rs384_are_taken_and_rs256_only_where_it_is_listed(hospital):
    rsa = headers(alg="RS256", kid="rsa-1")

    assert ask(hospital(), "POST", CALL, request_of(), new()).status_code == 200
    assert ask(hospital(), "POST", CALL, request_of(), new(header=headers(alg="RS384", kid="rsa-1"), key=RSA)).status_code == 200  # fmt: skip
    assert ask(hospital(), "POST", CALL, request_of(), new(header=rsa, key=RSA)).status_code == 401
    assert ask(hospital(algorithms=("RS256",)), "POST", CALL, request_of(), new(header=rsa, key=RSA)).status_code == 200


def test_k8_a_foreign_key_address_is_refused_and_nothing_is_fetched(hospital):
    with responses.RequestsMock() as outside:
        token = new(header=headers(jku="https://evil.example/jwks.json"))
        assert ask(hospital(), "POST", CALL, request_of(), token).status_code == 401
        assert len(outside.calls) == 0


def test_k9_k10_the_key_is_found_in_the_file_by_its_id(hospital):
    assert ask(hospital(), "POST", CALL, request_of(), new()).status_code == 200
    assert ask(hospital(), "POST", CALL, request_of(), new(key=FOREIGN)).status_code == 401
    assert ask(hospital(), "POST", CALL, request_of(), new(header=headers(kid="another"))).status_code == 401


@pytest.mark.parametrize(
    ("aud", "status"),
    [
        (BASE + CALL, 200),
        (BASE + CALL + "/", 200),
        ([BASE + CALL], 200),
        (BASE + "/cds-services/muscle-order-sign", 401),
        (BASE, 401),
        ([BASE + CALL, "https://elsewhere.example"], 401),
        ("http://localhost" + CALL, 401),
        ("sand_man", 401),
    ],
    ids=str,
)
def test_k11_aud_is_the_address_that_was_called(hospital, aud, status):
    assert ask(hospital(), "POST", CALL, request_of(), new(aud=aud)).status_code == status


@pytest.mark.parametrize(("aud", "status"), [(FEEDBACK, 200), (CALL, 200), ("/cds-services/muscle-order-sign", 401)])
def test_k11_i10_feedback_may_name_its_own_address_or_that_of_its_service(hospital, aud, status):
    assert ask(hospital(), "POST", FEEDBACK, REPORT, new(aud=BASE + aud)).status_code == status


@pytest.mark.parametrize(
    ("issued", "expires", "status"),
    [(0, 300, 200), (-3000, -30, 200), (-3000, -61, 401), (30, 300, 200), (120, 300, 401), (0, 3601, 401)],
)
def test_k12_the_clock_is_looked_at(hospital, issued, expires, status):
    now = int(NOW.timestamp())

    assert ask(hospital(), "POST", CALL, request_of(), new(iat=now + issued, exp=now + expires)).status_code == status


def test_k13_a_token_is_taken_once(hospital):
    client, token = hospital(), new()

    assert [ask(client, "POST", CALL, request_of(), token).status_code for _ in range(3)] == [200, 401, 401]


def test_k14_only_listed_tenants_may_call_where_there_is_a_list(hospital):
    client = hospital(tenants=("ward-a",))

    assert ask(client, "POST", CALL, request_of(), new(tenant="ward-a")).status_code == 200
    assert ask(client, "POST", CALL, request_of(), new(tenant="ward-b")).status_code == 403


def test_k16_no_token_is_ever_logged(hospital, lines):
    client = hospital()
    tokens = [new(), new(key=FOREIGN), new(aud="x")]
    for token in tokens:
        ask(client, "POST", CALL, request_of(), token)

    assert len(lines) == 3
    assert [part for token in tokens for part in token.split(".") if part in "".join(lines)] == []


def test_k17_the_token_for_the_fhir_server_proves_nobody(hospital):
    request = request_of(AN_ORDER, fhirServer="https://fhir.example", fhirAuthorization={"access_token": new(), "token_type": "Bearer"})  # fmt: skip

    assert ask(hospital(), "POST", CALL, request).status_code == 401


def test_j3_every_refused_token_gets_the_same_bytes(hospital):
    client = hospital()
    faulty = ["junk", "a.b.c", new(aud="x"), new(iss="x"), new(exp=1), new(key=FOREIGN), new(jti=...), new(header=headers(typ="at+jwt"))]  # fmt: skip
    answers = {
        ask(client, "POST", CALL, request_of(), token, **{"X-Correlation-ID": "same-1"}).data for token in faulty
    }

    assert len(answers) == 1
    assert json.loads(answers.pop())["issue"][0]["code"] in ("login", "security")


# --- browsers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in ALL_THREE])
def test_l1_l2_l4_a_preflight_is_answered_without_a_token_for_listed_origins_alone(hospital, method, path):
    client = hospital(origins=(ORIGIN,))
    asks = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    ours = client.options(path, headers={"Origin": ORIGIN, **asks})
    theirs = client.options(path, headers={"Origin": "https://evil.example", **asks})

    assert ours.status_code in (200, 204)
    assert ours.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert ours.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert ours.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, Accept"
    assert "Access-Control-Allow-Origin" not in theirs.headers
    assert not [name for name in (*ours.headers.keys(), *theirs.headers.keys()) if "Credentials" in name]


def test_l1_without_listed_origins_no_page_may_call(hospital):
    response = ask(hospital(), "POST", CALL, request_of(), new(), Origin=ORIGIN)

    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(("body", "proven", "status"), [(request_of(), True, 200), (request_of(prefetch=None), True, 412), ([], True, 400), (request_of(), False, 401)])  # fmt: skip
def test_l3_the_headers_are_on_answers_and_on_refusals(hospital, body, proven, status):
    response = ask(hospital(origins=(ORIGIN,)), "POST", CALL, body, new() if proven else None, Origin=ORIGIN)

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in response.headers["Vary"]
