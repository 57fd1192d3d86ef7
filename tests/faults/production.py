"""A production service as a hospital starts it: the real command, two workers, one store, callers who must be proven.

One is started for a module of faults, and what it is sent and what it calls goes over real sockets of this machine.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self

from service.fhir.queries import prefetch_templates, queries_for
from service.store import schema
from tests.contract.calls import all_parts
from tests.fhir_stub import TOKEN
from tests.ports import free_port
from tests.repository import ROOT
from tests.service.hooks.tokens import BASE, CALL, EC, ISSUER, RSA, bearer, public, signed
from tests.service.hooks.tokens import claims as claims_at
from tests.service.test_server import Running, tell

VIEW = "muscle-patient-view"
WORKERS = 2
CAN_TELL_WORKERS = Path("/proc/self/task").is_dir()
CRAMP = {
    "resourceType": "Condition",
    "id": "c1",
    "subject": {"reference": "Patient/pat-1"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "55300003"}]},
}
"""A problem that makes the service speak, so that an answer has cards."""


@cache
def templates() -> dict[str, str]:
    """What the service asks for when a record is opened, by prefetch key."""
    return dict(prefetch_templates(queries_for(VIEW, all_parts().content.vocabulary)))


def nothing_known(**known: Any) -> dict[str, Any]:
    """The prefetch of a patient of whom nothing is known but what is given here."""
    return dict.fromkeys(templates()) | {"patient": {"resourceType": "Patient", "id": "pat-1"}} | known


def a_call(*, prefetch: Any = ..., **changed: Any) -> bytes:
    """A call with all that is asked for, of a patient of whom nothing is known: answered 200, without a card."""
    request = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/gp-1", "patientId": "pat-1"},
        "prefetch": nothing_known() if prefetch is ... else prefetch,
    } | changed
    return json.dumps({name: member for name, member in request.items() if member is not None}).encode()


def a_call_with_cards() -> bytes:
    """The same, of a patient with cramp."""
    return a_call(prefetch=nothing_known(problems={"resourceType": "Bundle", "entry": [{"resource": CRAMP}]}))


def access(server: str, token: str | None = TOKEN) -> dict[str, Any]:
    """The members of a call that name a FHIR server and give a token for it."""
    given = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
    return {"fhirServer": server} | ({"fhirAuthorization": given} if token else {})


def claims(path: str = CALL, **changed: Any) -> dict[str, Any]:
    """Good claims for a path of ours now, as no other call has them; a claim that is given as ``...`` is left out."""
    now = int(time.time())
    return claims_at(path, **({"iat": now, "exp": now + 300, "jti": str(uuid.uuid4())} | changed))


def token(path: str = CALL, **changed: Any) -> str:
    """A good token for one call, or one with other claims."""
    return signed(claims(path, **changed))


class Hospital(Running):
    """A running service and the ways to call it. ``lines``: what it has logged so far."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, store: str) -> None:
        self.process, self.port, self.store = process, port, store
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=kept.extend, args=(stream,), daemon=True)
            for kept, stream in ((self.out, process.stdout), (self.err, process.stderr))
        ]
        for reader in self._readers:  # a pipe that nobody reads would stop the service once it is full
            reader.start()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.out)]

    def asked(self) -> list[dict[str, Any]]:
        """The lines of requests."""
        return [line for line in self.lines if line["event"] == "request"]

    def line_of(self, correlation: str) -> dict[str, Any]:
        """The log line of one request, which may come a moment after its answer."""
        for _ in range(500):
            found = [line for line in self.asked() if line["correlation_id"] == correlation]
            if found:
                return found[0]
            time.sleep(0.01)
        raise AssertionError(f"no log line of {correlation}")

    def post(self, raw: bytes | None = None, path: str = CALL, *, by: str | None = None, **headers: str) -> Any:
        """Status, headers and parsed body of a call with this token, or with one made for it."""
        status, answered, body = self.ask("POST", path, raw or a_call(), **bearer(by or token(path)), **headers)
        return status, answered, json.loads(body)

    def status(self, raw: bytes | None = None, path: str = CALL, *, by: str | None = None) -> int:
        return int(self.post(raw, path, by=by)[0])

    def stop(self) -> tuple[int, str, str]:
        """Ask it to end as a container engine would; its exit status and all it printed."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        for reader in self._readers:
            reader.join(10)
        return self.process.returncode, "".join(self.out), "".join(self.err)

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        pid = self.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    @contextmanager
    def only(self, worker: int) -> Iterator[None]:
        """While this lasts, the other workers stand still, so that this one answers."""
        others = [one for one in self.workers() if one != worker]
        for one in others:
            os.kill(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in others:
                os.kill(one, signal.SIGCONT)


def settings_file(folder: Path, *clients: dict[str, Any], **settings: Any) -> Path:
    """A settings file as a site writes it. Without ``clients``: the one whose keys are those of the tests."""
    keys = folder / "jwks.json"
    keys.write_text(json.dumps(public(EC, RSA)))
    tables = [{"name": "ehr", "issuer": ISSUER, "jwks_file": str(keys)} | one for one in clients or ({},)]
    tables = [{key: value for key, value in one.items() if value is not ...} for one in tables]
    usual = {"public_url": BASE, "workers": WORKERS, "store": f"sqlite:///{folder}/state.sqlite", "drain_seconds": 0}
    site = usual | settings
    lines = [f"{key} = {json.dumps(value)}" for key, value in site.items()]  # of these types, JSON is TOML too
    for table in tables:
        lines += ["[[client]]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    file = folder / "muscle-cds.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


@contextmanager
def production(
    folder: Path, *clients: dict[str, Any], before: str = "", upgrade: bool = True, **settings: Any
) -> Iterator[Hospital]:
    """The service, once it answers. ``clients``: their tables where other than usual; ``settings``: of the file.

    ``before``: Python that the process runs first, to plant a defect or to make its minutes shorter; without it, it is
    started by its own command. ``upgrade``: whether the tables of the store are made.
    """
    file = settings_file(folder, *clients, **settings)
    store = settings.get("store", f"sqlite:///{folder}/state.sqlite")
    if upgrade:
        schema.upgrade(store)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSCLE_CDS_") and name != "ENV"}
    port = free_port()
    how = ["-c", f"{before}\nfrom service.__main__ import main\nmain()"] if before else ["-m", "service"]
    with subprocess.Popen(
        [sys.executable, *how, "serve", "--port", str(port)],
        cwd=ROOT,
        env=kept | {"MUSCLE_CDS_CONFIG": str(file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        service = Hospital(process, port, store)
        try:
            _wait_for(service, settings.get("workers", WORKERS))
            yield service
        finally:
            if process.poll() is None:
                service.stop()
            for kind, lines in (("stdout", service.out), ("stderr", service.err)):
                tell(kind, "".join(lines).encode())


def _wait_for(service: Hospital, workers: int) -> None:
    for _ in range(600):
        try:
            service.ask("GET", "/cds-services")
        except OSError:
            assert service.process.poll() is None, (service.out, service.err)
            time.sleep(0.05)
        else:
            break
    else:
        raise AssertionError("the service did not start")
    if not CAN_TELL_WORKERS:
        return
    assert until(lambda: len(service.workers()) == workers), "not all workers came up"  # they start one after another
    for worker in service.workers():
        with service.only(worker):
            service.ask("GET", "/cds-services")


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether it comes true within so many seconds; asked again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder that lasts as long as a module."""
    with tempfile.TemporaryDirectory(prefix="muscle-cds-faults-") as name:
        yield Path(name)


@contextmanager
def in_production(*clients: dict[str, Any], **how: Any) -> Iterator[Hospital]:
    """The service as :func:`production` starts it, in a folder that nobody else looks into."""
    with a_folder() as folder, production(folder, *clients, **how) as service:
        yield service


class Listener:
    """A port that takes every connection, says nothing, and keeps what it is sent."""

    def __init__(self) -> None:
        self.connections = 0
        self.heard = b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def works(self) -> bool:
        """Whether a connection would have been noticed: one is made, and taken back."""
        before = self.connections
        with socket.create_connection(("127.0.0.1", self.socket.getsockname()[1]), timeout=10) as probe:
            probe.shutdown(socket.SHUT_WR)
            probe.recv(1)
        noticed = self.connections == before + 1
        self.connections = before
        return noticed

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.settimeout(0.2)
                try:
                    self.heard += connection.recv(65536)
                except OSError:
                    continue


def is_refused(answer: Any, status: int, issue: str) -> None:
    """A refusal that says nothing but its fixed sentence."""
    got, headers, body = answer
    assert got == status, body
    assert body["issue"][0]["code"] == issue
    assert ("Retry-After" in headers) == (status == 503)
