"""Sockets are shut at the deadline, by another thread, and never the socket of somebody else (R6)."""

import socket
import threading
import time

import pytest

from service.fhir import watchdog
from service.fhir.watchdog import Watch, Watchdog

pytestmark = pytest.mark.alone


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    yield ours, theirs
    ours.close()
    theirs.close()


class Clock:
    now = 50.0

    def __call__(self):
        return self.now


@pytest.fixture
def dog(monkeypatch):
    """With a clock of ours and no thread: the test says when it looks."""
    monkeypatch.setattr(Watchdog, "_run", lambda _self: None)
    made = Watchdog(Clock())
    yield made
    made.close()


def is_shut(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False


def test_a_socket_is_shut_at_the_deadline_and_not_before(dog, pair):
    with dog.watch(52.0) as watch:
        watchdog.seen(pair[0])
        assert dog.fire_due() == 2.0
        assert not is_shut(pair[1])
        dog._clock.now = 52.0
        assert dog.fire_due() is None

        assert is_shut(pair[1])
        assert watch.end()


def test_a_watch_that_has_ended_never_fires(dog, pair):
    with dog.watch(52.0) as watch:
        watchdog.seen(pair[0])
        assert not watch.end()
        dog._clock.now = 60.0
        dog.fire_due()

    assert not watch.end()
    assert not is_shut(pair[1])


def test_a_connection_that_others_may_take_up_is_not_watched_any_more(dog, pair):
    with dog.watch(52.0):
        watchdog.seen(pair[0])
        assert not watchdog.released()
        dog._clock.now = 60.0
        dog.fire_due()

    assert not is_shut(pair[1])


def test_who_releases_a_connection_is_told_that_it_was_shut(dog, pair):
    with dog.watch(52.0):
        watchdog.seen(pair[0])
        dog._clock.now = 52.0
        dog.fire_due()

        assert watchdog.released()


def test_a_connection_that_comes_about_after_the_deadline_is_shut_at_once(dog, pair):
    with dog.watch(52.0):
        dog._clock.now = 52.0
        dog.fire_due()
        watchdog.seen(pair[0])

        assert is_shut(pair[1])


def test_each_watch_has_its_own_deadline(dog, pair):
    one, other = socket.socketpair()
    with dog.watch(55.0):
        watchdog.seen(pair[0])
        with dog.watch(52.0):
            watchdog.seen(one)
            dog._clock.now = 52.0

            assert dog.fire_due() == 3.0
            assert (is_shut(other), is_shut(pair[1])) == (True, False)
    one.close()
    other.close()


def test_without_a_watch_nothing_is_seen_and_nothing_is_shut(pair):
    watchdog.seen(pair[0])
    watchdog.seen(None)

    assert not watchdog.released()


def test_a_socket_that_took_the_number_of_a_closed_one_is_left_alone():
    watch = Watch()
    ours, theirs = socket.socketpair()
    number = ours.fileno()
    watch.see(ours)
    ours.close()
    others = [theirs]
    while number not in {one.fileno() for one in others} and len(others) < 100:
        others += socket.socketpair()
    assert number in {one.fileno() for one in others}
    watch.fire()

    assert [is_shut(one) for one in others] == [True] + [False] * (len(others) - 1)
    for sock in others:
        sock.close()
    watch.end()


def test_a_socket_that_is_closed_already_is_no_trouble():
    watch = Watch()
    ours, theirs = socket.socketpair()
    ours.close()
    watch.see(ours)
    watch.see(theirs)
    theirs.close()
    watch.fire()

    assert watch.end()


def test_the_thread_starts_with_the_first_watch_fires_in_time_and_ends():
    def running():
        return {one for one in threading.enumerate() if one.name == "fhir-watchdog"}

    others = running()  # of other tests
    dog = Watchdog()
    assert running() <= others
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    began = time.monotonic()
    with dog.watch(began + 30), dog.watch(began + 0.1):
        watchdog.seen(ours)
        assert theirs.recv(1) == b""
        assert 0.1 <= time.monotonic() - began < 4
    (ours_alone,) = running() - others
    dog.close()
    ours_alone.join(5)
    assert not ours_alone.is_alive()

    with dog.watch(began) as watch:  # closed: nothing fires, nothing starts
        assert not watch.end()
    ours.close()
    theirs.close()
