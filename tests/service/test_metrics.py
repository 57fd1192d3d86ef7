"""What is measured: the names of R15 and no other, label values of closed sets alone, and what each request counts."""

import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from collections import Counter as Count
from contextlib import suppress
from enum import Enum
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app, load_parts
from service.errors import WHY_NOT_TRUSTED
from service.metrics import BOUNDS, ROUTES, Metrics
from service.observe import Record
from service.settings import Settings
from service.store import MemoryStore
from tests.faults.process import needs_proc, workers_of
from tests.repository import text_of
from tests.service.hooks.tokens import a_client
from tests.service.stand_ins import a_card, advises, an_answer, parts
from tests.service.test_server import CALL, body, server

CANARY = "c4n4ry"
NAMES = {
    "http_server_request_duration_seconds": "histogram",
    "http_client_request_duration_seconds": "histogram",
    "muscle_cds_hooks": "counter",
    "muscle_cds_cards": "counter",
    "muscle_cds_inputs": "counter",
    "muscle_cds_auth_rejections": "counter",
    "muscle_cds_deadline_exceeded": "counter",
    "muscle_cds_circuit_open": "gauge",
    "muscle_cds_feedback": "counter",
    "muscle_cds_build_info": "gauge",
}


@pytest.fixture
def measured():
    """Metrics of one process, and a function that tells what a sample says now."""
    registry = CollectorRegistry()
    made = Metrics(
        rules={"P14"},
        clients={"ehr"},
        queries={"results"},
        version="0.1.0",
        content="1.2.3",
        content_hash="0123abcd",
        registry=registry,
    )

    def value(name, **labels):
        return registry.get_sample_value(name, labels) or 0

    def all_of(name):
        return [one.value for family in registry.collect() for one in family.samples if one.name == name]

    return SimpleNamespace(made=made, value=value, all_of=all_of, text=lambda: generate_latest(registry).decode())


def a_record(**changed):
    return Record(
        **{"correlation_id": "a", "method": "POST", "route": "/cds-services/<service_id>", "status": 200} | changed
    )


def test_the_names_are_those_of_the_rule_and_no_other(measured):
    families = text_string_to_metric_families(measured.text())
    found = {one.name: one.type for one in families if not one.name.endswith("_created")}  # not said by workers

    assert found == NAMES


def test_what_an_alert_waits_for_is_there_from_the_start(measured):
    """Prometheus sees no increase in a series that begins at 1, and no zero in one that is not there."""
    for text in (
        'muscle_cds_hooks_total{hook="patient-view",outcome="defect"} 0.0',
        'muscle_cds_hooks_total{hook="other",outcome="unavailable"} 0.0',  # refused before it was known for which
        'muscle_cds_auth_rejections_total{reason="expired"} 0.0',
        'muscle_cds_cards_total{indicator="critical",rule="P14"} 0.0',
        'muscle_cds_circuit_open{client="ehr"} 0.0',
        'muscle_cds_feedback_total{outcome="overridden"} 0.0',
        "muscle_cds_deadline_exceeded_total 0.0",
    ):
        assert text in measured.text()


def test_bounds_are_those_of_opentelemetry(measured):
    measured.made.request(a_record(ms=30.0))
    found = re.findall(r'http_server_request_duration_seconds_bucket\{.*le="([0-9.]+)"\}', measured.text())

    assert tuple(float(bound) for bound in found) == BOUNDS
    assert BOUNDS == (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


def test_a_call_with_a_card_counts_its_hook_its_rules_and_its_inputs(measured):
    record = a_record(hook="patient-view", ms=7.0)
    record.told(an_answer(a_card(rules=("P14", "P99"))))
    measured.made.request(record)

    assert measured.value("muscle_cds_hooks_total", hook="patient-view", outcome="cards") == 1
    assert measured.value("muscle_cds_cards_total", rule="P14", indicator="info") == 1
    assert measured.value("muscle_cds_cards_total", rule="other", indicator="info") == 1
    assert measured.value("muscle_cds_inputs_total", input="results", state="complete") == 1
    assert measured.value("muscle_cds_inputs_total", input="medicines", state="failed") == 1
    assert measured.value("muscle_cds_deadline_exceeded_total") == 0


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, "no-cards"),
        ({"status": 400}, "refused"),
        ({"status": 413}, "refused"),
        ({"status": 401}, "not-trusted"),
        ({"status": 403}, "not-allowed"),
        ({"status": 412}, "no-data"),
        ({"status": 500}, "defect"),
        ({"status": 503}, "unavailable"),
    ],
)
def test_every_way_a_call_can_end_has_its_word(measured, changed, outcome):
    measured.made.request(a_record(hook="order-sign", **changed))

    assert measured.value("muscle_cds_hooks_total", hook="order-sign", outcome=outcome) == 1


