"""What is written beside the answers (cards shown, audit events) goes through a bounded queue to a thread of its own.

So no clinician waits for it. What finds no room, or cannot be written, is lost and counted (R14, R17).
"""

import atexit
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Condition, Thread
from typing import Generic, TypeVar

from service.errors import StoreUnavailable

MOST_WAITING = 2_000  # items; cards of about ten minutes of a busy worker, and under 1 MB
FLUSH_SECONDS = 2.0
GATHER_SECONDS = 0.1  # so the answer is out before its cards are written, and a busy worker writes many at once

Item = TypeVar("Item")


class Writer(Generic[Item]):
    """Hands what is added to ``keep``, in another thread, a moment later, as much at once as has gathered.

    ``keep`` raises StoreUnavailable or OSError if it cannot write. The thread, of this ``name``, starts with the first
    item, so that a process which is forked before that has its own.
    """

    def __init__(
        self, keep: Callable[[Sequence[Item]], None], most_waiting: int = MOST_WAITING, name: str = "cards-shown"
    ) -> None:
        self.dropped = 0  # for want of room, or because the store could not be written
        self._keep = keep
        self._most = most_waiting
        self._name = name
        self._waiting: list[Item] = []
        self._taken = 0  # items ever taken
        self._done = 0  # of them, written or dropped
        self._closed = False
        self._awaited = 0  # who waits for what they added to be written
        self._changed = Condition()  # what waits was taken, or is wanted written, or is written
        self._thread: Thread | None = None

    def add(self, items: Sequence[Item]) -> None:
        """Take items, or count them as dropped. Never waits for the writing."""
        if not items:
            return
        with self._changed:
            if self._closed or len(self._waiting) + len(items) > self._most:
                self.dropped += len(items)
                return
            idle = not self._waiting
            self._waiting += items
            self._taken += len(items)
            if self._thread is None:
                thread = Thread(target=self._run, name=self._name, daemon=True)
                with suppress(RuntimeError):  # no thread can be had: the next item tries again, and these wait
                    thread.start()
                    self._thread = thread
                    atexit.register(self.close)
            if idle:  # else the thread knows of them already
                self._changed.notify_all()

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until all that was added so far is written or dropped, at most so long; whether it is."""
        with self._changed:
            taken = self._taken
            self._awaited += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._done >= taken, seconds)
            finally:
                self._awaited -= 1

    def close(self, seconds: float = FLUSH_SECONDS) -> None:
        """Write what waits, at most so long; what is added later, or still waits then, is dropped and counted."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if not self.flush(seconds):
            with self._changed:
                self.dropped += len(self._waiting)
                self._done += len(self._waiting)
                self._waiting = []
        atexit.unregister(self.close)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                self._changed.wait_for(lambda: self._awaited or self._closed, GATHER_SECONDS)
                items, self._waiting = self._waiting, []
            if not items:
                return
            lost = len(items)
            try:
                self._keep(items)
                lost = 0
            except (StoreUnavailable, OSError):
                pass  # it may be lost, and is counted
            finally:
                with self._changed:
                    self.dropped += lost
                    self._done += len(items)
                    self._changed.notify_all()
