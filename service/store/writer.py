"""Cards shown leave the request path through a bounded queue and one thread: history may be lost, a clinician never
waits for it (R17).
"""

import atexit
from collections.abc import Callable, Sequence
from threading import Condition, Thread

from service.errors import StoreUnavailable
from service.store.contract import ShownCard

MOST_WAITING = 2_000  # cards; about ten minutes of a busy worker, and under 1 MB
FLUSH_SECONDS = 2.0
GATHER_SECONDS = 0.1  # so the answer is out before its cards are written, and a busy worker writes many at once


class Writer:
    """Hands what is added to ``keep``, in another thread, a moment later, as much at once as has gathered.

    The thread starts with the first card, so that a process which is forked before that has its own.
    """

    def __init__(self, keep: Callable[[Sequence[ShownCard]], None], most_waiting: int = MOST_WAITING) -> None:
        self.dropped = 0  # for want of room, or because the store could not be written
        self._keep = keep
        self._most = most_waiting
        self._waiting: list[ShownCard] = []
        self._taken = 0  # cards ever taken
        self._done = 0  # of them, written or dropped
        self._closed = False
        self._awaited = 0  # who waits for what they added to be written
        self._changed = Condition()  # what waits was taken, or is wanted written, or is written
        self._thread: Thread | None = None

    def add(self, cards: Sequence[ShownCard]) -> None:
        """Take cards, or count them as dropped. Never waits for the store."""
        if not cards:
            return
        with self._changed:
            if self._closed or len(self._waiting) + len(cards) > self._most:
                self.dropped += len(cards)
                return
            idle = not self._waiting
            self._waiting += cards
            self._taken += len(cards)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="cards-shown", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            if idle:
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
                cards, self._waiting = self._waiting, []
            if not cards:
                return
            lost = len(cards)
            try:
                self._keep(cards)
                lost = 0
            except StoreUnavailable:
                pass  # history may be lost, and is counted
            finally:
                with self._changed:
                    self.dropped += lost
                    self._done += len(cards)
                    self._changed.notify_all()
