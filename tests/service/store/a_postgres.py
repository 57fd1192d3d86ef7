"""A PostgreSQL server of our own for one test run: on loopback, in a temporary folder, never as root."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

NOBODY = 65534


class PostgresMissingError(Exception):
    """Why there is none, in words for a skipped test."""


def binary(name: str) -> str:
    """Where a PostgreSQL programme is: on the path, or where Debian puts it."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(debian[-1]) if debian else None)
    if found is None:
        raise PostgresMissingError(f"{name} is not installed (Debian: apt-get install postgresql)")
    return found


class Server:
    """Can be stopped and started again, with its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._as = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if self._as:
            os.chown(folder, NOBODY, NOBODY)
        made = subprocess.run(
            [binary("initdb"), "--pgdata", folder / "data", "--username", "muscle", "--auth", "trust", "--no-sync",
             "--encoding", "UTF8", "--locale", "C"],
            cwd=folder, capture_output=True, text=True, check=False, timeout=100, **self._as,
        )  # fmt: skip
        if made.returncode:
            raise PostgresMissingError(f"initdb failed: {made.stderr.strip().splitlines()[-1:]}")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://muscle@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [binary("postgres"), "-D", self.folder / "data", "-p", str(self.port), "-k", "",
                 "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"],
                cwd=self.folder, stdout=log, stderr=log, **self._as,
            )  # fmt: skip
        for _ in range(300):
            if self.process.poll() is not None:
                raise PostgresMissingError(f"postgres ended: {(self.folder / 'log').read_text().splitlines()[-1:]}")
            ready = subprocess.run(
                [binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False, timeout=20
            )
            if ready.returncode == 0:
                return
            time.sleep(0.1)
        raise PostgresMissingError("postgres does not answer")

    def stop(self) -> None:
        """At once, without waiting for those who are connected."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
            self.process = None


@contextmanager
def postgres() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="muscle-cds-postgres-"))
    server = None
    try:
        server = Server(folder)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
