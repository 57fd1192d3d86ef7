"""A FHIR server on raw sockets that misbehaves as asked (reliability section 4), on loopback, port 0.

One server holds any number of records, each under a base of its own (:meth:`FaultyServer.ehr`), so that one running
service can be shown one fault after another: its circuit breaker sees a new FHIR server each time. What arrives is
recorded, connections as well as requests, so that "was not called" and "the token did not arrive" can be said.
"""

import gzip
import json
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from tests.fhir_stub import bundle, outcome

Json: TypeAlias = dict[str, Any]
FHIR = "application/fhir+json"
KIB, MIB = 1024, 1024 * 1024
_REASONABLE = 30.0  # seconds; no test waits as long


@dataclass(frozen=True)
class Request:
    """One request as it came in; ``path`` is behind the base. ``connection``: the number of its connection."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: tuple[tuple[str, str], ...]
    connection: int

    def all_of(self, name: str) -> list[str]:
        """The values of a header, in the order they came."""
        return [value for one, value in self.headers if one == name]


@dataclass
class Exchange:
    """One request and the connection it came on, for a fault to answer."""

    request: Request
    ehr: "Ehr"
    sock: socket.socket
    stopping: threading.Event
    keep: bool = True  # whether the connection may serve another request

    def head(self, code: int, headers: Mapping[str, str], *, size: int | None = None) -> bytes:
        lengths = {} if size is None else {"Content-Length": str(size)}
        lines = [f"HTTP/1.1 {code} {'OK' if code == 200 else 'Said So'}"]
        lines += [f"{name}: {value}" for name, value in (*headers.items(), *lengths.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def answer(self, code: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.sock.sendall(self.head(code, headers, size=len(body)) + body)

    def drip(self, data: bytes, pause: float, step: int = 1) -> None:
        """Send a few bytes at a time; ends when the other side has had enough, or the server is stopped."""
        self.keep = False
        for place in range(0, len(data), step):
            self.sock.sendall(data[place : place + step])
            if self.stopping.wait(pause):
                return


Fault: TypeAlias = Callable[[Exchange], None]


class Ehr:
    """One record under one base: what it holds, how it answers, and what it was asked."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.requests: list[Request] = []
        self.resources: list[Json] = []
        self._plans: dict[str, list[Fault]] = {}
        self._lock = threading.Lock()

    def put(self, *resources: Json) -> None:
        """Add resources to the record."""
        self.resources += resources

    def answers(self, kind: str, *faults: Fault) -> None:
        """Answer requests for this type (``Observation``; ``*``: all others) so, in order; the last one stays."""
        self._plans[kind] = list(faults)

    def asked(self, kind: str) -> list[Request]:
        """The requests for one type, in the order they came."""
        return [one for one in self.requests if one.path.partition("/")[0] == kind]

    def take(self, request: Request) -> Fault:
        """Note a request, and say how it is answered."""
        with self._lock:
            self.requests.append(request)
            plan = self._plans.get(request.path.partition("/")[0]) or self._plans.get("*") or [ok()]
            return plan.pop(0) if len(plan) > 1 else plan[0]

    def truth(self, request: Request) -> tuple[int, Json]:
        """Status and body of an honest answer. Search parameters are not looked at, as some servers do."""
        kind, _, one = request.path.partition("/")
        found = [r for r in self.resources if r["resourceType"] == kind]
        if not one:
            return 200, bundle(*found)
        named = [r for r in found if r.get("id") == one]
        return (200, named[0]) if named else (404, outcome("not-found"))


