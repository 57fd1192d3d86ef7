"""F4: a token is taken once: sent again at once, to the other worker, after a restart, to another address."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.cds_hooks import faults
from tests.faults.production import CAN_TELL_WORKERS, WORKERS, a_call, a_folder, production, token
from tests.service.hooks.tokens import CALL, EC, FEEDBACK, bearer

EMPTY_REPORT = b'{"feedback": []}'
PATHS = {"discovery": ("GET", "/cds-services", None), "a call": ("POST", CALL, a_call()), "feedback": ("POST", FEEDBACK, EMPTY_REPORT)}  # fmt: skip
needs_proc = pytest.mark.skipif(not CAN_TELL_WORKERS, reason="which process is a worker is read in /proc")


@pytest.fixture(scope="module")
def folder():
    with a_folder() as made:
        yield made


@pytest.fixture(scope="module")
def service(folder):
    with production(folder, threads=64) as running:  # room for 32 at once in either worker
        yield running


def test_without_a_token_nobody_is_answered_and_with_one_discovery_is(service):
    status, answered, raw = service.ask("POST", CALL, a_call())
    assert (status, json.loads(raw)["issue"][0]["code"]) == (401, "login")
    assert answered["WWW-Authenticate"] == "Bearer"

    status, _, raw = service.ask("GET", "/cds-services", **bearer(token("/cds-services")))
    assert status == 200
    assert faults("discovery", json.loads(raw)) == []


@pytest.mark.parametrize(("method", "path", "raw"), PATHS.values(), ids=PATHS)
def test_of_32_that_present_a_token_at_once_one_is_the_caller(service, method, path, raw):
    once = bearer(token(path))
    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(lambda _: service.ask(method, path, raw, **once)[0], range(32)))

    assert statuses.count(401) == 31
    assert [status for status in statuses if status != 401] == [400 if path == FEEDBACK else 200]  # an empty report


def test_a_token_that_was_taken_is_taken_nowhere_else(service):
    fixed = token(FEEDBACK, aud=f"https://cds.example/muscle{CALL}")  # good for the call and for its feedback

    assert service.status(by=fixed) == 200
    assert service.status(EMPTY_REPORT, FEEDBACK, by=fixed) == 401
    assert service.status(EMPTY_REPORT, FEEDBACK, by=token(FEEDBACK, aud=f"https://cds.example/muscle{CALL}")) == 400


@needs_proc
@pytest.mark.parametrize("first", [0, 1])
def test_the_other_worker_knows_that_a_token_was_taken(service, first):
    workers = service.workers()
    assert len(workers) == WORKERS
    once = token()
    with service.only(workers[first]):
        assert service.status(by=once) == 200
    with service.only(workers[1 - first]):
        assert service.status(by=once) == 401
        assert service.status() == 200


def test_a_token_is_known_after_a_restart_and_none_was_ever_logged(folder):
    once, other = token(), token()
    with production(folder) as service:
        assert service.status(by=once) == 200
        code, out, err = service.stop()
    assert (code, err) == (0, "")
    assert EC.kid not in out
    assert not any(part in out for part in once.split("."))

    with production(folder) as again:
        assert again.status(by=once) == 401
        assert again.status(by=other) == 200
