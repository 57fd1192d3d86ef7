import gzip
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from service.errors import DataNotAvailable
from service.hooks.request import MAX_BODY
from tests.contract.cds_hooks import empty_members, faults
from tests.service.stand_ins import a_card, an_answer, an_app, body

CALL = "/cds-services/muscle-patient-view"
CANARY = "canary4711"


def fails(_call):
    raise LookupError(CANARY)


def nothing_to_be_had(_call):
    raise DataNotAvailable("None of the data this service needs was sent: send prefetch for problems.")


def is_a_refusal(response, status, code):
    assert response.status_code == status
    assert response.content_type == "application/json"
    outcome = response.get_json()
    OperationOutcome.model_validate(outcome)
    assert outcome["issue"][0]["code"] == code
    assert outcome["id"] == response.headers["X-Correlation-ID"]
    assert empty_members(outcome) == []
    assert not any(word in response.text for word in (CANARY, "Traceback", ".py", "<", "Error"))


def has_the_usual_headers(response):
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Correlation-ID"]


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_discovery_answers_with_and_without_a_slash(path):
    response = an_app().test_client().get(path)

    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert faults("discovery", response.get_json()) == []
    has_the_usual_headers(response)


@pytest.mark.parametrize("path", [CALL, CALL + "/", "/cds-services//muscle-patient-view"])
def test_a_call_is_answered_with_cards(path):
    response = an_app().test_client().post(path, data=body())

    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert len(response.get_json()["cards"]) == 1
    assert faults("response", response.get_json()) == []
    assert empty_members(response.get_json()) == []
    has_the_usual_headers(response)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/fhir+json", "text/plain", None,
     "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)  # fmt: skip
def test_the_content_type_of_a_request_is_not_looked_at(content_type):
    assert an_app().test_client().post(CALL, data=body(), content_type=content_type).status_code == 200


