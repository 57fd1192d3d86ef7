"""Who may call: requirements K1-K17, faults F1-F4, traps T7, T8, T23."""

import hashlib
import hmac
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
import responses
from fhir.resources.R4B.operationoutcome import OperationOutcome
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from service.clients import Replay
from service.errors import NotTrusted, StoreUnavailable
from service.hooks.keys import Keys
from service.hooks.trust import Trust
from service.store import MemoryStore
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
)  # fmt: skip
from tests.service.stand_ins import DEMO, a_card, an_answer, an_app, body

SECONDS = int(NOW.timestamp())
KEY_URL = "https://ehr.example/jwks"


@pytest.fixture
def client(tmp_path):
    return a_client(tmp_path)


@pytest.fixture
def trust(client):
    return trusting(client)


def trusting(client, store=None):
    return Trust([client], Keys([client]), store or MemoryStore(), BASE)


def post(app, token=None, path=CALL, **more):
    given = {**(bearer(token) if token else {}), **more}
    return app.test_client().post(path, data=body(), headers={"X-Correlation-ID": "same"} | given)


def refused(trust, token, path=CALL, now=NOW):
    with pytest.raises(NotTrusted) as why:
        trust.caller(f"Bearer {token}", path, now)
    return why.value.because


# --- K1-K5: what proves a caller ------------------------------------------------------------------------------------


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


def test_extra_claims_and_header_members_of_real_clients_do_no_harm(trust):
    said = claims(sub="app", nbf=SECONDS - 300, tenant="t", extension={"a": [1]}, exp=SECONDS + 900)

    assert trust.caller(f"Bearer {signed(said, headers(jwt_id='x', kid=KID))}", CALL, NOW).name == "ehr"


def test_a_long_header_is_read_up_to_eight_kib(trust):
    assert trust.caller(f"Bearer {signed(header=headers(extra='x' * 4000))}", CALL, NOW).name == "ehr"
    assert refused(trust, signed(header=headers(extra="x" * 8000))) == "malformed"


# --- F1: hand-made tokens ------------------------------------------------------------------------------------------


def by_hmac(name, secret, said=None):
    header = headers(alg=name)
    signing = f"{segment(header)}.{segment(said or claims())}"
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[name]
    return f"{signing}.{segment(hmac.new(secret, signing.encode(), digest).digest())}"


def unsigned(alg):
    return f"{segment(headers(alg=alg))}.{segment(claims())}."


def with_signature(signature):
    return f"{signed().rpartition('.')[0]}.{segment(signature)}"


HAND_MADE = {
    "none": unsigned("none"),
    "None": unsigned("None"),
    "NONE": unsigned("NONE"),
    "nOnE with a good signature": signed().replace(signed().split(".")[0], segment(headers(alg="nOnE"))),
    "HS256 with the public key as PEM": by_hmac("HS256", EC.as_pem(private=False)),
    "HS384 with the public key as PEM": by_hmac("HS384", RSA.as_pem(private=False)),
    "HS512 with the public key as JWK": by_hmac("HS512", json.dumps(EC.as_dict(private=False)).encode()),
    "HS256 with an empty secret": by_hmac("HS256", b"\0"),
    "a curve of its own": signed(header=headers(alg="ES256"), key=ECKey.generate_key("P-256", {"kid": KID})),
    "RS384 on the EC key": signed(header=headers(alg="RS384"), key=RSA),
    "a foreign key under our kid": signed(key=FOREIGN),
    "a foreign key in jwk": signed(header=headers(jwk=FOREIGN.as_dict(private=False)), key=FOREIGN),
    "a foreign key in x5c": signed(header=headers(x5c=["MIIB"]), key=FOREIGN),
    "unknown crit": signed(header=headers(crit=["exp"], exp=1)),
    "empty crit": signed(header=headers(crit=[])),
    "b64 false": signed(header=headers(crit=["b64"], b64=False)),
    "b64 true": signed(header=headers(b64=True)),
    "a signature of zeros": with_signature(bytes(96)),
    "an empty signature": with_signature(b""),
    "a signature too long": with_signature(bytes(97)),
    "a signature of ones": with_signature(b"\xff" * 96),
    "no typ": signed(header=headers(typ=...)),
    "another typ": signed(header=headers(typ="at+jwt")),
    "typ in small letters": signed(header=headers(typ="jwt")),
    "typ as a list": signed(header=headers(typ=["JWT"])),
    "no kid": signed(header=headers(kid=...)),
    "kid as a number": signed(header=headers(kid=1)),
    "unknown kid": signed(header=headers(kid="other")),
    "alg as a list": f"{segment(headers(alg=['ES384']))}.{segment(claims())}.{segment(bytes(96))}",
    "no alg": f"{segment(headers(alg=...))}.{segment(claims())}.{segment(bytes(96))}",
    "header no object": f"{segment([])}.{segment(claims())}.{segment(bytes(96))}",
    "header no JSON": f"{segment(b'{')}.{segment(claims())}.{segment(bytes(96))}",
    "header nested deep": f"{segment(b'[' * 5000)}.{segment(claims())}.{segment(bytes(96))}",
    "claims nested deep": signed(b'{"iss":' + b"[" * 5000),
    "claims no object": signed(b"[1]"),
    "claims no JSON": signed(b"iss"),
    "claims not UTF-8": signed(b"\xff\xfe{"),
    "two parts": "a.b",
    "four parts": signed() + ".x",
    "five parts": "a.b.c.d.e",
    "nothing": "",
    "padded": signed() + "=",
    "over eight KiB": signed(claims(more="x" * 8192)),
}  # fmt: skip


