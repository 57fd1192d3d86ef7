"""Which web pages may call from a browser: exact origins, never with credentials, on errors too (R13, L1-L4)."""

from collections.abc import Iterable, Iterator

import msgspec

from service.clients import Client

ANY = "*"


class Origins(msgspec.Struct, frozen=True):
    """The origins that may call. ``everyone``: those of the settings; ``clients``: those of every client besides.

    A preflight carries no token, so it is answered for the origins of all clients; the answer to a proven caller then
    goes to its own pages only.
    """

    everyone: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Iterable[str], clients: Iterable[Client]) -> "Origins":
        """From the origins of the settings and those of the clients."""
        return cls(frozenset(settings), frozenset(origin for one in clients for origin in one.origins))

    def headers(self, origin: str | None, client: Client | None, *, preflight: bool) -> Iterator[tuple[str, str]]:
        """The headers of one answer. ``client`` is None where the caller is not known, or not yet."""
        allowed = self.everyone | (self.clients if client is None else frozenset(client.origins))
        if ANY in allowed:
            yield "Access-Control-Allow-Origin", ANY
        else:
            yield "Vary", "Origin"
            if origin is None or origin not in allowed:
                return
            yield "Access-Control-Allow-Origin", origin
        yield "Access-Control-Expose-Headers", "X-Correlation-ID"
        if preflight:
            yield "Access-Control-Allow-Methods", "GET, POST, OPTIONS"
            yield "Access-Control-Allow-Headers", "Authorization, Content-Type, Accept"