class FaultyServer:
    """Start it with :func:`running`. ``connections``: how many were ever accepted; ``live``: how many are open."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, greet: Callable[..., None] | None = None) -> None:
        """``tls``: speak TLS with this certificate. ``greet``: what is done with each connection instead of HTTP."""
        self.connections = 0
        self.live = 0
        self.others: list[Request] = []  # requests under no base of ours
        self._tls, self._greet = tls, greet
        self._ehrs: dict[str, Ehr] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def ehr(self, name: str = "fhir") -> Ehr:
        """The record under ``/name``; made at the first call."""
        return self._ehrs.setdefault(name, Ehr(f"{self.origin}/{name}"))

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self.live += 1
                number = self.connections
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            sock.settimeout(_REASONABLE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._greet is not None:
                self._greet(sock, self._stopping)
                return
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with sock.makefile("rb") as lines:
                while (request := _read(lines, number)) is not None and self._answer(request, sock):
                    pass
        except (OSError, ValueError):
            pass  # the caller hung up, or spoke no HTTP
        finally:
            with suppress(OSError):
                sock.close()
            with self._lock:
                self.live -= 1

    def _answer(self, request: Request, sock: socket.socket) -> bool:
        """Answer one request; whether the connection may serve another."""
        _, name, path = (*request.path.split("/", 2), "", "")[:3]
        ehr = self._ehrs.get(name)
        if ehr is None:
            self.others.append(request)
            return False
        request = Request(request.method, path, request.query, request.headers, request.connection)
        exchange = Exchange(request, ehr, sock, self._stopping)
        ehr.take(request)(exchange)
        return exchange.keep


def _read(lines: Any, number: int) -> Request | None:
    """The head of a request and its body, which is dropped; None at the end of the connection."""
    first = lines.readline(64 * KIB).decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: list[tuple[str, str]] = []
    while (line := lines.readline(64 * KIB).decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers.append((name.strip().lower(), value.strip()))
    lines.read(int(dict(headers).get("content-length", "0")))
    parts = urlsplit(first[1])
    return Request(first[0], parts.path, dict(parse_qsl(parts.query)), tuple(headers), number)


@contextmanager
def running(**options: Any) -> Iterator[FaultyServer]:
    """A server that is up, and down again at the end."""
    server = FaultyServer(**options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


# ---- how a request can be answered


def ok(body: Any = None, *, headers: Mapping[str, str] | None = None, kind: str | None = FHIR) -> Fault:
    """The truth, or this body: bytes as they are, anything else as JSON."""

    def fault(exchange: Exchange) -> None:
        code, said = (200, body) if body is not None else exchange.ehr.truth(exchange.request)
        raw = said if isinstance(said, bytes) else json.dumps(said).encode()
        exchange.answer(code, raw, ({} if kind is None else {"Content-Type": kind}) | dict(headers or {}))

    return fault


def delay(seconds: float, then: Fault | None = None) -> Fault:
    """First nothing for some seconds."""

    def fault(exchange: Exchange) -> None:
        if not exchange.stopping.wait(seconds):
            (then or ok())(exchange)

    return fault


def drip_body(pause: float = 0.05, body: Any = None) -> Fault:
    """A good head, and then the body byte by byte."""

    def fault(exchange: Exchange) -> None:
        raw = json.dumps(exchange.ehr.truth(exchange.request)[1] if body is None else body).encode()
        exchange.sock.sendall(exchange.head(200, {"Content-Type": FHIR}, size=len(raw)))
        exchange.drip(raw, pause)

    return fault


def drip_headers(pause: float = 0.05) -> Fault:
    """The head byte by byte, of a complete answer that would be believed if it were cut after any line."""

    def fault(exchange: Exchange) -> None:
        raw = json.dumps(exchange.ehr.truth(exchange.request)[1]).encode()
        padding = {f"X-Padding-{number}": "x" * 40 for number in range(40)}
        exchange.drip(exchange.head(200, {"Content-Type": FHIR} | padding, size=len(raw)) + raw, pause)

    return fault


def silent() -> Fault:
    """Nothing at all, until the caller hangs up."""

    def fault(exchange: Exchange) -> None:
        exchange.keep = False
        wait_for_end(exchange.sock, exchange.stopping)

    return fault


def reset() -> Fault:
    """The connection is reset instead of an answer."""

    def fault(exchange: Exchange) -> None:
        exchange.keep = False
        reset_now(exchange.sock)

    return fault


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes | None = None, kind: str = FHIR) -> Fault:
    """This status, with an OperationOutcome or this body."""

    def fault(exchange: Exchange) -> None:
        raw = json.dumps(outcome("exception")).encode() if body is None else body
        exchange.answer(code, raw, {"Content-Type": kind} | dict(headers or {}))

    return fault


def html(text: str = "<html><body>Please log in</body></html>", *, code: int = 200, kind: str = "text/html") -> Fault:
    """A page for people."""
    return status(code, body=text.encode(), kind=kind)


def cut(share: float = 0.5, *, close: bool = True) -> Fault:
    """Part of the body, then the end of the connection; with ``close`` False the part is said to be the whole."""

    def fault(exchange: Exchange) -> None:
        raw = json.dumps(exchange.ehr.truth(exchange.request)[1]).encode()
        part = raw[: int(len(raw) * share)]
        exchange.sock.sendall(exchange.head(200, {"Content-Type": FHIR}, size=len(raw) if close else len(part)) + part)
        exchange.keep = not close

    return fault


@cache
def zeros(size: int) -> bytes:
    """That many zeros, gzipped: about a thousandth of their size."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])


