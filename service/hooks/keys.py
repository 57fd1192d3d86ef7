"""The public keys of the clients: from a file, or from the one configured address, kept and renewed (R2, K9, K10, K15).

A key is fetched only from where the settings say; nothing in a token ever leads to a request. One fetch at a time and
client, in a thread of its own, so that a key host that drips its answer holds no caller for longer than
``WAIT_SECONDS``. Keys that can still be used are used while newer ones are fetched. A worker fetches them ahead of
need: at its start, and before they are too old, so that the first call of a morning waits for no key host.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey

from service.clients import Client
from service.errors import BadSettings, NotTrusted

MAX_BYTES: Final = 256 * 1024  # of a JWK Set (R2)
MAX_KEYS: Final = 100
LEAST_RSA_BITS: Final = 2_048
MOST_RSA_BITS: Final = 8_192  # a larger one costs time at every call and gives nothing
FRESH_SECONDS: Final = 3_600.0  # after that, a set is fetched anew behind the back of the calls, and without one
KEPT_SECONDS: Final = 24 * 3_600.0  # after that, a set counts no longer (R2)
FORCED_SECONDS: Final = 60.0  # least time between two fetches of a client that has keys (R2)
FIRST_SECONDS: Final = 5.0  # the same, as long as it has none: nobody can call until then
WAIT_SECONDS: Final = 3.0  # a call waits this long for a fetch, no longer
LOST_SECONDS: Final = 30.0  # a fetch that has not ended by then no longer keeps others from starting

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

KeySet = Mapping[str, Key]
Fetch = Callable[[str], bytes | None]


class Keys:
    """The keys of all clients. Made once per process; safe to use from many threads.

    It starts no thread by itself: a process that is still to be forked would lose it. A worker calls
    :meth:`keep_fresh`.
    """

    def __init__(
        self, clients: Iterable[Client], fetch: Fetch | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock``: seconds, never going back. Raises BadSettings if the key file of a client holds no usable key."""
        self._sources = {client.name: _source(client, fetch, clock) for client in clients}
        self._ended = threading.Event()

    def key(self, client: Client, kid: str) -> Key:
        """The key of this client that has this id. Raises NotTrusted if it has none, or its keys cannot be had."""
        return self._sources[client.name].key(kid)

    def keep_fresh(self) -> None:
        """Fetch what is behind addresses now, and renew it before it is too old (R2); returns at once. Once a process.

        A key host that does not answer is asked again each ``FORCED_SECONDS``; no start and no call waits for that.
        """
        remotes = [source for source in self._sources.values() if isinstance(source, _Remote)]
        if remotes:
            threading.Thread(target=self._keep, args=(remotes,), name="keys-ahead", daemon=True).start()

    def close(self) -> None:
        """Fetch nothing ahead of need any more."""
        self._ended.set()

    def _keep(self, remotes: list["_Remote"]) -> None:
        while not self._ended.is_set():
            self._ended.wait(min(remote.renew() for remote in remotes))


def _source(client: Client, fetch: Fetch | None, clock: Callable[[], float]) -> "_File | _Remote":
    if client.jwks_file:
        return _File(client)
    if fetch is None:
        from service.hooks.key_host import fetched  # noqa: PLC0415 -- keys in files need no HTTP library

        fetch = partial(fetched, most_bytes=MAX_BYTES)
    return _Remote(client.jwks_url or "", fetch, clock)


class _File:
    """Keys agreed out of band; a new file is read at the next start."""

    def __init__(self, client: Client) -> None:
        try:
            raw = client.jwks_file.read_bytes()[: MAX_BYTES + 1] if client.jwks_file else b""
        except OSError:
            raw = b""
        self._keys = key_set(raw)
        if not self._keys:
            raise BadSettings(
                f"client {client.name!r}: jwks_file holds no usable public key. It must be a JWK Set of EC or RSA keys "
                f"(RSA of at least {LEAST_RSA_BITS} bits), each with a kid of its own and without private parts."
            )

    def key(self, kid: str) -> Key:
        found = (self._keys or {}).get(kid)
        if found is None:
            raise NotTrusted("unknown-key")
        return found


