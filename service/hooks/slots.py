"""How many calls one process works on at a time; the surplus is told to come back (R16)."""

from queue import Empty, SimpleQueue
from typing import Final, Self

from service.errors import Overloaded

KEPT_FREE: Final = 4  # threads that are always left for probes and discovery


class Slots:
    """``with slots:`` around the work on a call. Raises Overloaded at once if all are taken; nobody waits."""

    def __init__(self, threads: int) -> None:
        """``threads``: how many this process has; at least one call is always taken."""
        self._free = SimpleQueue[None]()  # one thing in it for each free slot; quicker to take from than a semaphore
        for _ in range(max(1, threads - KEPT_FREE)):
            self._free.put(None)

    def __enter__(self) -> Self:
        """Take a slot. Raises Overloaded."""
        try:
            self._free.get_nowait()
        except Empty:
            raise Overloaded(
                "As many calls are under way as this service takes at a time: try again in a moment."
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._free.put(None)
