"""F2: what a token says of itself, and clocks that differ. A minute either way is forgiven; anything else is a 401.

The clock of the running service is that of this machine, so times are counted from now, and the edges are left to
tests/service/hooks/test_tokens.py, where the clock stands still.
"""

import json
import time

import pytest

from tests.faults.production import claims, in_production, token
from tests.service.hooks.tokens import BASE, CALL, FEEDBACK, ISSUER, signed

ANOTHER = "/cds-services/muscle-order-sign"


@pytest.fixture(scope="module")
def service():
    with in_production() as running:
        yield running


def seconds(**from_now):
    """Claims that are times, in seconds from now."""
    return lambda: {name: int(time.time()) + offset for name, offset in from_now.items()}


def said(**changed):
    return lambda: changed


GOOD = {
    "as it should be": said(),
    "made 30 s ago by our clock": seconds(iat=-30, exp=270),
    "made in 30 s by our clock": seconds(iat=30, exp=330),
    "ended 30 s ago by our clock": seconds(iat=-330, exp=-30),
    "not before 30 s from now": seconds(nbf=30),
    "of an hour, no more": seconds(iat=0, exp=3600),
    "aud as a list of one": said(aud=[BASE + CALL]),
    "aud with a slash at its end": said(aud=BASE + CALL + "/"),
    "the longest jti": lambda: {"jti": f"{time.time_ns()}".rjust(256, "x")},
}
REFUSED = {
    "ended 10 min ago": seconds(iat=-900, exp=-600),
    "ended 70 s ago": seconds(iat=-300, exp=-70),
    "made in 10 min": seconds(iat=600, exp=900),
    "made in 70 s": seconds(iat=70, exp=300),
    "not before 10 min from now": seconds(nbf=600),
    "of more than an hour": seconds(iat=0, exp=3601),
    "of 30 days": seconds(iat=0, exp=30 * 86_400),
    "ended before it was made": seconds(iat=20, exp=10),
    "exp as text": lambda: {"exp": str(int(time.time()) + 300)},
    "exp NaN": said(exp=float("nan")),
    "exp infinite": said(exp=float("inf")),
    "exp true": said(exp=True),
    "exp null": said(exp=None),
    "exp a list": lambda: {"exp": [int(time.time()) + 300]},
    "exp past all calendars": said(exp=10**400),
    "iat as text": lambda: {"iat": str(int(time.time()))},
    "iat false": said(iat=False),
    "nbf null": said(nbf=None),
    "no iss": said(iss=...),
    "no aud": said(aud=...),
    "no exp": said(exp=...),
    "no iat": said(iat=...),
    "no jti": said(jti=...),
    "iss of nobody": said(iss="https://other.example"),
    "iss with a slash": said(iss=ISSUER + "/"),
    "iss as a list": said(iss=[ISSUER]),
    "jti empty": said(jti=""),
    "jti too long": said(jti="x" * 257),
    "jti with a line break": said(jti="a\nb"),
    "jti a number": said(jti=7),
    "aud of another": said(aud="https://other.example" + CALL),
    "aud of another service": said(aud=BASE + ANOTHER),
    "aud of feedback": said(aud=BASE + FEEDBACK),
    "aud a prefix": said(aud=BASE),
    "aud a longer one": said(aud=BASE + CALL + "x"),
    "aud in capitals": said(aud=(BASE + CALL).upper()),
    "aud without its host": said(aud=CALL),
    "aud an empty list": said(aud=[]),
    "aud a list with another": said(aud=[BASE + CALL, "https://other.example"]),
    "aud a list with a number": said(aud=[BASE + CALL, 1]),
    "aud an object": said(aud={"a": BASE + CALL}),
    "aud null": said(aud=None),
}


@pytest.mark.parametrize("changed", GOOD.values(), ids=GOOD)
def test_a_token_within_the_limits_is_believed(service, changed):
    assert service.status(by=token(**changed())) == 200


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED)
def test_a_token_beyond_the_limits_is_refused_and_the_caller_is_not_told_why(service, changed):
    status, _, body = service.post(by=token(**changed()))

    assert status == 401
    assert body["issue"] == [
        {"severity": "error", "code": "login", "diagnostics": "Who is calling could not be proven."}
    ]


def test_a_number_that_no_clock_can_hold_is_refused(service):
    payload = json.dumps(claims(exp=0)).replace('"exp": 0', '"exp": 1e400')

    assert "1e400" in payload
    assert service.status(by=signed(payload.encode())) == 401
