"""One FHIR server, asked for one thing at a time: the only module that calls a record system.

Built to the rules R4 to R6 and R9. Where we call is ours to say: every URL is our configured base and a path behind
it. How long and how much is ours too: a budget of time and bytes goes with every call, the watchdog ends what outlasts
it, and a server that fails again and again is left alone for a while. What comes back is the bytes of a JSON answer or
a reason why there is none; nothing the network does raises, and no URL or token enters a text.
"""

import http.client
import time
from collections.abc import Callable
from typing import Final

import msgspec
import requests
import urllib3

from service.fhir import outgoing, transport
from service.fhir.bounds import PLAIN, Budget, FhirBase, Limits, has_dot_segment
from service.fhir.breaker import Breaker, Leave
from service.fhir.outgoing import Observe, Outcome, Outgoing
from service.fhir.retrieved import Failed, Nothing, Trouble
from service.fhir.watchdog import Watchdog

_CHUNK = 64 * 1024
_JSON_TYPES = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
_LEAST_TIMEOUT = 0.001  # seconds; requests takes no timeout of 0
_FAILURES: Final = frozenset({Outcome.NO_CONNECTION, Outcome.TIMED_OUT, Outcome.NO_TLS, Outcome.BROKEN_OFF})


class _Tried(msgspec.Struct, frozen=True):
    """What came of one request."""

    answer: bytes | Nothing | Failed
    outcome: Outcome
    status: int = 0

    @property
    def failed(self) -> bool:
        """Whether the circuit breaker counts it as a failure of the server (R6)."""
        return self.outcome in _FAILURES or self.status >= requests.codes.internal_server_error


