"""F28: the store is locked, read-only, full, gone, of an old schema, and comes back; and what the service answers then."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from service.errors import StoreUnavailable
from service.store import open_store, schema
from tests.faults.process import children, needs_proc
from tests.repository import ROOT
from tests.service.hooks.test_feedback import CALL, CARD, FEEDBACK, a_report, an_item
from tests.service.hooks.test_routes import is_a_refusal
from tests.service.hooks.tokens import a_client, a_production_app, bearer, claims, signed
from tests.service.stand_ins import an_app, body
from tests.service.store.a_postgres import NOBODY, PostgresMissingError, postgres
from tests.service.store.conftest import emptied, sqlite_url
from tests.service.store.rows import NOON, a_shown
from tests.service.store.rows import a_report as a_row


def is_down(store):
    """No token is taken as new, feedback is not said to be kept, history is dropped and counted."""
    before = store.dropped
    assert not store.ready()
    with pytest.raises(StoreUnavailable):
        store.claim("https://ehr.example", "new", NOON)
    with pytest.raises(StoreUnavailable):
        store.record([a_row(1)], "north")
    store.shown([a_shown(1), a_shown(2)])
    assert store._writer.flush(30)
    assert store.dropped == before + 2


def is_up(store, *, nonce="n2"):
    before = store.dropped
    assert store.ready()
    assert store.claim("https://ehr.example", nonce, NOON)
    assert not store.claim("https://ehr.example", "n1", NOON)
    store.shown([a_shown(1)])
    assert store.record([a_row(1)], "north").unmatched == 0
    assert store.dropped == before


@pytest.fixture
def file(tmp_path):
    schema.upgrade(sqlite_url(tmp_path))
    return tmp_path / "state.sqlite"


@pytest.fixture
def store(file):
    opened = open_store(f"sqlite:///{file}")
    assert opened.claim("https://ehr.example", "n1", NOON)
    yield opened
    opened.close()


# --- SQLite -------------------------------------------------------------------------------------------------------


def test_while_another_process_holds_the_lock_the_store_is_down(file, store):
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    is_down(store)
    other.execute("ROLLBACK")
    other.close()

    is_up(store)


def test_a_file_that_is_gone_is_not_made_anew(file, store):
    """Each worker would go on with a file of its own, and a token would be new to every one of them."""
    away = file.with_name("away")
    shutil.copy(file, away)
    for part in file.parent.glob("state.sqlite*"):
        part.unlink()

    is_down(store)
    assert not file.exists()


def test_a_file_that_is_replaced_is_the_one_that_is_used(file, store):
    with sqlite3.connect(file) as rows:
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rows.close()
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    for part in file.parent.glob("state.sqlite*"):
        part.unlink()
    copy.rename(file)

    is_up(store)
    with sqlite3.connect(file) as rows:
        assert rows.execute("SELECT count(*) FROM seen_token").fetchone() == (2,)
    rows.close()


def test_a_file_that_is_no_database_is_down_and_stays_as_it_is(file):
    file.write_bytes(b"not a database" * 1000)
    store = open_store(f"sqlite:///{file}")

    is_down(store)
    assert file.read_bytes() == b"not a database" * 1000
    store.close()


READ_ONLY = """
import os, sys
from service.errors import StoreUnavailable
from service.store import open_store
from tests.service.store.rows import NOON, a_shown, a_report
store = open_store(sys.argv[1])
if os.geteuid() == 0:  # whom no permission binds
    assert store.ready()
    store._database.close()
    os.setgroups([])
    os.setegid(int(sys.argv[2]))
    os.seteuid(int(sys.argv[2]))
for attempt in (lambda: store.claim("https://ehr.example", "new", NOON), lambda: store.record([a_report(1)], "north")):
    try:
        attempt()
    except StoreUnavailable:
        print("down")