@pytest.mark.parametrize("token", HAND_MADE.values(), ids=HAND_MADE)
def test_a_hand_made_token_is_refused_and_nothing_is_fetched(trust, token):
    with responses.RequestsMock() as outside:
        assert refused(trust, token)
        assert len(outside.calls) == 0


@pytest.mark.parametrize("scheme", ["", "Basic ", "Token ", "Bearer", "Bearer\t", "Bearer, "])
def test_another_scheme_is_refused(trust, scheme):
    with pytest.raises(NotTrusted):
        trust.caller(f"{scheme}{signed()}", CALL, NOW)


def test_two_authorization_headers_in_one_are_refused(trust):
    with pytest.raises(NotTrusted):
        trust.caller(f"Bearer {signed()},Bearer {signed()}", CALL, NOW)


def test_a_token_of_a_client_does_not_open_the_door_of_another(tmp_path):
    other_key = ECKey.generate_key("P-384", {"kid": "o"})
    other_file = tmp_path / "other.json"
    other_file.write_text(json.dumps(public(other_key)))
    one, other = a_client(tmp_path), a_client(tmp_path, name="other", issuer="https://o.example", jwks_file=other_file)
    trust = Trust([one, other], Keys([one, other]), MemoryStore(), BASE)

    assert refused(trust, signed(claims(iss="https://o.example"))) == "unknown-key"
    assert refused(trust, signed(header=headers(kid="o"), key=other_key)) == "unknown-key"
    mine = signed(claims(iss="https://o.example"), headers(kid="o"), other_key)
    assert trust.caller(f"Bearer {mine}", CALL, NOW).name == "other"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(0, len(signed()) + 10), other=st.integers(1, 127))
def test_a_good_token_with_any_byte_changed_is_never_answered_and_never_a_defect(client, at, other):
    good = signed()
    at %= len(good)
    broken = good[:at] + chr(ord(good[at]) ^ other & 0x7F) + good[at + 1 :]
    app = a_production_app(client)

    environment = {"HTTP_AUTHORIZATION": f"Bearer {broken}"}
    assert app.test_client().post(CALL, data=body(), environ_base=environment).status_code == 401


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(said=st.dictionaries(st.sampled_from(["iss", "aud", "exp", "iat", "jti", "nbf", "tenant"]),
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists)))  # fmt: skip
def test_signed_nonsense_in_a_claim_is_a_refusal_or_a_good_token_never_a_defect(client, said):
    trust = trusting(client)
    try:
        trust.caller(f"Bearer {signed(claims() | said)}", CALL, NOW)
    except NotTrusted:
        return
    made = claims() | said
    assert made["iss"] == ISSUER
    assert made["aud"] in (BASE + CALL, BASE + CALL + "/")
    assert isinstance(made["jti"], str)
    assert all(not isinstance(made[name], (bool, str)) for name in ("exp", "iat"))


