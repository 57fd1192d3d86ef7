"""The real server command on a free loopback port."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.answers import problems
from tests.contract.cds_hooks import faults
from tests.fhir_stub import TOKEN
from tests.ports import free_port
from tests.repository import ROOT
from tests.service.stand_ins import body

CALL = "/cds-services/muscle-patient-view"
CANARY = "c4n4ry"
FULL = Path("/dev/full")


watchers = []
"""Told of all that leaves a server but its cards: of which kind, and the bytes. The canary of the fault suite is one."""


def tell(kind, raw):
    for watcher in watchers:
        watcher(kind, raw)


class Running:
    def __init__(self, process, port, out, err):
        self.process, self.port, self._printed = process, port, (out, err)

    def ask(self, method, path, raw=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, raw, headers)
            response = connection.getresponse()
            status, sent, answer = response.status, dict(response.getheaders()), response.read()
            assert problems(method, path, status, sent.get("Content-Type"), answer) == []
            if status >= 300:
                tell("refusal", answer)
            return status, sent, answer
        finally:
            connection.close()

    def send(self, raw):
        """Bytes over a bare socket, and all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    def stop(self):
        """Ask it to end as a container engine would; its exit status and all it printed."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return self.process.returncode, *self.printed()

    def printed(self):
        """All that it wrote so far, to standard output and to standard error."""
        texts = []
        for file in self._printed:
            if file is None:  # it went where nobody reads
                texts.append("")
                continue
            file.seek(0)
            texts.append(file.read())
        return texts


def answers(running):
    """Waits until the server does; at most ten seconds."""
    for _ in range(200):
        try:
            running.ask("GET", "/livez")
            break
        except OSError:
            assert running.process.poll() is None, running.printed()
            time.sleep(0.05)


@contextmanager
def server(*arguments, onto=None, **environment):
    """``onto``: where standard output goes instead of a file that is read at the end."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSCLE_CDS_") and name != "ENV"}
    with tempfile.TemporaryFile("a+", encoding="utf-8") as out, tempfile.TemporaryFile("a+", encoding="utf-8") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", *arguments, "--port", str(port)],
            cwd=ROOT,
            env=kept | {"MUSCLE_CDS_DRAIN_SECONDS": "0"} | environment,
            stdout=out if onto is None else onto,  # files, which never fill up as a pipe does that nobody reads
            stderr=err,
        )
        running = Running(process, port, out, err)
        try:
            answers(running)
            yield running
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            out_is = "stdout" if arguments[0] == "serve" else "words for people"  # the one is a log, line by line
            for kind, text in zip((out_is, "stderr"), running.printed(), strict=True):
                tell(kind, text.encode())


def test_serve_answers_logs_in_json_and_ends_cleanly():
    with server("serve", MUSCLE_CDS_PROFILE="demo", MUSCLE_CDS_FHIR_BASES="http://127.0.0.1:8181/fhir") as running:
        status, headers, raw = running.ask("GET", "/cds-services")
        assert (status, headers["Content-Type"]) == (200, "application/json")
        assert faults("discovery", json.loads(raw)) == []

        status, _, raw = running.ask("POST", CALL, body())
        assert status == 200
        assert faults("response", json.loads(raw)) == []

        # keep-alive, chunks, and what is not HTTP at all
        chunked = b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
        assert b" 200 OK" in running.send(chunked % (CALL.encode(), len(body()), body())).split(b"\r\n", 1)[0]
        too_much = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n" % CALL.encode()
        assert b" 413 " in running.send(too_much).split(b"\r\n", 1)[0]

        code, out, err = running.stop()

    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["event"] for line in lines} == {"request"}
    assert [line["status"] for line in lines if line["method"] == "POST"] == [200, 200, 413]
    assert err == ""


@pytest.fixture(scope="module")
def running():
    """One server for all that is not HTTP: it survives it, ends cleanly, and logged nothing of it."""
    with server("serve", MUSCLE_CDS_PROFILE="demo") as up:
        yield up
        code, out, err = up.stop()
    assert code == 0
    assert CANARY not in out + err
    assert all(json.loads(line) for line in out.splitlines())


@pytest.mark.parametrize(
    "raw",
    [
        f"{CANARY} nonsense\r\n\r\n".encode(),
        f"GET /{CANARY} HTTP/9.9\r\n\r\n".encode(),
        f"GET / HTTP/1.1\r\nHost: x\r\n{CANARY} bad: <b>{CANARY}</b>\r\n\r\n".encode(),
        f"GET /?{CANARY * 2000} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        f"POST {CALL} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{CANARY}\r\n".encode(),
    ],
)
def test_what_is_not_http_is_refused_in_json_and_never_repeated_or_logged(running, raw):
    head, _, answer = running.send(raw).partition(b"\r\n\r\n")
    assert running.ask("GET", "/cds-services")[0] == 200
    out, err = running.printed()

    assert head.startswith(b"HTTP/1.1 4")
    assert b"content-type: application/json" in head.lower()
    assert json.loads(answer)["resourceType"] == "OperationOutcome"
    assert CANARY.encode() not in head + answer
    assert CANARY not in out + err


