"""One FHIR server is asked politely, briefly and only where we were told to."""

import gzip
import io
import json
import logging
import os
import subprocess
import sys
import time

import pytest
import requests
import responses
from responses import matchers

from service.errors import BadSettings
from service.fhir.bounds import MIB, Budget, FhirBase, Limits, is_usable_token
from service.fhir.client import FhirClient
from service.fhir.retrieved import Failed, Nothing, Trouble
from tests.fhir_stub import TOKEN, Reply, bundle, outcome, running

BASE = "https://ehr.example/r4/fhir"
JSON_HEADERS = {"Content-Type": "application/fhir+json"}
PATIENT = {"resourceType": "Patient", "id": "p1"}


def a_budget(seconds=5.0, size=8 * MIB):
    return Budget(deadline=time.monotonic() + seconds, most_bytes=size)


@pytest.fixture
def client():
    made = FhirClient(FhirBase(BASE), Limits())
    yield made
    made.close()


@pytest.fixture
def stub():
    with running() as up:
        yield up


@pytest.fixture
def to_stub(stub):
    made = FhirClient(FhirBase(stub.base), Limits(answer_bytes=100_000))
    yield made
    made.close()


@pytest.fixture
def net():
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


def test_the_whole_request_is_as_declared(client, net):
    net.get(
        f"{BASE}/Observation",
        body=json.dumps(bundle()),
        headers=JSON_HEADERS,
        match=[
            matchers.query_param_matcher(
                {"patient": "p1", "code": "2823-3,22760-3", "_sort": "-date", "_count": "250"}
            ),
            matchers.header_matcher(
                {
                    "Authorization": f"Bearer {TOKEN}",
                    "Accept": "application/fhir+json",
                    "Accept-Encoding": "gzip",
                    "User-Agent": "muscle-cds",
                },
                strict_match=True,
            ),
        ],
    )

    body = client.get(
        "Observation?patient=p1&code=2823-3,22760-3&_sort=-date&_count=250", token=TOKEN, budget=a_budget()
    )

    assert json.loads(body) == bundle()


def test_without_a_token_no_authorization_is_sent(client, net):
    net.get(f"{BASE}/Patient/p1", json=PATIENT)

    client.get("Patient/p1", token=None, budget=a_budget())

    assert "Authorization" not in net.calls[0].request.headers


@pytest.mark.parametrize("base", [BASE, f"{BASE}/"])
def test_one_trailing_slash_of_the_base_does_not_matter(base, net):
    net.get(f"{BASE}/Patient/p1", json=PATIENT)
    client = FhirClient(FhirBase(base), Limits())

    assert json.loads(client.get("Patient/p1", token=TOKEN, budget=a_budget())) == PATIENT
    client.close()


@pytest.mark.parametrize(
    ("status", "is_read", "answer"),
    [
        (401, False, Failed(Trouble.NOT_PERMITTED)),
        (403, True, Failed(Trouble.NOT_PERMITTED)),
        (404, True, Nothing()),
        (410, True, Nothing()),
        (404, False, Failed(Trouble.SERVER_ERROR)),
        (410, False, Failed(Trouble.SERVER_ERROR)),
        (400, False, Failed(Trouble.SERVER_ERROR)),
        (412, False, Failed(Trouble.SERVER_ERROR)),
        (429, False, Failed(Trouble.SERVER_ERROR)),
        (500, True, Failed(Trouble.SERVER_ERROR)),
        (503, False, Failed(Trouble.SERVER_ERROR)),
        (201, False, Failed(Trouble.SERVER_ERROR)),
        (206, False, Failed(Trouble.SERVER_ERROR)),
    ],
)
def test_f15_f16_a_status_other_than_200_is_named_and_not_tried_again(client, net, status, is_read, answer):
    net.get(
        f"{BASE}/Patient/p1",
        json=outcome("x"),
        status=status,
        headers={"Retry-After": "30"},
        content_type="application/fhir+json",
    )

    assert client.get("Patient/p1", token=TOKEN, budget=a_budget(), is_read=is_read) == answer
    assert len(net.calls) == 1


