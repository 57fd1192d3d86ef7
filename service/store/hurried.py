"""A connection to PostgreSQL that waits so long for an answer, and no longer.

The server's own limit (statement_timeout) is kept by the server. One that hangs keeps none: a machine that was switched
off, a disk that does not come back. TCP alone gives up after a quarter of an hour, and a hook would wait for that.
"""

import time
from collections.abc import Generator
from functools import cache
from typing import Any, Final

ANSWER_SECONDS: Final = 2.0  # longer than the server is given (engine.py), so that its own word comes first


@cache
def hurried(driver: Any) -> Any:
    """The kind of connection to use, made of that of the ``driver``: psycopg, which is here only where a site has
    PostgreSQL. It ends itself if an answer is not there in time, with the driver's OperationalError.
    """

    class HurriedConnection(driver.Connection):  # type: ignore[misc]  # see above
        def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **more: Any) -> Any:
            """What psycopg waits with for whatever is under way."""
            return super().wait(self._in_time(gen), *arguments, **more)

        def _in_time(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
            """The same steps; psycopg comes by ten times a second, answer or not."""
            until = time.monotonic() + ANSWER_SECONDS
            try:
                step = next(gen)
                while True:
                    ready = yield step
                    if time.monotonic() > until:
                        self.close()
                        raise driver.OperationalError("The server did not answer in time.")
                    step = gen.send(ready)
            except StopIteration as end:
                return end.value

    return HurriedConnection
