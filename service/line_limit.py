"""How many log lines of one kind are written: those that a caller can cause at will are limited, and counted (R14)."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

MOST: Final = 20  # lines of one kind in a window, per process
WINDOW: Final = 60.0  # seconds

Kind = tuple[str, str, str]  # client, class of error, and why a caller was not proven


@dataclass(slots=True)
class _Window:
    """One kind of line: since when it is counted, how many were written, how many not."""

    began: float
    written: int = 0
    left_out: int = 0


class LineLimit:
    """At most so many lines of one kind in a window of time; those left out are counted.

    Kinds are made of words of ours, so there are few. Safe to use from many threads.
    """

    def __init__(self, most: int = MOST, window: float = WINDOW, clock: Callable[[], float] = time.monotonic) -> None:
        """``most``: lines of one kind in a window; ``window``: in seconds; ``clock``: seconds, never going back."""
        self._most, self._window, self._clock = most, window, clock
        self._windows: dict[Kind, _Window] = {}
        self._lock = threading.Lock()

    def left_out(self, kind: Kind) -> int | None:
        """None: this line is to be left out. Else how many were left out since the last one of its kind."""
        now = self._clock()
        with self._lock:
            window = self._windows.setdefault(kind, _Window(now))
            if now - window.began >= self._window:
                left_out = window.left_out
                self._windows[kind] = _Window(now, written=1)
                return left_out
            if window.written < self._most:
                window.written += 1
                return 0
            window.left_out += 1
            return None

    def ended(self, *, everything: bool = False) -> Iterator[tuple[Kind, int]]:
        """Kinds whose window is over, and how many lines of each were left out. ``everything``: the others too."""
        if not self._windows:
            return
        now = self._clock()
        with self._lock:
            over = [kind for kind, one in self._windows.items() if everything or now - one.began >= self._window]
            lost = [(kind, self._windows.pop(kind).left_out) for kind in over]
        yield from ((kind, count) for kind, count in lost if count)