def test_a_404_in_html_is_a_wrong_address_and_no_missing_resource(client, net):
    net.get(f"{BASE}/Patient/p1", body="<html>", status=404, content_type="text/html")

    assert client.get("Patient/p1", token=TOKEN, budget=a_budget(), is_read=True) == Failed(Trouble.SERVER_ERROR)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/html"},
        {"Content-Type": "application/fhir+xml"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/fhir+json", "Content-Encoding": "br"},
        {"Content-Type": "application/fhir+json", "Content-Encoding": "gzip, gzip"},
    ],
)
def test_f17_an_answer_that_is_not_json_as_we_asked_for_it_is_not_read(client, net, headers):
    headers = dict(headers)
    kind = headers.pop("Content-Type")
    net.get(f"{BASE}/Patient/p1", body=b"<html>", headers=headers, content_type=kind)

    assert client.get("Patient/p1", token=TOKEN, budget=a_budget()) == Failed(Trouble.NOT_FHIR)


@pytest.mark.parametrize("kind", ["application/json", "application/fhir+json; charset=utf-8", "Application/JSON+FHIR"])
def test_the_spellings_of_a_fhir_content_type_are_known(client, net, kind):
    net.get(f"{BASE}/Patient/p1", body=b"{}", content_type=kind)

    assert client.get("Patient/p1", token=TOKEN, budget=a_budget()) == b"{}"


@pytest.mark.parametrize(
    "error",
    [
        requests.ReadTimeout(),
        requests.exceptions.SSLError(),
    ],
)
def test_a_timeout_is_not_tried_again(client, net, error):
    net.get(f"{BASE}/Patient/p1", body=error)

    assert client.get("Patient/p1", token=TOKEN, budget=a_budget()) == Failed(Trouble.NOT_ANSWERED)
    assert len(net.calls) == 1


@pytest.mark.parametrize("error", [requests.ConnectionError(), requests.ConnectTimeout()])
def test_a_connection_that_does_not_come_about_is_tried_once_more(client, net, error):
    net.get(f"{BASE}/Patient/p1", body=error)
    net.get(f"{BASE}/Patient/p1", json=PATIENT)

    assert json.loads(client.get("Patient/p1", token=TOKEN, budget=a_budget())) == PATIENT


def test_a_second_try_that_fails_is_the_last(client, net):
    net.get(f"{BASE}/Patient/p1", body=requests.ConnectionError())

    assert client.get("Patient/p1", token=TOKEN, budget=a_budget()) == Failed(Trouble.NOT_ANSWERED)
    assert len(net.calls) == 2


