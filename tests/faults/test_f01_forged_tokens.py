"""F1: forged tokens. No answer but 401, nothing in its body that helps to forge a better one, and nothing is called."""

import hashlib
import hmac
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from tests.faults.production import a_call, access, claims, in_production
from tests.service.hooks.tokens import CALL, EC, FEEDBACK, FOREIGN, KID, RSA, bearer, headers, public, segment, signed

RS384_ONLY = "https://rs384.example"


@pytest.fixture(scope="module")
def service(stranger):
    """Every forged call names a FHIR server that may be called, so a caller who was believed would be seen there."""
    here = {"fhir_bases": [f"http://{stranger.address}/fhir"]}
    other = {"name": "rs384", "issuer": RS384_ONLY, "algorithms": ["RS384"]}
    with in_production(here, other | here, accept_risk=["http-fhir-base"], deadline_ms=300) as running:
        yield running


@pytest.fixture(scope="module")
def call(stranger):
    return a_call(prefetch=None, **access(f"http://{stranger.address}/fhir"))


def by_hmac(name, secret):
    signing = f"{segment(headers(alg=name))}.{segment(claims())}"
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[name]
    return f"{signing}.{segment(hmac.new(secret, signing.encode(), digest).digest())}"


def unsigned(alg):
    return f"{segment(headers(alg=alg))}.{segment(claims())}."


def with_signature(signature):
    return f"{signed(claims()).rpartition('.')[0]}.{segment(signature)}"


def another_head(**changed):
    """A good token whose header was exchanged afterwards."""
    return f"{segment(headers(**changed))}.{signed(claims()).partition('.')[2]}"


FORGED = {
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg NONE": lambda: unsigned("NONE"),
    "alg nOnE over a good signature": lambda: another_head(alg="nOnE"),
    "HS256 with the public key as PEM": lambda: by_hmac("HS256", EC.as_pem(private=False)),
    "HS384 with the public RSA key as PEM": lambda: by_hmac("HS384", RSA.as_pem(private=False)),
    "HS512 with the public key as JWK": lambda: by_hmac("HS512", json.dumps(EC.as_dict(private=False)).encode()),
    "HS256 with the key set": lambda: by_hmac("HS256", json.dumps(public(EC, RSA)).encode()),
    "ES256 with a key of that curve": lambda: signed(
        claims(), headers(alg="ES256"), ECKey.generate_key("P-256", {"kid": KID})
    ),
    "ES384 on an RS384 client": lambda: signed(claims(iss=RS384_ONLY)),
    "RS384 on the EC key": lambda: signed(claims(), headers(alg="RS384"), RSA),
    "a foreign key under our kid": lambda: signed(claims(), key=FOREIGN),
    "a foreign key in the jwk header": lambda: signed(claims(), headers(jwk=FOREIGN.as_dict(private=False)), FOREIGN),
    "a foreign certificate in the x5c header": lambda: signed(claims(), headers(x5c=["MIIB"]), FOREIGN),
    "an unknown crit": lambda: signed(claims(), headers(crit=["exp"], exp=1)),
    "b64 false": lambda: signed(claims(), headers(crit=["b64"], b64=False)),
    "a signature of zeros": lambda: with_signature(bytes(96)),
    "an empty signature": lambda: with_signature(b""),
    "no typ": lambda: signed(claims(), headers(typ=...)),
    "a header nested deep": lambda: f"{segment(b'[' * 5000)}.{segment(claims())}.{segment(bytes(96))}",
    "claims nested deep": lambda: signed(b'{"iss":' + b"[" * 5000),
    "two tokens in one": lambda: signed(claims()) + "." + signed(claims()),
}


def test_the_same_claims_well_signed_are_believed_and_the_server_is_called(service, stranger, call):
    assert service.status(call) == 412  # believed, and its FHIR server, which says nothing, was asked
    assert stranger.connections > 0
    rs384 = signed(claims(iss=RS384_ONLY), headers(alg="RS384", kid="rsa-1"), RSA)
    assert service.status(a_call(), by=rs384) == 200


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_token_is_refused_without_a_reason_and_nothing_is_called(service, stranger, call, forged):
    before = stranger.connections
    status, answered, body = service.post(call, by=forged())
    _, _, of_nobody = service.ask("POST", CALL, call)

    assert status == 401
    assert answered["WWW-Authenticate"] == "Bearer"
    assert body["issue"] == json.loads(of_nobody)["issue"]
    assert stranger.connections == before
    assert stranger.works()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/cds-services"), ("POST", FEEDBACK), ("POST", "/cds-services/x")]
)
@pytest.mark.parametrize("name", ["alg none", "HS512 with the public key as JWK", "a foreign key in the jwk header"])
def test_no_address_takes_a_forged_token(service, method, path, name):
    assert service.ask(method, path, b'{"feedback": []}', **bearer(FORGED[name]()))[0] == 401


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None, derandomize=True, database=None)
@given(at=st.integers(0, 10_000), other=st.integers(1, 255))
def test_a_good_token_with_any_byte_changed_is_never_answered_and_never_a_defect(service, at, other):
    good = signed(claims()).encode()
    at %= len(good)
    broken = good[:at] + bytes([good[at] ^ other]) + good[at + 1 :]
    raw = a_call()
    head = (
        f"POST {CALL} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(raw)}\r\nAuthorization: Bearer "
    )
    answer = service.send(head.encode() + broken + b"\r\n\r\n" + raw)

    assert answer.split(b" ", 2)[1] in (b"400", b"401"), answer  # 400: where the byte breaks the header itself
    assert b'"OperationOutcome"' in answer
    assert broken not in answer


def test_the_log_holds_nothing_of_a_token(service, call):
    forged = FORGED["a foreign key in the jwk header"]()

    assert service.status(call, by=forged) == 401
    assert not any(part in line for line in service.out for part in forged.split("."))
    assert not any(line["status"] >= 500 for line in service.asked())
