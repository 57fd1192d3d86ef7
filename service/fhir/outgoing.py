"""What is told of each request that was made to a FHIR server, for metrics: words and numbers of closed sets alone."""

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

import msgspec


class Outcome(Enum):
    """How one request ended. The values are fit for a label."""

    ANSWERED = "answered"
    NOT_THERE = "not-there"  # a read of what does not exist
    NOT_PERMITTED = "not-permitted"
    ERROR_STATUS = "error-status"
    NOT_FHIR = "not-fhir"
    TOO_LARGE = "too-large"
    TIMED_OUT = "timed-out"
    NO_CONNECTION = "no-connection"  # refused, reset, or not there in the time allowed for it, before an answer began
    NO_TLS = "no-tls"  # a certificate that is not trusted, or no TLS at all
    BROKEN_OFF = "broken-off"  # after an answer began


class Outgoing(msgspec.Struct, frozen=True):
    """One request, without URL, id or token (R14, R15).

    ``client``: the name of the caller it was made for, as in the settings; "" where callers are not told apart.
    ``query``: the prefetch key it fills (``results``), or ``medications``. ``status``: 0 if there was none.
    ``seconds``: from the first byte sent to the last one read.
    """

    client: str
    query: str
    outcome: Outcome
    status: int
    seconds: float


Observe: TypeAlias = Callable[[Outgoing], object]
"""Is told of each request in the thread that made it, so it must be quick, safe to use from many, and never raise."""


def nobody(_outgoing: Outgoing) -> None:
    """Who is told where nobody wants to know."""
