"""One FHIR server, asked for one thing at a time: the only module that opens a connection to a record system.

Built to the rules R4 to R6 and R9. Where we call is ours to say: every URL is our configured base and a path behind
it. How long and how much is ours too: a budget of time and bytes goes with every call. What comes back is the bytes of
a JSON answer or a reason why there is none; nothing the network does raises, and no URL or token enters a text.
"""

import http.client
import logging
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from service.errors import BadSettings
from service.fhir.retrieved import Failed, Nothing, Trouble

MIB = 1024 * 1024

_CHUNK = 64 * 1024
_PLAIN = re.compile(r"[!-~]{1,8000}")
_TOKEN = re.compile(r"[!-~]{1,8192}")
_JSON_TYPES = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
_SHARE_LEFT_FOR_A_RETRY = 0.4


@dataclass(frozen=True, slots=True)
class FhirBase:
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
            msg = "a FHIR base must be an absolute http or https URL without user, query, fragment or dot segments"
            raise BadSettings(msg)


@dataclass(frozen=True, slots=True)
class Limits:
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

    def __init__(self, *, deadline: float, most_bytes: int) -> None:
        """``deadline``: an instant of ``time.monotonic``, in seconds."""
        self._began = time.monotonic()
        self._deadline = deadline
        self._bytes_left = most_bytes
        self._lock = threading.Lock()

    def seconds_left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._deadline - time.monotonic()

    def allows_retry(self) -> bool:
        """Whether enough time is left for a second try (R6)."""
        return self.seconds_left() >= _SHARE_LEFT_FOR_A_RETRY * (self._deadline - self._began)

    def spend(self, size: int) -> bool:
        """Take ``size`` bytes of what may be read; False if there are not that many left."""
        with self._lock:
            self._bytes_left -= size
            return self._bytes_left >= 0


class FhirClient:
    """Asks one configured FHIR server. Made once per process; safe to use from many threads."""

    def __init__(self, base: FhirBase, limits: Limits) -> None:
        """Make the session; no connection is opened yet."""
        self.base = base.url.removesuffix("/")
        self.open_server = base.open_server
        self._limits = limits
        self._session = _session(base, limits)

    def get(self, path: str, *, token: str | None, budget: Budget, is_read: bool = False) -> bytes | Nothing | Failed:
        """Ask for ``base/path``: the bytes of its JSON answer, or why there are none.

        Nothing is the answer to a read (``is_read``) of what does not exist. A second try is made once, only if a
        connection was refused or reset, or did not come about in the short time allowed for it: a server whose queue
        of callers is full drops the excess, and asking again is answered long before TCP itself would ask again.
        ``Retry-After`` is not waited for (F16).
        """
        # A circuit breaker per server would ask here whether to call at all, and be told of the outcome.
        answer = self._try(path, token, budget, is_read=is_read)
        if answer is None and budget.allows_retry():
            answer = self._try(path, token, budget, is_read=is_read)
        return Failed(Trouble.NOT_ANSWERED) if answer is None else answer

    def path_of(self, url: str) -> str | None:
        """The path of a next link behind our base, or None if the link leads elsewhere or is not plain (R9, F8).

        The link must begin with the base as a string; what is behind it may hold no dot segment, however encoded.
        """
        path = url[len(self.base) :]
        if not url.startswith(self.base) or path[:1] not in {"/", "?"}:
            return None
        if _PLAIN.fullmatch(path) is None or set("#\\") & set(path) or _has_dot_segment(path.partition("?")[0]):
            return None
        return path.removeprefix("/")

    def close(self) -> None:
        """Close all idle connections."""
        self._session.close()

    def _try(self, path: str, token: str | None, budget: Budget, *, is_read: bool) -> bytes | Nothing | Failed | None:
        """One request; None if there was no connection, or it was reset."""
        seconds = budget.seconds_left()
        if seconds <= 0:
            return Failed(Trouble.NOT_ANSWERED)
        joint = "" if path.startswith("?") else "/"
        try:
            response = self._session.get(
                f"{self.base}{joint}{path}",
                auth=_Bearer(token),
                timeout=(min(seconds, self._limits.connect_seconds), seconds),
                stream=True,
                allow_redirects=False,
            )
            with response:
                # The watchdog that shuts the socket of a dripping answer at the deadline would be told of it here.
                trouble = _trouble_of(response, is_read=is_read)
                return self._body(response, budget) if trouble is None else trouble
        except requests.ConnectTimeout:
            return None
        except (requests.Timeout, requests.exceptions.SSLError, urllib3.exceptions.TimeoutError):
            return Failed(Trouble.NOT_ANSWERED)
        except (requests.ConnectionError, urllib3.exceptions.ProtocolError, ConnectionError, http.client.HTTPException):
            return None
        except urllib3.exceptions.DecodeError:
            return Failed(Trouble.NOT_FHIR)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError):
            return Failed(Trouble.SERVER_ERROR)

    def _body(self, response: requests.Response, budget: Budget) -> bytes | Failed:
        """The whole body, decompressed, read in pieces against the clock and the limits."""
        pieces: list[bytes] = []
        size = 0
        while True:
            if budget.seconds_left() <= 0:
                return Failed(Trouble.NOT_ANSWERED)
            piece: bytes = response.raw.read1(_CHUNK, decode_content=True)
            if not piece:
                return b"".join(pieces)
            size += len(piece)
            if size > self._limits.answer_bytes or not budget.spend(len(piece)):
                return Failed(Trouble.CUT_SHORT)
            pieces.append(piece)


