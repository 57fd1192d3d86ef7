"""F5: the host of a client's keys is down, slow, or answers nonsense; keys change; callers name keys there are not.

Of the two services, one keeps its times, and so shows how seldom a key host is asked. The other has seconds in place of
hours and minutes, and so shows what becomes of keys in the course of a day.
"""

import contextlib
import json
import time

from joserfc.jwk import ECKey

from tests.faults.production import CAN_TELL_WORKERS, WORKERS, a_folder, claims, production, until
from tests.service.hooks.test_keys import GOOD, KeyHost, misbehaving
from tests.service.hooks.tokens import EC, headers, public, signed

NEW = ECKey.generate_key("P-384", {"kid": "new"})
FAULTS = ("down", "slow", "HTML", "5 MB")
KEPT = 10.0  # seconds, in place of 24 hours
SHORT_TIMES = f"""
from service.hooks import keys
keys.FRESH_SECONDS, keys.FORCED_SECONDS, keys.FIRST_SECONDS, keys.KEPT_SECONDS = 0.5, 0.5, 0.5, {KEPT}
"""


def issuer(name):
    return f"https://{name.replace(' ', '-')}.example".lower()


def a_client_of(name, host):
    return {"name": name.replace(" ", "-"), "issuer": issuer(name), "jwks_url": host.url, "jwks_file": ...}


def status(service, name, key=EC, **header):
    return service.status(by=signed(claims(iss=issuer(name)), headers(**header), key))


# --- how seldom a key host is asked ---------------------------------------------------------------------------------


def test_keys_are_there_before_the_first_call_and_200_unknown_ids_ask_nobody_for_a_minute():
    with KeyHost() as host, a_folder() as folder, production(folder, a_client_of("one", host)) as service:
        assert until(lambda: len(host.asked) == WORKERS)  # each worker for itself, at its start
        for _ in range(5):
            assert status(service, "one") == 200
        for number in range(200):
            assert status(service, "one", kid=f"unknown-{number}") == 401
        assert status(service, "one") == 200

        assert [path for path, _ in host.asked] == ["/jwks"] * WORKERS


def test_a_key_host_that_hangs_delays_neither_the_start_nor_other_clients():
    with KeyHost() as host, a_folder() as folder:
        host.waits.clear()
        with production(folder, {}, a_client_of("one", host)) as service:
            assert service.status() == 200
            assert until(lambda: len(host.asked) == WORKERS)
            assert service.status() == 200
            host.waits.set()
            assert until(lambda: status(service, "one") == 200, 10)


# --- what becomes of keys in the course of a day ---------------------------------------------------------------------


def test_known_keys_outlast_an_outage_but_not_for_ever_and_a_host_that_comes_back_is_taken_up():
    with contextlib.ExitStack() as stack:
        hosts = {name: stack.enter_context(KeyHost()) for name in FAULTS}
        folder = stack.enter_context(a_folder())
        clients = [a_client_of(name, host) for name, host in hosts.items()]
        service = stack.enter_context(production(folder, *clients, before=SHORT_TIMES))
        for worker in service.workers() if CAN_TELL_WORKERS else ():
            with service.only(worker):
                for name in FAULTS:  # each worker fetches for itself, and has begun only a moment ago
                    assert until(lambda name=name: status(service, name) == 200), name
        for name, host in hosts.items():
            if name == "slow":
                host.waits.clear()
            else:
                stack.enter_context(misbehaving(host, name))
        asked = {name: len(host.asked) for name, host in hosts.items()}
        broken = time.monotonic()

        for name, host in hosts.items():
            assert until(lambda host=host, before=asked[name]: len(host.asked) > before), name  # asked, and in vain
            assert status(service, name) == 200
            assert status(service, name, kid="unknown") == 401
        assert time.monotonic() - broken < KEPT, "too slow a machine to tell"
        for name in FAULTS:
            assert until(lambda name=name: status(service, name) == 401), name

        for host in hosts.values():
            host.raw, host.status = GOOD, 200
            host.waits.set()
        for name in FAULTS:
            assert until(lambda name=name: status(service, name) == 200), name
        assert not any(line["status"] >= 500 for line in service.asked())


def test_new_keys_are_picked_up_and_old_ones_end():
    with (
        KeyHost() as host,
        a_folder() as folder,
        production(folder, a_client_of("one", host), before=SHORT_TIMES) as service,
    ):
        assert status(service, "one") == 200
        host.raw = json.dumps(public(NEW)).encode()

        assert until(lambda: status(service, "one", NEW, kid="new") == 200)
        assert until(lambda: status(service, "one") == 401)
