"""The HTTP server: gunicorn with threads, set up here and nowhere else (R16).

The content is loaded before the workers are forked, so that a fault in it stops the start with one clear line and its
memory is shared; what holds threads or connections is made in each worker.
"""

import gc
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest

from service.app import Surroundings, close_app, create_app, load_parts, log_of
from service.arbiter import DrainingArbiter
from service.callers import create_keys
from service.errors import BadSettings
from service.hooks import refusal
from service.observe import Record, correlation_id, speak_json
from service.readiness import Draining
from service.settings import Settings
from service.start_log import log_accepted_risks, log_store, warn_of_overdue_content
from service.watching import access_log, create_metrics, give_up_lines, new_metrics_folder

if TYPE_CHECKING:
    from service.metrics import Metrics
    from service.metrics_server import MetricsServer

GRACEFUL_SECONDS = 15  # R16: running requests may finish after SIGTERM
SILENT_SECONDS = 30  # a worker whose main loop is stuck that long is replaced

_SIGNALS = frozenset(one.name for one in signal.Signals)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    """gunicorn, told what to run by our settings alone; it reads no file and no environment of its own."""

    def __init__(self, settings: Settings, greeting: str = "") -> None:
        """Raises BadSettings or BadContent before a port is opened. ``greeting`` is printed once callers are heard."""
        self.settings = settings
        self.greeting = greeting
        self.parts = load_parts(settings)
        self.draining = Draining()
        self.metrics: MetricsServer | None = None
        close_app(create_app(settings, self.parts))  # refuses here, in words, what a worker could only refuse by dying
        self.keys = create_keys(settings)
        warn_of_overdue_content(settings, self.parts.content, access_log("warning"))
        log_accepted_risks(settings, access_log(settings.log_level))
        log_store(settings, access_log(settings.log_level))
        super().__init__()

    def run(self) -> None:
        """Answer until told to end. Raises BadSettings if the address of the metrics cannot be had."""
        speak_json(access_log("warning"))
        if self.settings.metrics_address is not None:
            folder = new_metrics_folder()
            from service.metrics_server import MetricsServer  # noqa: PLC0415 -- its library looks for the folder once

            self.metrics = MetricsServer(self.settings.metrics_address, folder)
        ours = os.getpid()
        try:
            DrainingArbiter(self, self.draining, self.settings.drain_seconds, self.metrics).run()
        finally:
            if self.metrics is not None and os.getpid() == ours:  # a worker comes by here too when it ends
                self.metrics.stop()
            give_up_lines()

    def renew(self) -> bool:
        """Read anew, for workers to come, what may change without a restart: the keys of clients that stand in files.

        False, with a line in the log, if they cannot be used: then nothing changes. A worker that takes the place of
        one that was killed reads nothing, and so cannot fail for what became of a file since.
        """
        try:
            self.keys = create_keys(self.settings)
        except BadSettings as why:
            access_log("warning").process("error", f"SIGHUP was not followed, the workers stay as they are: {why}")
            return False
        return True

    def load_config(self) -> None:
        """Set every option that is not gunicorn's default."""
        chosen: dict[str, Any] = {
            "bind": [_bind(self.settings.host, self.settings.port)],
            "workers": self.settings.workers,
            "worker_class": "service.server.Worker",
            "threads": self.settings.threads,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": SILENT_SECONDS,
            "logger_class": "service.server.ServerLog",
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": self._greet,
            "post_fork": self._begin_worker,
            "post_worker_init": _settle,
            "worker_exit": self._end_worker,
            "child_exit": self._forget_worker,
            "proc_name": "muscle-cds",
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def _greet(self, _arbiter: object) -> None:
        if self.greeting:
            sys.stdout.write(self.greeting)
            sys.stdout.flush()

    def _begin_worker(self, _arbiter: object, _worker: object) -> None:
        if self.metrics is not None:
            self.metrics.forget()

    def _end_worker(self, _arbiter: object, _worker: object) -> None:
        """In a worker, when it has answered its last call: write what waits, end its threads."""
        if isinstance(self.callable, Flask):
            close_app(self.callable)

    def _forget_worker(self, _arbiter: object, worker: Any) -> None:
        if self.metrics is not None:
            self.metrics.worker_ended(worker.pid)

    def load(self) -> Flask:
        """The application of one worker. Chunks of a body that are none are the caller's fault, not a defect."""
        around = Surroundings(draining=self.draining.__bool__, keys=self.keys, started=True, metrics=self._counted())
        app = create_app(self.settings, self.parts, around=around)
        if self.keys is not None:
            self.keys.keep_fresh()
        app.register_error_handler(ParseException, lambda _error: app.handle_http_exception(BadRequest()))
        return app

    def _counted(self) -> "Metrics | None":
        """The metrics of a worker; None where there are none, or no room for them: that leaves nobody unanswered."""
        if self.metrics is None:
            return None
        try:
            self.metrics.make_room(os.getpid())
            return create_metrics(self.settings, self.parts.content, self.parts.queries)
        except OSError as why:
            said = "This worker counts nothing: there is no room for its metrics in the temporary folder"
            access_log("warning").process("error", said, error=type(why).__name__)
            return None


def _bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _settle(_worker: object) -> None:
    """Keep what a worker has made at its start out of garbage collection, as what was loaded before it is already."""
    gc.collect()
    gc.freeze()


class Worker(ThreadWorker):  # type: ignore[misc]  # as above
    """gunicorn's thread worker, which answers what is not HTTP in JSON and repeats nothing of it (J5), and closes the
    port when it takes no more calls.
    """

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 -- gunicorn's signature
        """Take calls, or none for now; or, at the end, none any more.

        Left open until the last call is answered, as gunicorn does, the port would go on taking connections that nobody
        serves, and a proxy could not tell that another copy has to be asked. What waits there when the whole service
        ends is taken up before; what waits when a worker is replaced is for the others.
        """
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            before = -1
            while self.app.draining and before < self.nr_conns < self.worker_connections:
                before = self.nr_conns
                self.accept(listener)
            listener.close()

    def handle_error(self, _req: object, client: Any, _addr: object, exc: BaseException) -> None:
        """Answer a request that never reached the application, and log it as any other: anybody can send a thousand."""
        status, reason = (400, "Bad Request") if isinstance(exc, ParseException) else (500, "Internal Server Error")
        record = Record(correlation_id(_no_header), status=status, errors=[type(exc).__name__])
        log_of(self.wsgi).request(record)
        body = msgspec.json.encode(refusal.refused(status, record.correlation_id))
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
            f"X-Correlation-ID: {record.correlation_id}\r\n\r\n"
        )
        try:
            client.sendall(head.encode("ascii") + body)
        except OSError:
            self.log.debug("The caller was gone")


