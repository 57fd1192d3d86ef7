import json
import logging
import re
import sys
import threading
from dataclasses import fields
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from service.observe import AccessLog, Record, correlation_id, speak_json
from tests.service.stand_ins import a_card, a_request, advises, an_app

CALL = "/cds-services/muscle-patient-view"
CANARY = "c4n4ry"
FIELDS = {"time", "event", "level"} | {row.name for row in fields(Record)}


def logged(lines):
    return [json.loads(line) for line in lines]


def planted(value):
    """The same request with the canary in every text, name and key that may hold one."""
    if isinstance(value, dict):
        return {name: planted(member) for name, member in value.items()} | {f"x-{CANARY}": CANARY}
    if isinstance(value, list):
        return [planted(one) for one in value]
    return f"{value}-{CANARY}" if isinstance(value, str) else value


def test_a_call_is_one_line_of_known_fields():
    lines = []
    app = an_app(advises(a_card(), failed_topics=("ck",), errors=(ValueError(CANARY),)), lines=lines)
    app.test_client().post(CALL, data=json.dumps(a_request(hookInstance="7")), headers={"X-Correlation-ID": "abc-1"})

    (line,) = logged(lines)
    assert line.pop("ms") >= 0
    assert line == {
        "time": "2026-06-15T09:00:00.000+00:00",
        "event": "request",
        "level": "warning",
        "correlation_id": "abc-1",
        "method": "POST",
        "route": "/cds-services/<service_id>",
        "hook": "patient-view",
        "service": "muscle-patient-view",
        "status": 200,
        "cards": [{"topic": "missing-tests", "indicator": "info", "rules": "P14"}],
        "inputs": {"results": "complete", "medicines": "failed"},
        "unmapped": {"results": 2},
        "oddities": ["hookInstance-not-uuid"],
        "content": "1.2.3",
        "failed_topics": ["ck"],
        "errors": ["ValueError"],
    }


def test_silence_is_logged_with_its_reason():
    lines = []
    an_app(advises(silent_because="no-symptom"), lines=lines).test_client().post(CALL, data=json.dumps(a_request()))

    assert logged(lines)[0]["silent_because"] == "no-symptom"


def breaks(_call):
    raise LookupError(CANARY)


@pytest.mark.parametrize("advise", [advises(a_card()), breaks])
def test_no_part_of_a_request_is_ever_logged(advise, capfd):
    lines = []
    client = an_app(advise, lines=lines).test_client()
    whole = a_request(
        context={"patientId": CANARY, "userId": f"Practitioner/{CANARY}", "encounterId": CANARY},
        fhirServer=f"https://{CANARY}.example/fhir",
        fhirAuthorization={"access_token": CANARY, "token_type": "Bearer", "scope": CANARY, "subject": CANARY},
        prefetch={"patient": {"resourceType": "Patient", "id": CANARY, "name": [{"text": CANARY}]}},
        extension={CANARY: CANARY},
    )
    headers = {
        "Authorization": f"Bearer {CANARY}",
        "X-Correlation-ID": f"{CANARY}\tforged",
        "traceparent": f"00-{CANARY}",
        "User-Agent": CANARY,
        "Origin": f"https://{CANARY}.example",
        f"X-{CANARY}": CANARY,
    }
    bodies = [
        whole,
        planted(a_request()),
        [CANARY],
        CANARY,
        a_request(hook=CANARY),
        a_request(context={"patientId": f"../{CANARY}"}),
    ]
    for sent in bodies:
        for path in (CALL, f"{CALL}?q={CANARY}", f"/cds-services/{CANARY}", f"/{CANARY}"):
            client.post(path, data=json.dumps(sent), headers=headers)
    client.open(CALL, method=CANARY.upper(), headers=headers)
    client.post(CALL, data=CANARY.encode() + b"\xff", headers=headers)

    assert len(lines) == 6 * 4 + 2
    assert CANARY not in "".join(lines).lower()
    assert set().union(*logged(lines)) <= FIELDS
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"X-Correlation-ID": "abc-123"}, "abc-123"),
        (
            {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
            "0af7651916cd43dd8448eb211c80319c",
        ),
        ({"X-Correlation-ID": "a" * 64}, "a" * 64),
        ({"X-Correlation-ID": "a" * 65}, None),
        ({"X-Correlation-ID": "abc\n"}, None),
        ({"X-Correlation-ID": 'a"b'}, None),
        ({"X-Correlation-ID": ""}, None),
        ({"traceparent": "00-x-y-01"}, None),
        ({}, None),
    ],
)
def test_a_correlation_id_is_taken_only_in_its_right_form(headers, taken):
    given = correlation_id(headers.get)

    assert given == taken or (taken is None and re.fullmatch("[0-9a-f]{32}", given))


@pytest.mark.parametrize(("least", "statuses"), [("info", [200, 404, 500]), ("warning", [404, 500]), ("error", [500])])
def test_the_level_says_which_requests_are_logged(least, statuses):
    lines = []
    log = AccessLog(lines.append, lambda: datetime(2026, 6, 15, tzinfo=UTC), least)
    log.request(Record("a", status=200))
    log.request(Record("a", status=404, errors=["UnknownService"]))
    log.request(Record("a", status=500, errors=["LookupError"]))

    assert [line["status"] for line in logged(lines)] == statuses


# --- what libraries say ----------------------------------------------------------------------------------------------


@pytest.fixture
def spoken():
    """The log of a process that speaks JSON only, for the time of one test."""
    root = logging.getLogger()
    before = list(root.handlers), root.level, threading.excepthook, sys.unraisablehook
    lines = []
    speak_json(AccessLog(lines.append, lambda: datetime(2026, 6, 15, tzinfo=UTC), "warning"))
    yield lines
    logging.captureWarnings(capture=False)
    root.handlers[:], level, threading.excepthook, sys.unraisablehook = before
    root.setLevel(level)


def test_what_a_library_says_is_a_line_without_its_arguments(spoken, capfd):
    log = logging.getLogger("library.connectionpool")
    log.error("Connection to %s lost", CANARY, exc_info=LookupError(CANARY))
    log.warning("no place for " + CANARY)  # noqa: G003 -- as some libraries do
    log.info("not said %s", CANARY)

    first, second = logged(spoken)
    assert (first["said"], first["library"], first["error"]) == ("Connection to", "library", "LookupError")
    assert second["level"] == "warning"
    assert CANARY not in "".join(spoken)
    assert capfd.readouterr() == ("", "")


def test_a_thread_that_breaks_and_a_defect_nobody_catches_are_lines_without_their_texts(spoken, capfd):
    def breaks():
        raise LookupError(CANARY)

    thread = threading.Thread(target=breaks)
    thread.start()
    thread.join()
    sys.unraisablehook(SimpleNamespace(exc_type=ValueError, exc_value=ValueError(CANARY), object=None, err_msg=CANARY))

    assert [line["error"] for line in logged(spoken)] == ["LookupError", "ValueError"]
    assert CANARY not in "".join(spoken)
    assert capfd.readouterr() == ("", "")


def test_a_trace_of_zeros_is_none():
    given = correlation_id({"traceparent": f"00-{'0' * 32}-b7ad6b7169203331-01"}.get)

    assert given != "0" * 32
