"""The log: one JSON line for each request, of fields from a fixed list, and nothing else (R14).

No identifier, token, body, value, address with its query, or text of an exception ever gets here: the record of a
request holds only words and numbers that we chose ourselves, and the correlation id, whose form is checked.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from os import urandom
from typing import Final

import msgspec

from service.answer import Answer
from service.line_limit import LineLimit

PROBES: Final = frozenset({"/livez", "/readyz"})  # asked every few seconds; a change of readiness has its own line

_CORRELATION = re.compile(r"[A-Za-z0-9-]{1,64}")
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_NOT_ZERO = re.compile(r"(?!0{32})")


def correlation_id(header: Callable[[str, str], str]) -> str:
    """The caller's X-Correlation-ID, or the trace id of its W3C traceparent, if of the right form; else a new one."""
    sent = header("X-Correlation-ID", "")
    if _CORRELATION.fullmatch(sent):
        return sent
    trace = _TRACE_PARENT.fullmatch(header("traceparent", ""))
    return trace[1] if trace and _NOT_ZERO.match(trace[1]) else urandom(16).hex()


@dataclass(slots=True)
class Record:
    """What is told of one request; the fields are the whole list. Empty ones are left out of the line."""

    correlation_id: str
    method: str = ""  # an HTTP method we know, else "other"
    route: str = ""  # the pattern of the address, never the address
    client: str = ""  # its name in our settings, once it is proven
    tenant: str = ""  # the one of its tenants that called, where our settings list them
    hook: str = ""
    service: str = ""
    status: int = 0
    ms: float = 0.0
    cards: list[dict[str, str]] = field(default_factory=list)  # topic, indicator, specification rows
    silent_because: str = ""
    inputs: dict[str, str] = field(default_factory=dict)  # part of the record -> how far it was read
    late: bool = False  # searches were still under way when the time for them was over (R6)
    unmapped: dict[str, int] = field(default_factory=dict)
    of_others: dict[str, int] = field(
        default_factory=dict
    )  # entries of another patient that came along, and were left out
    oddities: list[str] = field(default_factory=list)
    content: str = ""
    failed_topics: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # names of classes
    not_trusted: str = ""  # why a caller was not proven, a word of ours; the caller is not told
    feedback: dict[str, int] = field(default_factory=dict)  # what became of a batch, in numbers
    outcomes: dict[str, int] = field(default_factory=dict)  # outcomes reported in a batch, in numbers
    history_dropped: int = 0  # cards shown that this process could not keep, since it started
    audit_dropped: int = 0  # audit events that this process could not write, since it started
    left_out: int = 0  # lines of the same kind that were not written before this one (R14)

    def told(self, answer: Answer) -> None:
        """Take from an answer what may be logged."""
        advice = answer.advice
        self.cards = [
            {"topic": card.topic, "indicator": card.indicator.value, "rules": " ".join(card.rules)}
            for card in advice.cards
        ]
        self.silent_because = advice.silent_because
        self.inputs = {area.value: state.reading.value for area, state in answer.inputs.items()}
        self.late = answer.late
        self.unmapped = {area.value: count for area, count in answer.unmapped.items() if count}
        self.of_others = {area.value: count for area, count in answer.of_others.items()}
        self.failed_topics = list(advice.failed_topics)
        self.errors += [type(error).__name__ for error in advice.errors]


_FIELDS = tuple(row.name for row in fields(Record))
_LEVELS = ("info", "warning", "error")
_DEFECT: Final = 500  # statuses from here on are the service's own doing
_REFUSALS: Final = frozenset({400, 401, 403, 404, 405, 413, 415, 429, 503})  # 412 tells of data, and is always written


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Writes records. ``least``: info, warning (a status of 500 or more, or an error) or error (500 or more).

    Of refusals of one kind, that is by client, class of error and reason, only so many a minute are written; the next
    line of that kind says how many were left out (R14).
    """

    write: Callable[[str], object]
    now: Callable[[], datetime]
    least: str = "info"
    limit: LineLimit = field(default_factory=LineLimit)

    def request(self, record: Record) -> None:
        """One line for one request, if it is grave enough. A probe has none, unless it met a defect."""
        if record.route in PROBES and record.status in (200, 503):
            return
        level = "error" if record.status >= _DEFECT else "warning" if record.errors else "info"
        if _LEVELS.index(level) < _LEVELS.index(self.least):
            return
        if record.status in _REFUSALS:
            kind = (record.client, record.errors[-1] if record.errors else str(record.status), record.not_trusted)
            left_out = self.limit.left_out(kind)
            if left_out is None:
                return
            record.left_out = left_out
        self.tell_left_out()
        self._line("request", level, {name: value for name in _FIELDS if (value := getattr(record, name))})

    def process(self, level: str, said: str, **more: str) -> None:
        """One line about the process itself. ``said`` is a sentence of our own or of the server's message table."""
        if _LEVELS.index(level) >= _LEVELS.index(self.least):
            self._line("process", level, {"said": said, **more})

    def tell_left_out(self, *, all_of_them: bool = False) -> None:
        """A line for each kind of refusal that ended with some left out; ``all_of_them``: at the end of a process."""
        for (client, error, reason), count in self.limit.ended(everything=all_of_them):
            members = {"client": client, "errors": [error], "not_trusted": reason, "left_out": count}
            self._line(
                "left-out",
                _LEVELS[max(1, _LEVELS.index(self.least))],
                {name: value for name, value in members.items() if value},
            )

    def _line(self, event: str, level: str, members: dict[str, object]) -> None:
        head = {"time": self.now().isoformat(timespec="milliseconds"), "event": event, "level": level}
        line = msgspec.json.encode(head | members)
        self.write((line.decode() if line.isascii() else json.dumps(head | members)) + "\n")  # any stream takes ASCII


class LibraryLog(logging.Handler):
    """What libraries have to say, as lines of our log: the name of the library, the words of the message before its
    first argument, and the class of an error. Arguments and texts of errors may hold what was sent (R14).
    """

    def __init__(self, log: AccessLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        level = "error" if record.levelno >= logging.ERROR else "warning"
        more = {"library": record.name.partition(".")[0]} | ({"error": error} if error else {})
        may_hold_arguments = isinstance(record.msg, str) and "%" not in record.msg  # put in before it came here
        words = "" if may_hold_arguments else fixed_part(record.msg)
        self._log.process(level, words or "A library had something to say.", **more)


def fixed_part(message: object) -> str:
    """The words of a message before its first argument, "" if it is no text.

    One without arguments is taken whole: only for messages that cannot have had what was sent put into them already.
    """
    return message.split("%", 1)[0].strip(" :(\n") if isinstance(message, str) else ""


def speak_json(log: AccessLog) -> None:
    """From now on nothing in this process writes plain text by itself: no library, no warning, no lost exception."""
    root = logging.getLogger()
    root.handlers[:] = [LibraryLog(log)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)

    def in_thread(lost: threading.ExceptHookArgs) -> None:
        if lost.exc_type is not SystemExit:
            log.process("error", "A thread ended with a defect.", error=lost.exc_type.__name__)

    def anywhere(lost: "sys.UnraisableHookArgs") -> None:
        log.process("error", "A defect where none could be raised.", error=lost.exc_type.__name__)

    threading.excepthook = in_thread
    sys.unraisablehook = anywhere
