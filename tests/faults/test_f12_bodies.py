"""F12: bodies that are too large, encoded, in another character set, or none. Refused, and the memory stays flat."""

import gzip
import json
import select
import socket
import time
from collections.abc import Iterator
from itertools import repeat

import pytest

from tests.faults import story
from tests.faults.figures import record
from tests.faults.process import MIB, forget_peak, needs_proc, peak, resident, worker_of
from tests.service.test_server import Running

CALL = f"/cds-services/{story.PATIENT_VIEW}"
FEEDBACK = f"{CALL}/feedback"
MOST = 4 * MIB
GOOD = story.body()


def exchange(
    port: int, *head: str, pieces: Iterator[bytes], path: str = CALL, seconds: float = 20
) -> tuple[int, dict[str, object]]:
    """Send a call piece by piece until there is an answer; its status and body."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", *head, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as line:
        line.sendall("\r\n".join(lines).encode())
        for piece in pieces:
            if select.select([line], [], [], 0)[0]:
                break
            try:
                line.sendall(piece)
            except OSError:
                break  # it has heard enough
        with line.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            length = 0
            while (name := answer.readline().lower()) not in (b"\r\n", b""):
                length = int(name.split()[1]) if name.startswith(b"content-length:") else length
            return status, json.loads(answer.read(length))


def by_length(port: int, raw: bytes, *head: str) -> tuple[int, dict[str, object]]:
    return exchange(
        port, *head, f"Content-Length: {len(raw)}", pieces=(raw[at : at + MIB] for at in range(0, len(raw), MIB))
    )


def by_chunks(port: int, pieces: Iterator[bytes], path: str = CALL) -> tuple[int, dict[str, object]]:
    chunks = (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return exchange(port, "Transfer-Encoding: chunked", pieces=chunks, path=path)


def padded(size: int) -> bytes:
    """A good call of that many bytes."""
    return GOOD[:-1] + b" " * (size - len(GOOD)) + b"}"


def test_the_largest_body_is_taken_however_it_comes(service: Running) -> None:
    whole = padded(MOST)

    assert by_length(service.port, whole)[0] == 412  # read, and there is nothing in it to say something about
    assert by_chunks(service.port, iter([whole[:MIB], whole[MIB:], b""]))[0] == 412


def test_one_byte_more_is_refused_by_length_and_by_chunks(service: Running) -> None:
    more = padded(MOST + 1)
    for status, body in (by_length(service.port, more), by_chunks(service.port, iter([more[:MIB], more[MIB:], b""]))):
        assert (status, body["resourceType"]) == (413, "OperationOutcome")


@pytest.mark.alone
def test_a_length_that_is_too_large_is_refused_before_anything_is_read(service: Running) -> None:
    began = time.monotonic()
    status, _ = exchange(service.port, "Content-Length: 999999999999", pieces=iter(()))

    assert status == 413
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("status", "raw", "head"),
    [
        (415, gzip.compress(GOOD), "Content-Encoding: gzip"),
        (415, GOOD, "Content-Encoding: br"),
        (415, gzip.compress(bytes(100 * MIB)), "Content-Encoding: gzip, gzip"),
        (400, gzip.compress(GOOD), "X-Says: nothing"),
        (400, GOOD.decode().encode("utf-16"), "Content-Type: application/json; charset=utf-16"),
        (400, GOOD.decode().encode("utf-16-le"), "Content-Type: application/json"),
        (400, GOOD.decode().encode("utf-32"), "Content-Type: application/json"),
        (400, b"\xef\xbb\xbf" + GOOD, "Content-Type: application/json"),
        (400, GOOD.replace(b"gp-1", b"gp-\xe9"), "Content-Type: application/json; charset=latin-1"),
        (400, b"hook=patient-view&hookInstance=x", "Content-Type: application/x-www-form-urlencoded"),
        (400, b'--x\r\nContent-Disposition: form-data; name="hook"\r\n\r\npatient-view\r\n--x--\r\n',
         "Content-Type: multipart/form-data; boundary=x"),
        (400, b"", "Content-Type: application/json"),
        (400, b"  \r\n ", "Content-Type: application/json"),
        (400, b"<Bundle xmlns='http://hl7.org/fhir'/>", "Content-Type: application/fhir+xml"),
        (412, GOOD, "Content-Type: text/plain"),  # what it is called does not matter
        (412, GOOD, "Content-Encoding: identity"),
    ],
)  # fmt: skip
def test_what_is_no_plain_json_in_utf_8_is_refused(service: Running, status: int, raw: bytes, head: str) -> None:
    answered, body = by_length(service.port, raw, head)

    assert (answered, body["resourceType"]) == (status, "OperationOutcome")


def test_a_call_without_any_body_is_refused(service: Running) -> None:
    assert exchange(service.port, pieces=iter(()))[0] == 400


@pytest.mark.parametrize(
    "chunk",
    [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n", b"ffffffffffffffffff\r\n{", b"4\r\n{}\r\n", b"2;" + b"x" * 9_000],
)
def test_chunks_that_are_none_are_refused_and_hold_nothing(service: Running, chunk: bytes) -> None:
    raw = f"POST {CALL} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunk
    answer = service.send(raw)

    assert answer.startswith(b"HTTP/1.1 4")
    assert b"OperationOutcome" in answer


@needs_proc
def test_the_memory_stays_flat_under_bodies_that_are_too_large(service: Running) -> None:
    worker = worker_of(service)
    for _ in range(5):
        by_chunks(service.port, repeat(b" " * MIB))  # what a thread takes for a large body it keeps for the next
    before = resident(worker)
    forget_peak(worker)
    for _ in range(5):
        assert by_chunks(service.port, repeat(b" " * MIB))[0] == 413  # without end
        assert by_length(service.port, b" " * 20 * MIB)[0] == 413
        assert by_length(service.port, gzip.compress(bytes(50 * MIB)), "Content-Encoding: gzip")[0] == 415
    kept, grown = (resident(worker) - before) / MIB, (peak(worker) - before) / MIB

    record("F12", "growth of the worker during 15 bodies of 20 MB to endless, one after another", grown, "MB")
    record("F12", "and after them", kept, "MB")
    assert grown < 32  # a body that is read to its limit stands there twice for a moment
    assert kept < 32  # ten of them were read to their limit: kept, they would be 40


def test_feedback_in_chunks_is_refused_beyond_its_own_limit(service: Running) -> None:
    item = {"card": "x", "outcome": "accepted"}
    whole = json.dumps({"feedback": [item]}).encode().ljust(64 * 1024)

    assert by_chunks(service.port, iter([whole, b""]), FEEDBACK)[0] == 200
    assert by_chunks(service.port, iter([whole, b" ", b""]), FEEDBACK)[0] == 413
    assert by_chunks(service.port, repeat(whole), FEEDBACK)[0] == 413