# --- F2: claims and clock ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": SECONDS - 30, "iat": SECONDS - 330},
        {"exp": SECONDS - 59, "iat": SECONDS - 330},
        {"iat": SECONDS + 30},
        {"iat": SECONDS + 60},
        {"nbf": SECONDS + 60},
        {"nbf": SECONDS - 300},
        {"exp": SECONDS + 3600},
        {"exp": SECONDS + 0.5, "iat": SECONDS - 0.5},
        {"jti": "x" * 256},
        {"jti": "ü+/=?"},
        {"aud": [BASE + CALL]},
        {"aud": [BASE + CALL, BASE + CALL + "/"]},
        {"aud": BASE + CALL + "/"},
    ],
    ids=str,
)
def test_a_token_within_the_limits_is_trusted(trust, changed):
    assert trust.caller(f"Bearer {signed(claims(**changed))}", CALL, NOW).name == "ehr"


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"exp": SECONDS - 60, "iat": SECONDS - 300}, "expired"),
        ({"exp": SECONDS - 600, "iat": SECONDS - 900}, "expired"),
        ({"iat": SECONDS + 61}, "not-yet"),
        ({"iat": SECONDS + 600, "exp": SECONDS + 900}, "not-yet"),
        ({"nbf": SECONDS + 61}, "not-yet"),
        ({"nbf": None}, "bad-time"),
        ({"nbf": "0"}, "bad-time"),
        ({"exp": SECONDS + 3601}, "bad-lifetime"),
        ({"exp": SECONDS + 30 * 86400}, "bad-lifetime"),
        ({"exp": SECONDS + 10, "iat": SECONDS + 20}, "bad-lifetime"),
        ({"exp": str(SECONDS + 300)}, "bad-time"),
        ({"exp": True}, "bad-time"),
        ({"exp": None}, "bad-time"),
        ({"exp": [SECONDS]}, "bad-time"),
        ({"exp": -1}, "bad-time"),
        ({"exp": 10**400}, "bad-time"),
        ({"exp": float("nan")}, "unreadable"),
        ({"exp": float("inf")}, "unreadable"),
        ({"iat": str(SECONDS)}, "bad-time"),
        ({"iat": False}, "bad-time"),
        ({"iss": ...}, "unknown-issuer"),
        ({"aud": ...}, "bad-audience"),
        ({"exp": ...}, "bad-time"),
        ({"iat": ...}, "bad-time"),
        ({"jti": ...}, "bad-jti"),
        ({"iss": "https://other.example"}, "unknown-issuer"),
        ({"iss": ISSUER + "/"}, "unknown-issuer"),
        ({"iss": [ISSUER]}, "unknown-issuer"),
        ({"jti": ""}, "bad-jti"),
        ({"jti": "x" * 257}, "bad-jti"),
        ({"jti": "a\nb"}, "bad-jti"),
        ({"jti": 7}, "bad-jti"),
        ({"jti": None}, "bad-jti"),
        ({"aud": []}, "bad-audience"),
        ({"aud": ""}, "bad-audience"),
        ({"aud": None}, "bad-audience"),
        ({"aud": {"a": BASE + CALL}}, "bad-audience"),
        ({"aud": [BASE + CALL, "https://other.example"]}, "bad-audience"),
        ({"aud": [BASE + CALL, 1]}, "bad-audience"),
        ({"aud": [[BASE + CALL]]}, "bad-audience"),
        ({"aud": BASE}, "bad-audience"),
        ({"aud": BASE + CALL + "x"}, "bad-audience"),
        ({"aud": BASE + CALL + "//"}, "bad-audience"),
        ({"aud": (BASE + CALL).upper()}, "bad-audience"),
        ({"aud": BASE + "/cds-services"}, "bad-audience"),
        ({"aud": BASE + "/cds-services/muscle-order-sign"}, "bad-audience"),
        ({"aud": BASE + FEEDBACK}, "bad-audience"),
        ({"aud": "http://localhost" + CALL}, "bad-audience"),
    ],
    ids=str,
)
def test_a_token_beyond_the_limits_is_refused(trust, changed, because):
    assert refused(trust, signed(claims(**changed))) == because


def test_a_number_too_large_for_any_clock_is_refused(trust):
    payload = json.dumps(claims(exp=0)).replace('"exp": 0', '"exp": 1e400').encode()

    assert refused(trust, signed(payload)) == "bad-time"


@pytest.mark.parametrize(("seconds", "status"), [(0, 200), (359, 200), (360, 401), (-60, 200), (-61, 401)])
def test_the_clock_that_counts_is_the_one_handed_in(client, seconds, status):
    app = a_production_app(client, now=lambda: NOW + timedelta(seconds=seconds))

    assert post(app, signed()).status_code == status


# --- K11, I10, T23: for which address ------------------------------------------------------------------------------


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


# --- K8, F3, T7: nothing a token names is fetched -------------------------------------------------------------------


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


# --- J3: what the caller is told -----------------------------------------------------------------------------------


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


# --- K13, R3, F4: once ---------------------------------------------------------------------------------------------


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


# --- K14: tenants --------------------------------------------------------------------------------------------------


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


# --- what a client is given ----------------------------------------------------------------------------------------


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
