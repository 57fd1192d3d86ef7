"""Callers on kept connections, a bounded number of calls each, over bare sockets so that the caller costs little."""

import socket
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

_WAIT: Final = 60.0  # seconds for one answer
_CHUNK: Final = 256 * 1024


@dataclass
class Load:
    """What became of a number of calls: seconds of each, and of the whole."""

    seconds: list[float] = field(default_factory=list)
    wall: float = 0.0


def post(port: int, path: str, body: bytes, authorizations: Sequence[str], clients: int) -> Load:
    """As many calls as there are authorizations ("" for none), shared between the clients. All must be answered 200.

    Raises RuntimeError otherwise: a benchmark of refusals says nothing.
    """
    load, failures = Load(), []
    shares = [authorizations[number::clients] for number in range(clients)]
    ready = threading.Barrier(clients + 1)

    def call(share: Iterable[str]) -> None:
        try:
            with Caller(port) as caller:
                ready.wait()
                for authorization in share:
                    began = time.perf_counter()
                    status, answer = caller.post(path, body, authorization)
                    load.seconds.append(time.perf_counter() - began)
                    if status != 200:  # noqa: PLR2004 -- HTTP
                        failures.append(f"{status}: {answer[:200]!r}")
        except OSError as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=call, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    load.wall = time.perf_counter() - began
    if failures:
        raise RuntimeError(f"{len(failures)} of {len(authorizations)} calls failed, the first with {failures[0]}")
    return load


class Caller:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        """Connects at once. Raises OSError."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_WAIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = f"127.0.0.1:{port}"

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._socket.close()

    def post(self, path: str, body: bytes, authorization: str = "") -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError if there is none."""
        proof = f"Authorization: {authorization}\r\n" if authorization else ""
        return self._ask(
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\n{proof}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n",
            body,
        )

    def get(self, path: str, authorization: str = "") -> tuple[int, bytes]:
        """As :meth:`post`."""
        proof = f"Authorization: {authorization}\r\n" if authorization else ""
        return self._ask(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n{proof}\r\n", b"")

    def _ask(self, head: str, body: bytes) -> tuple[int, bytes]:
        self._socket.sendall(head.encode("ascii") + body)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._piece()
        said, _, answer = received.partition(b"\r\n\r\n")
        lines = said.decode("latin-1").split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
        while len(answer) < length:
            answer += self._piece()
        return int(lines[0].split(" ")[1]), answer

    def _piece(self) -> bytes:
        piece = self._socket.recv(_CHUNK)
        if not piece:
            raise ConnectionError("the server hung up")
        return piece
