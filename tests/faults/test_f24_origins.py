"""F24: pages of other origins, preflights, and the pages for what is not there. Exact origins only, JSON always, and
nothing of what is inside.
"""

import json

import pytest

from tests.contract.answers import refusal_problems
from tests.faults.production import a_call, in_production, token
from tests.service.hooks.tokens import CALL, FEEDBACK, bearer

OURS = "https://ehr.example"  # of the client
SITE = "https://portal.example:8443"  # of the settings
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
PATHS = ["/cds-services", "/cds-services/", CALL, FEEDBACK, "/cds-services/no-such", "/cds-services/no-such/feedback", "/", "/no/such/page", "/livez", "/%2e%2e/%00", "*"]  # fmt: skip
TRICKS = {
    "null": "null",
    "nothing": "",
    "any": "*",
    "a longer host": "https://ehr.example.evil.example",
    "a longer host without a dot": "https://ehr.examplee",
    "a longer host before it": "https://evil-ehr.example",
    "a host below": "https://sub.ehr.example",
    "another port": "https://ehr.example:8443",
    "its own port, written": "https://ehr.example:443",
    "without its port": "https://portal.example",
    "another scheme": "http://ehr.example",
    "capitals": "HTTPS://EHR.EXAMPLE",
    "a capital": "https://Ehr.example",
    "a slash": "https://ehr.example/",
    "a path": "https://ehr.example/x",
    "a user": "https://ehr.example@evil.example",
    "two": "https://ehr.example, https://evil.example",
    "two by a blank": "https://evil.example https://ehr.example",
    "a dot at the end": "https://ehr.example.",
    "a prefix": "https://ehr.exampl",
    "a file": "file://",
    "another": "https://evil.example",
}
DEFECT = """
from service.pipeline import Advisor
advise = Advisor.advise
def broken(self, call):
    if call.patient_id == "defect":
        raise LookupError("c4n4ry of " + call.patient_id)
    return advise(self, call)
Advisor.advise = broken
"""


@pytest.fixture(scope="module")
def service():
    """With a defect, for one patient: without one there is no page for a defect to look at."""
    with in_production({"origins": [OURS]}, origins=[SITE], before=DEFECT) as running:
        yield running


def told(headers):
    return {name: value for name, value in headers.items() if name.startswith("Access-Control")}


@pytest.mark.parametrize("origin", [OURS, SITE])
@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_is_answered_on_every_path_without_a_token(service, path, origin):
    status, headers, raw = service.ask("OPTIONS", path, Origin=origin, **ASKS)

    assert (status, raw) == (204, b"")
    assert told(headers) == {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
        "Access-Control-Expose-Headers": "X-Correlation-ID",
    }
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", TRICKS.values(), ids=TRICKS)
def test_a_page_of_another_origin_is_allowed_nothing_proven_or_not(service, origin):
    for method, path, proof in (
        ("OPTIONS", CALL, {}),
        ("POST", CALL, {}),
        ("POST", CALL, bearer(token())),
        ("GET", "/no/such/page", {}),
    ):
        asks = ASKS if method == "OPTIONS" else {}
        status, headers, _ = service.ask(method, path, a_call(), Origin=origin, **asks, **proof)
        assert told(headers) == {}, (status, method)
        assert headers["Vary"] == "Origin"


REFUSALS = {
    "401": ("POST", CALL, a_call(), False, 401),
    "400": ("POST", CALL, b"[", True, 400),
    "404 of a service": ("POST", "/cds-services/no-such", a_call(), True, 404),
    "404": ("GET", "/no/such/page", None, False, 404),
    "404 of odd letters": ("GET", "/%2e%2e/%00/<b>c4n4ry</b>?c4n4ry", None, False, 404),
    "404 of an inner page": ("GET", "/static/../service/app.py", None, False, 404),
    "405": ("GET", CALL, None, False, 405),
    "405 of discovery": ("DELETE", "/cds-services", None, False, 405),
    "405 of an odd method": ("PROPFIND", CALL, None, False, 405),
    "412": ("POST", CALL, a_call(prefetch=None), True, 412),
    "413": ("POST", FEEDBACK, b" " * 70_000, True, 413),
    "415": ("POST", CALL, a_call(), True, 415),
    "500": (
        "POST",
        CALL,
        a_call(context={"userId": "Practitioner/1", "patientId": "defect"}, prefetch=None),
        True,
        500,
    ),
}


@pytest.mark.parametrize("origin", [OURS, "https://evil.example"])
@pytest.mark.parametrize(("method", "path", "raw", "proven", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_json_with_a_fixed_sentence_and_tells_its_origin_alone(
    service, method, path, raw, proven, expected, origin
):
    more = {"Content-Encoding": "gzip"} if expected == 415 else {}
    proof = bearer(token(path)) if proven else {}
    status, headers, answer = service.ask(method, path, raw, Origin=origin, **more, **proof)

    assert status == expected
    assert headers["Content-Type"] == "application/json"
    assert refusal_problems(json.loads(answer)) == []
    assert json.loads(answer)["id"] == headers["X-Correlation-ID"]
    assert told(headers).get("Access-Control-Allow-Origin") == (OURS if origin == OURS else None)
    assert "Access-Control-Allow-Credentials" not in headers
    inside = ("Traceback", ".py", "<", "c4n4ry", "Error", "flask", "gunicorn", "werkzeug", "no-such", "defect")
    assert [word for word in inside if word in answer.decode().lower() or word in answer.decode()] == []
    assert not any("c4n4ry" in line for line in service.out)


def test_no_answer_says_what_it_is_made_with(service):
    for path in ("/cds-services", "/no/such/page"):
        _, headers, _ = service.ask("GET", path)
        made = " ".join(headers.values()).lower()
        assert [word for word in ("werkzeug", "flask", "python") if word in made] == []
        assert not any(letter.isdigit() for letter in headers.get("Server", ""))
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
