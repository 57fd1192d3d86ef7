"""What every store promises: SQLite, PostgreSQL and, within one process, memory."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.store import FeedbackOutcome, MemoryStore, Outcome, database, open_store, schema
from service.store.database import DatabaseStore
from tests.service.store.conftest import emptied, sqlite_url
from tests.service.store.rows import NOON, a_report, a_shown


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def any_store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStore(retention_days=90)
        return
    url = sqlite_url(tmp_path) if request.param == "sqlite" else emptied(request.getfixturevalue("server"))
    schema.upgrade(url)
    opened = open_store(url, retention_days=90)
    yield opened
    opened.close()


def shown(store, *cards):
    store.shown(cards)
    if isinstance(store, DatabaseStore):
        assert store._writer.flush()


def test_a_token_is_claimed_once(any_store):
    assert any_store.claim("https://ehr.example", "n1", NOON)
    assert not any_store.claim("https://ehr.example", "n1", NOON + timedelta(hours=1))


@pytest.mark.parametrize("other", [("https://other.example", "n1"), ("https://ehr.example", "n2"), ("https://ehr.example1", "n")])  # fmt: skip
def test_another_issuer_or_nonce_is_another_token(any_store, other):
    assert any_store.claim("https://ehr.example", "n1", NOON)
    assert any_store.claim(*other, NOON)


@pytest.mark.parametrize("nonce", ["", "a" * 100_000, "\0", "'; DROP TABLE seen_token; --", "\ud800", "😀"])
def test_any_text_may_be_a_nonce(any_store, nonce):
    assert any_store.claim("https://ehr.example", nonce, NOON)
    assert not any_store.claim("https://ehr.example", nonce, NOON)


def test_of_32_that_present_a_token_at_once_exactly_one_is_the_first(any_store):
    with ThreadPoolExecutor(32) as crowd:
        for number in range(20):
            firsts = crowd.map(lambda _, n=number: any_store.claim("https://ehr.example", f"n{n}", NOON), range(32))
            assert sum(firsts) == 1


def test_feedback_on_a_card_is_kept_and_matched(any_store):
    shown(any_store, a_shown(1))

    assert any_store.record([a_report(1)], "north") == FeedbackOutcome(recorded=1)


def test_feedback_on_a_card_shown_a_moment_ago_is_matched(any_store):
    any_store.shown([a_shown(number) for number in range(1, 60)])

    assert any_store.record([a_report(59)], "north") == FeedbackOutcome(recorded=1)


def test_the_same_report_again_is_counted_once(any_store):
    shown(any_store, a_shown(1))
    any_store.record([a_report(1)], "north")

    again = replace(a_report(1), received=NOON + timedelta(days=3))
    assert any_store.record([again, again], "north") == FeedbackOutcome(repeated=2)


def test_a_report_twice_in_one_batch_is_counted_once(any_store):
    shown(any_store, a_shown(1))

    assert any_store.record([a_report(1), a_report(1)], "north") == FeedbackOutcome(recorded=1, repeated=1)


def test_a_report_without_a_time_is_the_same_when_it_comes_again(any_store):
    first = a_report(1, at_receipt=True)
    later = a_report(1, at_receipt=True, at=NOON + timedelta(hours=2), received=NOON + timedelta(hours=2))

    assert any_store.record([first], "north").recorded == 1
    assert any_store.record([later], "north").repeated == 1


@pytest.mark.parametrize(
    "changed", [{"outcome": Outcome.OVERRIDDEN}, {"at": NOON + timedelta(seconds=1)}, {"number": 2}]
)
def test_another_card_outcome_or_time_is_another_report(any_store, changed):
    any_store.record([a_report(1)], "north")

    assert any_store.record([a_report(**{"number": 1} | changed)], "north").recorded == 1


@pytest.mark.parametrize("card", [7, ""])
def test_an_unknown_card_is_recorded_and_counted(any_store, card):
    assert any_store.record([a_report(card)], "north") == FeedbackOutcome(recorded=1, unmatched=1)


def test_a_card_of_another_client_is_refused_and_with_it_its_batch(any_store):
    shown(any_store, a_shown(1), a_shown(2, client="south"))

    assert any_store.record([a_report(1), a_report(2)], "north") == FeedbackOutcome(foreign=(1,))
    assert any_store.record([a_report(1)], "north") == FeedbackOutcome(recorded=1)
    assert any_store.record([a_report(2)], "south") == FeedbackOutcome(recorded=1)


def test_pruning_removes_what_ended_and_what_is_old(any_store):
    old = NOON - timedelta(days=91)
    any_store.claim("https://ehr.example", "ended", NOON - timedelta(seconds=1))
    any_store.claim("https://ehr.example", "good", NOON + timedelta(seconds=1))
    shown(any_store, a_shown(1, at=old), a_shown(2))
    any_store.record([a_report(1, received=old), a_report(2)], "north")

    assert any_store.prune(NOON) == 3
    assert any_store.prune(NOON) == 0
    assert not any_store.claim("https://ehr.example", "good", NOON)
    assert any_store.claim("https://ehr.example", "ended", NOON)
    assert any_store.record([a_report(2)], "north").repeated == 1
    assert any_store.record([a_report(1)], "north") == FeedbackOutcome(recorded=1, unmatched=1)


def test_a_store_with_its_tables_is_ready(any_store):
    assert any_store.ready()
    assert any_store.dropped == 0


def test_batches_that_overlap_in_any_order_are_each_counted_once(any_store):
    batch = [a_report(number) for number in range(1, 41)]
    with ThreadPoolExecutor(8) as crowd:
        done = crowd.map(lambda n: any_store.record(batch if n % 2 else batch[::-1], "north"), range(16))
        outcomes = list(done)

    assert sum(outcome.recorded for outcome in outcomes) == 40
    assert sum(outcome.repeated for outcome in outcomes) == 15 * 40


def test_calls_are_answered_while_much_is_pruned(store, url, monkeypatch):
    """SQLite takes one writer at a time: all at once, a night's tokens kept every hook waiting, and some refused."""
    monkeypatch.setattr(database, "_AT_ONCE", 2)
    for number in range(7):
        store.claim("https://ehr.example", f"ended-{number}", NOON - timedelta(seconds=1))
    hook = open_store(url)
    claimed = []

    def others(_seconds):
        claimed.append(hook.claim("https://ehr.example", f"n{len(claimed)}", NOON + timedelta(seconds=1)))

    monkeypatch.setattr(database.time, "sleep", others)
    assert store.prune(NOON) == 7
    monkeypatch.undo()
    hook.close()

    assert claimed == [True] * 3
