"""The real server with two workers and one store."""

import json
import sqlite3

import pytest

from service.store import open_store, schema
from tests.service.hooks.test_feedback import FEEDBACK, a_report, an_item
from tests.service.stand_ins import body
from tests.service.store.conftest import sqlite_url
from tests.service.test_server import CALL, server

CRAMP = {
    "resourceType": "Condition",
    "id": "c1",
    "subject": {"reference": "Patient/pat-1"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "55300003"}]},
}


def a_call():
    sent = json.loads(body())
    sent["prefetch"] |= {"problems": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": CRAMP}]}}
    return json.dumps(sent).encode()


@pytest.fixture
def url(tmp_path):
    schema.upgrade(sqlite_url(tmp_path))
    return sqlite_url(tmp_path)


def two_workers(url):
    return server(
        "serve",
        MUSCLE_CDS_STORE=url,
        MUSCLE_CDS_WORKERS="2",
        MUSCLE_CDS_AUTHENTICATION="off",
        MUSCLE_CDS_ACCEPT_RISK="auth-off",
    )


def test_cards_shown_by_either_worker_and_feedback_to_either_are_in_one_report(url):
    with two_workers(url) as running:
        cards = []
        for _ in range(12):
            status, _, raw = running.ask("POST", CALL, a_call())
            assert status == 200
            cards += json.loads(raw)["cards"]
        assert len(cards) >= 12
        reports = [a_report(an_item(card=card["uuid"], outcome="accepted")) for card in cards]
        for report in (*reports, *reports):
            status, _, raw = running.ask("POST", FEEDBACK, report)
            assert status == 200, raw
        code, _, err = running.stop()

    assert (code, err) == (0, "")
    store = open_store(url)
    lines = store.report()
    store.close()
    assert sum(line.shown for line in lines) == sum(line.accepted for line in lines) == len(cards)
    assert all(line.shown == line.accepted for line in lines)


def test_what_waits_when_the_server_ends_is_written(url, tmp_path):
    with two_workers(url) as running:
        _, _, raw = running.ask("POST", CALL, a_call())
        running.stop()

    with sqlite3.connect(tmp_path / "state.sqlite") as rows:
        kept = {uuid for (uuid,) in rows.execute("SELECT card FROM card_shown")}
    rows.close()
    assert kept == {card["uuid"] for card in json.loads(raw)["cards"]}
    assert kept


def test_the_server_starts_and_answers_hooks_without_its_tables_and_says_503_to_feedback(tmp_path):
    with two_workers(sqlite_url(tmp_path)) as running:
        status, _, raw = running.ask("POST", CALL, a_call())
        refused, _, _ = running.ask("POST", FEEDBACK, a_report())
        _, out, _ = running.stop()

    assert (status, refused) == (200, 503)
    assert json.loads(raw)["cards"]
    assert not (tmp_path / "state.sqlite").exists()
    assert "The store is not ready" in out
    assert "state.sqlite" not in out
