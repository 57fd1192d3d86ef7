"""The audit stream: an AuditEvent for each hook call, apart from the log, and never in the way of a call (R14)."""

import base64
import errno
import json
import os
import stat
import threading
import time
from datetime import UTC, datetime

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from service.app import close_app, create_app
from service.audit import Audited, AuditTrail, appender
from service.errors import BadSettings
from service.settings import Audit, Profile, Settings, load
from service.store import MemoryStore
from tests.contract.cds_hooks import empty_members
from tests.service.hooks.tokens import a_client, bearer, claims, headers, signed
from tests.service.hooks.tokens import a_production_app as production
from tests.service.stand_ins import a_request, advises, body, parts
from tests.service.test_server import server

CALL = "/cds-services/muscle-patient-view"
NOW = datetime(2026, 6, 15, 9, tzinfo=UTC)
MASKED = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}


def an_app(file, audit=Audit.FULL, advise=None, **settings):
    made = Settings(profile=Profile.DEMO, audit=audit, audit_file=str(file), **settings)
    return create_app(made, parts(), advise=advise or advises(), store=MemoryStore(), now=lambda: NOW)


def events(app, file):
    close_app(app)
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def entity(event, code):
    (found,) = [one for one in event["entity"] if one["type"]["code"] == code]
    return found


def agent(event, code):
    return next((one for one in event["agent"] if one["type"]["coding"][0]["code"] == code), None)


def audited(**changed):
    return Audited(
        **{
            "at": NOW, "service": "muscle-patient-view", "client": "ehr", "peer": "10.0.0.1", "patient_id": "p1",
            "user": "Practitioner/gp", "status": 200, "correlation_id": "abc",
        } | changed
    )  # fmt: skip


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("changed", [{}, {"user": ""}, {"peer": ""}, {"status": 412}, {"status": 500}])
def test_every_event_is_an_audit_event_of_fhir_r4(full, changed):
    event = AuditTrail(print, full=full, address="https://cds.example").event(audited(**changed))

    AuditEvent.model_validate(event)
    assert empty_members(event) == []


def test_a_call_is_told_after_the_pattern_of_ihe(tmp_path):
    file = tmp_path / "audit.ndjson"
    app = an_app(file)
    app.test_client().post(CALL, data=body(), headers={"X-Correlation-ID": "abc-1"})
    (event,) = events(app, file)

    assert event["meta"]["profile"] == [
        "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery"
    ]
    assert (event["type"]["code"], event["action"], event["outcome"]) == ("rest", "E", "0")
    assert event["recorded"] == "2026-06-15T09:00:00.000+00:00"
    assert entity(event, "1")["what"] == {"reference": "Patient/pat-1"}
    assert entity(event, "1")["role"]["code"] == "1"
    assert entity(event, "2")["role"]["code"] == "24"
    assert base64.b64decode(entity(event, "2")["query"]) == b"POST /cds-services/muscle-patient-view"
    assert entity(event, "XrequestId")["what"]["identifier"]["value"] == "abc-1"
    assert agent(event, "IRCP")["who"] == {"reference": "Practitioner/gp-1"}
    assert agent(event, "110153")["network"] == {"address": "127.0.0.1", "type": "2"}
    assert agent(event, "110152")["requestor"] is False


def test_redacted_names_neither_patient_nor_user(tmp_path):
    file = tmp_path / "audit.ndjson"
    app = an_app(file, Audit.REDACTED)
    app.test_client().post(CALL, data=body())
    (event,) = events(app, file)

    assert entity(event, "1")["what"] == agent(event, "IRCP")["who"] == MASKED
    assert "pat-1" not in file.read_text()
    assert "gp-1" not in file.read_text()


def test_off_writes_nothing(tmp_path):
    file = tmp_path / "audit.ndjson"
    app = an_app(file, Audit.OFF)
    app.test_client().post(CALL, data=body())

    assert events(app, file) == []
    assert not file.exists()


def test_the_client_is_named_as_in_the_settings_and_a_refused_one_is_not_audited(tmp_path):
    file = tmp_path / "audit.ndjson"
    app = production(a_client(tmp_path), audit=Audit.FULL, audit_file=str(file))
    client = app.test_client()
    assert client.post(CALL, data=body()).status_code == 401
    assert client.post(CALL, data=body(), headers=bearer(signed(claims(), headers()))).status_code == 200
    (event,) = events(app, file)

    assert agent(event, "110153")["who"] == {"identifier": {"value": "ehr"}}


