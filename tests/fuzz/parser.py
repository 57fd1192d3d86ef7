"""A harness for atheris on the reader of requests: ``python tests/fuzz/parser.py [options of libFuzzer] [folders]``.

``make fuzz SECONDS=60`` runs it. Whatever the bytes, the parser gives a call or one of its own refusals; anything else,
RecursionError included, ends the run with the input that did it.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(
    include=["service.hooks.request", "service.hooks.draft_orders", "service.hooks.feedback"]
):
    from service.hooks import draft_orders, feedback, request

from datetime import UTC, datetime

from service.errors import CallRejected
from service.hooks.services import SERVICES

NOW = datetime(2026, 6, 15, tzinfo=UTC)
READER = feedback.reader(())

assert draft_orders


def one_input(raw: bytes) -> None:
    """The first byte chooses who reads the rest: one of the services, or the feedback."""
    which, body = raw[:1], raw[1:]
    refusal: CallRejected | None = None
    try:
        if which >= b"\xc0":
            READER.read(body, NOW)
        else:
            call = request.parse(body, SERVICES[which[0] % len(SERVICES) if which else 0])
            assert 1 <= len(call.patient_id) <= 256
    except CallRejected as said:
        refusal = said
    assert refusal is None or (refusal.status in (400, 413) and len(str(refusal)) < 300)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
