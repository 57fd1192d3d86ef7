"""Every setting, stated once: its name, what it may be, its default and what it is for.

The fields of :class:`Settings` are the one table; the environment names, the TOML keys, the checks and the reference
page all come from it. A setting ``deadline_ms`` is the key ``deadline_ms`` in the TOML file that MUSCLE_CDS_CONFIG
names, and MUSCLE_CDS_DEADLINE_MS in the environment, which wins. A name that is not in the table stops the start.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from service import sources, values
from service.clients import LOOPBACK, Client, read_clients
from service.errors import BadSettings
from service.risks import RISKS, Danger, dangers, read_risks
from service.sources import from_environment, from_file, place_of

PREFIX = sources.PREFIX


class Audit(Enum):
    """What the audit stream tells of a hook call (R14)."""

    OFF = "off"
    REDACTED = "redacted"
    FULL = "full"


def _audit(value: object) -> Audit:
    try:
        return Audit(value)
    except ValueError:
        raise ValueError("must be off, redacted or full") from None


class Profile(Enum):
    """Who may call. In the demo profile callers need no token, so it answers on this machine only."""

    PRODUCTION = "production"
    DEMO = "demo"


def _profile(value: object) -> Profile:
    try:
        return Profile(value)
    except ValueError:
        raise ValueError("must be production or demo") from None


def _row(read: Callable[[object], Any], help_text: str, **more: object) -> dict[str, Any]:
    """``key``: its name in the file, where another; ``file_only``: it has no variable; ``secret``: may hold one."""
    return {"read": read, "help": help_text, **more}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked. Build one with :func:`load`; tests may build one directly."""

    profile: Profile = field(
        default=Profile.PRODUCTION,
        metadata=_row(
            _profile,
            "production: callers must be proven. demo: no caller needs a token, any web page may call, and the server "
            "answers on this machine only.",
        ),
    )
    host: str = field(
        default="127.0.0.1",
        metadata=_row(values.text, "Address to listen on. In the demo profile only a loopback address."),
    )
    port: int = field(default=5000, metadata=_row(values.whole(1, 65535), "Port to listen on."))
    workers: int = field(default=1, metadata=_row(values.whole(1, 16), "Worker processes."))
    threads: int = field(
        default=16, metadata=_row(values.whole(1, 64), "Threads of a worker process; each answers one call at a time.")
    )
    deadline_ms: int = field(
        default=2000,
        metadata=_row(
            values.whole(300, 30_000), "Milliseconds within which a hook is answered with what is known by then."
        ),
    )
    drain_seconds: int = field(
        default=5,
        metadata=_row(
            values.whole(0, 60),
            "Seconds after SIGTERM in which the service says that it is not ready and still answers, so that a load "
            "balancer can turn elsewhere; then calls under way have 15 s to finish.",
        ),
    )
    metrics_address: tuple[str, int] | None = field(
        default=None,
        metadata=_row(
            values.listen_address,
            "Address (host:port) at which /metrics is served, by a process of its own and never at that of the hooks. "
            "Without it nothing is measured.",
        ),
    )
    audit: Audit = field(
        default=Audit.OFF,
        metadata=_row(
            _audit,
            "The audit stream, a FHIR AuditEvent for each hook call. full: with patient and user. redacted: neither.",
        ),
    )
    audit_file: str | None = field(
        default=None,
        metadata=_row(
            values.text,
            "File the audit stream is appended to, or stderr. It holds patient references: keep it as long as your "
            "records of access must be kept, and let nobody read it who need not.",
        ),
    )
    timezone: ZoneInfo = field(
        default=ZoneInfo("Europe/London"),
        metadata=_row(values.zone, "Time zone whose calendar day is today, and in which days are counted."),
    )
    canonical_base: str = field(
        default="https://muscle-cds.example/fhir",
        metadata=_row(values.address, "Start of the addresses of our own code systems on cards."),
    )
    fhir_bases: tuple[str, ...] = field(
        default=(),
        metadata=_row(
            values.addresses,
            "FHIR servers that may be called where callers are not told apart: in the demo profile, or with "
            "authentication off. Otherwise each client names its own. A fhirServer not listed is never called. The "
            "demo profile adds the FHIR server of the demo itself.",
        ),
    )
    fhir_ca_file: Path | None = field(
        default=None,
        metadata=_row(
            values.existing_file,
            "PEM file of the authorities that FHIR servers' certificates must come from, instead of the usual ones.",
        ),
    )
    fhir_proxy: str | None = field(
        default=None,
        metadata=_row(
            values.address,
            "Proxy to call FHIR servers through. HTTP_PROXY and the like in the environment are not looked at.",
        ),
    )
    public_url: str | None = field(
        default=None,
        metadata=_row(
            values.address,
            "Address at which callers reach the service, without /cds-services. Tokens must be meant for it.",
        ),
    )
    authentication: bool = field(
        default=True,
        metadata=_row(
            values.flag, "Whether callers must prove who they are with a signed token. Always off in the demo profile."
        ),
    )
    clients: tuple[Client, ...] = field(
        default=(),
        metadata=_row(read_clients, "Who may call: one [[client]] table for each.", key="client", file_only=True),
    )
    origins: tuple[str, ...] = field(
        default=(),
        metadata=_row(
            values.origins, "Web origins whose pages may call, besides those of the clients. In the demo profile: all."
        ),
    )
    store: str = field(
        default="sqlite:///muscle-cds.sqlite",
        metadata=_row(
            values.text,
            "Database of seen tokens, cards shown and feedback: sqlite:///file or postgresql+psycopg://... . In the "
            "demo profile always in memory.",
            secret=True,
        ),
    )
    hosts: int = field(
        default=1,
        metadata=_row(
            values.whole(1, 1000),
            "Machines that run the service for one public_url. With more than one, store must be a PostgreSQL "
            "database: they have to share it, or a token would count once on each.",
        ),
    )
    retention_days: int = field(
        default=90,
        metadata=_row(
            values.whole(1, 3650),
            "Days that cards shown and feedback are kept; muscle-cds prune removes what is older.",
        ),
    )
    store_feedback_comments: bool = field(
        default=False,
        metadata=_row(
            values.flag,
            "Whether the free text of feedback is kept. It may hold patient data: only with a lawful reason for it.",
        ),
    )
    accept_risk: frozenset[str] = field(
        default=frozenset(),
        metadata=_row(
            read_risks,
            f"Dangers the site takes on, by name; each is logged at every start. Known: {', '.join(RISKS)}.",
        ),
    )
    without_licences: frozenset[str] = field(
        default=frozenset(),
        metadata=_row(values.names, "Licences of terminology the site does not hold; rows under them are left out."),
    )
    overlay: Path | None = field(
        default=None,
        metadata=_row(values.existing_file, "TOML file of local codes to add or remove, with reviewer and reason."),
    )
    beyond_fact_sheet: bool = field(
        default=True,
        metadata=_row(
            values.flag, "Whether content that goes beyond the fact sheet is shown; it is labelled so on every card."
        ),
    )
    suggest_removal: bool = field(
        default=False,
        metadata=_row(
            values.flag,
            "Whether a card on a contraindicated draft offers to take that draft out of the basket (delete).",
        ),
    )
    critical_as_warning: bool = field(
        default=False, metadata=_row(values.flag, "Lower every critical card to warning.")
    )
    topic_codes_plain: bool = field(
        default=False,
        metadata=_row(
            values.flag, "Leave the hyphens out of topic codes, for a record system that takes letters and digits only."
        ),
    )
    log_level: str = field(
        default="info",
        metadata=_row(values.level, "info: a line for every request. warning, error: only what went wrong."),
    )
    serve_openapi: bool = field(
        default=False,
        metadata=_row(
            values.flag, "Whether GET /openapi.json describes the service, to anyone who asks and without a token."
        ),
    )