store.shown([a_shown(1)])
store._writer.flush(30)
print(store.dropped, store.ready())
"""


def test_a_file_that_may_only_be_read_is_down(file):
    file.chmod(0o444)
    for folder in (file.parent.parent.parent, file.parent.parent):
        folder.chmod(0o755)  # a user without rights must at least get there
    file.parent.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, f"sqlite:///{file}", str(NOBODY)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    file.parent.chmod(0o755)

    assert done.stdout.split() == ["down", "down", "1", "False"], done.stderr


def _fill(store):
    for number in range(2000):
        store.claim("https://ehr.example", f"fill-{number}", NOON)


def test_a_full_disk_is_down_and_the_service_recovers(store):
    with store._database.transaction() as connection:
        ((pages,),) = connection.rows("PRAGMA page_count")
        connection.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable):
        _fill(store)

    is_up(store)


# --- PostgreSQL ---------------------------------------------------------------------------------------------------


def test_a_server_that_stops_is_down_and_recovers_without_a_restart_of_ours():
    try:
        with postgres() as server:
            schema.upgrade(server.url)
            store = open_store(server.url)
            assert store.claim("https://ehr.example", "n1", NOON)
            server.stop()

            is_down(store)

            server.start()
            is_up(store)
            store.close()
    except PostgresMissingError as why:
        pytest.skip(f"no PostgreSQL: {why}")


@needs_proc
def test_a_server_that_hangs_is_down_within_seconds_and_recovers():
    """It took the connections and the statements, and nothing comes back: its machine stands still."""
    try:
        with postgres() as server:
            schema.upgrade(server.url)
            store = open_store(server.url)
            assert store.claim("https://ehr.example", "n1", NOON)
            with ThreadPoolExecutor(8) as hooks:
                assert all(hooks.map(lambda n: store.claim("https://ehr.example", f"before-{n}", NOON), range(80)))
                standing = [server.process.pid, *children(server.process.pid)]
                for one in standing:
                    os.kill(one, signal.SIGSTOP)
                began = time.monotonic()
                try:
                    for waiting in [hooks.submit(store.claim, "https://ehr.example", f"n{n}", NOON) for n in range(8)]:
                        with pytest.raises(StoreUnavailable):
                            waiting.result(30)
                    assert time.monotonic() - began < 15  # "seconds at most"; it was for as long as the server hung
                    is_down(store)
                finally:
                    for one in standing:
                        with suppress(ProcessLookupError):  # it found its caller gone, and ended
                            os.kill(one, signal.SIGCONT)

            is_up(store, nonce="after")
            store.close()
    except PostgresMissingError as why:
        pytest.skip(f"no PostgreSQL: {why}")


def test_a_row_that_is_locked_is_waited_for_about_a_second_and_no_longer(server):
    schema.upgrade(emptied(server))
    store, other = open_store(server.url), open_store(server.url)
    with other._database.transaction() as connection:
        connection.change("LOCK TABLE seen_token, card_shown, feedback IN ACCESS EXCLUSIVE MODE")
        is_down(store)
    assert store.claim("https://ehr.example", "n1", NOON)
    is_up(store)
    store.close()
    other.close()


def test_a_server_that_takes_no_writes_is_down_and_recovers(server):
    schema.upgrade(emptied(server))
    store, other = open_store(server.url), open_store(server.url)
    assert store.claim("https://ehr.example", "n1", NOON)
    with other._database.transaction() as connection:
        connection.change("ALTER ROLE muscle SET default_transaction_read_only = on")
    store._database.close()  # it holds for new connections only
    is_down(store)

    with other._database.transaction() as connection:
        connection.change("ALTER ROLE muscle SET default_transaction_read_only = off")
    store._database.close()
    is_up(store)
    store.close()
    other.close()


# --- what the service answers -------------------------------------------------------------------------------------


PATHS = {"call": (CALL, body()), "feedback": (FEEDBACK, a_report())}


@pytest.mark.parametrize("kind", PATHS)
def test_where_a_replay_matters_a_caller_is_told_to_come_back(kind, file, store, tmp_path):
    path, sent = PATHS[kind]
    client = a_production_app(a_client(tmp_path), store=store).test_client()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    refused = client.post(path, data=sent, headers=bearer(signed(claims(path))))
    other.execute("ROLLBACK")
    other.close()

    is_a_refusal(refused, 503, "transient")
    assert int(refused.headers["Retry-After"]) > 0
    assert client.post(path, data=sent, headers=bearer(signed(claims(path)))).status_code == 200
    assert client.post(path, data=sent, headers=bearer(signed(claims(path)))).status_code == 401


def test_where_a_site_accepts_replays_the_hook_is_answered_without_a_store(file, store, tmp_path):
    lines = []
    client = a_production_app(a_client(tmp_path, replay="off"), store=store, lines=lines).test_client()
    file.unlink()

    for _ in range(2):
        response = client.post(CALL, data=body(), headers=bearer(signed()))
        assert response.status_code == 200
        assert len(response.get_json()["cards"]) == 1
        assert store._writer.flush(30)
    assert json.loads(lines[1])["history_dropped"] >= 1
    assert store.dropped == 2


def test_a_card_shown_to_one_client_is_not_for_another_to_report(store, tmp_path):
    for name in ("ehr", "other"):
        (tmp_path / name).mkdir()
    ours = a_client(tmp_path / "ehr")
    theirs = a_client(tmp_path / "other", name="other", issuer="https://other.example")
    client = a_production_app(ours, theirs, store=store).test_client()
    (card,) = client.post(CALL, data=body(), headers=bearer(signed())).get_json()["cards"]
    report = a_report(an_item(card=card["uuid"]))

    foreign = signed(claims(FEEDBACK, iss="https://other.example", jti="2"))
    is_a_refusal(client.post(FEEDBACK, data=report, headers=bearer(foreign)), 400, "invalid")
    kept = client.post(FEEDBACK, data=report, headers=bearer(signed(claims(FEEDBACK, jti="3")))).get_json()
    assert (kept["recorded"], kept["unmatched"]) == (1, 0)


def test_a_hook_is_answered_though_history_cannot_be_kept(file, store):
    client = an_app(store=store).test_client()
    file.unlink()

    response = client.post(CALL, data=body())
    assert response.status_code == 200
    assert len(response.get_json()["cards"]) == 1
    assert store._writer.flush(30)
    assert store.dropped == 1


def test_feedback_is_503_while_the_store_is_down_and_200_after(file, store):
    client = an_app(store=store).test_client()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    is_a_refusal(client.post(FEEDBACK, data=a_report()), 503, "transient")
    other.execute("ROLLBACK")
    other.close()

    assert client.post(FEEDBACK, data=a_report()).get_json()["recorded"] == 1


def test_a_batch_is_kept_whole_or_not_at_all(store):
    at = datetime(2026, 6, 15, 12, tzinfo=UTC)
    store.shown([a_shown(1, client="south")])
    client = an_app(store=store).test_client()
    items = [an_item(card=CARD), an_item(card=a_shown(1).card)]

    is_a_refusal(client.post(FEEDBACK, data=a_report(*items)), 400, "invalid")
    assert store.prune(at + timedelta(days=36500)) == 2  # the token and the card