def test_every_advertised_service_answers_at_its_address():
    client = an_app().test_client()
    for entry in client.get("/cds-services").get_json()["services"]:
        context = {"patientId": "pat-1", "draftOrders": {"resourceType": "Bundle"}}
        response = client.post(f"/cds-services/{entry['id']}", data=body(hook=entry["hook"], context=context))
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/cds-services/canary4711", 404, "not-found"),
        ("POST", "/cds-services/muscle-order-dispatch", 404, "not-found"),
        ("GET", "/cds", 404, "not-found"),
        ("GET", "/canary4711?canary4711=1", 404, "not-found"),
        ("GET", CALL, 405, "not-supported"),
        ("DELETE", CALL, 405, "not-supported"),
        ("BREW", CALL, 405, "not-supported"),
        ("POST", "/cds-services", 405, "not-supported"),
        ("GET", CALL + "/feedback", 405, "not-supported"),
        ("POST", "/cds-services/canary4711/feedback", 404, "not-found"),
    ],
)
def test_what_is_not_there_is_refused_in_json(method, path, status, code):
    response = an_app().test_client().open(path, method=method, data=body())

    is_a_refusal(response, status, code)
    has_the_usual_headers(response)
    if status == 405:
        assert response.headers["Allow"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, identity", "canary4711"])
def test_an_encoded_body_is_refused(encoding):
    raw = gzip.compress(body())
    is_a_refusal(
        an_app().test_client().post(CALL, data=raw, headers={"Content-Encoding": encoding}), 415, "not-supported"
    )


def test_a_body_said_to_be_plain_is_taken():
    response = an_app().test_client().post(CALL, data=body(), headers={"Content-Encoding": "Identity"})

    assert response.status_code == 200


def test_a_body_over_the_limit_is_refused_whole():
    is_a_refusal(an_app().test_client().post(CALL, data=b" " * (MAX_BODY + 1)), 413, "too-long")


class Line(io.BytesIO):
    """The body as a server hands it over: how much was asked for each time is written down; it may break."""

    def __init__(self, sent, *, breaks=False):
        super().__init__(sent)
        self.asked = []
        self.breaks = breaks

    def read(self, size=-1):
        self.asked.append(size)
        if self.breaks:
            raise ConnectionResetError(CANARY)
        return super().read(size)


def told(line, length):
    """How the test client is asked to send a body of which this length is told."""
    return {"input_stream": line, "environ_overrides": {"CONTENT_LENGTH": str(length)}}


def test_a_body_whose_length_is_told_is_read_in_one_piece_and_not_beyond():
    raw = body(padding="x" * 300_000)
    line = Line(raw + b"the next request")

    response = an_app().test_client().post(CALL, **told(line, len(raw)))

    assert response.status_code == 200
    assert line.asked == [len(raw)]


def test_a_connection_that_breaks_in_the_middle_of_a_body_is_no_defect_of_ours():
    lines = []
    line = Line(b"", breaks=True)

    is_a_refusal(an_app(lines=lines).test_client().post(CALL, **told(line, 100)), 400, "invalid")
    assert [json.loads(line)["errors"] for line in lines] == [["ClientDisconnected"]]


def test_a_body_that_is_shorter_than_was_told_is_refused():
    raw = body()
    line = Line(raw[:-1])

    is_a_refusal(an_app().test_client().post(CALL, **told(line, len(raw))), 400, "invalid")


@pytest.mark.parametrize("raw", [b"", b"canary4711", b"[]", b"[" * 2000, body(hook="encounter-start"), b'{"hook":NaN}'])
def test_bad_input_is_refused_and_never_repeated(raw):
    is_a_refusal(an_app().test_client().post(CALL, data=raw), 400, "invalid")


def test_a_defect_is_a_500_that_says_nothing_of_itself_and_the_next_call_is_served():
    client = an_app(fails).test_client()

    is_a_refusal(client.post(CALL, data=body()), 500, "exception")
    assert client.get("/cds-services").status_code == 200


def test_nothing_to_be_had_is_a_412_that_names_the_keys():
    response = an_app(nothing_to_be_had).test_client().post(CALL, data=body())

    is_a_refusal(response, 412, "incomplete")
    assert "problems" in response.get_json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("path", ["/cds-services", CALL, CALL + "/feedback"])
def test_a_preflight_is_answered_on_all_three_paths_in_the_demo_profile(path):
    asks = {"Origin": "https://sandbox.example", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
    response = an_app().test_client().options(path, headers=asks)

    assert response.status_code in (200, 204)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert response.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, Accept"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(("raw", "status"), [(body(), 200), (b"[]", 400)])
def test_cors_headers_are_on_answers_and_on_refusals(raw, status):
    response = an_app().test_client().post(CALL, data=raw, headers={"Origin": "https://sandbox.example"})

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_head_of_discovery_has_no_body():
    response = an_app().test_client().head("/cds-services")

    assert (response.status_code, response.data) == (200, b"")


def test_a_junk_bearer_header_is_not_looked_at_in_the_demo_profile():
    response = an_app().test_client().post(CALL, data=body(), headers={"Authorization": "Bearer junk"})

    assert response.status_code == 200


def test_calls_side_by_side_do_not_mix():
    def advise(call):
        return an_answer(a_card(summary=f"For {call.patient_id}"), patient_id=call.patient_id)

    app = an_app(advise)

    def ask(number):
        raw = body(context={"patientId": f"p{number}"}, prefetch=None)
        return app.test_client().post(CALL, data=raw).get_json()["cards"][0]

    with ThreadPoolExecutor(8) as pool:
        cards = list(pool.map(ask, range(40)))

    assert [card["summary"] for card in cards] == [f"For p{number}" for number in range(40)]
    drafts = [card["suggestions"][0]["actions"][0]["resource"]["subject"]["reference"] for card in cards]
    assert drafts == [f"Patient/p{number}" for number in range(40)]


def test_the_same_call_twice_gives_the_same_advice():
    client = an_app().test_client()

    def without_uuids(value):
        return json.loads(json.dumps(value), object_hook=lambda one: {k: v for k, v in one.items() if k != "uuid"})

    first, second = (client.post(CALL, data=body()).get_json() for _ in range(2))
    assert first != second
    assert without_uuids(first) == without_uuids(second)
