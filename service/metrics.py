"""What is counted and measured (R15): OpenTelemetry's names and bounds in the spelling of Prometheus, and our own.

Every label value comes from a closed set; anything else is ``other``. All of it is taken from the record of a request,
which holds nothing of a patient, a user, an address or an id. Off unless the settings name an address for it; then
workers keep their numbers in files of one folder, which a process of its own adds up (service/metrics_server.py).
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from cards.entries import Area, Reading
from cards.finding import Indicator
from service.clients import ANYONE
from service.errors import WHY_NOT_TRUSTED
from service.fhir.outgoing import Outcome as Ending
from service.fhir.outgoing import Outgoing
from service.hooks.services import SERVICES
from service.observe import PROBES, Record
from service.store import Outcome

OTHER: Final = "other"
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)  # OpenTelemetry's

HOOKS: Final = frozenset(one.hook for one in SERVICES)
OUTCOMES: Final = {
    400: "refused",
    401: "not-trusted",
    403: "not-allowed",
    412: "no-data",
    500: "defect",
    503: "unavailable",
}
INPUTS: Final = frozenset(area.value for area in Area)
STATES: Final = frozenset(reading.value for reading in Reading)
INDICATORS: Final = frozenset(one.value for one in Indicator)
REPORTED: Final = frozenset(one.value for one in Outcome)
ENDED: Final = frozenset(one.value for one in Ending)
"""How a request to a FHIR server can end."""

CALL_ROUTES: Final = frozenset({"/cds-services/<service_id>", "/cds-services//<service_id>"})
ROUTES: Final = frozenset(
    {"/cds-services", *CALL_ROUTES, *(f"{one}/feedback" for one in CALL_ROUTES), *PROBES, "/openapi.json"}
)
"""Patterns of the addresses of a production service; those of the demo pages are not told apart."""


class Metrics:
    """The numbers of one process. Safe to use from many threads; some 30 µs a hook call."""

    def __init__(
        self,
        *,
        rules: Iterable[str],
        clients: Iterable[str],
        queries: Iterable[str],
        version: str,
        content: str,
        content_hash: str,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """``rules``: specification rows a card may rest on; ``clients``: names in our settings; ``queries``:
        prefetch keys.

        ``registry``: where the numbers are asked for; a new one if None, since a worker is never asked itself.
        """
        self._rules, self._clients = frozenset(rules), frozenset(clients)
        self._queries = frozenset(queries) | {"medications"}
        told = registry or CollectorRegistry()
        self._requests = Histogram(
            "http_server_request_duration_seconds",
            "Time to answer a request, by method, pattern of the address and status.",
            ("http_request_method", "http_route", "http_response_status_code"),
            buckets=BOUNDS,
            registry=told,
        )
        self._outgoing = Histogram(
            "http_client_request_duration_seconds",
            "Time of a request to a FHIR server, by client, query and how it ended.",
            ("client", "query", "outcome"),
            buckets=BOUNDS,
            registry=told,
        )
        self._hooks = Counter(
            "muscle_cds_hooks", "Hook calls, by hook and outcome.", ("hook", "outcome"), registry=told
        )
        self._cards = Counter(
            "muscle_cds_cards",
            "Cards given, by specification row and indicator; a card that rests on two rows counts for both.",
            ("rule", "indicator"),
            registry=told,
        )
        self._inputs = Counter(
            "muscle_cds_inputs", "Parts of records, by how far they were read.", ("input", "state"), registry=told
        )
        self._rejections = Counter(
            "muscle_cds_auth_rejections", "Callers not proven or not allowed, by reason.", ("reason",), registry=told
        )
        self._late = Counter(
            "muscle_cds_deadline_exceeded", "Hook calls that were answered without what was not there in time.",
            registry=told,
        )  # fmt: skip
        self._circuit = Gauge(
            "muscle_cds_circuit_open",
            "1 while no calls are made to the FHIR server of a client because it failed too often.",
            ("client",),
            registry=told,
            multiprocess_mode="livemax",
        )
        self._feedback = Counter(
            "muscle_cds_feedback", "Reports on cards that were taken, by outcome.", ("outcome",), registry=told
        )
        build = Gauge(
            "muscle_cds_build_info",
            "Always 1; the versions in force.",
            ("version", "content", "content_hash"),
            registry=told,
            multiprocess_mode="livemax",
        )
        build.labels(version, content, content_hash).set(1)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Every series of a closed set is there from the start: one that begins at 1 is no increase to Prometheus."""
        for hook in (*HOOKS, OTHER):  # the latter: refused before it was known which, as all callers not proven are
            for outcome in ("cards", "no-cards", "refused", *OUTCOMES.values()):
                self._hooks.labels(hook, outcome)
        for rule in self._rules:
            for indicator in INDICATORS:
                self._cards.labels(rule, indicator)
        for reason in _REASONS:
            self._rejections.labels(reason)
        for outcome in REPORTED:
            self._feedback.labels(outcome)
        for client in self._clients:
            self._circuit.labels(client)

    def request(self, record: Record) -> None:
        """Count one request, by its finished record."""
        route = _one_of(record.route, ROUTES)
        self._requests.labels(record.method, route, str(record.status)).observe(record.ms / 1000)
        if record.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            reason = record.not_trusted if record.status == HTTPStatus.UNAUTHORIZED else "not-allowed"
            self._rejections.labels(_one_of(reason, _REASONS)).inc()
        if record.method == "POST" and record.route in CALL_ROUTES:
            self._hook(record)
        for outcome, count in record.outcomes.items():
            self._feedback.labels(_one_of(outcome, REPORTED)).inc(count)

    def outgoing(self, one: Outgoing) -> None:
        """Measure one request to a FHIR server."""
        labels = (self._client(one.client), _one_of(one.query, self._queries), _one_of(one.outcome.value, ENDED))
        self._outgoing.labels(*labels).observe(one.seconds)

    def circuit(self, client: str, *, is_open: bool) -> None:
        """Say whether the circuit of a client's FHIR server is open (R6)."""
        self._circuit.labels(self._client(client)).set(float(is_open))

    def _hook(self, record: Record) -> None:
        if record.status == HTTPStatus.OK:
            outcome = "cards" if record.cards else "no-cards"
        else:
            outcome = OUTCOMES.get(record.status, "refused")
        self._hooks.labels(_one_of(record.hook, HOOKS), outcome).inc()
        for card in record.cards:
            indicator = _one_of(card["indicator"], INDICATORS)
            for rule in card["rules"].split():
                self._cards.labels(_one_of(rule, self._rules), indicator).inc()
        for name, state in record.inputs.items():
            self._inputs.labels(_one_of(name, INPUTS), _one_of(state, STATES)).inc()
        if record.late:
            self._late.inc()

    def _client(self, name: str) -> str:
        return ANYONE if not name else _one_of(name, self._clients)


_REASONS: Final = WHY_NOT_TRUSTED | {"not-allowed"}


def _one_of(word: str, known: frozenset[str]) -> str:
    return word if word in known else OTHER
