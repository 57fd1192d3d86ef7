"""What watches a running service, made from its settings: the log, the audit stream and the metrics.

What each of them tells is decided in observe.py, audit.py and metrics.py.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from cards.content import Content
from service import audit, clock
from service.fhir.queries import Query
from service.fhir.retrieve import Retriever
from service.observe import AccessLog, Record
from service.settings import Audit, Settings

if TYPE_CHECKING:
    from service.metrics import Metrics


def access_log(least: str) -> AccessLog:
    """A log to standard output, with the clock of this machine. ``least``: the setting ``log_level``."""
    return AccessLog(_write_line, clock.now, least)


def _write_line(line: str) -> None:
    """A log that cannot be written, since a disk is full or its reader gone, costs lines and no call."""
    with suppress(OSError):
        sys.stdout.write(line)
        sys.stdout.flush()


def give_up_lines() -> None:
    """At the end of a process: lines that still cannot be written would make its exit status that of a failure."""
    try:
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def readiness_logged(log: AccessLog) -> Callable[[bool], None]:
    """What writes to the log that the store came or went."""
    return lambda ready: log.process(
        "warning", "The store can be used again." if ready else "The store cannot be used: not ready."
    )


def create_audit(settings: Settings, *, check: bool = True) -> audit.AuditTrail | None:
    """The audit stream, None if it is off. ``check``: raises BadSettings if its file cannot be written now."""
    if settings.audit is Audit.OFF or settings.audit_file is None:
        return None
    address = settings.public_url or f"http://{settings.host}:{settings.port}"
    append = audit.appender(settings.audit_file, check=check)
    return audit.AuditTrail(append, full=settings.audit is Audit.FULL, address=address)


def new_metrics_folder() -> Path:
    """A new folder, in memory where the temporary folder is: every process forked from here on counts into its files.

    To be called before anything of the metrics library is loaded, which looks for the folder once, as it is loaded.
    """
    folder = Path(tempfile.mkdtemp(prefix="muscle-cds-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # noqa: TID251 -- the library takes it from nowhere else
    return folder


def create_metrics(settings: Settings, content: Content, queries: Mapping[str, tuple[Query, ...]]) -> "Metrics":
    """What counts the requests of one worker, into the folder of new_metrics_folder. For a worker alone.

    ``queries``: by service id. Raises OSError if there is no room for its numbers.
    """
    from service.metrics import Metrics  # noqa: PLC0415 -- a service without metrics does without their library

    try:
        own = version("muscle-cds")
    except PackageNotFoundError:
        own = "not installed"
    return Metrics(
        rules={kind.rule for topic in content.topics for kind in topic.sheet.kinds.values()},
        clients={client.name for client in settings.clients},
        queries={query.key for some in queries.values() for query in some},
        version=own,
        content=content.version,
        content_hash=content.hash,
    )


def counting(metrics: "Metrics | None", servers: Mapping[str, Retriever]) -> Callable[[Record], None]:
    """What is told of every request once it is answered: it counts the request and, after a hook call, looks which FHIR
    servers are left alone for now (R6). ``servers``: what fetches, by client. Without metrics it does nothing.
    """
    if metrics is None:
        return lambda _record: None

    def count(record: Record) -> None:
        metrics.request(record)
        if record.hook:
            for client, retriever in servers.items():
                metrics.circuit(client, is_open=retriever.circuit_open)

    return count
