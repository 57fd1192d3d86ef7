"""What looks after the workers: gunicorn's arbiter, taught the order of R16. Not ready, wait, finish, exit 0.

After SIGTERM the probe says "not ready" while calls are still taken, so that whatever sends calls here turns elsewhere;
only then the port is closed, and calls under way are finished. A second SIGTERM ends the waiting.
"""

import time
from typing import TYPE_CHECKING, Any

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]

from service.readiness import Draining

if TYPE_CHECKING:
    from service.metrics_server import MetricsServer


class DrainingArbiter(Arbiter):  # type: ignore[misc]  # gunicorn carries no types
    """Waits ``seconds`` between being told to end and closing the port."""

    def __init__(self, app: Any, draining: Draining, seconds: float, metrics: "MetricsServer | None") -> None:
        self._draining, self._seconds, self._metrics = draining, seconds, metrics
        self._closes_at: float | None = None
        super().__init__(app)

    def handle_term(self) -> None:
        """SIGTERM, from a container engine or a service manager."""
        self._draining.begin()
        if self._closes_at is not None or self._seconds <= 0:
            raise StopIteration
        self._closes_at = time.monotonic() + self._seconds

    def handle_hup(self) -> None:
        """SIGHUP: other workers in place of these, unless what they would be given cannot be used."""
        if self.app.renew():
            super().handle_hup()

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Signals that came; the end of the waiting is one too. Dead workers are replaced meanwhile, as ever."""
        if self._closes_at is not None:
            left = self._closes_at - time.monotonic()
            if left <= 0:
                raise StopIteration  # what gunicorn's main loop takes for "now stop"
            timeout = min(timeout, left)
        signals: list[int] = super().wait_for_signals(timeout)
        return signals

    def manage_workers(self) -> None:
        """Keep as many workers as there should be, and the process of the metrics."""
        if self._metrics is not None:
            self._metrics.start(listener.sock for listener in self.LISTENERS)
        super().manage_workers()
