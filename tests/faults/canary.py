"""The canary: words that must never leave the service but on a card, looked for in all that left it (F25, R14).

A fixture for the whole suite is told of everything that every server under test printed, of every refusal it gave, and
of every file, store and scrape that a module hands to :func:`hand_in`. At the end of the suite it looks for the words
in all of it, and reads each line of each log as one JSON object of known fields.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

import pytest

from service.observe import Record
from tests.faults import figures, story
from tests.service import test_server

STEM = "c4n4ry"
WORDS = {
    "token": f"{STEM}-t0ken-8f31",
    "claim": f"{STEM}-claim",
    "signature": "c2lnbmF0dXJlLWM0bjRyeQ",
    "name": "Zephyrine Quillfeather",
    "nhs": "9449306621",  # of the range that is never given to a patient
    "result": "731.4159",
    "comment": "rang her neighbour at number nine",
    "drug": "Quillfeatherine",
    "user": f"{STEM}-user",
    "header": f"{STEM}-header",
}
"""What is planted, and where. Each is unlike anything of ours."""

ELSEWHERE = (story.TOKEN, "stub-token")  # what the other modules of the suite use for tokens

_LINE_FIELDS = {"time", "event", "level", "said", "library", "error", "risk", "content", "review_by"} | {
    row.name for row in fields(Record)
}
_PATTERNS = {
    word: re.compile("|".join(re.escape(form) for form in forms).encode(), re.IGNORECASE)
    for word, forms in {
        word: {word, word.replace(" ", "%20"), word.replace(" ", "+"), base64.b64encode(word.encode()).decode().rstrip("=")[:-1]}
        for word in (STEM, *WORDS.values(), *ELSEWHERE)
    }.items()
}  # fmt: skip

_handed_in: list[tuple[str, bytes]] = []


def hand_in(kind: str, raw: bytes) -> None:
    """Something that left the service, to be looked through at the end. ``kind``: what it is, for the message."""
    _handed_in.append((kind, raw))


def leaks(kind: str, raw: bytes) -> list[str]:
    """What is wrong with one thing that left the service: a word of a patient in it, or a log line that is none."""
    found = [
        f"{word!r} in {kind}: ...{_around(raw, hit)}..." for word, p in _PATTERNS.items() if (hit := p.search(raw))
    ]
    return found + (_bad_lines(raw) if kind == "stdout" else [])


def _around(raw: bytes, hit: "re.Match[bytes]") -> str:
    return raw[max(0, hit.start() - 80) : hit.end() + 40].decode(errors="replace")


def _bad_lines(raw: bytes) -> list[str]:
    bad = []
    for line in raw.decode().splitlines():
        try:
            read = json.loads(line)
        except ValueError:
            read = None
        if not isinstance(read, dict):
            bad.append(f"a line of the log is no JSON object: {line[:200]}")
        elif not set(read) <= _LINE_FIELDS:
            bad.append(f"unknown fields in the log: {sorted(set(read) - _LINE_FIELDS)}")
    return bad


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_a_patient_leaves() -> Iterator[None]:
    """F25, over the whole suite: begins before any server is started and ends when all of them are down."""
    _handed_in.clear()
    test_server.watchers.append(hand_in)
    yield
    test_server.watchers.remove(hand_in)
    found = [one for kind, raw in _handed_in for one in leaks(kind, raw)]
    kinds = Counter(kind for kind, _ in _handed_in)
    lines = sum(raw.count(b"\n") for kind, raw in _handed_in if kind == "stdout")
    size = sum(len(raw) for _, raw in _handed_in)
    # They add up: where two processes share the tests, each looks through what its own servers let out.
    figures.record("F25", "looked through: outputs, refusals, files, scrapes", sum(kinds.values()), adds=True)
    figures.record("F25", "of them log lines", lines, adds=True)
    figures.record("F25", "bytes looked through for every word", size / 1024, "KiB", adds=True)
    figures.record("F25", "words of a patient found", len(found), adds=True)
    assert found == [], "\n".join(found[:20])
