"""A circuit breaker: a FHIR server that fails again and again is left alone for a while (R6).

Five failures in a row, or ten among the last twenty, open it. While it is open nothing is asked; after 15 s one request
goes through as a probe, and its outcome closes the breaker or opens it for another 15 s. What counts as a failure is
said by the caller: no connection, no answer in time, a status of 500 or more.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

IN_A_ROW: Final = 5
AMONG_THE_LAST: Final = 20
TOO_MANY: Final = 10
SECONDS_OPEN: Final = 15.0


class Leave(Enum):
    """Whether a request may be made."""

    YES = auto()
    AS_PROBE = auto()
    NO = auto()


class Breaker:
    """For one FHIR server; safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        """``clock``: seconds that never go back; ``time.monotonic`` if None."""
        self._clock = clock or time.monotonic
        self._lock = threading.Lock()
        self._last: deque[bool] = deque(maxlen=AMONG_THE_LAST)  # True: failed
        self._opened: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether requests are held back, but for a probe."""
        with self._lock:
            return self._opened is not None

    def ask(self, since: float) -> Leave:
        """Whether a request may be made now. Unless the answer is NO, :meth:`tell` must follow.

        ``since``: when the call began that the request is for, an instant of the clock. A call that was under way when
        the breaker opened goes on as it began: what its cards say of a server that is down must not depend on which
        of its searches failed first.
        """
        with self._lock:
            if self._opened is None or self._opened > since:
                return Leave.YES
            if self._probing or self._clock() - self._opened < SECONDS_OPEN:
                return Leave.NO
            self._probing = True
            return Leave.AS_PROBE

    def tell(self, leave: Leave, *, failed: bool | None) -> None:
        """How the request went that ``leave`` was given for; None: it was not made after all.

        A request that was under way when the breaker opened changes nothing any more.
        """
        with self._lock:
            if leave is Leave.AS_PROBE:
                self._probing = False
                if failed is not None:
                    self._opened = self._clock() if failed else None
            elif leave is Leave.YES and failed is not None and self._opened is None:
                self._last.append(failed)
                if self._has_had_enough():
                    self._opened = self._clock()
                    self._last.clear()

    def _has_had_enough(self) -> bool:
        last = list(self._last)
        return (len(last) >= IN_A_ROW and all(last[-IN_A_ROW:])) or (
            len(last) == AMONG_THE_LAST and sum(last) >= TOO_MANY
        )
