"""Every setting, stated once: its name, what it may be, its default and what it is for.

The fields of :class:`Settings` are the one table; the environment names, the TOML keys, the checks and the reference
page all come from it. A setting ``deadline_ms`` is the key ``deadline_ms`` in the TOML file that MUSCLE_CDS_CONFIG
names, and MUSCLE_CDS_DEADLINE_MS in the environment, which wins. A name that is not in the table stops the start.
"""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from service.errors import BadSettings

PREFIX = "MUSCLE_CDS_"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Profile(Enum):
    """Who may call. In the demo profile callers need no token, so it answers on this machine only."""

    PRODUCTION = "production"
    DEMO = "demo"


def _profile(value: object) -> Profile:
    try:
        return Profile(value)
    except ValueError:
        raise ValueError("must be production or demo") from None


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        text = str(value)
        if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


_FLAGS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


def _flag(value: object) -> bool:
    text = str(value).lower()
    if text not in _FLAGS:
        raise ValueError("must be true or false")
    return _FLAGS[text]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value.strip()


def _texts(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError("must be a list of texts (in the environment: separated by commas)")
    return tuple(part.strip() for part in parts if part.strip())


def _names(value: object) -> frozenset[str]:
    return frozenset(_texts(value))


def _address(value: object) -> str:
    """An absolute http(s) address without user, query or fragment, and without its last slash."""
    text = _text(value)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(c in text for c in "?#@ \t\r\n"):
        raise ValueError("must be an absolute http or https address without user, query or fragment")
    return text.removesuffix("/")


def _addresses(value: object) -> tuple[str, ...]:
    return tuple(_address(text) for text in _texts(value))


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(_text(value))
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone name such as Europe/London") from None


def _file(value: object) -> Path:
    path = Path(_text(value))
    if not path.is_file():
        raise ValueError("must name a file that is there and can be read")
    return path


def _level(value: object) -> str:
    text = str(value).lower()
    if text not in ("info", "warning", "error"):
        raise ValueError("must be info, warning or error")
    return text


def _row(read: Callable[[object], Any], help_text: str) -> dict[str, Any]:
    return {"read": read, "help": help_text}


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
        default="127.0.0.1", metadata=_row(_text, "Address to listen on. In the demo profile only a loopback address.")
    )
    port: int = field(default=5000, metadata=_row(_whole(1, 65535), "Port to listen on."))
    workers: int = field(default=1, metadata=_row(_whole(1, 16), "Worker processes."))
    threads: int = field(
        default=16, metadata=_row(_whole(1, 64), "Threads of a worker process; each answers one call at a time.")
    )
    deadline_ms: int = field(
        default=2000,
        metadata=_row(_whole(300, 30_000), "Milliseconds within which a hook is answered with what is known by then."),
    )
    timezone: ZoneInfo = field(
        default=ZoneInfo("Europe/London"),
        metadata=_row(_zone, "Time zone whose calendar day is today, and in which days are counted."),
    )
    canonical_base: str = field(
        default="https://muscle-cds.example/fhir",
        metadata=_row(_address, "Start of the addresses of our own code systems on cards."),
    )
    fhir_bases: tuple[str, ...] = field(
        default=(),
        metadata=_row(
            _addresses, "FHIR servers that may be called; a fhirServer that is not one of these is never called."
        ),
    )
    without_licences: frozenset[str] = field(
        default=frozenset(),
        metadata=_row(_names, "Licences of terminology the site does not hold; rows under them are left out."),
    )
    overlay: Path | None = field(
        default=None, metadata=_row(_file, "TOML file of local codes to add or remove, with reviewer and reason.")
    )
    beyond_fact_sheet: bool = field(
        default=True,
        metadata=_row(
            _flag, "Whether content that goes beyond the fact sheet is shown; it is labelled so on every card."
        ),
    )
    suggest_removal: bool = field(
        default=False,
        metadata=_row(
            _flag, "Whether a card on a contraindicated draft offers to take that draft out of the basket (delete)."
        ),
    )
    critical_as_warning: bool = field(default=False, metadata=_row(_flag, "Lower every critical card to warning."))
    topic_codes_plain: bool = field(
        default=False,
        metadata=_row(
            _flag, "Leave the hyphens out of topic codes, for a record system that takes letters and digits only."
        ),
    )
    log_level: str = field(
        default="info", metadata=_row(_level, "info: a line for every request. warning, error: only what went wrong.")
    )


class Option(NamedTuple):
    """One row of the table, for the reference page and for messages."""

    name: str
    variable: str
    default: str
    help: str


def options() -> tuple[Option, ...]:
    """The table of settings, in the order they are documented."""
    return tuple(
        Option(row.name, PREFIX + row.name.upper(), shown(row.default), row.metadata["help"])
        for row in fields(Settings)
    )


def shown(value: object) -> str:
    """A setting's value as it would be written in the environment; "" if there is none."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case tuple() | frozenset():
            return ",".join(sorted(str(part) for part in value))
        case _:
            return str(value)


def load(environment: Mapping[str, str], **given: object) -> Settings:
    """Settings from the file that MUSCLE_CDS_CONFIG names, the environment over it, and ``given`` over both.

    Raises BadSettings, naming the setting and what it may be.
    """
    path = environment.get(PREFIX + "CONFIG")
    values = {**(_from_file(path) if path else {}), **dict(_from_environment(environment)), **given}
    readers = {row.name: row.metadata["read"] for row in fields(Settings)}
    read: dict[str, Any] = {}
    for name, value in values.items():
        try:
            read[name] = readers[name](value)
        except ValueError as why:
            raise BadSettings(f"{name} ({PREFIX}{name.upper()}) {why}.") from None
    settings = Settings(**read)
    _refuse_unsafe(settings, environment)
    return settings


def load_here(**given: object) -> Settings:
    """Settings of this process."""
    return load(os.environ, **given)  # noqa: TID251 -- the one place that reads the environment


def _known() -> str:
    return ", ".join(row.name for row in fields(Settings))


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    names = {row.name for row in fields(Settings)}
    for variable, value in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable == PREFIX + "CONFIG":
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in names or variable != variable.upper():
            raise BadSettings(f"{variable} is not a setting. Known are {PREFIX}CONFIG and {PREFIX}... of: {_known()}.")
        yield name, value


def _from_file(path: str) -> dict[str, object]:
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError:
        raise BadSettings(f"The file that {PREFIX}CONFIG names cannot be read.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
        raise BadSettings(f"The file that {PREFIX}CONFIG names is not TOML: {why}.") from None
    for name in values:
        if name not in {row.name for row in fields(Settings)}:
            raise BadSettings(f"{name!r} in the file that {PREFIX}CONFIG names is not a setting. Known: {_known()}.")
    return values


def _refuse_unsafe(settings: Settings, environment: Mapping[str, str]) -> None:
    """R18, T8: a demo that could be reached or taken for the real thing, and real data without TLS."""
    match settings.profile:
        case Profile.DEMO:
            if environment.get("ENV", "").lower() == "production":
                raise BadSettings("The demo profile does not start where ENV is production: callers are not proven.")
            if settings.host not in LOOPBACK:
                raise BadSettings(f"host must be one of {', '.join(LOOPBACK)} in the demo profile.")
        case Profile.PRODUCTION:
            if any(base.startswith("http://") for base in settings.fhir_bases):
                raise BadSettings("fhir_bases must be https addresses in the production profile.")