def test_what_was_not_there_in_time_is_counted_also_when_nothing_could_be_said(measured):
    measured.made.request(a_record(hook="patient-view", late=True))
    measured.made.request(a_record(hook="patient-view", late=True, status=412))

    assert measured.value("muscle_cds_deadline_exceeded_total") == 2


def test_rejections_are_counted_by_reason(measured):
    measured.made.request(a_record(status=401, not_trusted="expired"))
    measured.made.request(a_record(status=401, not_trusted=CANARY))
    measured.made.request(a_record(status=403))

    values = [measured.value("muscle_cds_auth_rejections_total", reason=r) for r in ("expired", "other", "not-allowed")]
    assert values == [1, 1, 1]


def test_feedback_is_counted_by_outcome_and_is_no_hook_call(measured):
    measured.made.request(a_record(route="/cds-services/<service_id>/feedback", outcomes={"accepted": 3, CANARY: 1}))

    assert measured.value("muscle_cds_feedback_total", outcome="accepted") == 3
    assert measured.value("muscle_cds_feedback_total", outcome="other") == 1
    assert sum(measured.all_of("muscle_cds_hooks_total")) == 0


class Ended(Enum):
    ANSWERED = "answered"
    ODD = CANARY


def test_requests_to_fhir_servers_and_circuits_are_told_by_client(measured):
    for client, query, outcome in (
        ("ehr", "results", Ended.ANSWERED),
        ("", CANARY, Ended.ODD),
        (CANARY, "", Ended.ODD),
    ):
        measured.made.outgoing(SimpleNamespace(client=client, query=query, outcome=outcome, status=200, seconds=0.02))
    measured.made.circuit("ehr", is_open=True)

    count = "http_client_request_duration_seconds_count"
    assert measured.value(count, client="ehr", query="results", outcome="answered") == 1
    assert measured.value(count, client="anyone", query="other", outcome="other") == 1
    assert measured.value(count, client="other", query="other", outcome="other") == 1
    assert measured.value("muscle_cds_circuit_open", client="ehr") == 1


def test_no_word_from_outside_becomes_a_label(measured):
    odd = {"indicator": CANARY, "rules": CANARY, "topic": CANARY}
    measured.made.request(
        a_record(
            correlation_id=CANARY, route=f"/{CANARY}", hook=CANARY, service=CANARY, client=CANARY, tenant=CANARY,
            cards=[odd], inputs={CANARY: CANARY}, silent_because=CANARY, errors=[CANARY], outcomes={CANARY: 1},
        )
    )  # fmt: skip
    measured.made.request(a_record(hook=CANARY, cards=[odd], inputs={CANARY: CANARY}, status=401, not_trusted=CANARY))

    assert CANARY not in measured.text()


def test_the_words_of_refused_callers_are_all_those_that_are_said():
    said = set()
    for page in ("service/hooks/trust.py", "service/hooks/keys.py"):
        said |= set(re.findall(r'NotTrusted\(\s*"([a-z-]+)"', text_of(page)))
        said |= set(re.findall(r'NotTrusted\("[a-z-]+" if [^"]+ else "([a-z-]+)"', text_of(page)))

    assert said == WHY_NOT_TRUSTED


