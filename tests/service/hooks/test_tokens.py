"""Which tokens prove nothing: forged by hand (F1), and with claims or a clock beyond the limits (F2)."""

import json
from datetime import timedelta

import pytest
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from service.errors import NotTrusted
from service.hooks.keys import Keys
from service.hooks.trust import Trust
from service.store import MemoryStore
from tests.service.hooks.callers import SECONDS, client, post, refused, trust, trusting
from tests.service.hooks.hand_made import HAND_MADE
from tests.service.hooks.tokens import (
    BASE,
    CALL,
    FEEDBACK,
    ISSUER,
    NOW,
    a_client,
    a_production_app,
    claims,
    headers,
    public,
    signed,
)
from tests.service.stand_ins import body

__all__ = ["client", "trust"]  # fixtures


# --- F1: hand-made tokens --------------------------------------------------------------------------------------------


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


# --- F2: claims and clock --------------------------------------------------------------------------------------------


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
