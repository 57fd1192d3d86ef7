"""Readers of single values in settings: each turns what stands in a file or the environment into the checked value.

A reader raises ValueError with the rest of a sentence ("must be ..."); who calls it names the setting before it.
"""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo


def whole(low: int, high: int) -> Callable[[object], int]:
    """A whole number from ``low`` to ``high``, as a number or in ASCII digits. Raises ValueError."""

    def read(value: object) -> int:
        digits = str(value)
        if isinstance(value, bool) or not (digits.isascii() and digits.isdigit()) or not low <= int(digits) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(digits)

    return read


_ORIGIN = re.compile(
    r"(?:https://[a-z0-9.\-]+(?!:443\Z)|http://[a-z0-9.\-]+(?!:80\Z)|https?://\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?"
)
_FLAGS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


def flag(value: object) -> bool:
    """A switch: true or false, also on, yes, 1 and off, no, 0. Raises ValueError."""
    word = str(value).lower()
    if word not in _FLAGS:
        raise ValueError("must be true or false")
    return _FLAGS[word]


def text(value: object) -> str:
    """A text that is not empty, without the blanks around it. Raises ValueError."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value.strip()


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, or one text with commas between them. Raises ValueError."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError("must be a list of texts (in the environment: separated by commas)")
    return tuple(part.strip() for part in parts if part.strip())


def names(value: object) -> frozenset[str]:
    """A list of texts whose order says nothing. Raises ValueError."""
    return frozenset(texts(value))


def address(value: object) -> str:
    """An absolute http(s) address without user, query or fragment, and without its last slash. Raises ValueError."""
    written = text(value)
    try:
        parts = urlsplit(written)
        usable = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(c in written for c in "?#@ \t\r\n"):
        raise ValueError("must be an absolute http or https address without user, query or fragment")
    return written.removesuffix("/")


def addresses(value: object) -> tuple[str, ...]:
    """A list of addresses. Raises ValueError."""
    return tuple(address(one) for one in texts(value))


_LAST_PORT = 65_535
_LISTEN = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.\-]+)):([0-9]{1,5})")


def listen_address(value: object) -> tuple[str, int]:
    """An address to listen on, ``host:port`` or ``[IPv6]:port``, as host and port. Raises ValueError."""
    if isinstance(value, tuple):
        value = f"[{value[0]}]:{value[1]}" if ":" in value[0] else f"{value[0]}:{value[1]}"
    found = _LISTEN.fullmatch(text(value))
    if found is None or not 1 <= int(found[3]) <= _LAST_PORT:
        raise ValueError("must be an address to listen on: host:port, such as 127.0.0.1:9464")
    return found[1] or found[2], int(found[3])


def zone(value: object) -> ZoneInfo:
    """A time zone of the IANA database. Raises ValueError."""
    try:
        return ZoneInfo(text(value))
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone name such as Europe/London") from None


def origin(value: object) -> str:
    """The origin of a web page as a browser sends it, ``https://host`` or with a port; or ``*``. Raises ValueError.

    Compared letter for letter later, so one that no browser would ever send is refused here (R13).
    """
    written = text(value)
    if written == "*" or _ORIGIN.fullmatch(written):
        return written
    raise ValueError("must be an origin as a browser sends it: https://host, in lower case, without path or usual port")


def origins(value: object) -> tuple[str, ...]:
    """A list of origins. Raises ValueError."""
    return tuple(origin(one) for one in texts(value))


def existing_file(value: object) -> Path:
    """The path of a file that is there. Raises ValueError."""
    path = Path(text(value))
    if not path.is_file():
        raise ValueError("must name a file that is there and can be read")
    return path


def level(value: object) -> str:
    """The least grave line that is logged. Raises ValueError."""
    word = str(value).lower()
    if word not in ("info", "warning", "error"):
        raise ValueError("must be info, warning or error")
    return word


_PASSWORD = re.compile(r"(?<=://)([^/?#@:]*):.*@|((?:^|[?&])(?:password|sslpassword)=)[^&]+", re.IGNORECASE)
"""In an address, up to its last ``@``: one in a password has to be written %40, and often is not."""


def has_password(value: object) -> bool:
    """Whether an address of a database holds a password."""
    return isinstance(value, str) and _PASSWORD.search(value) is not None


def masked(value: str) -> str:
    """The text with the passwords of addresses in it replaced by ``***``."""
    return _PASSWORD.sub(lambda found: f"{found[2]}***" if found[2] else f"{found[1]}:***@", value)
