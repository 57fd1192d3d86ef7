"""Which FHIR servers may be called, and how long and how much is asked of them (R4, R6, R9).

Known without the HTTP library, which a service that calls no server does without (docs/decisions/0012).
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from service.errors import BadSettings

MIB: Final = 1024 * 1024

PLAIN: Final = re.compile(r"[!-~]{1,8000}")
"""What an address may consist of."""

_SHARE_LEFT_FOR_A_RETRY = 0.4
_TOKEN = re.compile(r"[!-~]{1,8192}")


class FhirBase(msgspec.Struct, frozen=True):
    """A FHIR server that may be called, from the settings.

    ``open_server``: may be called without a token, for test set-ups (requirement F3). ``ca_file``: certificates to
    trust instead of the usual ones. ``proxy``: the proxy to go through; the environment's is never used (R5).
    """

    url: str
    open_server: bool = False
    ca_file: str | None = None
    proxy: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be matched or joined as plain text. Raises BadSettings."""
        if not _is_plain_base(self.url):
            raise BadSettings(
                "fhir_bases must be absolute http or https addresses without user, query, fragment, percent sign, "
                "backslash or dot segments."
            )


class Limits(msgspec.Struct, frozen=True):
    """How much is asked and read, at most (R6, R9; reliability section 5)."""

    answer_bytes: int = 4 * MIB  # of one answer, after decompression
    hook_bytes: int = 8 * MIB  # of all answers of one call
    pages: int = 5  # of one search
    entries: int = 1_000  # of one search
    prefetch_entries: int = 5_000  # of one prefetched Bundle
    medications: int = 30  # Medications asked for by id, for one query
    connect_seconds: float = 0.3
    threads: int = 96  # searches under way at once, over all calls


class Budget:
    """Time and bytes of one hook call, shared by all its searches."""

    def __init__(self, *, deadline: float, most_bytes: int, clock: Callable[[], float] | None = None) -> None:
        """``deadline``: an instant of ``clock``, in seconds; of ``time.monotonic`` if that is None."""
        self._clock = clock or time.monotonic
        self.began = self._clock()
        self.deadline = deadline
        self._bytes_left = most_bytes
        self._lock = threading.Lock()

    def seconds_left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self.deadline - self._clock()

    def allows_retry(self) -> bool:
        """Whether enough time is left for a second try (R6)."""
        return self.seconds_left() >= _SHARE_LEFT_FOR_A_RETRY * (self.deadline - self.began)

    def spend(self, size: int) -> bool:
        """Take ``size`` bytes of what may be read; False if there are not that many left."""
        with self._lock:
            self._bytes_left -= size
            return self._bytes_left >= 0


def is_usable_token(token: str) -> bool:
    """Whether a token can stand in a header as it is: printable ASCII without blanks, at most 8 KiB."""
    return _TOKEN.fullmatch(token) is not None


def _is_plain_base(url: str) -> bool:
    if PLAIN.fullmatch(url) is None or set("?#\\@%") & set(url):
        return False
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False
    return named and parts.scheme in {"http", "https"} and not has_dot_segment(parts.path)


def has_dot_segment(path: str) -> bool:
    """Whether a path holds ``.`` or ``..``, also percent-encoded once or twice: requests would resolve it away.

    So too with a parameter behind it (``..;x``), which Tomcat and other Java servers resolve.
    """
    plain = unquote(unquote(path))
    return any(segment.partition(";")[0] in {".", ".."} for segment in re.split(r"[/\\]", plain))
