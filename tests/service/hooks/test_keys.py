"""Keys of clients: K9, K10, K15, fault F5. The clock is a number that the test sets; the key host is on loopback."""

import json
import threading
import time
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from joserfc.jwk import ECKey, RSAKey

from service.clients import Client
from service.errors import BadSettings, NotTrusted
from service.hooks import keys as module
from service.hooks.key_host import fetched
from service.hooks.keys import MAX_BYTES, MAX_KEYS, Keys, key_set
from tests.service.hooks.tokens import EC, KID, RSA, a_client, public

HOUR = 3600.0
NEW = ECKey.generate_key("P-384", {"kid": "new"})
GOOD = json.dumps(public(EC)).encode()


class KeyHost:
    """Answers with what it is told, and counts how often it was asked."""

    def __init__(self):
        self.raw, self.status, self.headers = GOOD, 200, {}
        self.asked = []
        self.waits = threading.Event()
        self.waits.set()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                host.asked.append((self.path, dict(self.headers)))
                host.waits.wait(10)
                self.send_response(host.status)
                for name, value in {"Content-Length": str(len(host.raw)), **host.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(host.raw)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/jwks"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.waits.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def host():
    with KeyHost() as made:
        yield made


class Clock:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


class Site:
    """One client whose keys stand at an address, and the clock of the service."""

    def __init__(self, url, fetch=None):
        self.clock = Clock()
        self.client = Client("ehr", "https://ehr.example", jwks_url=url)
        self.keys = Keys([self.client], fetch, self.clock)

    def knows(self, kid=KID):
        try:
            self.keys.key(self.client, kid)
        except NotTrusted:
            return False
        return True

    def settled(self):
        """Wait until no fetch is under way behind the back of the calls."""
        flight = self.keys._sources["ehr"]._flight
        if flight is not None:
            assert flight.landed.wait(10)


def test_a_hundred_calls_ask_the_key_host_once(host):
    site = Site(host.url)

    assert all(site.knows() for _ in range(100))
    assert [path for path, _ in host.asked] == ["/jwks"]


def test_nothing_is_fetched_before_a_call_needs_it(host):
    Site(host.url)

    assert host.asked == []


def test_200_unknown_ids_ask_at_most_once_a_minute(host):
    site = Site(host.url)
    assert site.knows()
    site.clock.seconds += 61

    assert not any(site.knows(f"unknown-{number}") for number in range(200))
    assert len(host.asked) == 2
    site.clock.seconds += 59
    assert not site.knows("unknown")
    assert len(host.asked) == 2
    site.clock.seconds += 1
    assert not site.knows("unknown")
    assert len(host.asked) == 3


def test_a_new_key_is_picked_up_by_the_first_call_that_is_signed_with_it(host):
    site = Site(host.url)
    assert site.knows()
    host.raw = json.dumps(public(NEW)).encode()
    site.clock.seconds += 60

    assert site.knows("new")
    assert not site.knows(KID)


def test_many_callers_at_once_make_one_fetch_and_all_get_their_key(host):
    site, known = Site(host.url), []
    host.waits.clear()
    callers = [threading.Thread(target=lambda: known.append(site.knows())) for _ in range(20)]
    for caller in callers:
        caller.start()
    host.waits.set()
    for caller in callers:
        caller.join(10)

    assert known == [True] * 20
    assert len(host.asked) == 1


@contextmanager
def misbehaving(host, how):
    match how:
        case "down":
            host.status = 503
        case "HTML":
            host.raw = b"<html>login</html>"
        case "5 MB":
            host.raw = b'{"keys": [' + b" " * 5_000_000 + b"]}"
        case "redirect":
            host.status, host.headers = 302, {"Location": host.url + "/other"}
        case "empty":
            host.raw = b'{"keys": []}'
        case "nested":
            host.raw = b"[" * 100_000
        case "cut short":
            host.headers = {"Content-Length": str(len(host.raw) + 10)}
        case "gzip that is none":
            host.headers = {"Content-Encoding": "gzip"}
    yield


FAULTS = ["down", "HTML", "5 MB", "redirect", "empty", "nested", "cut short", "gzip that is none"]


@pytest.mark.parametrize("how", FAULTS)
def test_a_known_key_works_on_for_24_hours_while_the_key_host_does_not_answer(host, how):
    site = Site(host.url)
    assert site.knows()
    with misbehaving(host, how):
        site.clock.seconds += 2 * HOUR
        assert site.knows()
        site.settled()
        site.clock.seconds += 21 * HOUR
        assert site.knows()
        site.settled()
        assert not site.knows("unknown")
        site.clock.seconds += 1.1 * HOUR
        assert not site.knows()
    assert all(path == "/jwks" for path, _ in host.asked)  # no redirect was followed


@pytest.mark.parametrize("how", FAULTS)
def test_a_key_host_that_never_answered_leaves_nobody_proven_until_it_does(host, how):
    site = Site(host.url)
    with misbehaving(host, how):
        assert not any(site.knows() for _ in range(50))
        assert len(host.asked) == 1
    host.raw, host.status, host.headers = GOOD, 200, {}
    site.clock.seconds += module.FIRST_SECONDS

    assert site.knows()


def test_keys_are_renewed_behind_the_back_of_the_calls_before_they_are_too_old(host):
    site = Site(host.url)
    assert site.knows()
    site.clock.seconds += HOUR
    host.waits.clear()
    assert site.knows()  # while the key host keeps the fetch waiting
    host.waits.set()
    site.settled()
    assert len(host.asked) == 2
    host.status = 503
    site.clock.seconds += 23.5 * HOUR  # too long after the first fetch, not after the second

    assert site.knows()


def test_a_fetch_that_never_ends_holds_no_caller_for_good_and_no_later_fetch(monkeypatch):
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    stuck, answers = threading.Event(), iter([None, GOOD])

    def fetch(_url):
        raw = next(answers)
        if raw is None:
            stuck.wait(10)
        return raw

    site = Site("https://ehr.example/jwks", fetch)
    assert not site.knows()
    site.clock.seconds += module.LOST_SECONDS
    monkeypatch.setattr(module, "WAIT_SECONDS", 10)
    assert site.knows()
    stuck.set()


def test_a_defect_in_fetching_leaves_the_way_open_for_the_next_fetch(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    answers = iter([RuntimeError, GOOD])

    def fetch(_url):
        answer = next(answers)
        if answer is RuntimeError:
            raise RuntimeError
        return answer

    site = Site("https://ehr.example/jwks", fetch)
    assert not site.knows()
    site.clock.seconds += module.FIRST_SECONDS
    assert site.knows()


def test_the_request_for_keys_says_nothing_of_us_and_takes_nothing_from_the_environment(host, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    host.headers = {"Set-Cookie": "a=b"}

    assert fetched(host.url, most_bytes=MAX_BYTES) == GOOD
    assert fetched(host.url, most_bytes=MAX_BYTES) == GOOD
    for _, headers in host.asked:
        assert set(headers) == {"Host", "Accept", "Accept-Encoding", "User-Agent", "Connection"} or set(headers) == {
            "Host", "Accept", "Accept-Encoding", "User-Agent"}  # fmt: skip


def test_no_more_is_read_than_a_key_set_may_have(host):
    host.raw = b" " * MAX_BYTES
    assert fetched(host.url, most_bytes=MAX_BYTES) == host.raw
    host.raw += b" "
    assert fetched(host.url, most_bytes=MAX_BYTES) is None


def test_a_key_host_that_is_not_there_is_one_that_does_not_answer():
    assert fetched("http://127.0.0.1:1/jwks", most_bytes=MAX_BYTES) is None
    assert fetched("ftp://127.0.0.1/jwks", most_bytes=MAX_BYTES) is None


# --- ahead of need -------------------------------------------------------------------------------------------------


def until(true):
    for _ in range(1000):
        if true():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def fresh(host):
    site = Site(host.url)
    yield site
    site.keys.close()


def test_keys_are_fetched_before_a_call_needs_them(host, fresh):
    fresh.keys.keep_fresh()

    assert until(lambda: fresh.keys._sources["ehr"]._keys)
    assert fresh.knows()
    assert len(host.asked) == 1


def test_a_key_host_that_keeps_us_waiting_delays_no_start_and_is_asked_once_for_all(host, fresh):
    host.waits.clear()
    fresh.keys.keep_fresh()  # returns
    assert until(lambda: host.asked)
    caller = threading.Thread(target=fresh.knows)
    caller.start()
    host.waits.set()
    caller.join(10)

    assert fresh.knows()
    assert len(host.asked) == 1


def renewed(site):
    """What the thread does each time it wakes; in how many seconds it will again."""
    seconds = site.keys._sources["ehr"].renew()
    site.settled()
    return seconds


def test_without_any_call_keys_are_renewed_before_they_are_too_old(host):
    site = Site(host.url)
    for _ in range(3 * 24 * 60):  # three days without a call, a look each minute
        assert 0 < renewed(site) <= module.FORCED_SECONDS
        site.clock.seconds += 60
    assert 3 * 24 - 1 <= len(host.asked) <= 3 * 24 + 1
    asked = len(host.asked)

    assert site.knows()
    assert len(host.asked) == asked


def test_a_key_host_that_is_down_is_asked_once_a_minute_and_taken_up_again(host):
    site = Site(host.url)
    with misbehaving(host, "down"):
        for _ in range(10):
            renewed(site)
            site.clock.seconds += 30
    assert len(host.asked) == 5
    host.status = 200
    renewed(site)
    assert len(host.asked) == 6

    assert site.knows()
    assert len(host.asked) == 6


def test_where_every_key_is_in_a_file_no_thread_is_started(tmp_path):
    before = threading.active_count()
    Keys([a_client(tmp_path)]).keep_fresh()

    assert threading.active_count() == before


# --- what a JWK Set may hold ---------------------------------------------------------------------------------------


def jwk(key=EC, **changed):
    return key.as_dict(private=False) | changed


@pytest.mark.parametrize(
    ("entries", "known"),
    [
        ([jwk(), jwk(RSA)], {KID, "rsa-1"}),
        ([jwk(use="sig", alg="ES384", x5t="x", other=1)], {KID}),
        ([jwk(use="enc"), jwk(RSA)], {"rsa-1"}),
        ([EC.as_dict(private=True), jwk(RSA)], {"rsa-1"}),
        ([jwk(), jwk(NEW, kid=KID), jwk(RSA)], {"rsa-1"}),
        ([jwk(kid=1), jwk(kid=""), jwk(kid=None), jwk(RSA)], {"rsa-1"}),
        ([{"kty": "oct", "kid": "o", "k": "c2VjcmV0"}, {"kty": "OKP", "kid": "p"}, {"kty": "XX", "kid": "q"}], set()),
        ([jwk(x="!"), jwk(RSA, n=5, kid="b"), jwk(RSA, e="", kid="c"), 5, None, [], {}], set()),
        ([jwk(crv="P-999")], set()),
        ([jwk(x=EC.as_dict()["y"])], set()),
    ],
)
def test_each_key_counts_by_itself(entries, known):
    assert set(key_set(json.dumps({"keys": entries}).encode())) == known


def test_an_rsa_key_under_2048_bit_is_no_key():
    with pytest.warns(Warning, match="2048"):
        short = RSAKey.generate_key(1536, {"kid": "short"})

    assert key_set(json.dumps(public(short)).encode()) == {}


def test_zeros_before_a_short_rsa_key_do_not_make_it_longer():
    with pytest.warns(Warning, match="2048"):
        short = RSAKey.generate_key(1536, {"kid": "short"})
    entry = jwk(short, n="AAAA" * 100 + short.as_dict(private=False)["n"])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert key_set(json.dumps({"keys": [entry]}).encode()) == {}


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"keys": {}}', b"\xff", b"null", b"[" * 100_000, b" " * MAX_BYTES + b"{}"]
)
def test_what_is_no_key_set_is_none(raw):
    assert key_set(raw) is None


def test_a_key_set_holds_at_most_a_hundred_keys():
    entries = [jwk(kid=str(number)) for number in range(MAX_KEYS + 1)]

    assert key_set(json.dumps({"keys": entries}).encode()) is None
    assert len(key_set(json.dumps({"keys": entries[1:]}).encode())) == MAX_KEYS


def test_a_key_file_without_a_usable_key_stops_the_start_and_names_the_client(tmp_path):
    client = a_client(tmp_path)
    client.jwks_file.write_text(json.dumps({"keys": [EC.as_dict(private=True)]}))

    with pytest.raises(BadSettings, match="client 'ehr': jwks_file"):
        Keys([client])


def test_a_key_file_is_read_at_the_start_and_serves_all_its_keys(tmp_path):
    client = a_client(tmp_path)
    keys = Keys([client])

    assert keys.key(client, KID).kid == KID
    assert keys.key(client, "rsa-1").kid == "rsa-1"
    with pytest.raises(NotTrusted):
        keys.key(client, "other")