@pytest.mark.parametrize("user", ["Practitioner/a b", "Practitioner/<x>", "someone", "Patient/\n", 7, "Device/1"])
def test_a_user_that_is_no_reference_is_left_out(tmp_path, user):
    file = tmp_path / "audit.ndjson"
    app = an_app(file)
    app.test_client().post(CALL, data=json.dumps(a_request(context={"patientId": "pat-1", "userId": user})))
    (event,) = events(app, file)

    assert agent(event, "IRCP") is None


def test_a_call_that_failed_has_its_outcome_and_a_body_that_was_not_read_has_no_event(tmp_path):
    def breaks(_call):
        raise LookupError

    file = tmp_path / "audit.ndjson"
    app = an_app(file, advise=breaks)
    app.test_client().post(CALL, data=body())
    app.test_client().post(CALL, data=b"[]")
    (event,) = events(app, file)

    assert event["outcome"] == "8"
    assert "meta" not in event


def test_a_call_never_waits_for_the_stream_and_what_is_lost_is_counted():
    holds, inside = threading.Event(), threading.Event()

    def append(_lines):
        inside.set()
        assert holds.wait(20)

    trail = AuditTrail(append, full=True, address="x")
    trail.take(audited())
    assert inside.wait(10)
    began = time.monotonic()
    for _ in range(6_000):
        trail.take(audited())
    assert time.monotonic() - began < 5
    assert trail.dropped == 1_000
    holds.set()
    trail.close()


def test_a_stream_that_cannot_be_written_costs_events_and_no_call(tmp_path):
    file = tmp_path / "gone" / "audit.ndjson"
    file.parent.mkdir()
    lines = []
    app = an_app(file)
    file.unlink()
    file.parent.rmdir()
    client = app.test_client()
    assert client.post(CALL, data=body()).status_code == 200
    close_app(app)
    assert lines == []


def test_the_file_is_for_its_owner_alone_and_may_be_moved_away(tmp_path):
    file = tmp_path / "audit.ndjson"
    append = appender(str(file))
    append(b"1\n")
    append(b"2\n")
    file.rename(tmp_path / "audit.1")
    append(b"3\n")

    assert (tmp_path / "audit.1").read_bytes() == b"1\n2\n"
    assert file.read_bytes() == b"3\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_disk_that_fills_up_leaves_whole_lines_and_nothing_of_those_that_are_counted_as_lost(tmp_path, monkeypatch):
    """What fits of a write is written; the half line would stand before the first event after somebody made room."""
    file = tmp_path / "audit"
    append = appender(str(file))
    append(b"1\n")
    write, room = os.write, [4]

    def into_what_is_left(descriptor, data):
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= (written := write(descriptor, data[: room[0]]))
        return written

    monkeypatch.setattr(os, "write", into_what_is_left)
    with pytest.raises(OSError, match="No space left"):
        append(b"2\n3333\n")
    monkeypatch.undo()
    append(b"4\n")

    assert file.read_bytes() == b"1\n4\n"


def test_a_file_that_cannot_be_written_stops_the_start():
    with pytest.raises(BadSettings, match="audit_file cannot be written"):
        appender("/proc/no/such/folder/audit")


def test_a_stream_without_a_place_to_go_is_no_setting():
    with pytest.raises(BadSettings, match="audit_file must say"):
        load({"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_AUDIT": "full"})
    with pytest.raises(BadSettings, match="must be off, redacted or full"):
        load({"MUSCLE_CDS_AUDIT": "some"})


def test_the_stream_can_be_standard_error_apart_from_the_log():
    settings = {"MUSCLE_CDS_AUDIT": "redacted", "MUSCLE_CDS_AUDIT_FILE": "stderr", "MUSCLE_CDS_PROFILE": "demo"}
    with server("serve", **settings) as running:
        running.ask("POST", CALL, body())
        code, out, err = running.stop()

    assert code == 0
    assert [json.loads(line)["resourceType"] for line in err.splitlines()] == ["AuditEvent"]
    assert "AuditEvent" not in out
