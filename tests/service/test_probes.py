"""The probes, the slots of a process, and readiness (R16)."""

import threading
from types import SimpleNamespace

import pytest

from service.errors import NotReady, Overloaded
from service.hooks.slots import KEPT_FREE, Slots
from service.readiness import ASKED_AT_MOST_EVERY, Draining, Readiness
from service.settings import Settings
from service.store import MemoryStore
from tests.service.stand_ins import DEMO, advises, an_app, body

CALL = "/cds-services/muscle-patient-view"


class Store(MemoryStore):
    """One that can go away, and counts how often it is asked."""

    there, asked = True, 0

    def ready(self):
        self.asked += 1
        return self.there


def test_the_process_lives_whatever_becomes_of_its_store():
    store = Store()
    store.there = False
    response = an_app(store=store).test_client().get("/livez")

    assert (response.status_code, response.get_json()) == (200, {"status": "live"})
    assert store.asked == 0


def test_it_is_ready_with_its_store_and_not_without():
    store = Store()
    client = an_app(store=store).test_client()
    assert client.get("/readyz").get_json() == {"status": "ready"}

    store = Store()
    store.there = False
    response = an_app(store=store).test_client().get("/readyz")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "store" in response.get_json()["issue"][0]["diagnostics"]


def test_probes_have_no_line_in_the_log_and_a_store_that_goes_has_one():
    lines, store = [], Store()
    client = an_app(lines=lines, store=store).test_client()
    for _ in range(3):
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 200
    assert lines == []

    store.there = False
    app = an_app(lines=lines, store=store)
    for _ in range(3):
        assert app.test_client().get("/readyz").status_code == 503
    assert len(lines) == 1
    assert "not ready" in lines[0]


def test_the_probes_need_no_token_where_callers_are_proven(tmp_path):
    from tests.service.hooks.tokens import a_client, a_production_app  # noqa: PLC0415 -- keys are made on import

    app = a_production_app(a_client(tmp_path))

    assert app.test_client().get("/livez").status_code == 200
    assert app.test_client().get("/readyz").status_code == 200
    assert app.test_client().get("/cds-services").status_code == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_probe_that_is_asked_wrongly_is_refused_like_anything_else(path):
    lines = []
    response = an_app(lines=lines).test_client().post(path)

    assert response.status_code == 405
    assert len(lines) == 1


@pytest.mark.parametrize("path", ["/livez/", "/readyz/", "/readyz%2F"])
def test_a_probe_answers_at_its_own_address_and_no_other(path):
    """Or a proxy that lets nobody ask for ``/readyz`` would let everybody ask for ``/readyz/``."""
    assert an_app().test_client().get(path).status_code == 404


def test_a_store_is_asked_once_a_second_and_by_one_at_a_time():
    clock, store, changes = [0.0], Store(), []
    readiness = Readiness(store, changed=changes.append, clock=lambda: clock[0])
    for _ in range(5):
        readiness.check()
    assert store.asked == 1

    store.there = False
    readiness.check()  # not asked again yet
    clock[0] += ASKED_AT_MOST_EVERY
    with pytest.raises(NotReady):
        readiness.check()
    assert store.asked == 2

    store.there = True
    clock[0] += ASKED_AT_MOST_EVERY
    readiness.check()
    assert changes == [False, True]


def test_whoever_asks_while_the_store_is_slow_is_told_what_was_found_last():
    clock, hangs, entered = [0.0], threading.Event(), threading.Event()
    answers = [True]

    def ready():
        if clock[0]:
            entered.set()
            assert hangs.wait(10)
        return answers[0]

    readiness = Readiness(SimpleNamespace(ready=ready), clock=lambda: clock[0])
    readiness.check()
    clock[0] = 10.0
    slow = threading.Thread(target=readiness.check)
    slow.start()
    assert entered.wait(10)
    readiness.check()  # at once
    hangs.set()
    slow.join(10)
    assert not slow.is_alive()


def test_a_process_that_is_about_to_end_is_not_ready_though_its_store_is_there():
    draining = Draining()
    readiness = Readiness(Store(), draining.__bool__)
    readiness.check()
    draining.begin()

    with pytest.raises(NotReady, match="about to end"):
        readiness.check()


@pytest.mark.parametrize(("threads", "calls"), [(16, 12), (8, 4), (5, 1), (4, 1), (1, 1)])
def test_some_threads_are_always_left_for_probes(threads, calls):
    slots = Slots(threads)
    held = [slots.__enter__() for _ in range(calls)]

    assert calls == max(1, threads - KEPT_FREE)
    with pytest.raises(Overloaded), slots:
        pass
    held.pop().__exit__()
    with slots:
        pass


def test_one_call_too_many_is_told_to_come_back_and_the_rest_is_answered():
    inside, go_on = threading.Semaphore(0), threading.Event()
    shown = advises()

    def advise(call):
        inside.release()
        assert go_on.wait(20)
        return shown(call)

    settings = Settings(profile=DEMO.profile, threads=6)
    lines = []
    client = an_app(advise, settings=settings, lines=lines).test_client
    statuses = []
    callers = [
        threading.Thread(target=lambda: statuses.append(client().post(CALL, data=body()).status_code)) for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    for _ in callers:
        assert inside.acquire(timeout=20)

    surplus = client().post(CALL, data=body())
    assert surplus.status_code == 503
    assert int(surplus.headers["Retry-After"]) > 0
    assert surplus.get_json()["issue"][0]["code"] == "throttled"
    assert client().post(f"{CALL}/feedback", data=b"{}").status_code == 503
    assert [client().get(path).status_code for path in ("/livez", "/readyz", "/cds-services")] == [200] * 3

    go_on.set()
    for caller in callers:
        caller.join(20)
    assert statuses == [200, 200]
    assert client().post(CALL, data=body()).status_code == 200
    assert sum('"Overloaded"' in line for line in lines) == 2


def test_a_call_that_fails_gives_its_slot_back():
    def breaks(_call):
        raise LookupError

    client = an_app(breaks, settings=Settings(profile=DEMO.profile, threads=1)).test_client()

    assert [client.post(CALL, data=body()).status_code for _ in range(3)] == [500, 500, 500]
    assert [client.post(CALL, data=b"[]").status_code for _ in range(3)] == [400, 400, 400]