@dataclass(slots=True)
class _Flight:
    """A fetch under way, and when it began."""

    began: float
    landed: threading.Event = field(default_factory=threading.Event)


class _Remote:
    """Keys behind the configured address of one client."""

    def __init__(self, url: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: KeySet = {}
        self._got_at = float("-inf")
        self._tried_at = float("-inf")
        self._flight: _Flight | None = None

    def key(self, kid: str) -> Key:
        found = self._known(kid)
        if found is not None:
            if self._clock() - self._got_at >= FRESH_SECONDS:
                self._start()
            return found
        flight = self._start()
        if flight is not None:
            flight.landed.wait(WAIT_SECONDS)
            found = self._known(kid)
        if found is None:
            raise NotTrusted("unknown-key" if self._keys else "no-keys")
        return found

    def renew(self) -> float:
        """Begin to fetch the set if that is due; in how many seconds to ask again, more than none. Never waits."""
        with self._lock:
            now = self._clock()
            due = max(self._got_at + FRESH_SECONDS, self._tried_at + FORCED_SECONDS)
        if now < due:
            return min(due - now, FORCED_SECONDS)
        self._start()
        return FORCED_SECONDS

    def _known(self, kid: str) -> Key | None:
        with self._lock:
            if self._clock() - self._got_at >= KEPT_SECONDS:
                self._keys = {}
            return self._keys.get(kid)

    def _start(self) -> _Flight | None:
        """The fetch under way, or a new one; None if it is too early for another."""
        with self._lock:
            now = self._clock()
            if self._flight is not None and now - self._flight.began < LOST_SECONDS:
                return self._flight
            if now - self._tried_at < (FORCED_SECONDS if self._keys else FIRST_SECONDS):
                return None
            self._tried_at = now
            flight = self._flight = _Flight(now)
        threading.Thread(target=self._fly, args=(flight,), name="keys", daemon=True).start()
        return flight

    def _fly(self, flight: _Flight) -> None:
        keys: KeySet | None = None
        try:
            raw = self._fetch(self._url)
            keys = None if raw is None else key_set(raw)
        finally:
            with self._lock:
                if keys:
                    self._keys, self._got_at = keys, self._clock()
                if self._flight is flight:
                    self._flight = None
            flight.landed.set()


def key_set(raw: bytes) -> KeySet | None:
    """The usable keys of a JWK Set by their ids; None if it is none, or too large.

    A key that cannot be used is left out and the others stay: one of another kind or for encryption, one that is too
    short, one with private parts (whoever wrote it down has given it away), and every one whose id is not its own.
    """
    if len(raw) > MAX_BYTES:
        return None
    try:
        written = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    entries = written.get("keys") if isinstance(written, dict) else None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        return None
    ids = [entry.get("kid") for entry in entries if isinstance(entry, dict)]
    found: dict[str, Key] = {}
    for entry in entries:
        kid = entry.get("kid") if isinstance(entry, dict) else None
        if isinstance(kid, str) and kid and ids.count(kid) == 1:
            key = _usable(entry)
            if key is not None:
                found[kid] = key
    return found


def _usable(entry: dict[str, Any]) -> Key | None:
    if entry.get("kty") not in ("EC", "RSA") or entry.get("use", "sig") != "sig" or _PRIVATE & set(entry):
        return None
    try:
        if entry["kty"] == "RSA" and len(entry["n"]) * 6 < LEAST_RSA_BITS:
            return None  # joserfc would warn of it on every import
        key = JWKRegistry.import_key(entry)
        match key:
            case RSAKey():
                usable = LEAST_RSA_BITS <= key.public_key.key_size <= MOST_RSA_BITS
            case ECKey():
                usable = key.public_key is not None
            case _:
                usable = False
    except Exception:  # noqa: BLE001 -- R2: whatever a foreign key makes a library do, it is only not a key
        return None
    return key if usable else None