def is_usable_token(token: str) -> bool:
    """Whether a token can stand in a header as it is: printable ASCII without blanks, at most 8 KiB."""
    return _TOKEN.fullmatch(token) is not None


class _Bearer(AuthBase):
    """Sets Authorization on one request; on the session it could outlive the call (R5)."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    """A session that sees no redirect: the ordinary one reads a redirect's body, however large, to look past it."""

    def get_redirect_target(self, resp: requests.Response) -> Any:  # noqa: ARG002 -- the name requests calls it by
        return None


def _session(base: FhirBase, limits: Limits) -> requests.Session:
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its lines hold URLs, and with them patients (R14)
    session = _Session()
    session.trust_env = False
    session.verify = base.ca_file or True
    proxies: Mapping[str, str] = {"http": base.proxy, "https": base.proxy} if base.proxy else {}
    session.proxies.update(proxies)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update(
        {"Accept": "application/fhir+json", "Accept-Encoding": "gzip", "User-Agent": "muscle-cds"},
    )
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=limits.threads, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _trouble_of(response: requests.Response, *, is_read: bool) -> Nothing | Failed | None:
    """What status and headers say against the answer; None if its body may be read."""
    status = response.status_code
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if status in {401, 403}:
        return Failed(Trouble.NOT_PERMITTED)
    if is_read and status in {404, 410} and kind in {*_JSON_TYPES, ""}:
        return Nothing()  # a page of HTML instead would be a wrong address, not a missing resource
    if status != requests.codes.ok:
        return Failed(Trouble.SERVER_ERROR)
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if kind not in _JSON_TYPES or encoding not in {"identity", "gzip", ""}:
        return Failed(Trouble.NOT_FHIR)
    return None


def _is_plain_base(url: str) -> bool:
    if _PLAIN.fullmatch(url) is None or set("?#\\@%") & set(url):
        return False
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False
    return named and parts.scheme in {"http", "https"} and not _has_dot_segment(parts.path)


def _has_dot_segment(path: str) -> bool:
    """Whether a path holds ``.`` or ``..``, also percent-encoded once or twice: requests would resolve it away."""
    plain = unquote(unquote(path))
    return any(segment in {".", ".."} for segment in re.split(r"[/\\]", plain))
