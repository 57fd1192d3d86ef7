"""Whether calls should be sent to this process, for the readiness probe (R16).

Configuration and rules were read and checked before the process came up, or it would not be there; what can change is
the store, and the end of the process. The FHIR servers are never asked: one that is down is said on the cards.
"""

import mmap
import threading
import time
from collections.abc import Callable
from typing import Final

from service.errors import NotReady
from service.store import Store

ASKED_AT_MOST_EVERY: Final = 1.0  # seconds; anyone may ask the probe, and the store has better things to do


class Draining:
    """A flag that the process which looks after the workers raises, and all of them see."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)  # one byte of memory that stays shared after a fork

    def begin(self) -> None:
        """From now on no probe finds this service ready."""
        self._shared[0] = 1

    def __bool__(self) -> bool:
        return self._shared[0] == 1


class Readiness:
    """Answers the probe. Safe to use from many threads; the store is asked by one at a time, and once a second."""

    def __init__(
        self,
        store: Store,
        draining: Callable[[], bool] = lambda: False,
        *,
        changed: Callable[[bool], object] = lambda _ready: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``changed`` is told when the store comes or goes. ``clock``: seconds, never going back."""
        self._store, self._draining, self._changed, self._clock = store, draining, changed, clock
        self._lock = threading.Lock()
        self._is_there: bool | None = None
        self._asked_at = float("-inf")

    def check(self) -> None:
        """Raises NotReady, saying what is missing."""
        if self._draining():
            raise NotReady("The service is about to end: send calls elsewhere.")
        if not self._store_is_there():
            raise NotReady("The store cannot be used: is it running, and was 'muscle-cds db upgrade' run?")

    def _store_is_there(self) -> bool:
        first = self._is_there is None
        if self._lock.acquire(blocking=first):  # one asks; the others take what was found last
            try:
                if self._clock() - self._asked_at >= ASKED_AT_MOST_EVERY:
                    found = self._store.ready()
                    if found is not self._is_there and (self._is_there is not None or not found):
                        self._changed(found)
                    self._is_there, self._asked_at = found, self._clock()
            finally:
                self._lock.release()
        return bool(self._is_there)
