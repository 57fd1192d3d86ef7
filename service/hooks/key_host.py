"""Asking the configured address of a client for its keys, with all that requests does by itself switched off (R5)."""

import logging
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from service.hooks.keys import MAX_BYTES

_CONNECT_SECONDS = 1.0
_READ_SECONDS = 2.0
_CHUNK = 16 * 1024


class _Session(requests.Session):
    """A session that sees no redirect, so that none is followed and no body of one is read."""

    def get_redirect_target(self, resp: requests.Response) -> Any:  # noqa: ARG002 -- the name requests calls it by
        return None


def fetched(url: str) -> bytes | None:
    """What stands at the address of a JWK Set; None if it cannot be had. Never raises, and never follows a redirect.

    The environment's proxies, certificates and netrc are not used (R5); at most ``MAX_BYTES`` are read.
    """
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its lines hold addresses (R14)
    until = time.monotonic() + _CONNECT_SECONDS + _READ_SECONDS
    try:
        with _Session() as session:
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.headers.clear()
            session.headers.update(
                {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "muscle-cds"}
            )
            with session.get(
                url, timeout=(_CONNECT_SECONDS, _READ_SECONDS), stream=True, allow_redirects=False
            ) as response:
                if response.status_code != requests.codes.ok:
                    return None
                raw = b""
                while piece := response.raw.read1(_CHUNK, decode_content=True):
                    raw += piece
                    if len(raw) > MAX_BYTES or time.monotonic() > until:
                        return None
                return raw
    except Exception:  # noqa: BLE001 -- R2: a key host that misbehaves in any way is one that did not answer
        return None
