"""The access log: one JSON line for each request, of fields from a fixed list, and nothing else (R14).

No identifier, token, body, value, address with its query, or text of an exception ever gets here: the record of a
request holds only words and numbers that we chose ourselves, and the correlation id, whose form is checked.
"""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime

import msgspec

from service.answer import Answer

_CORRELATION = re.compile(r"[A-Za-z0-9-]{1,64}")
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def correlation_id(header: Callable[[str, str], str]) -> str:
    """The caller's X-Correlation-ID, or the trace id of its W3C traceparent, if of the right form; else a new one."""
    sent = header("X-Correlation-ID", "")
    if _CORRELATION.fullmatch(sent):
        return sent
    trace = _TRACE_PARENT.fullmatch(header("traceparent", ""))
    return trace[1] if trace else uuid.uuid4().hex


@dataclass(slots=True)
class Record:
    """What is told of one request; the fields are the whole list. Empty ones are left out of the line."""

    correlation_id: str
    method: str = ""  # an HTTP method we know, else "other"
    route: str = ""  # the pattern of the address, never the address
    client: str = ""  # its name in our settings, once it is proven
    service: str = ""
    status: int = 0
    ms: float = 0.0
    cards: list[dict[str, str]] = field(default_factory=list)  # topic, indicator, specification rows
    silent_because: str = ""
    inputs: dict[str, str] = field(default_factory=dict)  # part of the record -> how far it was read
    unmapped: dict[str, int] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)
    content: str = ""
    failed_topics: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # names of classes
    not_trusted: str = ""  # why a caller was not proven, a word of ours; the caller is not told
    feedback: dict[str, int] = field(default_factory=dict)  # what became of a batch, in numbers
    history_dropped: int = 0  # cards shown that this process could not keep, since it started

    def told(self, answer: Answer) -> None:
        """Take from an answer what may be logged."""
        advice = answer.advice
        self.cards = [
            {"topic": card.topic, "indicator": card.indicator.value, "rules": " ".join(card.rules)}
            for card in advice.cards
        ]
        self.silent_because = advice.silent_because
        self.inputs = {area.value: state.reading.value for area, state in answer.inputs.items()}
        self.unmapped = {area.value: count for area, count in answer.unmapped.items() if count}
        self.failed_topics = list(advice.failed_topics)
        self.errors += [type(error).__name__ for error in advice.errors]


_FIELDS = tuple(row.name for row in fields(Record))


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Writes records. ``least``: info, warning (a status of 500 or more, or an error) or error (500 or more)."""

    write: Callable[[str], object]
    now: Callable[[], datetime]
    least: str = "info"

    def request(self, record: Record) -> None:
        """One line for one request, if it is grave enough."""
        level = "error" if record.status >= 500 else "warning" if record.errors else "info"  # noqa: PLR2004 -- HTTP
        if _LEVELS.index(level) >= _LEVELS.index(self.least):
            self._line("request", level, {name: value for name in _FIELDS if (value := getattr(record, name))})

    def process(self, level: str, said: str, **more: str) -> None:
        """One line about the process itself. ``said`` is a sentence of our own or of the server's message table."""
        if _LEVELS.index(level) >= _LEVELS.index(self.least):
            self._line("process", level, {"said": said, **more})

    def _line(self, event: str, level: str, members: dict[str, object]) -> None:
        head = {"time": self.now().isoformat(timespec="milliseconds"), "event": event, "level": level}
        line = msgspec.json.encode(head | members)
        self.write((line.decode() if line.isascii() else json.dumps(head | members)) + "\n")  # any stream takes ASCII


_LEVELS = ("info", "warning", "error")
