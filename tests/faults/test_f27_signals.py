"""F27: what a process does when it is told to end, to begin anew, is killed, or its caller is gone."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from service.app import close_app, create_app
from service.settings import Profile, Settings
from tests.faults import story
from tests.faults.figures import record
from tests.faults.process import children, needs_proc, worker_of, workers_of
from tests.faults.server import FaultyServer, delay, running, silent
from tests.service.stand_ins import parts
from tests.service.test_server import Running, server

CALL = f"/cds-services/{story.PATIENT_VIEW}"
AT_ONCE = 8
DRAIN = 1  # second; five where nothing else is said
DEADLINE_MS = 1_500


@contextmanager
def a_service(fhir: FaultyServer, **more: str) -> Iterator[Running]:
    environment = {
        "MUSCLE_CDS_PROFILE": "demo",
        "MUSCLE_CDS_FHIR_BASES": fhir.ehr("signals").base,
        "MUSCLE_CDS_DEADLINE_MS": str(DEADLINE_MS),
    }
    with server("serve", **environment | more) as up:
        yield up


@pytest.fixture
def slow() -> Iterator[FaultyServer]:
    """A FHIR server that takes its time with the results and is silent for good about the family history."""
    with running() as fhir:
        ehr = fhir.ehr("signals")
        ehr.put(*story.record())
        ehr.answers("Observation", delay(0.6))
        ehr.answers("FamilyMemberHistory", silent())
        yield fhir


class Callers:
    """Calls under way at the same time, each with a thread of its own."""

    def __init__(self, service: Running, fhir: FaultyServer, count: int = AT_ONCE) -> None:
        self._service, self._ehr = service, fhir.ehr("signals")
        self.answers: list[story.Answer] = []
        self.broken: list[Exception] = []
        self._threads = [threading.Thread(target=self._call) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        try:
            self.answers.append(story.ask(self._service, story.body(self._ehr)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.broken.append(error)

    def under_way(self, count: int = AT_ONCE) -> None:
        """Wait until so many have asked the FHIR server."""
        for _ in range(400):
            if len(self._ehr.asked("Observation")) >= count:
                return
            time.sleep(0.01)
        raise AssertionError(f"only {len(self._ehr.asked('Observation'))} calls are under way")

    def wait(self) -> list[story.Answer]:
        for thread in self._threads:
            thread.join(20)
        assert self.broken == []
        return self.answers


def lives(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.alone
@needs_proc
def test_sigterm_with_calls_under_way_not_ready_then_finish_then_end(slow: FaultyServer) -> None:
    with a_service(slow, MUSCLE_CDS_DRAIN_SECONDS=str(DRAIN), MUSCLE_CDS_WORKERS="2") as service:
        workers = workers_of(service, 2)
        callers = Callers(service, slow)
        callers.under_way()
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        ready, answered = [], []
        while service.process.poll() is None and time.monotonic() - began < 20:
            with suppress(OSError, http.client.HTTPException):
                ready.append((time.monotonic() - began, service.ask("GET", "/readyz")[0]))
                answered.append(service.ask("GET", "/livez")[0])
            time.sleep(0.05)
        answers = callers.wait()
        code = service.process.wait(20)
        took = time.monotonic() - began
        out, err = service.printed()

    assert [answer.status for answer in answers] == [200] * AT_ONCE
    assert all(story.notes(answer.cards) for answer in answers)  # what did not answer is named
    not_ready = [at for at, status in ready if status == 503]
    assert not_ready
    assert min(not_ready) < DRAIN  # at once, not when the port is closed
    assert all(status == 503 for at, status in ready if at > min(not_ready))
    assert set(answered) == {200}  # it lives, and says so, until the end
    assert (code, err) == (0, "")
    assert took >= DRAIN
    assert not any(lives(worker) for worker in workers)
    assert len([line for line in lines(out) if line.get("status") == 200]) >= AT_ONCE
    record("F27", f"{AT_ONCE} calls under way at SIGTERM that were answered whole", len(answers))
    record("F27", f"SIGTERM to exit 0, waiting {DRAIN} s, deadline {DEADLINE_MS} ms", took, "s")


@pytest.mark.alone
def test_calls_that_come_while_it_drains_are_still_answered(slow: FaultyServer) -> None:
    with a_service(slow, MUSCLE_CDS_DRAIN_SECONDS="2") as service:
        service.process.send_signal(signal.SIGTERM)
        for _ in range(200):
            if service.ask("GET", "/readyz")[0] == 503:
                break
        assert story.ask(service, story.body(slow.ehr("signals"))).status == 200
        service.process.send_signal(signal.SIGTERM)  # enough: do not wait any longer
        began = time.monotonic()
        assert service.process.wait(20) == 0

    assert time.monotonic() - began < 1.9


@needs_proc
def test_who_comes_while_the_last_calls_are_finished_is_refused_at_once_and_not_left_at_the_port(
    slow: FaultyServer,
) -> None:
    """A connection that is taken and never served keeps a caller waiting, and a proxy from asking another copy."""
    with a_service(slow, MUSCLE_CDS_WORKERS="2") as service:
        callers = Callers(service, slow, 2)
        callers.under_way(2)
        service.process.send_signal(signal.SIGTERM)
        met: list[object] = []
        while service.process.poll() is None:
            try:
                met.append(service.ask("GET", "/livez")[0])
            except (OSError, http.client.HTTPException) as error:
                met.append(type(error))
            time.sleep(0.02)
        assert [answer.status for answer in callers.wait()] == [200] * 2

    assert set(met) <= {200, ConnectionRefusedError}
    assert met[-1] is ConnectionRefusedError


@needs_proc
def test_sighup_replaces_the_workers_and_costs_no_call(slow: FaultyServer) -> None:
    with a_service(slow, MUSCLE_CDS_WORKERS="2") as service:
        before = workers_of(service, 2)
        callers = Callers(service, slow)
        callers.under_way()
        service.process.send_signal(signal.SIGHUP)
        assert [answer.status for answer in callers.wait()] == [200] * AT_ONCE
        for _ in range(400):
            now = children(service.process.pid)
            if len(now) == 2 and not set(now) & set(before):
                break
            time.sleep(0.05)
        assert len(now) == 2
        assert not set(now) & set(before)
        assert not any(lives(worker) for worker in before)
        assert story.ask(service, story.body(slow.ehr("signals"))).status == 200
        code, out, err = service.stop()

    assert (code, err) == (0, "")
    assert all(line["level"] == "info" for line in lines(out))


@needs_proc
def test_a_worker_that_is_killed_is_replaced_and_half_an_answer_is_none(slow: FaultyServer) -> None:
    with a_service(slow, MUSCLE_CDS_WORKERS="1") as service:
        worker = worker_of(service)
        callers = Callers(service, slow, 2)
        callers.under_way(2)
        os.kill(worker, signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(AssertionError):
            callers.wait()
        assert callers.answers == []  # the callers know: the connection broke before the first byte
        while True:
            with suppress(OSError, http.client.HTTPException):
                if service.ask("GET", "/livez")[0] == 200:
                    break
            assert time.monotonic() - began < 20
            time.sleep(0.05)
        back = time.monotonic() - began
        assert story.ask(service, story.body(slow.ehr("signals"))).status == 200
        code, out, _ = service.stop()

    assert code == 0
    assert any(line["event"] == "process" and line["level"] == "error" for line in lines(out))
    record("F27", "worker killed, until another answers", back, "s")


@needs_proc
def test_a_caller_that_hangs_up_costs_nothing(slow: FaultyServer) -> None:
    with a_service(slow, MUSCLE_CDS_THREADS="8") as service:
        raw = story.body(slow.ehr("signals"))
        head = f"POST {CALL} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
        for sent in (head, head + raw[:50], head + raw, head + raw, head + raw):
            with socket.create_connection(("127.0.0.1", service.port)) as line:
                line.sendall(sent)
        time.sleep(DEADLINE_MS / 1000)
        for _ in range(3):
            assert story.ask(service, raw).status == 200
        code, out, err = service.stop()

    assert (code, err) == (0, "")
    assert not any(line["level"] == "error" for line in lines(out))


def test_an_application_that_is_closed_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with running() as fhir:
        ehr = fhir.ehr("signals")
        settings = Settings(profile=Profile.DEMO, fhir_bases=(ehr.base,), deadline_ms=2_000)
        app = create_app(settings, parts())
        assert app.test_client().post(CALL, data=story.body(ehr)).status_code in (200, 412, 500)
        ours = {one for one in threading.enumerate() if one.name.startswith(("fhir", "cards-shown", "audit"))} - before
        assert ours
        close_app(app)
        for one in ours:
            one.join(5)

    assert not [one for one in ours if one.is_alive()]
