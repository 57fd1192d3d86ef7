"""Who may call: the ``[[client]]`` tables of the settings file, checked, with messages that name the table and the key.

A client is one record system (or one tenant of it) that signs its calls. What it may do stands in its own table and
nowhere else: its keys, the FHIR servers that may be called for it, the web pages that may call as it (R2, R3, R4, R13).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from service import values

ALGORITHMS: Final = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")  # K6, K7
ANYONE: Final = "anyone"  # what callers are called where they are not told apart
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")  # it stands in logs and in the store
_LONGEST = 2_000


class Replay(Enum):
    """Whether a token counts once (strict) or as often as it is sent (off, for test kits: R3)."""

    STRICT = "strict"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Client:
    """One caller.

    ``name``: ours, for log and store. ``issuer``: the ``iss`` of its tokens. Its keys come from ``jwks_url`` or
    ``jwks_file``, one of the two. ``audiences``: fixed ``aud`` values it may use besides the address it calls (K11).
    ``fhir_bases``: the only FHIR servers called for it, without a token only if ``open_server`` (R4). ``origins``: web
    origins of its pages. ``tenants``: if any, the only ``tenant`` values it may send (K14). ``topic_codes_plain``: no
    hyphens in topic codes.
    """

    name: str
    issuer: str
    jwks_url: str | None = None
    jwks_file: Path | None = None
    algorithms: tuple[str, ...] = ("ES384", "RS384")
    audiences: tuple[str, ...] = ()
    fhir_bases: tuple[str, ...] = ()
    open_server: bool = False
    replay: Replay = Replay.STRICT
    origins: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    topic_codes_plain: bool = False


def read_clients(tables: object) -> tuple[Client, ...]:
    """The tables as clients, in their order. Raises ValueError, naming the table, by its name or place, and the key.

    Clients handed in ready-made pass as they are, if no two share a name or an issuer.
    """
    if not isinstance(tables, (list, tuple)):
        raise ValueError("must be tables")  # noqa: TRY004 -- every reader of settings raises ValueError
    clients = tuple(
        one if isinstance(one, Client) else _client(one, f"number {number}") for number, one in enumerate(tables, 1)
    )
    for said, taken in (("name", [one.name for one in clients]), ("issuer", [one.issuer for one in clients])):
        twice = next((value for value in taken if taken.count(value) > 1), None)
        if twice is not None:
            raise ValueError(f"must each have a {said} of their own: {twice!r} stands twice")
    return clients


def _client(table: object, which: str) -> Client:
    if not isinstance(table, dict):
        raise ValueError(f"{which} must be a table")  # noqa: TRY004 -- as above
    read = dict(_checked(table, which))
    which = repr(read["name"])
    if (read.get("jwks_url") is None) == (read.get("jwks_file") is None):
        raise ValueError(f"{which} must have jwks_url or jwks_file, one of the two")
    if read.get("open_server") and not read.get("fhir_bases"):
        raise ValueError(f"{which} must have fhir_bases where open_server is set")
    return Client(**read)


def _checked(table: dict[str, Any], which: str) -> Iterator[tuple[str, Any]]:
    """Each key with its checked value; ``name`` first, so that later messages can say it."""
    unknown = sorted(set(table) - set(_READERS))
    for key in ("name", "issuer"):
        if key not in table:
            raise ValueError(f"{which} must have {key}")
    for key in _READERS:
        if key not in table:
            continue
        try:
            value = _READERS[key](table[key])
        except ValueError as why:
            raise ValueError(f"{which}: {key} {why}") from None
        if key == "name":
            which = repr(value)
        yield key, value
    if unknown:
        raise ValueError(f"{which}: {unknown[0]!r} is not a key. Known: {', '.join(_READERS)}")


def _name(value: object) -> str:
    name = values.text(value)
    if not _NAME.fullmatch(name):
        raise ValueError("must be up to 64 letters, digits, dots, hyphens and underscores")
    return name


def _exact(value: object) -> str:
    """A text that is compared letter for letter: no blanks around it are taken away, and none may be in it."""
    if not isinstance(value, str) or not value or len(value) > _LONGEST or not value.isprintable() or " " in value:
        raise ValueError("must be a text without blanks")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("must be a list of texts")  # noqa: TRY004 -- as above
    return value


def _exacts(value: object) -> tuple[str, ...]:
    return tuple(_exact(one) for one in _list(value))


def _key_address(value: object) -> str:
    """Keys come over TLS; plain http is for a key host on this machine only."""
    if not isinstance(value, str) or value != value.strip():
        raise ValueError("must be an https address")
    values.address(value)
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ValueError("must be an https address")
    return value


def _algorithms(value: object) -> tuple[str, ...]:
    named = _exacts(value)
    if not named or not set(named) <= set(ALGORITHMS):
        raise ValueError(f"must be a list of: {', '.join(ALGORITHMS)}")
    return named


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 -- as above
    return value


def _replay(value: object) -> Replay:
    try:
        return Replay(value)
    except ValueError:
        raise ValueError("must be strict or off") from None


def _bases(value: object) -> tuple[str, ...]:
    return tuple(values.address(one) for one in _list(value))


def _origins(value: object) -> tuple[str, ...]:
    return tuple(values.origin(one) for one in _list(value))


_READERS: Final[dict[str, Callable[[object], Any]]] = {
    "name": _name,
    "issuer": _exact,
    "jwks_url": _key_address,
    "jwks_file": values.existing_file,
    "algorithms": _algorithms,
    "audiences": _exacts,
    "fhir_bases": _bases,
    "open_server": _switch,
    "replay": _replay,
    "origins": _origins,
    "tenants": _exacts,
    "topic_codes_plain": _switch,
}
