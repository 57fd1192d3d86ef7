"""Which pages may call: requirements L1-L4, rule R13, fault F24."""

import json
from dataclasses import replace

import pytest

from service.errors import DataNotAvailable
from tests.service.hooks.tokens import CALL, EC, FEEDBACK, a_client, a_production_app, bearer, claims, public, signed
from tests.service.stand_ins import an_app, body

OURS = "https://ehr.example"
SITE = "https://portal.example:8443"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
PATHS = ["/cds-services", CALL, FEEDBACK, "/cds-services/no-such", "/no/such/page"]


@pytest.fixture
def client(tmp_path):
    return a_client(tmp_path, origins=(OURS,))


@pytest.fixture
def app(client):
    return a_production_app(client, origins=(SITE,))


def told(response):
    return {name: value for name, value in response.headers if name.startswith("Access-Control")}


def varies(response):
    return response.headers.get("Vary")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [OURS, SITE])
def test_a_preflight_is_answered_on_every_path_without_a_token(app, path, origin):
    response = app.test_client().options(path, headers={"Origin": origin, **ASKS})

    assert response.status_code == 204
    assert told(response) == {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
        "Access-Control-Expose-Headers": "X-Correlation-ID",
    }
    assert varies(response) == "Origin"


@pytest.mark.parametrize(
    "origin",
    ["null", "", "*", "https://ehr.example.evil.example", "https://evil-ehr.example", "https://ehr.example:8443",
     "http://ehr.example", "HTTPS://EHR.EXAMPLE", "https://ehr.example/", "https://ehr.example:443",
     "https://sub.ehr.example", "https://ehr.example, https://evil.example", "https://evil.example",
     "https://portal.example", "https://ehr.exampl", "file://"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "GET"])
def test_only_an_exact_origin_may_call(app, origin, method):
    response = app.test_client().open(CALL, method=method, headers={"Origin": origin, **ASKS})

    assert told(response) == {}
    assert varies(response) == "Origin"


def raises(error):
    def advise(_call):
        raise error

    return advise


@pytest.mark.parametrize(
    ("method", "path", "raw", "proven", "error", "status"),
    [
        ("POST", CALL, body(), True, None, 200),
        ("GET", "/cds-services", b"", True, None, 200),
        ("POST", CALL, body(), False, None, 401),
        ("POST", CALL, b"[", True, None, 400),
        ("POST", "/cds-services/no-such", body(), True, None, 404),
        ("GET", "/no/such/page", b"", False, None, 404),
        ("GET", CALL, b"", False, None, 405),
        ("POST", CALL, body(), True, DataNotAvailable("Nothing was sent."), 412),
        ("POST", CALL, body(), True, LookupError("c4n4ry"), 500),
    ],
)
def test_the_origin_is_allowed_on_every_answer_also_on_errors(client, method, path, raw, proven, error, status):
    app = a_production_app(client, **({"advise": raises(error)} if error else {}))
    headers = {"Origin": OURS, **(bearer(signed(claims(path))) if proven else {})}
    response = app.test_client().open(path, method=method, data=raw, headers=headers)

    assert response.status_code == status
    assert told(response) == {
        "Access-Control-Allow-Origin": OURS,
        "Access-Control-Expose-Headers": "X-Correlation-ID",
    }
    assert varies(response) == "Origin"
    assert response.content_type == "application/json"
    assert not any(word in response.text for word in ("Traceback", ".py", "<!", "c4n4ry", "Error"))


def test_a_proven_caller_is_answered_for_its_own_pages_and_those_of_the_site_only(client, tmp_path):
    (tmp_path / "other").mkdir()
    file = tmp_path / "other" / "jwks.json"
    file.write_text(json.dumps(public(EC)))
    other = replace(client, name="b", issuer="https://b", jwks_file=file, origins=("https://b.example",))
    app = a_production_app(client, other, origins=(SITE,))

    def origin_allowed(jti, origin):
        headers = {"Origin": origin, **bearer(signed(claims(jti=jti)))}
        return told(app.test_client().post(CALL, data=body(), headers=headers)).get("Access-Control-Allow-Origin")

    assert origin_allowed("1", OURS) == OURS
    assert origin_allowed("2", SITE) == SITE
    assert origin_allowed("3", "https://b.example") is None


def test_credentials_are_never_allowed(app, client):
    for one in (app, a_production_app(client, origins=("*",)), an_app()):
        for method in ("OPTIONS", "POST"):
            response = one.test_client().open(CALL, method=method, headers={"Origin": OURS, **ASKS})
            assert "Access-Control-Allow-Credentials" not in response.headers


def test_without_origins_no_page_may_call_and_the_answer_says_it_depends_on_the_origin(client):
    app = a_production_app(replace(client, origins=()))
    for method in ("OPTIONS", "POST"):
        response = app.test_client().open(CALL, method=method, headers={"Origin": OURS, **ASKS})
        assert told(response) == {}
        assert varies(response) == "Origin"


def test_in_the_demo_profile_every_page_may_call_on_every_path():
    for path in PATHS:
        response = an_app().test_client().options(path, headers={"Origin": "null", **ASKS})
        assert response.status_code == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_plain_options_request_is_no_preflight(app):
    assert app.test_client().options("/no/such/page").status_code == 404
    assert app.test_client().options(CALL).headers["Allow"]
