"""The three addresses of CDS Hooks, and what holds for every answer. A route parses, calls and renders; no more.

Who may call is to be asked before ``parse`` in :meth:`Routes.call`, and in :meth:`Routes.discover`; feedback is a third
address beside the two. Neither is there yet, which is why the production profile does not start (service/app.py).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from service.answer import Answer
from service.errors import CallRejected, NotPlainBody, UnknownService
from service.hooks import refusal
from service.hooks.request import MAX_BODY, HookCall, parse
from service.hooks.response import Renderer
from service.hooks.services import Service
from service.observe import AccessLog, Record, correlation_id

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Routes:
    """What the addresses need. ``discovery`` is the ready body; ``any_origin``: CORS is open (demo profile only)."""

    services: tuple[Service, ...]
    discovery: bytes
    advise: Callable[[HookCall], Answer]
    renderer: Renderer
    log: AccessLog
    content: str
    any_origin: bool = False

    def register(self, app: Flask) -> None:
        """Put the addresses and the edge of the service into an application."""
        app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
        app.url_map.strict_slashes = False  # B1: /cds-services/ is no redirect
        app.url_map.merge_slashes = False  # a client that appends to "…/cds-services/" asks for "//id"
        app.add_url_rule("/cds-services", "discover", self.discover, methods=["GET"])
        for pattern in ("/cds-services/<service_id>", "/cds-services//<service_id>"):
            app.add_url_rule(pattern, "call", self.call, methods=["POST"])
        app.add_url_rule("/cds-services/<service_id>/feedback", "preflight", self.preflight, methods=["OPTIONS"])
        app.before_request(self.begin)
        app.after_request(self.finish)
        app.register_error_handler(CallRejected, self.on_rejected)
        app.register_error_handler(HTTPException, self.on_http)
        app.register_error_handler(Exception, self.on_defect)

    def discover(self) -> Response:
        """What is offered. Built once; touches nothing (B16)."""
        return Response(self.discovery, mimetype="application/json")

    def call(self, service_id: str) -> Response:
        """One hook call: parse, call, render."""
        service = next((one for one in self.services if one.id == service_id), None)
        if service is None:
            raise UnknownService("There is no service of that id: GET /cds-services lists the services.")
        record: Record = g.record
        record.service = service.id
        record.content = self.content
        if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise NotPlainBody("The body is encoded: send it plain, without Content-Encoding.")
        call = parse(request.get_data(cache=False), service)
        record.oddities = list(call.oddities)
        answer = self.advise(call)
        record.told(answer)
        return _json(self.renderer.body(answer), 200)

    def preflight(self, service_id: str) -> Response:  # noqa: ARG002 -- given by the address, and not needed
        """OPTIONS for the address of feedback, which takes nothing yet."""
        return Response(status=204)

    def begin(self) -> None:
        """Start the record of a request."""
        g.begun = time.perf_counter()
        g.record = Record(
            correlation_id=correlation_id(request.headers.get),
            method=request.method if request.method in _METHODS else "other",
            route=request.url_rule.rule if request.url_rule else "",
        )

    def finish(self, response: Response) -> Response:
        """The headers of every answer, and its line in the log."""
        record: Record = g.record
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Correlation-ID"] = record.correlation_id
        if self.any_origin:
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Expose-Headers"] = "X-Correlation-ID"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
                response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Accept"
        record.status = response.status_code
        record.ms = round((time.perf_counter() - g.begun) * 1000, 1)
        self.log.request(record)
        return response

    def on_rejected(self, error: CallRejected) -> Response:
        """A call we refused, with our own sentence."""
        g.record.errors.append(type(error).__name__)
        return _json(refusal.rejected(error, g.record.correlation_id), error.status)

    def on_http(self, error: HTTPException) -> Response:
        """What the framework refused: its status, our sentence, never its page."""
        g.record.errors.append(type(error).__name__)
        status = error.code or 500
        response = _json(refusal.refused(status, g.record.correlation_id), status)
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    def on_defect(self, error: Exception) -> Response:
        """The one edge: a defect of ours. Its class is logged, its text never (it may hold what was sent)."""
        g.record.errors.append(type(error).__name__)
        return _json(refusal.refused(500, g.record.correlation_id), 500)


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(msgspec.json.encode(body), status=status, mimetype="application/json")
