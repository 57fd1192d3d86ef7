"""The address of the metrics: a small process beside the workers that adds up their files and answers /metrics (R15).

It is forked by the process that looks after the workers and does nothing else, so a slow or hanging scraper costs no
hook anything, and no lock of a thread is ever inherited by a worker.
"""

import io
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from service.errors import BadSettings

PATH = "/metrics"
ROOM = {
    "counter": 128 * 1024,
    "histogram": 256 * 1024,
    "gauge_livemax": 64 * 1024,
}  # bytes, for the numbers of a worker
NAME = "muscle-cds"
LOOK_SECONDS = 1.0  # how often the process looks whether the one that started it is still there
SLOW_SECONDS = 5.0  # a scraper that sends or takes nothing for so long is cut off


class MetricsServer:
    """Serves the sums of a folder. ``start`` again if it is gone; ``stop`` at the end."""

    def __init__(self, address: tuple[str, int], files: Path) -> None:
        """Takes the address. Raises BadSettings if that cannot be had."""
        self._files = files
        self._child = 0
        try:
            kind, _, _, _, place = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
            self._socket = socket.create_server(place[:2], family=kind, backlog=16)
        except OSError as why:
            raise BadSettings(f"metrics_address cannot be listened on ({type(why).__name__}).") from None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def start(self, inherited: Iterable[socket.socket] = ()) -> None:
        """Fork the process, if there is none that lives. ``inherited``: sockets it must not keep open."""
        if self._child and _lives(self._child):
            return
        parent = os.getpid()
        self._child = os.fork()
        if self._child:
            return
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for one in inherited:
                one.close()
            serve(self._socket, self._files, lambda: os.getppid() == parent)
        finally:
            os._exit(0)

    def make_room(self, worker: int) -> None:
        """Take the room for the files of a worker before its numbers are written: they are memory to it, and to write
        there while the disk is full is no error, but the end of the process. Raises OSError if there is none.

        ``worker``: its process id. The folder is made anew if somebody cleaned the temporary folder up.
        """
        self._files.mkdir(mode=0o700, exist_ok=True)
        files = {self._files / f"{kind}_{worker}.db": size for kind, size in ROOM.items()}
        try:
            for file, size in files.items():
                with file.open("wb") as opened:
                    _take(opened.fileno(), size)
        except OSError:
            for file in files:
                file.unlink(missing_ok=True)
            raise

    def forget(self) -> None:
        """In a worker: it has no business with the address."""
        self._socket.close()

    def stop(self) -> None:
        """End the process, give the address back and remove the files."""
        if self._child:
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGTERM)
            with suppress(ChildProcessError):
                os.waitpid(self._child, 0)
        self._socket.close()
        shutil.rmtree(self._files, ignore_errors=True)

    def worker_ended(self, pid: int) -> None:
        """A worker is gone: what it said about this moment no longer holds; what it counted stays."""
        with suppress(OSError):
            mark_process_dead(pid, str(self._files))  # type: ignore[no-untyped-call]


def _take(descriptor: int, size: int) -> None:
    """So many bytes of the disk for a file; where a system cannot promise them, as many zeros are written."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.write(descriptor, bytes(size))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def serve(listening: socket.socket, files: Path, go_on: Callable[[], bool]) -> None:
    """Answer scrapers on this socket until ``go_on`` says no."""
    server = _Server(listening.getsockname()[:2], _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.server_port, server.server_name = listening.getsockname()[1], "metrics"
    server.setup_environ()
    server.set_app(application(files))
    server.timeout = LOOK_SECONDS
    while go_on():
        server.handle_request()


def application(files: Path) -> Callable[..., Iterable[bytes]]:
    """The WSGI application: the sums at /metrics, and nothing anywhere else."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(files))  # type: ignore[no-untyped-call]
    sums = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], begin: Callable[..., Any]) -> Iterable[bytes]:
        def start_response(status: str, headers: list[tuple[str, str]]) -> Any:
            return begin(status, [*headers, ("Server", NAME)])  # else the server names itself and its Python, exactly

        if environ.get("PATH_INFO") != PATH:
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"There is nothing here but /metrics.\n"]
        try:
            made: Iterable[bytes] = sums(environ, start_response)
        except (OSError, ValueError, KeyError):  # a file that vanished or is half written; the next scrape has it
            start_response("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The metrics cannot be read at the moment.\n"]
        return made

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A scraper that hung up is no news, and nothing is printed."""


class _Handler(WSGIRequestHandler):
    timeout = SLOW_SECONDS

    def version_string(self) -> str:
        """Of whom it says that it is where it refuses a request by itself."""
        return NAME

    def log_message(self, _format: str, *_args: object) -> None:
        """Say nothing."""

    def get_stderr(self) -> Any:
        """Nothing of a defect is printed, since its text may say anything."""
        return io.StringIO()

    def address_string(self) -> str:
        """Ask no name server who it is."""
        return ""
