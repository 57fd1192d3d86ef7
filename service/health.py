"""Whether the service on this machine answers: what a container asks every few seconds.

``python -m service.health [PORT]`` reads the discovery document over loopback and leaves with exit status 0 if that
went well, with 1 and one line on standard error if not. It uses the standard library alone and reads no settings.
"""

import http.client
import sys
from collections.abc import Sequence

PORT = 5000
PATH = "/cds-services"
TIMEOUT = 2.0  # seconds; shorter than the health check's own, so that the reason is still printed


def trouble(port: int) -> str:
    """Why the service on this port of 127.0.0.1 is not healthy, in a few words; empty if it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", PATH)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
    return "" if status == http.client.OK else f"HTTP status {status}"


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 if the service answers, 1 if it does not."""
    port = int(arguments[0]) if arguments else PORT
    why = trouble(port)
    if why:
        sys.stderr.write(f"not healthy: {PATH} on port {port}: {why}\n")
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