class FhirClient:
    """Asks one configured FHIR server. Made once per process; safe to use from many threads."""

    def __init__(
        self,
        base: FhirBase,
        limits: Limits,
        *,
        client: str = "",
        watchdog: Watchdog | None = None,
        observe: Observe = outgoing.nobody,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """No connection is opened yet. ``client``: for whom it calls. ``observe`` is told of every request made."""
        self.base = base.url.removesuffix("/")
        self.open_server = base.open_server
        self._limits = limits
        self._client = client
        self._clock = clock or time.monotonic
        self._watchdog = watchdog or Watchdog(clock)
        self._breaker = Breaker(clock)
        self._observe = observe
        self._session = transport.session(ca_file=base.ca_file, proxy=base.proxy, connections=limits.threads)

    @property
    def circuit_open(self) -> bool:
        """Whether the server is left alone for now."""
        return self._breaker.is_open

    def get(
        self, path: str, *, token: str | None, budget: Budget, is_read: bool = False, query: str = ""
    ) -> bytes | Nothing | Failed:
        """Ask for ``base/path``: the bytes of its JSON answer, or why there are none.

        Nothing is the answer to a read (``is_read``) of what does not exist. A second try is made once, only if a
        connection was refused or reset, or did not come about in the short time allowed for it: a server whose queue
        of callers is full drops the excess, and asking again is answered long before TCP itself would ask again.
        ``Retry-After`` is not waited for (F16). ``query``: which one it is, a word of ours, for who observes.

        The circuit breaker is told of the last try alone: after a quiet hour every idle connection may be dead at once,
        and that is no failure of the server.
        """
        leave = self._breaker.ask(since=budget.began)
        if leave is Leave.NO:
            return Failed(Trouble.LEFT_ALONE)
        tried = None
        try:
            tried = self._try(path, token, budget, is_read=is_read, query=query)
            if tried is not None and tried.outcome is Outcome.NO_CONNECTION and budget.allows_retry():
                tried = self._try(path, token, budget, is_read=is_read, query=query) or tried
        finally:
            self._breaker.tell(leave, failed=None if tried is None else tried.failed)
        return Failed(Trouble.NOT_ANSWERED) if tried is None else tried.answer

    def path_of(self, url: str) -> str | None:
        """The path of a next link behind our base, or None if the link leads elsewhere or is not plain (R9, F8).

        The link must begin with the base as a string; what is behind it may hold no dot segment, however encoded.
        """
        path = url[len(self.base) :]
        if not url.startswith(self.base) or path[:1] not in {"/", "?"}:
            return None
        if PLAIN.fullmatch(path) is None or set("#\\") & set(path) or has_dot_segment(path.partition("?")[0]):
            return None
        return path.removeprefix("/")

    def close(self) -> None:
        """Close all idle connections, and end the watchdog."""
        self._session.close()
        self._watchdog.close()

    def _try(self, path: str, token: str | None, budget: Budget, *, is_read: bool, query: str) -> _Tried | None:
        """One request, watched and observed; None if no time was left to make it."""
        if budget.seconds_left() <= 0:
            return None
        began = self._clock()
        with self._watchdog.watch(budget.deadline) as watch:
            tried = self._request(path, token, budget, is_read=is_read)
            if watch.end():  # it may look whole: a head cut between two lines does
                tried = _Tried(Failed(Trouble.NOT_ANSWERED), Outcome.TIMED_OUT)
        self._observe(Outgoing(self._client, query, tried.outcome, tried.status, self._clock() - began))
        return tried

    def _request(self, path: str, token: str | None, budget: Budget, *, is_read: bool) -> _Tried:
        seconds = max(budget.seconds_left(), _LEAST_TIMEOUT)
        joint = "" if path.startswith("?") else "/"
        status = 0
        try:
            response = self._session.get(
                f"{self.base}{joint}{path}",
                auth=transport.Bearer(token),
                timeout=(min(seconds, self._limits.connect_seconds), seconds),
                stream=True,
                allow_redirects=False,
            )
            with response:
                status = response.status_code
                return _judged(response, is_read=is_read) or self._body(response, budget)
        except requests.ConnectTimeout:
            return _Tried(Failed(Trouble.NOT_ANSWERED), Outcome.NO_CONNECTION)
        except requests.exceptions.SSLError:
            return _Tried(Failed(Trouble.NOT_ANSWERED), Outcome.NO_TLS, status)
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            return _Tried(Failed(Trouble.NOT_ANSWERED), Outcome.TIMED_OUT, status)
        except urllib3.exceptions.DecodeError:
            return _Tried(Failed(Trouble.NOT_FHIR), Outcome.NOT_FHIR, status)
        except (requests.ConnectionError, urllib3.exceptions.ProtocolError, ConnectionError, http.client.HTTPException):
            if status:
                return _Tried(Failed(Trouble.NOT_FHIR), Outcome.BROKEN_OFF, status)
            return _Tried(Failed(Trouble.NOT_ANSWERED), Outcome.NO_CONNECTION)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError):
            return _Tried(Failed(Trouble.SERVER_ERROR), Outcome.BROKEN_OFF, status)

    def _body(self, response: requests.Response, budget: Budget) -> _Tried:
        """The whole body, decompressed, read in pieces against the clock and the limits."""
        pieces: list[bytes] = []
        size = 0
        while True:
            if budget.seconds_left() <= 0:
                return _Tried(Failed(Trouble.NOT_ANSWERED), Outcome.TIMED_OUT, response.status_code)
            piece: bytes = response.raw.read1(_CHUNK, decode_content=True)
            if not piece:
                return _Tried(b"".join(pieces), Outcome.ANSWERED, response.status_code)
            size += len(piece)
            if size > self._limits.answer_bytes or not budget.spend(len(piece)):
                return _Tried(Failed(Trouble.CUT_SHORT), Outcome.TOO_LARGE, response.status_code)
            pieces.append(piece)


def _judged(response: requests.Response, *, is_read: bool) -> _Tried | None:
    """What status and headers say against the answer; None if its body may be read."""
    status = response.status_code
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if status in {401, 403}:
        return _Tried(Failed(Trouble.NOT_PERMITTED), Outcome.NOT_PERMITTED, status)
    if is_read and status in {404, 410} and kind in {*_JSON_TYPES, ""}:
        # A page of HTML instead would be a wrong address, not a missing resource.
        return _Tried(Nothing(), Outcome.NOT_THERE, status)
    if status != requests.codes.ok:
        return _Tried(Failed(Trouble.SERVER_ERROR), Outcome.ERROR_STATUS, status)
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if kind not in _JSON_TYPES or encoding not in {"identity", "gzip", ""}:
        return _Tried(Failed(Trouble.NOT_FHIR), Outcome.NOT_FHIR, status)
    return None
