"""How a FHIR server is called over HTTP: one bare session for it, and connections of our own (R5).

Certificates are always checked, nothing is tried again, and Authorization is set on each request alone. Every
connection shows its socket to the watchdog.
"""

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from service.bare_session import bare_session
from service.errors import BadSettings
from service.fhir import watchdog


class Bearer(AuthBase):
    """Sets Authorization on one request; on the session it could outlive the call (R5)."""

    def __init__(self, token: str | None) -> None:
        """``token``: None for a server that may be called without."""
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Called by requests, once for each request."""
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def session(*, ca_file: str | None, proxy: str | None, connections: int) -> requests.Session:
    """A session for one server; no connection is opened yet.

    ``ca_file``: certificates to trust instead of the usual ones. ``proxy``: the proxy to go through, if any.
    ``connections``: how many idle ones are kept, at most. Raises BadSettings if there are no certificates in the file.
    """
    made = bare_session("application/fhir+json")
    made.verify = True
    proxies: Mapping[str, str] = {"http": proxy, "https": proxy} if proxy else {}
    made.proxies.update(proxies)
    adapter = _Adapter(ca_file, pool_connections=1, pool_maxsize=connections, max_retries=0)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


class _Connection(HTTPConnection):
    """Shows its socket to the watchdog: a new one at once, an idle one when it is used again."""

    def _new_conn(self) -> Any:
        sock = super()._new_conn()
        watchdog.seen(sock)
        return sock

    def request(self, *args: Any, **more: Any) -> None:
        watchdog.seen(self.sock)
        super().request(*args, **more)


class _TlsConnection(_Connection, HTTPSConnection):
    """The same over TLS, whose handshake and records go over the socket that was shown."""


class _Pool(urllib3.HTTPConnectionPool):
    """A connection is watched for one request, and for no other that takes it up; a shut one is not kept."""

    ConnectionCls = _Connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and watchdog.released():
            conn.close()
        super()._put_conn(conn)


class _TlsPool(_Pool, urllib3.HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    """The adapter of requests, with pools of ours, also behind a proxy, and with authorities that are read once.

    requests has them read anew for every connection, which costs more than the rest of a call.
    """

    def __init__(self, ca_file: str | None, **more: Any) -> None:
        self._trust = trust(ca_file)
        super().__init__(**more)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._trust, **more)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._trust, **more)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, _url: Any, _verify: Any, _cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"  # whatever verify says: there is no switch


@cache
def trust(ca_file: str | None) -> ssl.SSLContext:
    """Which authorities are believed: those of a PEM file, else the usual ones. Raises BadSettings."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    try:
        context.load_verify_locations(ca_file or DEFAULT_CA_BUNDLE_PATH)
    except (OSError, ValueError):  # no file, or no certificate in it
        raise BadSettings("fhir_ca_file (MUSCLE_CDS_FHIR_CA_FILE) must be a PEM file of certificates.") from None
    return context