class ServerLog(Logger):  # type: ignore[misc]  # as above
    """gunicorn's own messages as JSON lines: the fixed part of the message and the class of an error, no text of
    either, since these may hold what was sent.
    """

    def setup(self, cfg: Any) -> None:
        """Nothing of gunicorn's own output is set up."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.access_log.handlers.clear()
        self._ours = access_log("warning")

    def critical(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Level critical of gunicorn."""
        self._say("error", msg, args, kwargs.get("exc_info"))

    def error(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Level error of gunicorn."""
        self._say("error", msg, args, kwargs.get("exc_info"))

    def exception(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Level error, with the error in hand."""
        self._say("error", msg, args, kwargs.get("exc_info"))

    def warning(self, msg: str, *args: object, **kwargs: Any) -> None:
        """Level warning of gunicorn."""
        self._say("warning", msg, args, kwargs.get("exc_info"))

    def _say(self, level: str, msg: object, args: Sequence[object], error: object) -> None:
        more = {"error": type(error).__name__} if isinstance(error, BaseException) else {}
        self._ours.process(level, _harmless_part(msg, args), **more)


def _no_header(_name: str, otherwise: str) -> str:
    return otherwise


def _harmless_part(msg: object, args: Sequence[object]) -> str:
    """The words of a message before its first argument that may hold what was sent: a number, such as that of a
    process, and the name of a signal cannot.
    """
    said, *others = re.split("%[sdr]", msg) if isinstance(msg, str) else [""]
    for argument, words in zip(args, others, strict=False):
        if not isinstance(argument, int) and argument not in _SIGNALS:
            break
        said += f"{argument}{words}"
    return said.split("%", 1)[0].strip(" :(\n")