def test_what_is_not_http_is_logged_as_a_refusal_20_times_a_minute_and_the_rest_is_counted():
    """R14: anybody who can connect can send it without end, so it must not fill the log, nor pass for a defect."""
    with server("serve", MUSCLE_CDS_PROFILE="demo") as running:
        answers = [running.send(b"nonsense\r\n\r\n") for _ in range(30)]
        code, out, _ = running.stop()

    *told, last = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(line["event"], line["level"], line["status"]) for line in told] == [("request", "warning", 400)] * 20
    assert {*map(str, (line["errors"] for line in told))} == {"['InvalidRequestLine']"}
    assert (last["event"], last["errors"], last["left_out"]) == ("left-out", ["InvalidRequestLine"], 10)

    sent = [answer.partition(b"\r\n\r\n") for answer in answers[:20]]
    named = [re.search(rb"X-Correlation-ID: (\w+)", head)[1].decode() for head, _, _ in sent]
    assert named == [json.loads(body)["id"] for _, _, body in sent] == [line["correlation_id"] for line in told]


@pytest.mark.skipif(not FULL.exists(), reason="no device here that is always full")
def test_a_log_that_cannot_be_written_costs_no_answer():
    with FULL.open("w") as full, server("serve", onto=full, MUSCLE_CDS_PROFILE="demo") as running:
        assert running.ask("GET", "/cds-services")[0] == 200
        assert running.ask("POST", CALL, body())[0] == 200
        assert running.ask("POST", CALL, b"{}")[0] == 400
        assert running.send(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        code, _, err = running.stop()

    assert (code, err) == (0, "")


def test_a_running_call_is_finished_when_the_server_is_told_to_end():
    """The call waits for a FHIR server that accepts and stays silent; it is answered all the same."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(32)
        base = f"http://127.0.0.1:{silent.getsockname()[1]}/fhir"
        access = {"fhirServer": base, "fhirAuthorization": {"access_token": TOKEN, "token_type": "Bearer"}}
        with server("serve", MUSCLE_CDS_PROFILE="demo", MUSCLE_CDS_FHIR_BASES=base) as running:
            answers = []
            caller = threading.Thread(target=lambda: answers.append(running.ask("POST", CALL, body(**access))))
            caller.start()
            connection, _ = silent.accept()  # the call is under way
            code, out, _ = running.stop()
            caller.join(20)
            connection.close()

    assert code == 0
    ((status, _, raw),) = answers
    assert status == 200
    assert faults("response", json.loads(raw)) == []
    assert TOKEN not in out


def test_demo_prints_what_to_try_and_the_printed_command_shows_cards():
    with server("demo") as running:
        _, _, request = running.ask("GET", "/demo/patients/low-potassium-on-indapamide")
        status, _, raw = running.ask("POST", CALL, request)
        code, out, _ = running.stop()

    assert (status, code) == (200, 0)
    assert json.loads(raw)["cards"]
    assert f"curl -s http://127.0.0.1:{running.port}/demo/patients/low-potassium-on-indapamide" in out


def test_a_port_that_is_taken_ends_with_a_message():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment = {name: value for name, value in os.environ.items() if name != "ENV"}
        done = subprocess.run(
            [sys.executable, "-m", "service", "demo", "--port", str(taken.getsockname()[1])],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert done.returncode != 0
    assert "Connection in use" in done.stdout
    assert "is answering" not in done.stdout


def a_full_disk():
    return os.open("/dev/full", os.O_WRONLY)


def a_reader_that_is_gone():
    reads, writes = os.pipe()
    os.close(reads)
    return writes


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")  # noqa: PTH110
@pytest.mark.parametrize("place", [a_full_disk, a_reader_that_is_gone])
def test_a_log_that_cannot_be_written_costs_no_call_and_is_no_failure_at_the_end(place):
    port, log = free_port(), place()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSCLE_CDS_") and name != "ENV"}
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", "--port", str(port)],
            cwd=ROOT,
            env=kept | {"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_DRAIN_SECONDS": "0"},
            stdout=log,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(log)
    running = Running(process, port, None, None)
    try:
        answers(running)
        assert [running.ask("POST", CALL, body())[0] for _ in range(3)] == [200] * 3
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()

    assert (process.returncode, err) == (0, "")
