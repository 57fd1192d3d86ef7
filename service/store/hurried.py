"""A connection to PostgreSQL that waits so long for an answer, and no longer.

The server's own limit (statement_timeout) is kept by the server. One that hangs keeps none: a machine that was switched
off, a disk that does not come back. TCP alone gives up after a quarter of an hour, and a hook would wait for that.
"""

import time
from collections.abc import Generator
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen

ANSWER_SECONDS: Final = 2.0  # longer than the server is given (engine.py), so that its own word comes first

R = TypeVar("R")


class HurriedConnection(psycopg.Connection[Any]):
    """Ends itself if an answer is not there in time; the next call connects anew."""

    def wait(self, gen: PQGen[R], *arguments: Any, **more: Any) -> R:
        """What psycopg waits with for whatever is under way. Raises psycopg.OperationalError."""
        return super().wait(self._in_time(gen), *arguments, **more)

    def _in_time(self, gen: PQGen[R]) -> Generator[Any, Any, R]:
        """The same steps; psycopg comes by ten times a second, answer or not."""
        until = time.monotonic() + ANSWER_SECONDS
        try:
            step = next(gen)
            while True:
                ready = yield step
                if time.monotonic() > until:
                    self.close()
                    raise psycopg.OperationalError("The server did not answer in time.")
                step = gen.send(ready)
        except StopIteration as end:
            answer: R = end.value
            return answer
