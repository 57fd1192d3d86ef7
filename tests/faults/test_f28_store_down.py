"""F28: the store is locked, gone, read-only, full, without its tables, or its server is stopped. Who must be proven once
is told to come back, feedback is not said to be kept, others are served and what could not be noted is counted; and
once the store is back, all is well without a restart.
"""

import itertools
import json
import resource
import shutil
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.store import open_store, schema
from tests.faults.production import (
    CAN_TELL_WORKERS,
    Hospital,
    a_call_with_cards,
    a_folder,
    is_refused,
    production,
    token,
    until,
)
from tests.service.hooks.test_feedback import a_report, an_item
from tests.service.hooks.tokens import FEEDBACK
from tests.service.store.a_postgres import PostgresMissingError, postgres

KIT = "https://kit.example"  # a test kit, whose tokens count as often as they are sent
OTHER = "https://other.example"
TWO_HOSTS = {"hosts": 2, "accept_risk": ["replay-off"]}
CLIENTS = ({}, {"name": "kit", "issuer": KIT, "replay": "off"}, {"name": "other", "issuer": OTHER})
NO_RIGHTS_OF_ROOT = """
import ctypes, os
if os.geteuid() == 0:  # whom no permission of a file binds: these rights are given away
    class Head(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]
    class Rights(ctypes.Structure):
        _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]
    libc, head, rights = ctypes.CDLL(None, use_errno=True), Head(0x20080522, 0), (Rights * 2)()
    assert libc.capget(ctypes.byref(head), rights) == 0
    for held in rights[:1]:
        held.effective &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        held.permitted &= ~0b110
    assert libc.capset(ctypes.byref(head), rights) == 0
"""
THREE_CARDS_MAY_WAIT = """
from service.store.writer import Writer
Writer.__init__.__defaults__ = (3, *Writer.__init__.__defaults__[1:])
"""
SECONDS = itertools.count()
linux = pytest.mark.skipif(
    not CAN_TELL_WORKERS or not sys.platform.startswith("linux"), reason="made with means that Linux alone has"
)


@pytest.fixture(scope="module")
def folder():
    with a_folder() as made:
        yield made


@pytest.fixture(scope="module")
def file(folder):
    return folder / "state.sqlite"


@pytest.fixture(scope="module")
def service(folder):
    before = NO_RIGHTS_OF_ROOT if sys.platform.startswith("linux") else ""
    with production(folder, *CLIENTS, before=before, accept_risk=["replay-off"]) as running:
        yield running


def by_kit(service):
    """A call whose caller is not asked for a token that is new. Its answer, and what the log says of it."""
    status, answered, body = service.post(a_call_with_cards(), by=token(iss=KIT))
    return status, body, service.line_of(answered["X-Correlation-ID"])


def readiness_becomes(service, status):
    """Whether the probe comes to say this, whichever worker is asked: it asks the store about once a second."""
    return until(lambda: {service.ask("GET", "/readyz")[0] for _ in range(8)} == {status})


def report(**changed):
    return a_report(an_item(**changed))


def is_down(service: Hospital):
    """Strict: 503. Feedback: 503. Not strict: served, and what was not noted is counted."""
    is_refused(service.post(), 503, "transient")
    is_refused(service.post(report(), FEEDBACK), 503, "transient")
    status, body, _ = by_kit(service)
    assert status == 200
    assert body["cards"]
    assert until(lambda: by_kit(service)[2].get("history_dropped", 0) > 0)


def is_up(service: Hospital):
    """Each token is taken once and feedback kept, by either worker, though nobody restarted them."""
    assert until(lambda: service.status() == 200)
    for _ in range(6):
        once = token()
        assert [service.status(by=once), service.status(by=once)] == [200, 401]
        status, _, kept = service.post(report(outcomeTimestamp=an_instant()), FEEDBACK)
        assert (status, kept["recorded"]) == (200, 1)
    _, body, _ = by_kit(service)
    assert service.status(report(card=body["cards"][0]["uuid"]), FEEDBACK, by=token(FEEDBACK, iss=KIT)) == 200


def an_instant():
    """A time that no other report has."""
    return (datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=next(SECONDS))).isoformat()


# --- SQLite ----------------------------------------------------------------------------------------------------------


@contextmanager
def locked(file, _service):
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def removed(file, _service):
    away = file.parent / "away"
    away.mkdir()
    for part in file.parent.glob("state.sqlite*"):
        part.rename(away / part.name)
    yield
    assert not file.exists()  # nobody made an empty one
    for part in away.iterdir():
        part.rename(file.parent / part.name)
    away.rmdir()


@contextmanager
def exchanged(file, made):
    """Another file in its place, as after a restore. It is closed, and what was in the log beside it is in it."""
    for part in file.parent.glob("state.sqlite-*"):
        part.unlink()
    made.replace(file)
    yield


def a_copy(file):
    with sqlite3.connect(file) as rows:
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rows.close()
    return Path(shutil.copy(file, file.with_name("copy")))


@contextmanager
def read_only(file, _service):
    copy = a_copy(file)
    copy.chmod(0o444)
    with exchanged(file, copy):
        file.parent.chmod(0o555)
        yield
        file.parent.chmod(0o755)
        file.chmod(0o644)


@contextmanager
def file_read_only(file, _service):
    """The file alone: what is beside it can be written, and connections can be opened."""
    copy = a_copy(file)
    copy.chmod(0o444)
    with exchanged(file, copy):
        yield
        for part in file.parent.glob("state.sqlite*"):
            part.chmod(0o644)