class Option(NamedTuple):
    """One row of the table, for the reference page and for messages.

    ``variable``: in the environment; for what can only stand in the file, the name of its tables there.
    """

    name: str
    variable: str
    default: str
    help: str


def options() -> tuple[Option, ...]:
    """The table of settings, in the order they are documented."""
    return tuple(Option(row.name, place_of(row), shown(row.default), row.metadata["help"]) for row in fields(Settings))


def shown(value: object) -> str:
    """A setting's value as it would be written in the environment; "" if there is none. Passwords are masked."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case Client():
            return value.name
        case (str() as host, int() as port):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case tuple() | frozenset():
            return ",".join(sorted(shown(part) for part in value))
        case str():
            return values.masked(value)
        case _:
            return str(value)


def load(environment: Mapping[str, str], **given: object) -> Settings:
    """Settings from the file that MUSCLE_CDS_CONFIG names, the environment over it, and ``given`` over both.

    Raises BadSettings, naming each setting that is wrong and what it may be.
    """
    settings = read(environment, **given)
    refuse_unsafe(settings, environment)
    return settings


def read(environment: Mapping[str, str], **given: object) -> Settings:
    """As :func:`load`, but unsafe settings too; to be shown, never to be served with."""
    path, table = environment.get(PREFIX + "CONFIG"), fields(Settings)
    found = {**(from_file(path, table) if path else {}), **dict(from_environment(environment, table)), **given}
    rows = {row.name: row for row in table}
    checked: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in found.items():
        try:
            checked[name] = rows[name].metadata["read"](value)
        except ValueError as why:
            place = place_of(rows[name])
            wrong.append(f"{f'{name} ({place})' if place.startswith(PREFIX) else place} {why}.")
    if wrong:
        raise BadSettings(" ".join(wrong))
    return Settings(**checked)


def load_here(**given: object) -> Settings:
    """Settings of this process."""
    return load(os.environ, **given)  # noqa: TID251 -- the one place that reads the environment


def read_here() -> tuple[Settings, tuple[str, ...]]:
    """Settings of this process, and what is unsafe about them, for ``muscle-cds config check``."""
    here = os.environ  # noqa: TID251 -- as above
    settings = read(here)
    return settings, unsafe(settings, here)


def unsafe(settings: Settings, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What keeps this process from starting, a sentence each: R18, T8. Empty: safe, or accepted by the site."""
    cannot_be = tuple(_cannot_be(settings))
    match settings.profile:
        case Profile.DEMO:
            return (*cannot_be, *_unsafe_demo(settings, environment))
        case Profile.PRODUCTION:
            found = dangers_of(settings, environment)
            return (*cannot_be, *(danger.sentence for danger in found if danger.risk not in settings.accept_risk))