def test_every_address_of_a_production_service_is_told_apart(tmp_path):
    settings = Settings(clients=(a_client(tmp_path),), public_url="https://cds.example", serve_openapi=True)
    app = create_app(settings, parts(), advise=advises(), store=MemoryStore())

    assert {rule.rule for rule in app.url_map.iter_rules()} == ROUTES


def test_every_row_of_the_content_is_a_rule_that_is_told_apart():
    rules = {kind.rule for topic in load_parts(Settings()).content.topics for kind in topic.sheet.kinds.values()}

    assert {"P14", "P16"} <= rules
    assert all(re.fullmatch(r"[A-Z][0-9]+[a-z]?", rule) for rule in rules)


# --- the real thing: two workers, one address of its own ---------------------------------------------------------------


def scraped(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


def sent(port, raw):
    """All that comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(raw)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def samples(text):
    return Count(
        {
            (one.name, *sorted(one.labels.values())): one.value
            for family in text_string_to_metric_families(text)
            for one in family.samples
        }
    )


def test_the_numbers_of_all_workers_are_added_up_at_an_address_of_their_own(tmp_path, free_port):
    environment = {
        "MUSCLE_CDS_PROFILE": "demo",
        "MUSCLE_CDS_WORKERS": "2",
        "MUSCLE_CDS_METRICS_ADDRESS": f"127.0.0.1:{free_port}",
        "TMPDIR": str(tmp_path),
    }
    with server("serve", **environment) as running:
        for _ in range(20):
            assert running.ask("POST", CALL, body())[0] == 200
        running.ask("POST", CALL, b"[]")
        found = samples(scraped(free_port))
        assert found["muscle_cds_hooks_total", "cards", "patient-view"] == 20
        assert found["muscle_cds_hooks_total", "patient-view", "refused"] == 1
        assert running.ask("GET", "/metrics")[0] == 404  # never at the address of the hooks
        with pytest.raises(urllib.error.HTTPError, match="404"):
            scraped(free_port, "/other")
        assert len(list(tmp_path.glob("muscle-cds-metrics-*"))) == 1
        for asked, headers in ((b"GET /metrics", 1), (b"GET /other", 1), (b"POST /metrics", 1), (b"GET /", 101)):
            head, _, _ = sent(free_port, asked + b" HTTP/1.0\r\n" + b"a: b\r\n" * headers + b"\r\n").partition(
                b"\r\n\r\n"
            )
            assert b"Server: muscle-cds" in head
            assert b"Python" not in head
        code, out, err = running.stop()

    assert (code, err) == (0, "")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="refused"):
        scraped(free_port)
    assert "defect" not in out


@needs_proc
def test_whatever_is_killed_comes_back_and_what_was_counted_stays(free_port):
    environment = {"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_METRICS_ADDRESS": f"127.0.0.1:{free_port}"}
    with server("serve", **environment) as running:
        assert running.ask("POST", CALL, body())[0] == 200
        for pid in workers_of(running, 2):  # a worker, and the process of the metrics
            os.kill(pid, signal.SIGKILL)
        for _ in range(200):
            with suppress(OSError):
                if running.ask("GET", "/livez")[0] == 200 and scraped(free_port):
                    break
            time.sleep(0.05)
        assert running.ask("POST", CALL, body())[0] == 200
        found = samples(scraped(free_port))
        assert running.stop()[0] == 0

    assert found["muscle_cds_hooks_total", "cards", "patient-view"] == 2
    assert sum(value for name, value in found.items() if name[0] == "muscle_cds_build_info") == 1


def test_an_address_that_is_taken_stops_the_start_with_a_message(taken_port):
    with (
        pytest.raises(AssertionError, match="metrics_address cannot be listened on"),
        server("serve", MUSCLE_CDS_PROFILE="demo", MUSCLE_CDS_METRICS_ADDRESS=f"127.0.0.1:{taken_port}"),
    ):
        pass
