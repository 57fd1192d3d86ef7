"""The HTTP session that everything outgoing starts from, with all that requests does by itself switched off (R5).

No redirects, no environment (a proxy, or a netrc entry that would replace our Authorization header), no cookies, no
headers but those named here.
"""

import logging
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests


class _Session(requests.Session):
    """A session that sees no redirect: the ordinary one reads a redirect's body, however large, to look past it."""

    def get_redirect_target(self, _resp: requests.Response) -> Any:
        return None


def bare_session(accept: str) -> requests.Session:
    """A new session; no connection is opened yet. ``accept``: the content type that is asked for."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its lines hold URLs, and with them patients (R14)
    made = _Session()
    made.trust_env = False
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.headers.clear()
    made.headers.update({"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": "muscle-cds"})
    return made