def bomb(shape: str, *, code: int = 200) -> Fault:
    """An answer that is too large: ``gzip`` (200 MB of zeros in 0.2 MB), ``gzip in gzip``, ``chunks`` without end, or
    50 MB ``plain``.
    """

    def fault(exchange: Exchange) -> None:
        headers = {"Content-Type": FHIR}
        exchange.keep = False
        if shape == "gzip":
            exchange.answer(code, zeros(200 * MIB), headers | {"Content-Encoding": "gzip"})
        elif shape == "gzip in gzip":
            exchange.answer(code, gzip.compress(zeros(200 * MIB)), headers | {"Content-Encoding": "gzip, gzip"})
        elif shape == "chunks":
            exchange.sock.sendall(exchange.head(code, headers | {"Transfer-Encoding": "chunked"}))
            while not exchange.stopping.is_set():
                exchange.sock.sendall(b"10000\r\n" + b" " * 64 * KIB + b"\r\n")
        else:
            exchange.sock.sendall(exchange.head(code, headers, size=50 * MIB))
            for _ in range(50):
                exchange.sock.sendall(b" " * MIB)

    return fault


def redirect(code: int, to: str) -> Fault:
    """Elsewhere."""
    return status(code, {"Location": to}, b"")


def pages(plan: Callable[[int, Exchange], str | None]) -> Fault:
    """The truth as page number ``_page``; ``plan`` says what its next link is, given that number."""

    def fault(exchange: Exchange) -> None:
        url = plan(int(exchange.request.query.get("_page", "1")), exchange)
        found = [one["resource"] for one in exchange.ehr.truth(exchange.request)[1].get("entry", [])]
        raw = json.dumps(bundle(*found, next_url=url)).encode()
        exchange.answer(200, raw, {"Content-Type": FHIR})

    return fault


def foreign_patient(*resources: Json) -> Fault:
    """The truth, and after it resources that belong to somebody else."""

    def fault(exchange: Exchange) -> None:
        found = [one["resource"] for one in exchange.ehr.truth(exchange.request)[1].get("entry", [])]
        exchange.answer(200, json.dumps(bundle(*found, *resources)).encode(), {"Content-Type": FHIR})

    return fault


def cookies(value: str = "session=c00kie; Path=/") -> Fault:
    """The truth, and a cookie to bring along the next time."""
    return ok(headers={"Set-Cookie": value})


# ---- what can be done with a connection before any HTTP


def reset_now(sock: socket.socket, _stopping: threading.Event | None = None) -> None:
    """Reset a connection."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def wait_for_end(sock: socket.socket, stopping: threading.Event) -> None:
    """Hold a connection and say nothing, until the other side ends it."""
    sock.settimeout(0.05)
    while not stopping.is_set():
        try:
            if not sock.recv(64 * KIB):
                return
        except TimeoutError:
            continue


def drip_handshake(context: ssl.SSLContext, pause: float = 0.05) -> Callable[..., None]:
    """Answer the greeting of TLS byte by byte."""

    def greet(sock: socket.socket, stopping: threading.Event) -> None:
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        shaken = context.wrap_bio(came, goes, server_side=True)
        came.write(sock.recv(64 * KIB))
        with suppress(ssl.SSLWantReadError):
            shaken.do_handshake()
        for byte in goes.read():
            sock.sendall(bytes([byte]))
            if stopping.wait(pause):
                return

    return greet


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1: what the server shows, and the file that says it can be trusted."""

    context: ssl.SSLContext
    ca_file: str = field(repr=False)


def tls(folder: Any, *names: str) -> Certificate:
    """A certificate for these names, 127.0.0.1 if none is given, of an authority of its own."""
    import trustme  # noqa: PLC0415 -- a second to import, and few tests need it

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return Certificate(context, str(file))