def _cannot_be(settings: Settings) -> Iterator[str]:
    """What fits no profile: settings that say against each other."""
    if settings.metrics_address is not None and settings.metrics_address[1] == settings.port:
        yield "metrics_address must have another port than the hooks: who may call must not see the metrics."
    if settings.audit is not Audit.OFF and settings.audit_file is None:
        yield f"audit is {settings.audit.value}, so audit_file must say where it goes: a file, or stderr."


def _unsafe_demo(settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    """A demo that could be reached or taken for the real thing."""
    if environment.get("ENV", "").lower() == "production":
        yield "The demo profile does not start where ENV is production: callers are not proven."
    if settings.host not in LOOPBACK:
        yield f"host must be one of {', '.join(LOOPBACK)} in the demo profile."


def dangers_of(settings: Settings, environment: Mapping[str, str]) -> tuple[Danger, ...]:
    """Every danger in these settings, accepted or not, in the order of the list of risks."""
    return tuple(
        dangers(
            authentication=settings.authentication,
            origins=settings.origins,
            fhir_bases=settings.fhir_bases,
            clients=settings.clients,
            store=settings.store,
            hosts=settings.hosts,
            debug=environment.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no"),
        )
    )


def dangers_here(settings: Settings) -> tuple[Danger, ...]:
    """As :func:`dangers_of`, in the environment of this process."""
    return dangers_of(settings, os.environ)  # noqa: TID251 -- the one place that reads the environment


def refuse_unsafe(settings: Settings, environment: Mapping[str, str]) -> None:
    """Raises BadSettings with all that is unsafe."""
    found = unsafe(settings, environment)
    if found:
        raise BadSettings(" ".join(found))
