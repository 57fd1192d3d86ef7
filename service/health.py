"""Whether the service on this machine answers: what a container asks every few seconds.

``python -m service.health [PORT [PATH]]`` asks the liveness probe over loopback and leaves with exit status 0 if that
went well, with 1 and one line on standard error if not. Liveness, because what asks may start the container anew, which
helps a process that hangs and nothing else; ``/readyz`` as PATH asks whether it can take calls. It uses the standard
library alone, reads no settings, and needs no token.
"""

import http.client
import sys
from collections.abc import Sequence

PORT = 5000
PATH = "/livez"
TIMEOUT = 2.0  # seconds; shorter than the health check's own, so that the reason is still printed


def trouble(port: int, path: str = PATH) -> str:
    """Why the service on this port of 127.0.0.1 is not healthy, in a few words; empty if it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
    return "" if status == http.client.OK else f"HTTP status {status}"


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 if the service answers, 1 if it does not."""
    port = int(arguments[0]) if arguments else PORT
    path = arguments[1] if len(arguments) > 1 else PATH
    why = trouble(port, path)
    if why:
        sys.stderr.write(f"not healthy: {path} on port {port}: {why}\n")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
