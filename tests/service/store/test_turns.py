"""Writing costs callers little: cards of many answers go together, and threads take turns at SQLite (R3, R17)."""

from datetime import timedelta
from threading import Thread

import pytest

from service.errors import StoreUnavailable
from service.store import open_store, schema, sqlite, writer
from service.store.writer import Writer
from tests.service.store.rows import NOON, a_shown


@pytest.fixture
def sqlite_store(tmp_path):
    url = f"sqlite:///{tmp_path}/state.sqlite"
    schema.upgrade(url)
    store = open_store(url)
    yield store
    store.close()


def test_cards_of_several_answers_are_written_at_once_and_a_flush_does_not_wait_for_more(monkeypatch):
    monkeypatch.setattr(writer, "GATHER_SECONDS", 600)
    batches = []
    kept = Writer(lambda cards: batches.append(list(cards)))
    for number in range(5):
        kept.add([a_shown(number)])

    assert kept.flush(60)
    assert batches == [[a_shown(number) for number in range(5)]]
    kept.close()


def test_the_end_does_not_wait_for_more_cards_to_gather(monkeypatch):
    monkeypatch.setattr(writer, "GATHER_SECONDS", 600)
    batches = []
    kept = Writer(lambda cards: batches.append(list(cards)))
    kept.add([a_shown(1)])
    kept.close(60)

    assert batches == [[a_shown(1)]]
    assert kept.dropped == 0


def test_threads_that_claim_at_once_are_all_served_in_turn(sqlite_store):
    claimed = []
    threads = [
        Thread(target=lambda n=n: claimed.append(sqlite_store.claim("https://ehr.example", f"n{n % 16}", NOON)))
        for n in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(claimed) == [False] * 16 + [True] * 16


def test_a_thread_that_gets_no_turn_in_time_says_so_and_the_turn_comes_back(sqlite_store, monkeypatch):
    monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0.01)
    with sqlite_store._database.transaction(), pytest.raises(StoreUnavailable, match="busy"):
        sqlite_store.claim("https://ehr.example", "n1", NOON + timedelta(hours=1))

    assert sqlite_store.claim("https://ehr.example", "n1", NOON + timedelta(hours=1))