@contextmanager
def no_database(file, _service):
    copy, broken = a_copy(file), file.with_name("broken")
    broken.write_bytes(b"not a database" * 1000)
    with exchanged(file, broken):
        yield
    assert file.read_bytes() == b"not a database" * 1000  # it was left alone
    with exchanged(file, copy):
        pass


@contextmanager
def without_tables(file, _service):
    empty = file.with_name("empty")
    sqlite3.connect(empty).close()
    empty.touch()
    with exchanged(file, empty):
        yield
    schema.upgrade(f"sqlite:///{file}")  # what "muscle-cds db upgrade" does


@contextmanager
def full(file, service):
    """No process of the service may make a file longer than it is: the next page that is to be written does not fit."""
    a_copy(file).unlink()  # the log beside the file is empty then
    none = resource.RLIM_INFINITY
    for worker in service.workers():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (1024, none))
    yield
    for worker in service.workers():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (none, none))


FAULTS = [locked, removed, no_database, without_tables, pytest.param(read_only, marks=linux), pytest.param(file_read_only, marks=linux), pytest.param(full, marks=linux)]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_cannot_be_used_closes_what_rests_on_it_and_no_more_and_recovers_alone(service, file, fault):
    is_up(service)
    with fault(file, service):
        is_down(service)
    is_up(service)

    assert not any(line["status"] == 500 for line in service.asked())
    assert not any("state.sqlite" in line or "sqlite3" in line for line in service.out)


@pytest.mark.parametrize("fault", [locked, removed, without_tables, pytest.param(full, marks=linux)])
def test_the_readiness_probe_says_503_while_the_store_cannot_be_used_and_200_again_after(service, file, fault):
    assert readiness_becomes(service, 200)
    with fault(file, service):
        assert readiness_becomes(service, 503)
        assert {service.ask("GET", "/livez")[0] for _ in range(4)} == {200}
    assert readiness_becomes(service, 200)


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def test_a_database_server_that_stops_does_the_same_and_is_taken_up_when_it_is_back(tmp_path):
    try:
        with postgres() as database, production(tmp_path, *CLIENTS, store=database.url, **TWO_HOSTS) as service:
            is_up(service)
            database.stop()
            is_down(service)
            database.start()
            is_up(service)
            assert not any(line["status"] == 500 for line in service.asked())
    except PostgresMissingError as why:
        pytest.skip(f"no PostgreSQL: {why}")


# --- history -----------------------------------------------------------------------------------------------------------


def test_where_too_many_cards_wait_they_are_dropped_and_counted_and_nobody_waits(tmp_path):
    with production(tmp_path, *CLIENTS, before=THREE_CARDS_MAY_WAIT, accept_risk=["replay-off"]) as service:
        with locked(tmp_path / "state.sqlite", service), ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: by_kit(service), range(40)))
            assert {status for status, _, _ in answers} == {200}
            assert max(line.get("history_dropped", 0) for _, _, line in answers) > 0
        service.stop()
    store = open_store(service.store)
    shown = sum(line.shown for line in store.report())
    store.close()
    assert shown < sum(len(body["cards"]) for _, body, _ in answers)


# --- feedback ----------------------------------------------------------------------------------------------------------


def test_feedback_on_an_unknown_card_is_kept_and_counted(service):
    status, _, kept = service.post(report(card="00000000-0000-4000-8000-000000000000"), FEEDBACK)

    assert (status, kept["recorded"], kept["unmatched"]) == (200, 1, 1)


def is_written(file, card):
    """Whether a card that was shown is in the store: the worker that showed it writes it a moment later."""
    with sqlite3.connect(file) as rows:
        found = rows.execute("SELECT 1 FROM card_shown WHERE card = ?", (card,)).fetchone()
    rows.close()
    return found is not None


def test_feedback_on_a_card_of_another_client_is_refused_whole(service, file):
    _, _, body = service.post(a_call_with_cards())
    assert until(lambda: all(is_written(file, card["uuid"]) for card in body["cards"]))
    batch = a_report(*(an_item(card=card["uuid"], outcome="accepted") for card in body["cards"]))

    is_refused(service.post(batch, FEEDBACK, by=token(FEEDBACK, iss=OTHER)), 400, "invalid")
    status, _, kept = service.post(batch, FEEDBACK)
    assert (status, kept["recorded"], kept["unmatched"]) == (200, len(body["cards"]), 0)


def test_a_batch_has_at_most_a_hundred_items(service):
    items = [an_item(outcomeTimestamp=f"2026-06-15T10:{number // 60:02}:{number % 60:02}Z") for number in range(101)]

    is_refused(service.post(a_report(*items), FEEDBACK), 400, "invalid")
    assert service.post(a_report(*items[1:]), FEEDBACK)[2]["recorded"] == 100


def test_a_comment_of_a_megabyte_is_too_large_and_a_long_one_is_not_kept(service, file):
    def commented(length):
        return report(overrideReason={"userComment": "c4n4ry " + "x" * length})

    is_refused(service.post(commented(1_000_000), FEEDBACK), 413, "too-long")
    assert service.status(commented(50_000), FEEDBACK) == 200
    assert not any(b"c4n4ry" in part.read_bytes() for part in file.parent.glob("state.sqlite*"))
    assert not any("c4n4ry" in line for line in service.out)


def test_nothing_of_a_request_got_into_the_log(service):
    assert all(json.loads(line) for line in service.out)
    assert service.err == []