def test_no_second_try_is_made_when_little_time_is_left(client, net, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def refuse(_request):
        now[0] += 1.3
        raise requests.ConnectionError

    net.add_callback("GET", f"{BASE}/Patient/p1", refuse)

    assert client.get("Patient/p1", token=TOKEN, budget=Budget(deadline=102.0, most_bytes=MIB)) == Failed(
        Trouble.NOT_ANSWERED
    )
    assert len(net.calls) == 1


@pytest.mark.parametrize(
    "error", [requests.exceptions.InvalidURL(), requests.exceptions.InvalidHeader(), ValueError(), OSError()]
)
def test_an_odd_error_of_the_library_does_not_escape(client, net, error):
    net.get(f"{BASE}/Patient/p1", body=error)

    assert isinstance(client.get("Patient/p1", token=TOKEN, budget=a_budget()), Failed)


def test_after_the_deadline_nothing_is_asked(client, net):
    assert client.get("Patient/p1", token=TOKEN, budget=a_budget(seconds=-0.001)) == Failed(Trouble.NOT_ANSWERED)
    assert len(net.calls) == 0


def test_a_reset_connection_is_tried_once_more(stub, to_stub):
    stub.answers("Patient/p1", Reply(reset=True), Reply(body=PATIENT))

    assert json.loads(to_stub.get("Patient/p1", token=TOKEN, budget=a_budget())) == PATIENT
    assert len(stub.calls) == 2


def test_an_answer_that_breaks_off_is_no_answer(stub, to_stub):
    stub.answers("Patient/p1", Reply(body=b"{}", headers={"Content-Length": "500", "Connection": "close"}))

    assert isinstance(to_stub.get("Patient/p1", token=TOKEN, budget=a_budget(1.0)), Failed)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_f7_a_redirect_is_not_followed(stub, to_stub, status):
    with running(token=None) as other:
        other.put(PATIENT)
        stub.answers("Patient/p1", Reply(status, headers={"Location": f"{other.base}/Patient/p1"}))

        assert to_stub.get("Patient/p1", token=TOKEN, budget=a_budget()) == Failed(Trouble.SERVER_ERROR)
        assert other.calls == []
    assert len(stub.calls) == 1


class Untouchable(io.BufferedReader):
    """A body that must not be read."""

    def read(self, *_):
        raise AssertionError

    readinto = read1 = read


@pytest.mark.parametrize("status", [302, 401, 404, 500])
def test_f9_the_body_of_a_redirect_or_an_error_is_not_read(client, net, status):
    elsewhere = {"Location": "https://evil.example/"}
    net.get(f"{BASE}/Patient/p1", body=Untouchable(io.BytesIO(b"x")), status=status, headers=elsewhere)

    assert isinstance(client.get("Patient/p1", token=TOKEN, budget=a_budget()), Failed)


def test_f9_what_is_compressed_is_measured_as_it_unfolds(stub, to_stub):
    small, large = json.dumps(bundle()).encode(), b"[" + b"0" * 5_000_000
    gzipped = {"Content-Encoding": "gzip"}
    stub.answers(
        "Observation",
        Reply(body=gzip.compress(small), headers=gzipped),
        Reply(body=gzip.compress(large), headers=gzipped),
    )

    assert to_stub.get("Observation?x=1", token=TOKEN, budget=a_budget()) == small
    assert to_stub.get("Observation?x=1", token=TOKEN, budget=a_budget()) == Failed(Trouble.CUT_SHORT)


def test_f9_a_gzip_that_is_none_is_not_fhir(stub, to_stub):
    stub.answers("Observation", Reply(body=b"no gzip at all", headers={"Content-Encoding": "gzip"}))

    assert to_stub.get("Observation?x=1", token=TOKEN, budget=a_budget()) == Failed(Trouble.NOT_FHIR)


def test_f9_an_answer_over_the_limit_is_cut(stub, to_stub):
    stub.answers("Observation", Reply(body=b" " * 100_000), Reply(body=b" " * 100_001))

    assert to_stub.get("Observation?x=1", token=TOKEN, budget=a_budget()) == b" " * 100_000
    assert to_stub.get("Observation?x=1", token=TOKEN, budget=a_budget()) == Failed(Trouble.CUT_SHORT)


def test_f9_all_answers_of_a_call_share_one_limit(stub, to_stub):
    stub.answers("Observation", Reply(body=b" " * 60_000))
    budget = a_budget(size=100_000)

    assert to_stub.get("Observation?x=1", token=TOKEN, budget=budget) == b" " * 60_000
    assert to_stub.get("Observation?x=1", token=TOKEN, budget=budget) == Failed(Trouble.CUT_SHORT)


def test_f10_a_body_that_drips_in_is_dropped_at_the_deadline(stub, to_stub):
    stub.answers("Patient/p1", Reply(body=b" " * 1_000, drip=0.02))

    assert to_stub.get("Patient/p1", token=TOKEN, budget=a_budget(0.3)) == Failed(Trouble.NOT_ANSWERED)


def test_one_connection_serves_call_after_call(stub, to_stub):
    stub.put(PATIENT)
    for _ in range(3):
        to_stub.get("Patient/p1", token=TOKEN, budget=a_budget())

    assert len({call.connection for call in stub.calls}) == 1


def test_r14_the_library_logs_no_url_whatever_the_log_level_is(stub, to_stub, caplog):
    caplog.set_level(logging.DEBUG)
    stub.answers("Patient/p1", Reply(body=PATIENT), Reply(500), Reply(reset=True))
    for _ in range(3):
        to_stub.get("Patient/p1", token=TOKEN, budget=a_budget(1.0))

    assert "p1" not in caplog.text
    assert TOKEN not in caplog.text


def test_f11_cookies_are_not_sent_back(stub, to_stub):
    stub.answers("Patient/p1", Reply(body=PATIENT, headers={"Set-Cookie": "session=1; Path=/"}))

    for _ in range(2):
        to_stub.get("Patient/p1", token=TOKEN, budget=a_budget())

    assert ["cookie" in call.headers for call in stub.calls] == [False, False]


def test_f11_the_environment_changes_nothing(stub, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    stub.put(PATIENT)
    code = (
        "import time, sys\n"
        "from service.fhir.bounds import *\n"
        "from service.fhir.client import FhirClient\n"
        f"client = FhirClient(FhirBase({stub.base!r}), Limits())\n"
        f"print(client.get('Patient/p1', token={TOKEN!r}, budget=Budget(deadline=time.monotonic() + 5, most_bytes=MIB)))\n"
    )
    environment = {
        **os.environ,
        "NETRC": str(tmp_path / "netrc"),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "none.pem"),
    }

    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )

    assert "Patient" in done.stdout
    assert [call.token for call in stub.calls] == [TOKEN]


