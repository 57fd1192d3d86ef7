"""Set-ups that production refuses, each by the name under which a site may take it on (R18)."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from service import values
from service.clients import Client, Replay

SANDBOX = "sandbox.cds-hooks.org"  # its private key stands in its public repository (T8)

RISKS: Final = (
    "auth-off",
    "any-origin",
    "http-fhir-base",
    "replay-off",
    "public-sandbox",
    "sqlite-on-many-hosts",
    "debug",
)


class Danger(NamedTuple):
    """One danger in the settings: its name in ``accept_risk``, and what it is and how to end it."""

    risk: str
    sentence: str


def read_risks(value: object) -> frozenset[str]:
    """Names of risks. Raises ValueError for one that is none, so that a slip of the pen accepts nothing."""
    named = values.names(value)
    if not named <= set(RISKS):
        raise ValueError(f"must be of: {', '.join(RISKS)}")
    return named


def dangers(
    *,
    authentication: bool,
    origins: Iterable[str],
    fhir_bases: Iterable[str],
    clients: Iterable[Client],
    store: str,
    hosts: int,
    debug: bool,
) -> Iterator[Danger]:
    """What is dangerous about a production set-up. Where a client is meant, it is named."""
    if not authentication:
        yield _danger("auth-off", "authentication is off: anyone who reaches the service may call it.")
    if "*" in origins:
        yield _danger("any-origin", "origins holds *: any web page may call. List the origins instead.")
    if any(_is_plain_http(base) for base in fhir_bases):
        yield _danger("http-fhir-base", "fhir_bases must be https addresses in the production profile.")
    for client in clients:
        yield from _dangers_of(client)
    if hosts > 1 and store.lower().startswith("sqlite"):
        said = f"store is a SQLite file, which {hosts} hosts cannot share: a token would count once on each of them."
        yield _danger("sqlite-on-many-hosts", f"{said} Name a PostgreSQL database.")
    if debug:
        yield _danger("debug", "FLASK_DEBUG is on.")


def _dangers_of(client: Client) -> Iterator[Danger]:
    if "*" in client.origins:
        yield _danger("any-origin", f"client {client.name!r}: origins holds *. List the origins instead.")
    if any(_is_plain_http(base) for base in client.fhir_bases):
        yield _danger("http-fhir-base", f"client {client.name!r}: fhir_bases must be https addresses.")
    if client.replay is Replay.OFF:
        yield _danger("replay-off", f"client {client.name!r}: replay is off, so a token counts more than once.")
    if SANDBOX in (_host(client.issuer), _host(client.jwks_url or "")):
        yield _danger("public-sandbox", f"client {client.name!r} is the public sandbox, whose private key is public.")


def _danger(risk: str, sentence: str) -> Danger:
    return Danger(risk, f"{sentence} (To take this on, name {risk} in accept_risk.)")


def _is_plain_http(base: str) -> bool:
    return base.lower().startswith("http://")


def _host(address: str) -> str:
    try:
        return (urlsplit(address.strip()).hostname or "").removesuffix(".")
    except ValueError:
        return ""
