"""Asking the configured address of a client for its keys, once and without help from the environment (R2, R5)."""

import time

import requests

from service.bare_session import bare_session

_CONNECT_SECONDS = 1.0
_READ_SECONDS = 2.0
_CHUNK = 16 * 1024


def fetched(url: str, *, most_bytes: int) -> bytes | None:
    """What stands at the address of a JWK Set; None if it cannot be had. Never raises, and never follows a redirect.

    The environment's proxies, certificates and netrc are not used (R5); a longer answer than ``most_bytes`` is none.
    """
    until = time.monotonic() + _CONNECT_SECONDS + _READ_SECONDS
    try:
        with (
            bare_session("application/json") as session,
            session.get(url, timeout=(_CONNECT_SECONDS, _READ_SECONDS), stream=True, allow_redirects=False) as response,
        ):
            if response.status_code != requests.codes.ok:
                return None
            raw = b""
            while piece := response.raw.read1(_CHUNK, decode_content=True):
                raw += piece
                if len(raw) > most_bytes or time.monotonic() > until:
                    return None
            return raw
    except Exception:  # noqa: BLE001 -- R2: a key host that misbehaves in any way is one that did not answer
        return None