NEXT = "Observation?patient=p1&_page=2"


@pytest.mark.parametrize(
    "path", [NEXT, "?_getpages=1-2&_getpagesoffset=3", "Observation/_search?x=a%2Fb..c", "a/b;v=1/c?d=/../"]
)
def test_a_next_link_under_our_base_is_a_path_we_may_ask_for(client, path):
    joint = "" if path.startswith("?") else "/"

    assert client.path_of(f"{BASE}{joint}{path}") == path


@pytest.mark.parametrize(
    "link",
    [
        f"https://evil.example/r4/fhir/{NEXT}",
        f"http://ehr.example/r4/fhir/{NEXT}",
        f"https://ehr.example:8443/r4/fhir/{NEXT}",
        f"https://ehr.example@evil.example/r4/fhir/{NEXT}",
        f"https://EHR.example/r4/fhir/{NEXT}",
        f"{BASE}2/{NEXT}",
        f"{BASE}.evil.example/{NEXT}",
        f"{BASE}/../admin",
        f"{BASE}/./Observation",
        f"{BASE}/%2e%2e/admin",
        f"{BASE}/%252E./admin",
        f"{BASE}/..;/admin",
        f"{BASE}/%2e%2e%3bv=1/admin",
        f"{BASE}/a\\..\\admin",
        f"{BASE}/a%5c..%5cadmin",
        f"{BASE}/{NEXT}#x",
        f"{BASE}/{NEXT} x",
        f"{BASE}/{NEXT}\r\nX: y",
        f"{BASE}/Observation?patient=\u00e9",
        BASE,
        NEXT,
        f"//ehr.example/r4/fhir/{NEXT}",
        "",
        f"{BASE}/{'x' * 9000}",
    ],
)
def test_f8_a_next_link_that_leads_elsewhere_or_is_odd_is_not_followed(client, link):
    assert client.path_of(link) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ehr.example/fhir",
        "ftp://ehr.example/fhir",
        "https://user:word@ehr.example/fhir",
        "https://ehr.example/fhir?x=1",
        "https://ehr.example/fhir#x",
        "https://ehr.example/a/../fhir",
        "https://ehr.example/a b",
        "https:///fhir",
        "https://ehr.example:port/fhir",
        "https://[::1/fhir",
    ],
)
def test_a_base_that_cannot_be_matched_as_text_is_refused_at_the_start(url):
    with pytest.raises(BadSettings):
        FhirBase(url)


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX: y", "a\nb", "caf\u00e9", "x" * 8193])
def test_a_token_that_cannot_stand_in_a_header_is_not_usable(token):
    assert not is_usable_token(token)
    assert is_usable_token("eyJhbGciOi.J9-_~+/=")
