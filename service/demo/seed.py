"""Puts the synthetic patients into a FHIR server, so that the hooks can be tried with one and without prefetch.

``muscle-cds seed BASE`` does it; a test hands in its own day and server. Each resource is sent by ``PUT`` under the id
it has in its file, the patient before what refers to her, so doing it again writes the same records with dates counted
back from the new day. This is a tool of the demo: no other part of the service ever writes to a FHIR server.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import requests

from service.demo.synthetic import patients, records
from service.errors import BadSettings, NotSeeded

TIMEOUT = 30.0  # seconds for one resource: a server that has just started compiles as it goes
PAUSE = 1.0  # seconds between two looks at a server that is not ready
_FHIR_JSON = "application/fhir+json"
_WRITTEN = frozenset({200, 201})
_PLACES = ("diagnostics", "details")


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was put there: numbers of patients and of resources."""

    patients: int
    resources: int


def seed(base: str, today: date, *, token: str | None = None, wait: float = 0.0) -> Seeded:
    """Put every synthetic patient into the FHIR server at ``base``, after waiting up to ``wait`` seconds for it.

    One whose request plays a refusal of the record system is left out: a record cannot hold a refusal.
    ``token``: a bearer token, for a server that asks for one. Raises BadSettings if ``base`` is no http address, and
    NotSeeded if the server is not there or refuses a resource.
    """
    base = base.rstrip("/")
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise BadSettings("The FHIR base must be an absolute http or https address, as http://127.0.0.1:8080/fhir.")
    every = [own for name, own in records(today).items() if not patients()[name].refused()]
    with requests.Session() as session:
        session.trust_env = False  # R5: no proxy and no netrc of this machine
        session.headers.update({"Accept": _FHIR_JSON, "Content-Type": _FHIR_JSON})
        if token is not None:
            session.headers["Authorization"] = f"Bearer {token}"
        _wait_for(session, base, wait)
        for own in every:
            for resource in own:
                _put(session, base, resource)
    return Seeded(len(every), sum(map(len, every)))


def _wait_for(session: requests.Session, base: str, seconds: float) -> None:
    """Come back when the server describes itself (``/metadata``). Raises NotSeeded after ``seconds``."""
    until = time.monotonic() + seconds
    while True:
        try:
            status = session.get(f"{base}/metadata", timeout=TIMEOUT, allow_redirects=False).status_code
            if status == requests.codes.ok:
                return
            why = f"{base}/metadata was answered {status}"
        except requests.RequestException as error:
            why = f"{base} does not answer ({type(error).__name__})"
        if time.monotonic() >= until:
            raise NotSeeded(f"The FHIR server is not ready: {why}.")
        time.sleep(PAUSE)


def _put(session: requests.Session, base: str, resource: Mapping[str, Any]) -> None:
    place = f"{resource['resourceType']}/{resource['id']}"
    try:
        response = session.put(f"{base}/{place}", data=json.dumps(resource), timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise NotSeeded(f"{place} was not taken: the FHIR server does not answer ({type(error).__name__}).") from None
    if response.status_code not in _WRITTEN:
        raise NotSeeded(f"{place} was refused with status {response.status_code}{_said(response)}.")


def _said(response: requests.Response) -> str:
    """What the server gave as its reason: the records are synthetic, so it may be repeated."""
    try:
        issue = response.json()["issue"][0]
    except (ValueError, LookupError, TypeError):
        return ""
    reason = next((issue[place] for place in _PLACES if isinstance(issue, dict) and place in issue), None)
    return f": {reason}" if reason else ""
