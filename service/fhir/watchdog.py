"""One thread that shuts the sockets of requests whose time is over (R6).

A timeout of the HTTP library counts from one piece of data to the next, so a server that sends a byte now and then
holds a call for as long as it likes, and no other thread can end a read that waits. Shutting the socket does: the read
ends at once. What was read by then may look whole (a head cut between two lines passes for a complete one), so a
request whose watch has fired is thrown away, whatever it looks like.

The connections of service/fhir/transport.py show the watch of their thread the socket that they use.
"""

import heapq
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import count


class Watch:
    """Over one request. Its sockets are duplicates of those in use: they stay valid whatever becomes of these, so
    that a socket of somebody else, which got the same number meanwhile, can never be shut.
    """

    def __init__(self) -> None:
        """Watches nothing yet."""
        self._lock = threading.Lock()
        self._sockets: dict[int, socket.socket] = {}
        self._ended = False
        self._fired = False

    def see(self, sock: socket.socket) -> None:
        """Watch a socket too; shut at once if the time is over."""
        with self._lock, suppress(OSError):
            if not self._ended and sock.fileno() not in self._sockets:
                self._sockets[sock.fileno()] = socket.fromfd(sock.fileno(), sock.family, sock.type)
                if self._fired:
                    self._shut()

    def fire(self) -> None:
        """The time is over: shut what is watched. Nothing happens if the watch has ended before."""
        with self._lock:
            if not self._ended:
                self._fired = True
                self._shut()

    def end(self) -> bool:
        """Watch no longer; whether it has fired. From here on it never will. May be called more than once."""
        with self._lock:
            self._ended = True
            while self._sockets:
                self._sockets.popitem()[1].close()
            return self._fired

    def _shut(self) -> None:
        for sock in self._sockets.values():
            with suppress(OSError):  # the other side may have ended it
                sock.shutdown(socket.SHUT_RDWR)


class Watchdog:
    """Fires each watch at its time, in one thread that is started with the first watch: after a fork, not before."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        """``clock``: seconds that never go back; ``time.monotonic`` if None."""
        self._clock = clock or time.monotonic
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Watch]] = []
        self._number = count()
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def watch(self, deadline: float) -> Iterator[Watch]:
        """A watch over what this thread asks for meanwhile; it fires at ``deadline``, an instant of the clock."""
        watch = Watch()
        self._add(deadline, watch)
        token = _WATCH.set(watch)
        try:
            yield watch
        finally:
            _WATCH.reset(token)
            watch.end()

    def fire_due(self) -> float | None:
        """Fire the watches whose time is over; seconds until the next is due, None if there is none."""
        due: list[Watch] = []
        with self._changed:
            now = self._clock()
            while self._waiting and self._waiting[0][0] <= now:
                due.append(heapq.heappop(self._waiting)[2])
            left = self._waiting[0][0] - now if self._waiting else None
        for watch in due:
            watch.fire()
        return left

    def close(self) -> None:
        """End the thread; watches that are not due yet do not fire any more."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()

    def _add(self, deadline: float, watch: Watch) -> None:
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._waiting, (deadline, next(self._number), watch))
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="fhir-watchdog", daemon=True)
                thread.start()
                self._thread = thread  # not before it runs: where no thread can be had, the next watch tries again
            elif self._waiting[0][2] is watch:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            self.fire_due()
            with self._changed:
                if self._closed:
                    return
                left = self._waiting[0][0] - self._clock() if self._waiting else None
                if left is None or left > 0:
                    self._changed.wait(left)


def seen(sock: socket.socket | None) -> None:
    """Tell the watch of this thread, if there is one, which socket is used; None: there is none yet."""
    watch = _WATCH.get()
    if watch is not None and sock is not None:
        watch.see(sock)


def released() -> bool:
    """Tell the watch of this thread that others may take up the connection from now on; whether it was shut."""
    watch = _WATCH.get()
    return watch is not None and watch.end()


_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)
