"""Who is calling: the signed token of a client, verified by our own rules before all else (R2, R3, K1-K17).

joserfc proves the signature; what a token must say and may not say is checked here, since libraries let through what
this service must not (reliability.md R2). Nothing a token names is ever fetched. Why a token was refused is a word for
the log alone: to the caller all refusals are the same (J3).
"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from joserfc import jws
from joserfc.jws import JWSRegistry

from service.clients import Client, Replay
from service.errors import CallRejected, NotAllowed, NotTrusted, StoreDown, StoreUnavailable
from service.hooks.keys import Keys
from service.store import Store

MAX_TOKEN: Final = 8 * 1024  # bytes
MAX_LIFE: Final = 3_600  # seconds from iat to exp
LEEWAY: Final = 60  # seconds by which clocks may differ

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9_\-.]+)")  # in any case, as every scheme (RFC 9110, 11.1)
_FEEDBACK = re.compile(r"(/cds-services//?[^/]+)/feedback")
_LONGEST_JTI = 256
_YEAR_10000 = 253_402_300_800  # seconds since 1970; the first instant that datetime cannot hold


class _Registry(JWSRegistry):
    """joserfc's own limits are set for small tokens of its own making; ours is that of the whole token (section 5)."""

    max_header_length = MAX_TOKEN
    max_payload_length = MAX_TOKEN
    max_signature_length = MAX_TOKEN


class Trust:
    """Proves callers. Made once per process; safe to use from many threads."""

    def __init__(self, clients: Iterable[Client], keys: Keys, store: Store, public_url: str | None) -> None:
        """``public_url``: how callers reach the service, without its last slash; what a Host header says is not asked.

        None: only the fixed audiences of the clients count.
        """
        self._by_issuer = {client.issuer: client for client in clients}
        self._keys = keys
        self._store = store
        self._public_url = public_url
        self._registries = {
            client.name: _Registry(algorithms=client.algorithms, strict_check_header=False)
            for client in self._by_issuer.values()
        }

    def caller(self, authorization: str | None, path: str, now: datetime) -> Client:
        """Who calls this path, by the Authorization header; ``now`` is an aware datetime. A client that lists tenants
        is given back with the one that called, and no other.

        Raises NotTrusted for everything that is wrong with a token, NotAllowed for a proven caller of another
        organisation than its entry lists, StoreDown if a replay could not be told from a call.
        """
        try:
            client, claims = self._proven(authorization, path, now.timestamp())
        except CallRejected:
            raise
        except Exception:  # noqa: BLE001 -- R2: any exception while verifying is a 401, RecursionError included
            raise NotTrusted("unreadable") from None
        if client.replay is Replay.STRICT:
            self._claim(claims)
        return replace(client, tenants=(claims["tenant"],)) if client.tenants else client

    def _claim(self, claims: dict[str, Any]) -> None:
        """R3: the first to write down this token is the caller; everyone after that is not."""
        expires = datetime.fromtimestamp(math.ceil(claims["exp"]) + LEEWAY, UTC)
        try:
            first = self._store.claim(claims["iss"], claims["jti"], expires)
        except StoreUnavailable:
            raise StoreDown("The service cannot check callers at the moment: try again shortly.") from None
        if not first:
            raise NotTrusted("replayed")

    def _proven(self, authorization: str | None, path: str, now: float) -> tuple[Client, dict[str, Any]]:
        """Everything but the replay."""
        if authorization is None:
            raise NotTrusted("no-token")
        found = _BEARER.fullmatch(authorization)
        if found is None or len(found[1]) > MAX_TOKEN:
            raise NotTrusted("malformed")
        signed = jws.extract_compact(found[1].encode("ascii"), registry=_ANY_ALGORITHM)
        header, claims = signed.headers(), _object(signed.payload)
        client = self._by_issuer.get(_text(claims.get("iss")))
        if client is None:
            raise NotTrusted("unknown-issuer")
        kid = _checked_header(header, client)
        key = self._keys.key(client, kid)
        if not jws.validate_compact(signed, key, registry=self._registries[client.name]):
            raise NotTrusted("bad-signature")
        _check_times(claims, now)
        self._check_audience(claims.get("aud"), path, client)
        if not 1 <= len(_text(claims.get("jti"))) <= _LONGEST_JTI or not claims["jti"].isprintable():
            raise NotTrusted("bad-jti")
        if client.tenants and claims.get("tenant") not in client.tenants:
            raise NotAllowed("The calling organisation may not call this service.")
        return client, claims

    def _check_audience(self, aud: object, path: str, client: Client) -> None:
        """K11, I10: every one named must be ours; the address called, or one this client may always use."""
        named = aud if isinstance(aud, list) else [aud]
        ours = {*client.audiences, *self._addresses(path)}
        if not named or not all(isinstance(one, str) and one in ours for one in named):
            raise NotTrusted("bad-audience")

    def _addresses(self, path: str) -> set[str]:
        """The address of a path, with and without a slash at its end; for feedback, that of the service too."""
        if self._public_url is None:
            return set()
        path = path.removesuffix("/")
        feedback = _FEEDBACK.fullmatch(path)
        paths = (path, feedback[1]) if feedback else (path,)
        return {f"{self._public_url}{one}{slash}" for one in paths for slash in ("", "/")}


_ANY_ALGORITHM = _Registry(strict_check_header=False)  # takes a token apart; verifies nothing


def _checked_header(header: dict[str, Any], client: Client) -> str:
    """The id of the key. Raises NotTrusted unless the header says what it must, and nothing that would change it."""
    if header.get("typ") != "JWT":
        raise NotTrusted("bad-type")
    if header.get("alg") not in client.algorithms:
        raise NotTrusted("bad-algorithm")
    if "crit" in header or "b64" in header:
        raise NotTrusted("bad-header")  # we know no extension that would have to be understood
    if "jku" in header and (client.jwks_url is None or header["jku"] != client.jwks_url):
        raise NotTrusted("foreign-key-address")
    kid = _text(header.get("kid"))
    if not kid:
        raise NotTrusted("no-key-id")
    return kid


def _check_times(claims: dict[str, Any], now: float) -> None:
    """K12: in force now by our clock, within the leeway, and not for longer than an hour."""
    exp, iat = _seconds(claims.get("exp")), _seconds(claims.get("iat"))
    if not now < exp + LEEWAY:
        raise NotTrusted("expired")
    if iat > now + LEEWAY:
        raise NotTrusted("not-yet")
    if not 0 <= exp - iat <= MAX_LIFE:
        raise NotTrusted("bad-lifetime")
    if "nbf" in claims and _seconds(claims["nbf"]) > now + LEEWAY:
        raise NotTrusted("not-yet")


def _seconds(value: object) -> float:
    """A JSON number that can be a time: seconds since 1970, before the year 10000."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _YEAR_10000:
        raise NotTrusted("bad-time")
    return value


def _text(value: object) -> str:
    """A JSON string; "" for anything else."""
    return value if isinstance(value, str) else ""


def _object(payload: bytes) -> dict[str, Any]:
    """The claims. Raises for what is no JSON object, and for NaN and Infinity, which JSON does not have."""
    claims = json.loads(payload, parse_constant=_refuse)
    if not isinstance(claims, dict):
        raise NotTrusted("unreadable")
    return claims


def _refuse(_constant: str) -> NoReturn:
    raise NotTrusted("unreadable")
