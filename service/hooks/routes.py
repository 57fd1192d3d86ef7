"""The three addresses of CDS Hooks, and what holds for every answer. A route parses, calls and renders; no more.

Who is calling is asked first on each of the three (K2), before a body is read or an address is looked up: a caller who
is not proven learns nothing about what is here. A preflight carries no token and is answered on every path (L2).
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Flask, Response, g, request
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge

from service.answer import Answer
from service.audit import Audited, AuditTrail
from service.clients import ANYONE, Client
from service.errors import (
    CallRejected,
    DataNotAvailable,
    NotPlainBody,
    NotTrusted,
    Overloaded,
    TooLarge,
    UnknownService,
)
from service.hooks import feedback, refusal
from service.hooks.cors import Origins
from service.hooks.request import MAX_BODY, HookCall, parse
from service.hooks.response import Renderer
from service.hooks.services import Service
from service.hooks.slots import Slots
from service.observe import AccessLog, Record, correlation_id
from service.store import ShownCard, Store

RETRY_AFTER = "5"  # seconds; a database that is restarted is back by then, or is not for a while
RETRY_SOON = "2"  # seconds; every call that is under way has been answered by then

_ONE_TOO_MANY = 1  # byte: of a body in chunks the framework reads so much and drops the rest without a word

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})


@dataclass(slots=True)
class _Asked:
    """One request while it is answered. ``begun`` by time.perf_counter; ``client`` once it is proven; ``call`` once it
    is read.
    """

    record: Record
    begun: float
    client: Client | None = None
    call: HookCall | None = None

    @property
    def client_name(self) -> str:
        """As its entry in the settings has it; ANYONE where callers are not proven."""
        return self.client.name if self.client else ANYONE


@dataclass(frozen=True, slots=True)
class Routes:
    """What the addresses need. ``discovery`` is the ready body.

    ``caller``: who calls a path, by the Authorization header, or a refusal; None: callers are not told apart, and what
    they send as Authorization is not looked at (K3). ``slots``: how many calls and reports are worked on at a time.
    ``count`` is given the record of every request, for the metrics; ``audit``: the audit stream, None if it is off.
    """

    services: tuple[Service, ...]
    discovery: bytes
    advise: Callable[[HookCall], Answer]
    renderer: Renderer
    log: AccessLog
    content: str
    content_hash: str
    store: Store
    feedback: feedback.FeedbackReader
    now: Callable[[], datetime]
    origins: Origins = field(default_factory=Origins)
    caller: Callable[[str | None, str], Client] | None = None
    slots: Slots = field(default_factory=lambda: Slots(16))
    count: Callable[[Record], object] = lambda _record: None
    audit: AuditTrail | None = None

    def register(self, app: Flask) -> None:
        """Put the addresses and the edge of the service into an application."""
        app.config["MAX_CONTENT_LENGTH"] = MAX_BODY + _ONE_TOO_MANY
        app.url_map.strict_slashes = False  # B1: /cds-services/ is no redirect
        app.url_map.merge_slashes = False  # a client that appends to "…/cds-services/" asks for "//id"
        app.add_url_rule("/cds-services", "discover", self.discover, methods=["GET"])
        for pattern in ("/cds-services/<service_id>", "/cds-services//<service_id>"):
            app.add_url_rule(pattern, "call", self.call, methods=["POST"])
            app.add_url_rule(f"{pattern}/feedback", "report", self.report, methods=["POST"])
        app.before_request(self.begin)
        app.after_request(self.finish)
        app.register_error_handler(CallRejected, self.on_rejected)
        app.register_error_handler(HTTPException, self.on_http)
        app.register_error_handler(Exception, self.on_defect)

    def discover(self) -> Response:
        """What is offered. Built once; asks nothing but who is calling (B13, B16)."""
        self._prove(g.asked)
        return Response(self.discovery, mimetype="application/json")

    def call(self, service_id: str) -> Response:
        """One hook call: prove, parse, call, render. One too many is refused before its token is used up (R16)."""
        with self.slots:
            return self._advised(service_id)

    def _advised(self, service_id: str) -> Response:
        asked: _Asked = g.asked
        record = asked.record
        client = self._prove(asked)
        service = self._service(service_id, record)
        record.content = self.content
        _refuse_encoded()
        record.hook = service.hook
        call = asked.call = parse(_bytes_of_call(), service, client.name if client else "")
        record.oddities = list(call.oddities)
        answer = self.advise(call)
        record.told(answer)
        renderer = self.renderer
        if client is not None and client.topic_codes_plain:
            renderer = replace(renderer, topic_codes_plain=True)
        body = renderer.body(answer)
        self.store.shown(self._shown(answer, body, service, asked.client_name))
        record.history_dropped = self.store.dropped
        return _json(body, 200)

    def report(self, service_id: str) -> Response:
        """Feedback on cards of a service: read, keep, say in numbers what was kept (I1-I10)."""
        with self.slots:
            return self._kept(service_id)

    def _kept(self, service_id: str) -> Response:
        asked: _Asked = g.asked
        self._prove(asked)
        self._service(service_id, asked.record)
        _refuse_encoded()
        items = self.feedback.read(_bytes_of_feedback(), self.now())
        kept = feedback.told(items, feedback.keep(self.store, items, asked.client_name))
        asked.record.feedback = kept
        asked.record.outcomes = dict(Counter(item.outcome.value for item in items))
        return _json(kept, 200)

    def _prove(self, asked: _Asked) -> Client | None:
        """Who is calling, None where callers are not told apart. Raises what Trust.caller raises."""
        if self.caller is None:
            return None
        client = self.caller(request.headers.get("Authorization"), request.path)
        asked.client = client
        asked.record.client = client.name
        asked.record.tenant = client.tenants[0] if client.tenants else ""  # the proven one, see Trust.caller
        return client

    def _service(self, service_id: str, record: Record) -> Service:
        """The service of an address. Raises UnknownService."""
        for service in self.services:
            if service.id == service_id:
                record.service = service.id
                return service
        raise UnknownService("There is no service of that id: GET /cds-services lists the services.")

    def _shown(self, answer: Answer, body: dict[str, Any], service: Service, client: str) -> tuple[ShownCard, ...]:
        """What is kept of the cards of an answer: nothing of the patient (R17)."""
        at = self.now()
        return tuple(
            ShownCard(
                card=made["uuid"],
                topic=card.topic,
                rules=card.rules,
                content_version=self.content,
                content_hash=self.content_hash,
                client=client,
                hook=service.hook,
                at=at,
            )
            for card, made in zip(answer.advice.cards, body["cards"], strict=True)
        )

    def begin(self) -> Response | None:
        """Start the record of a request; a preflight is answered at once, whatever the path (L2)."""
        begun = time.perf_counter()
        method, rule = request.method, request.url_rule
        record = Record(
            correlation_id=correlation_id(request.headers.get),
            method=method if method in _METHODS else "other",
            route=rule.rule if rule else "",
        )
        g.asked = _Asked(record, begun)
        return Response(status=204) if _is_preflight(record) else None

    def finish(self, response: Response) -> Response:
        """The headers of every answer, and its line in the log."""
        asked: _Asked = g.asked
        record, headers = asked.record, response.headers
        headers["Cache-Control"] = "no-store"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Correlation-ID"] = record.correlation_id
        origin = request.headers.get("Origin")
        for name, value in self.origins.headers(origin, asked.client, preflight=_is_preflight(record)):
            headers.add(name, value)
        record.status = response.status_code
        record.ms = round((time.perf_counter() - asked.begun) * 1000, 1)
        self._audited(asked)
        self.log.request(record)
        self.count(record)
        return response

    def _audited(self, asked: _Asked) -> None:
        """One event for a call that was read; of any other it is not known which patient it was about."""
        call, record = asked.call, asked.record
        if self.audit is None or call is None:
            return
        self.audit.take(
            Audited(
                at=self.now(),
                service=call.service.id,
                client=asked.client_name,
                peer=request.remote_addr or "",
                patient_id=call.patient_id,
                user=call.user,
                status=record.status,
                correlation_id=record.correlation_id,
            )
        )
        record.audit_dropped = self.audit.dropped

    def on_rejected(self, error: CallRejected) -> Response:
        """A call we refused, with our own sentence."""
        record: Record = g.asked.record
        record.errors.append(type(error).__name__)
        response = _json(refusal.rejected(error, record.correlation_id), error.status)
        if isinstance(error, NotTrusted):
            record.not_trusted = error.because
            response.headers["WWW-Authenticate"] = "Bearer"
        if isinstance(error, DataNotAvailable):
            record.late = error.late
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = RETRY_SOON if isinstance(error, Overloaded) else RETRY_AFTER
        return response

    def on_http(self, error: HTTPException) -> Response:
        """What the framework refused: its status, our sentence, never its page."""
        record: Record = g.asked.record
        record.errors.append(type(error).__name__)
        status = error.code or 500
        response = _json(refusal.refused(status, record.correlation_id), status)
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    def on_defect(self, error: Exception) -> Response:
        """The one edge: a defect of ours. Its class is logged, its text never (it may hold what was sent)."""
        record: Record = g.asked.record
        record.errors.append(type(error).__name__)
        return _json(refusal.refused(500, record.correlation_id), 500)


def _refuse_encoded() -> None:
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise NotPlainBody("The body is encoded: send it plain, without Content-Encoding.")


def _bytes_of_call() -> bytes:
    """The body of a hook call, in one piece: the framework reads 64 kB at a time, and copies each of them three times.

    Where its length is not told, or is more than may be sent, that is left to the framework. Fewer bytes than were
    promised are no JSON object. Raises ClientDisconnected if the connection breaks, RequestEntityTooLarge.
    """
    length = request.content_length
    if length is None or length > MAX_BODY:
        return request.get_data(cache=False)
    try:
        return request.input_stream.read(length)
    except (OSError, ValueError):
        raise ClientDisconnected from None


def _bytes_of_feedback() -> bytes:
    """The body of feedback, of which no more is read than may be used. Raises TooLarge."""
    request.max_content_length = feedback.MAX_BODY + _ONE_TOO_MANY
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise TooLarge(feedback.TOO_LARGE) from None


def _is_preflight(record: Record) -> bool:
    """A browser asks whether it may ask. A plain OPTIONS is answered by the web framework, where there is a route."""
    return record.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(msgspec.json.encode(body), status=status, content_type="application/json")
