"""A small FHIR server on loopback for tests: it holds a few resources, and misbehaves on request.

It is no model of FHIR search: it knows ``patient``, ``code``, ``_id``, ``_count`` and ``_include`` of the Medication,
gives pages of ``page_size`` with next links ``...&_page=2``, and answers 401 without its token. It records every call,
so a test can say "was not called" and "the token did not arrive".
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Json = dict[str, Any]
TOKEN = "stub-token"


@dataclass(frozen=True)
class Reply:
    """What to answer instead of the truth. ``body``: bytes as they are, anything else as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = "application/fhir+json"
    delay: float = 0.0  # seconds before the answer
    drip: float = 0.0  # seconds between the bytes of the body
    reset: bool = False  # close the connection without an answer


@dataclass(frozen=True)
class Call:
    """One request as it came in.

    ``path`` is behind the base: ``Observation``, ``Patient/p1``. ``connection`` is the caller's port: the same number,
    the same connection.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    connection: int

    @property
    def token(self) -> str | None:
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256  # the default of 5 makes the sixth of several callers wait a second

    def handle_error(self, *_: object) -> None:
        """A caller that hung up is no news."""


class FhirStub:
    """Start it with :func:`running`; ``base`` is its FHIR base."""

    def __init__(self, *, token: str | None = TOKEN, page_size: int = 100) -> None:
        self.token = token
        self.page_size = page_size
        self.delay = 0.0
        self.calls: list[Call] = []
        self.busiest = 0  # most requests under way at one time
        self._resources: list[Json] = []
        self._plans: dict[str, list[Reply]] = {}
        self._under_way = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.base = f"{self.origin}/fhir"

    def put(self, *resources: Json) -> None:
        """Add resources to the record."""
        self._resources += resources

    def answers(self, path: str, *replies: Reply) -> None:
        """Answer calls of this path (``Observation``, ``Patient/p1``) so, in order; the last reply stays."""
        self._plans[path] = list(replies)

    def calls_of(self, path: str) -> list[Call]:
        """The calls of one path, in the order they came."""
        return [call for call in self.calls if call.path == path]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def reply_to(self, call: Call) -> Reply:
        """The planned reply, or the truth."""
        with self._lock:
            plan = self._plans.get(call.path)
            if plan:
                return plan.pop(0) if len(plan) > 1 else plan[0]
        if self.token is not None and call.token != self.token:
            return Reply(401, outcome("login"))
        kind, _, one = call.path.partition("/")
        if one:
            found = self._matching(kind, {"_id": one})
            return Reply(200, found[0]) if found else Reply(404, outcome("not-found"))
        return Reply(200, self._page(kind, call.query))

    def _matching(self, kind: str, query: Mapping[str, str]) -> list[Json]:
        ids, codes = query.get("_id"), query.get("code")
        return [
            resource
            for resource in self._resources
            if resource["resourceType"] == kind
            and (ids is None or resource.get("id") in ids.split(","))
            and (codes is None or _codes(resource) & set(codes.split(",")))
            and ("patient" not in query or query["patient"] in _patient(resource))
        ]

    def _page(self, kind: str, query: Mapping[str, str]) -> Json:
        number = int(query.get("_page", "1"))
        size = min(self.page_size, int(query.get("_count", "100")))
        found = self._matching(kind, query)
        page = found[(number - 1) * size : number * size]
        entries = [{"resource": one, "search": {"mode": "match"}} for one in page]
        if "_include" in query:
            wanted = {one.get("medicationReference", {}).get("reference") for one in page}
            entries += [
                {"resource": one, "search": {"mode": "include"}}
                for one in self._resources
                if f"{one['resourceType']}/{one.get('id')}" in wanted
            ]
        links = [{"relation": "self", "url": f"{self.base}/{kind}"}]
        if number * size < len(found):
            asked = {**query, "_page": str(number + 1)}
            links.append({"relation": "next", "url": f"{self.base}/{kind}?{urlencode(asked)}"})
        return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links, "entry": entries}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else every answer on a kept connection waits 40 ms
            timeout = 10

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                call = Call(
                    self.command,
                    parts.path.removeprefix("/fhir").strip("/"),
                    dict(parse_qsl(parts.query)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.client_address[1],
                )
                with stub._lock:
                    stub.calls.append(call)
                    stub._under_way += 1
                    stub.busiest = max(stub.busiest, stub._under_way)
                try:
                    self._send(stub.reply_to(call))
                finally:
                    with stub._lock:
                        stub._under_way -= 1

            do_POST = do_GET  # noqa: N815 -- the name http.server calls it by
            do_PUT = do_GET  # noqa: N815 -- as above
            do_DELETE = do_GET  # noqa: N815 -- as above
            do_PATCH = do_GET  # noqa: N815 -- as above

            def _send(self, reply: Reply) -> None:
                stub._stopping.wait(reply.delay or stub.delay)
                if reply.reset:
                    self.close_connection = True
                    return
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                if reply.content_type is not None:
                    self.send_header("Content-Type", reply.content_type)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if not reply.drip:
                    self.wfile.write(body)
                for place in range(len(body) if reply.drip else 0):
                    self.wfile.write(body[place : place + 1])
                    if stub._stopping.wait(reply.drip):
                        return

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def running(**options: Any) -> Iterator[FhirStub]:
    """A stub that is up, and down again at the end."""
    stub = FhirStub(**options)
    stub.start()
    try:
        yield stub
    finally:
        stub.stop()


def outcome(code: str, severity: str = "error") -> Json:
    """An OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def bundle(*resources: Json, next_url: str | None = None, **more: Any) -> Json:
    """A searchset of matches."""
    links = {"link": [{"relation": "next", "url": next_url}]} if next_url is not None else {}
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **links, **more}


def _codes(resource: Json) -> set[str]:
    return {coding.get("code") for coding in resource.get("code", {}).get("coding", [])}


def _patient(resource: Json) -> list[str]:
    reference = resource.get("subject", resource.get("patient", {})).get("reference", "")
    return reference.split("/")[-1:]
