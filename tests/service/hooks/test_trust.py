"""Who may call, and what a caller is told: requirements K1-K14, faults F3 and F4, traps T7 and T23."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from joserfc.jwk import RSAKey

from service.clients import Replay
from service.errors import NotTrusted, StoreUnavailable
from service.hooks.keys import Keys
from service.hooks.trust import Trust
from service.store import MemoryStore
from tests.service.hooks.callers import KEY_URL, SECONDS, client, post, refused, trust, trusting
from tests.service.hooks.hand_made import HAND_MADE
from tests.service.hooks.tokens import (
    BASE,
    CALL,
    EC,
    FEEDBACK,
    FOREIGN,
    ISSUER,
    KID,
    NOW,
    RSA,
    a_client,
    a_production_app,
    bearer,
    claims,
    headers,
    public,
    segment,
    signed,
)
from tests.service.stand_ins import DEMO, a_card, an_answer, an_app, body

__all__ = ["client", "trust"]  # fixtures


# --- K1-K5: what proves a caller -------------------------------------------------------------------------------------


def test_a_signed_call_is_answered_and_an_unsigned_one_is_not(client):
    app = a_production_app(client)

    assert post(app, signed()).status_code == 200
    assert post(app).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/cds-services"), ("HEAD", "/cds-services"), ("POST", CALL), ("POST", FEEDBACK)]
)
def test_discovery_services_and_feedback_all_ask_who_calls(client, method, path):
    app = a_production_app(client)
    raw = b'{"feedback": []}' if path == FEEDBACK else body()

    assert app.test_client().open(path, method=method, data=raw).status_code == 401
    proven = app.test_client().open(path, method=method, data=raw, headers=bearer(signed(claims(path))))
    assert proven.status_code not in (401, 403)


def test_an_unknown_service_is_told_to_proven_callers_only(client):
    app, path = a_production_app(client), "/cds-services/no-such"

    assert post(app, path=path).status_code == 401
    assert post(app, signed(claims(path)), path=path).status_code == 404


def test_in_the_demo_profile_nobody_is_asked_and_a_bearer_header_is_ignored():
    assert post(an_app(settings=DEMO), "junk").status_code == 200


def test_both_recommended_algorithms_are_trusted_and_others_when_listed(client, trust):
    rs384 = signed(claims(jti="2"), headers(alg="RS384", kid="rsa-1"), RSA)
    rs256 = signed(claims(jti="3"), headers(alg="RS256", kid="rsa-1"), RSA)

    assert trust.caller(f"Bearer {signed()}", CALL, NOW) == client
    assert trust.caller(f"Bearer {rs384}", CALL, NOW) == client
    assert refused(trust, rs256) == "bad-algorithm"
    listed = replace(client, algorithms=("RS256",))
    assert trusting(listed).caller(f"Bearer {rs256}", CALL, NOW) == listed


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "BeArEr"])
def test_the_scheme_may_be_written_in_any_case(trust, scheme):
    assert trust.caller(f"{scheme} {signed()}", CALL, NOW).name == "ehr"


def test_extra_claims_and_header_members_of_real_clients_do_no_harm(trust):
    said = claims(sub="app", nbf=SECONDS - 300, tenant="t", extension={"a": [1]}, exp=SECONDS + 900)

    assert trust.caller(f"Bearer {signed(said, headers(jwt_id='x', kid=KID))}", CALL, NOW).name == "ehr"


def test_a_long_header_is_read_up_to_eight_kib(trust):
    assert trust.caller(f"Bearer {signed(header=headers(extra='x' * 4000))}", CALL, NOW).name == "ehr"
    assert refused(trust, signed(header=headers(extra="x" * 8000))) == "malformed"


# --- K11, I10, T23: for which address --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aud", "path", "good"),
    [
        (FEEDBACK, FEEDBACK, True),
        (CALL, FEEDBACK, True),
        (CALL + "/", FEEDBACK, True),
        ("/cds-services/muscle-order-sign", FEEDBACK, False),
        ("/cds-services", FEEDBACK, False),
        (FEEDBACK, CALL, False),
        ("/cds-services", "/cds-services", True),
        ("/cds-services", "/cds-services/", True),
        ("/cds-services/", "/cds-services", True),
        (CALL, "/cds-services", False),
        ("/cds-services//muscle-patient-view", "/cds-services//muscle-patient-view", True),
    ],
)
def test_a_token_is_for_the_address_called_and_for_feedback_also_for_its_service(trust, aud, path, good):
    token = signed(claims(aud))

    if good:
        assert trust.caller(f"Bearer {token}", path, NOW).name == "ehr"
    else:
        assert refused(trust, token, path) == "bad-audience"


def test_a_client_may_have_a_fixed_audience_and_no_other_client_may_use_it(client):
    fixed = replace(client, audiences=("sand_man",))
    token = signed(claims(aud="sand_man"))

    assert trusting(fixed).caller(f"Bearer {token}", CALL, NOW) == fixed
    assert refused(trusting(client), token) == "bad-audience"
    both = signed(claims(aud=["sand_man", BASE + CALL], jti="2"))
    assert trusting(fixed).caller(f"Bearer {both}", CALL, NOW) == fixed


def test_the_host_header_does_not_say_for_which_address_a_token_is(client):
    token = signed(claims(aud="https://evil.example" + CALL))

    assert post(a_production_app(client), token, Host="evil.example").status_code == 401
    assert post(a_production_app(client), signed(), Host="evil.example").status_code == 200


# --- K8, F3, T7: nothing a token names is fetched --------------------------------------------------------------------


class Listener:
    """Counts connections to a port of this machine."""

    def __enter__(self):
        self.count = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/jwks"
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            connection.close()

    def __exit__(self, *_):
        self.socket.close()


@pytest.mark.parametrize("name", ["jku", "x5u"])
@pytest.mark.parametrize("key", [EC, FOREIGN], ids=["our key", "foreign key"])
def test_an_address_in_a_token_is_never_called(client, name, key):
    with Listener() as attacker:
        token = signed(header=headers(**{name: attacker.url}), key=key)
        status = post(a_production_app(client), token).status_code
        probe = socket.create_connection(("127.0.0.1", int(attacker.url.split(":")[2].split("/")[0])))
        probe.recv(1)
        probe.close()

        assert attacker.count == 1  # the probe alone: it was listening
    assert status == (200 if (name, key) == ("x5u", EC) else 401)


@pytest.mark.parametrize(
    ("jku", "good"),
    [
        (KEY_URL, True),
        (..., True),
        (KEY_URL + "/", False),
        (KEY_URL + "?x", False),
        (KEY_URL.upper(), False),
        ("https://evil.example/jwks", False),
        ("http://169.254.169.254/latest", False),
        ("", False),
        (None, False),
        ([KEY_URL], False),
    ],
)
def test_jku_must_be_the_configured_address_if_it_is_there(client, jku, good):
    remote = replace(client, jwks_file=None, jwks_url=KEY_URL)
    keys = Keys([remote], fetch=lambda url: json.dumps(public(EC)).encode() if url == KEY_URL else None)
    trust = Trust([remote], keys, MemoryStore(), BASE)
    token = signed(header=headers(jku=jku))

    if good:
        assert trust.caller(f"Bearer {token}", CALL, NOW) == remote
    else:
        assert refused(trust, token) in ("foreign-key-address", "unreadable")


def test_a_client_with_a_key_file_may_name_no_address(trust):
    assert refused(trust, signed(header=headers(jku=KEY_URL))) == "foreign-key-address"


def test_rsa_keys_under_2048_bit_and_symmetric_keys_are_no_keys(tmp_path):
    with pytest.warns(Warning, match="2048"):
        short = RSAKey.generate_key(1024, {"kid": "short"})
    client = a_client(tmp_path)
    secret = {"kty": "oct", "kid": "oct", "k": segment(b"s" * 48)}
    client.jwks_file.write_text(json.dumps({"keys": [*public(short, EC)["keys"], secret]}))
    trust = trusting(replace(client, algorithms=("RS384", "ES384")))

    assert refused(trust, signed(header=headers(alg="RS384", kid="short"), key=short)) == "unknown-key"
    assert refused(trust, signed(header=headers(kid="oct"))) == "unknown-key"
    assert trust.caller(f"Bearer {signed()}", CALL, NOW)


# --- J3: what the caller is told -------------------------------------------------------------------------------------


def test_ten_faults_of_a_token_give_the_same_answer_byte_for_byte(client):
    app = a_production_app(client)
    used = signed(claims(jti="used"))
    assert post(app, used).status_code == 200
    faults = {
        "none": HAND_MADE["none"],
        "foreign": HAND_MADE["a foreign key under our kid"],
        "crit": HAND_MADE["unknown crit"],
        "expired": signed(claims(exp=SECONDS - 600, iat=SECONDS - 900)),
        "audience": signed(claims(aud="x")),
        "issuer": signed(claims(iss="x")),
        "jku": signed(header=headers(jku=KEY_URL)),
        "jti": signed(claims(jti="")),
        "kid": HAND_MADE["unknown kid"],
        "replayed": used,
        "deep": HAND_MADE["claims nested deep"],
        "garbage": "x",
        "absent": None,
    }
    answers = {name: post(app, token) for name, token in faults.items()}

    assert {(answer.status_code, answer.data, str(sorted(answer.headers))) for answer in answers.values()} == {
        (401, answers["none"].data, str(sorted(answers["none"].headers)))
    }
    outcome = answers["none"].get_json()
    OperationOutcome.model_validate(outcome)
    assert outcome["issue"][0]["code"] == "login"
    assert answers["none"].headers["WWW-Authenticate"] == "Bearer"


def test_the_log_tells_why_and_who_and_nothing_of_the_token(client):
    lines = []
    app = a_production_app(client, lines=lines)
    token = signed(claims(jti="c4n4ry", sub="c4n4ry", tenant="c4n4ry"))
    for sent in (token, token, signed(claims(aud="c4n4ry")), signed(claims(iss="c4n4ry")), "c4n4ry"):
        post(app, sent)

    told = [json.loads(line) for line in lines]
    assert [(line.get("client"), line.get("not_trusted")) for line in told] == [
        ("ehr", None),
        (None, "replayed"),
        (None, "bad-audience"),
        (None, "unknown-issuer"),
        (None, "unreadable"),
    ]
    assert "c4n4ry" not in "".join(lines)
    assert not any(part in "".join(lines) for part in token.split("."))


def test_a_defect_while_verifying_is_a_refusal_not_a_defect(client):
    class Broken(Keys):
        def key(self, _client, _kid):
            raise RecursionError

    assert refused(Trust([client], Broken([client]), MemoryStore(), BASE), signed()) == "unreadable"


# --- K13, R3, F4: once -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [("GET", "/cds-services"), ("POST", CALL)])
def test_a_token_counts_once_wherever_it_is_sent(client, method, path):
    app = a_production_app(client)
    token = signed(claims(path))
    statuses = [
        app.test_client().open(path, method=method, data=body(), headers=bearer(token)).status_code for _ in range(3)
    ]

    assert statuses == [200, 401, 401]


def test_of_32_identical_tokens_at_once_one_is_trusted(trust):
    def ask(_):
        try:
            return trust.caller(f"Bearer {signed_once}", CALL, NOW).name
        except NotTrusted as why:
            return why.because

    signed_once = signed()
    with ThreadPoolExecutor(32) as pool:
        told = sorted(pool.map(ask, range(32)))

    assert told == ["ehr", *["replayed"] * 31]


def test_a_token_that_fails_for_another_reason_uses_nothing_up(trust):
    refused(trust, signed(claims(aud="x")))
    refused(trust, signed(key=FOREIGN))
    refused(trust, signed(claims(exp=SECONDS - 600, iat=SECONDS - 900)))

    assert trust.caller(f"Bearer {signed()}", CALL, NOW).name == "ehr"


def test_a_seen_token_is_kept_until_it_could_no_longer_be_trusted(client):
    kept = []
    store = SimpleNamespace(claim=lambda *row: kept.append(row) or True)
    trusting(client, store).caller(f"Bearer {signed(claims(exp=SECONDS + 300.5))}", CALL, NOW)

    assert kept == [(ISSUER, "one", NOW + timedelta(seconds=301 + 60))]


def test_without_a_store_nobody_is_trusted_and_the_caller_may_try_again(client):
    def down(*_):
        raise StoreUnavailable("The store cannot be reached.")

    app = a_production_app(client, store=SimpleNamespace(claim=down))
    response = post(app, signed())

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert response.get_json()["issue"][0]["code"] == "transient"
    assert post(app, signed(key=FOREIGN)).status_code == 401


def test_replay_can_be_switched_off_for_a_test_kit(client):
    app = a_production_app(replace(client, replay=Replay.OFF))

    assert [post(app, signed()).status_code for _ in range(2)] == [200, 200]


# --- K14: tenants ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tenant", "status"), [("a", 200), ("b", 200), ("c", 403), (None, 403), (["a"], 403), (..., 403)]
)
def test_a_tenant_that_is_not_listed_is_proven_but_not_allowed(client, tenant, status):
    response = post(a_production_app(replace(client, tenants=("a", "b"))), signed(claims(tenant=tenant)))

    assert response.status_code == status
    if status == 403:
        assert response.get_json()["issue"][0]["code"] == "forbidden"


def test_the_tenant_that_called_is_in_the_log_where_the_settings_list_it(client):
    lines = []
    app = a_production_app(replace(client, tenants=("a", "b")), lines=lines)
    post(app, signed(claims(tenant="b")))
    post(app, signed(claims(tenant="c")))

    assert [json.loads(line).get("tenant") for line in lines] == ["b", None]


def test_without_a_list_any_tenant_is_allowed(trust):
    assert trust.caller(f"Bearer {signed(claims(tenant='any'))}", CALL, NOW)


# --- what a client is given ------------------------------------------------------------------------------------------


def test_the_call_knows_its_client_and_its_topic_codes(client):
    seen = []

    def advise(call):
        seen.append(call.client)
        return an_answer(a_card())

    plain = post(a_production_app(replace(client, topic_codes_plain=True), advise=advise), signed())
    hyphens = post(a_production_app(client, advise=advise), signed())

    assert seen == ["ehr", "ehr"]
    codes = [one.get_json()["cards"][0]["source"]["topic"]["code"] for one in (plain, hyphens)]
    assert codes == ["missingtests", "missing-tests"]


def test_a_body_is_not_read_before_the_caller_is_proven(client):
    response = a_production_app(client).test_client().post(CALL, data=b"[", headers={"Content-Encoding": "gzip"})

    assert response.status_code == 401
