"""How many calls one process works on at a time; the surplus is told to come back (R16)."""

import threading
from typing import Final, Self

from service.errors import Overloaded

KEPT_FREE: Final = 4  # threads that are always left for probes and discovery


class Slots:
    """``with slots:`` around the work on a call. Raises Overloaded at once if all are taken; nobody waits."""

    def __init__(self, threads: int) -> None:
        """``threads``: how many this process has; at least one call is always taken."""
        self._free = threading.BoundedSemaphore(max(1, threads - KEPT_FREE))

    def __enter__(self) -> Self:
        """Take a slot. Raises Overloaded."""
        if not self._free.acquire(blocking=False):
            raise Overloaded("As many calls are under way as this service takes at a time: try again in a moment.")
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._free.release()
