"""A worker that is killed in the night has another in its place, whatever became of the files since the start: what a
start refuses in words may not end a service that answers.
"""

import http.client
import json
import os
import shutil
import signal
from contextlib import suppress

import pytest
from joserfc.jwk import ECKey

from service.server import _harmless_part
from tests.faults.process import children, needs_proc, workers_of
from tests.faults.production import claims, production, until
from tests.service.hooks.tokens import headers, public, signed
from tests.service.stand_ins import body
from tests.service.test_metrics import samples, scraped
from tests.service.test_server import CALL, server

NEW = ECKey.generate_key("P-384", {"kid": "new"})


def kill(worker, those):
    """End a worker as the kernel does when memory is short, and wait until ``those``, asked again, have another."""
    before = those()
    os.kill(worker, signal.SIGKILL)
    assert until(lambda: len(those()) == len(before) and worker not in those())


def answers(service):
    """Whether a hook is answered, once the new worker is there."""

    def answered():
        with suppress(OSError, http.client.HTTPException):
            return service.ask("POST", CALL, body())[0] == 200
        return False

    return until(answered)


def by_new_key():
    return signed(claims(), headers(kid="new"), NEW)


@needs_proc
def test_a_key_file_that_is_broken_costs_no_worker_and_is_read_when_that_is_asked_for(tmp_path):
    with production(tmp_path) as service:
        keys = tmp_path / "jwks.json"
        keys.write_text("{")
        kill(service.workers()[0], service.workers)
        assert [service.status() for _ in range(6)] == [200] * 6

        before = service.workers()
        service.process.send_signal(signal.SIGHUP)
        assert until(lambda: any("SIGHUP was not followed" in line.get("said", "") for line in service.lines))
        assert service.workers() == before
        assert [service.status() for _ in range(6)] == [200] * 6

        keys.write_text(json.dumps(public(NEW)))
        assert service.status(by=by_new_key()) == 401
        service.process.send_signal(signal.SIGHUP)
        assert until(lambda: not set(service.workers()) & set(before) and len(service.workers()) == len(before))
        kill(service.workers()[0], service.workers)
        assert [service.status(by=by_new_key()) for _ in range(6)] == [200] * 6  # not by the keys of the start
        assert service.status() == 401
        code, _, err = service.stop()

    assert (code, err) == (0, "")


@needs_proc
def test_an_audit_file_that_cannot_be_had_any_more_costs_events_and_no_worker(tmp_path):
    folder = tmp_path / "audit"
    folder.mkdir()
    settings = {"MUSCLE_CDS_AUDIT": "redacted", "MUSCLE_CDS_AUDIT_FILE": str(folder / "events")}
    with server("serve", MUSCLE_CDS_PROFILE="demo", **settings) as running:
        shutil.rmtree(folder)
        kill(*workers_of(running, 1), lambda: children(running.process.pid))
        assert answers(running)
        folder.mkdir()
        assert until(lambda: answers(running) and (folder / "events").exists())
        code, out, err = running.stop()

    assert (code, err) == (0, "")
    assert "Worker (pid:" in out
    assert "was sent SIGKILL! Perhaps out of memory?" in out  # who looks for the reason finds it


@needs_proc
@pytest.mark.parametrize("room", [True, False])
def test_metrics_that_cannot_be_written_cost_numbers_and_no_worker(tmp_path, free_port, room):
    """The temporary folder was cleaned up; and, without ``room``, nothing can be written there any more."""
    environment = {
        "MUSCLE_CDS_PROFILE": "demo",
        "MUSCLE_CDS_METRICS_ADDRESS": f"127.0.0.1:{free_port}",
        "TMPDIR": str(tmp_path),
    }
    with server("serve", **environment) as running:
        _metrics, worker = workers_of(running, 2)
        assert answers(running)
        (folder,) = tmp_path.glob("muscle-cds-metrics-*")
        shutil.rmtree(folder)
        if not room:
            folder.write_text("in the way")
        kill(worker, lambda: children(running.process.pid))
        assert answers(running)
        counted = samples(scraped(free_port))["muscle_cds_hooks_total", "cards", "patient-view"]
        code, out, err = running.stop()

    assert (code, err) == (0, "")
    assert (counted, "This worker counts nothing" in out) == ((1, False) if room else (0, True))


@pytest.mark.parametrize(
    ("message", "arguments", "told"),
    [
        ("WORKER TIMEOUT (pid:%s)", (17,), "WORKER TIMEOUT (pid:17)"),
        ("Worker (pid:%s) was sent %s!", (17, "SIGABRT"), "Worker (pid:17) was sent SIGABRT!"),
        ("Worker (pid:%s) was sent %s!", (17, "a name"), "Worker (pid:17) was sent"),
        ("Error handling request %s", ("/a/b?c=d",), "Error handling request"),
        ("Nothing to fill in", (), "Nothing to fill in"),
        (ValueError("x"), (), ""),
    ],
)
def test_the_log_of_the_server_tells_of_processes_and_signals_and_of_nothing_that_was_sent(message, arguments, told):
    assert _harmless_part(message, arguments) == told
