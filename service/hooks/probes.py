"""What a machine asks every few seconds: whether the process lives, and whether calls should be sent to it (R16).

Neither asks who is calling, and neither says more than one word: a caller who is not proven learns nothing from it.
"""

import msgspec
from flask import Flask, Response

from service.readiness import Readiness

LIVE = "/livez"
READY = "/readyz"

_LIVE_BODY = b'{"status":"live"}'
_READY_BODY = b'{"status":"ready"}'


class Probes(msgspec.Struct, frozen=True):
    """The two addresses of the probes."""

    readiness: Readiness

    def register(self, app: Flask) -> None:
        """Put them into an application, at exactly these addresses: a proxy that keeps them to itself goes by them."""
        app.add_url_rule(LIVE, "live", self.live, methods=["GET"], strict_slashes=True)
        app.add_url_rule(READY, "ready", self.ready, methods=["GET"], strict_slashes=True)

    def live(self) -> Response:
        """The process answers. Touches nothing: a store that is down is no reason to kill the process."""
        return Response(_LIVE_BODY, mimetype="application/json")

    def ready(self) -> Response:
        """Calls may be sent here. Raises NotReady while the process ends, or cannot use its store."""
        self.readiness.check()
        return Response(_READY_BODY, mimetype="application/json")
