"""The FHIR R4 server sekmet-fhir, started on a free port of loopback, and what its own traffic log says."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.counterparts.environments import program
from tests.ports import free_port


@dataclass(frozen=True)
class Line:
    """One request in the log of the server. ``scheme``: of its Authorization header; the log blackens the rest."""

    number: int
    method: str
    url: str
    status: int
    caller: str
    scheme: str


@dataclass(frozen=True)
class Sekmet:
    base: str
    token: str | None
    log: Path

    def lines(self, after: int = 0) -> list[Line]:
        """What the server has logged of calls of ours since a line, in order. A line is written after its answer."""
        with closing(sqlite3.connect(f"file:{self.log}?mode=ro", uri=True, timeout=10)) as database:
            rows = database.execute(
                "SELECT id, method, url, status, peer, req_headers FROM traffic WHERE direction = 'inbound' AND id > ? "
                "ORDER BY id",
                (after,),
            ).fetchall()
        return [Line(*row[:5], json.loads(row[5]).get("authorization", "").partition(" ")[0]) for row in rows]


@contextmanager
def running(
    folder: Path, *, token: str | None = None, absolute_references: bool = False, strict: bool = False
) -> Iterator[Sekmet]:
    """The server, up and empty. Unless it is strict it takes whatever it is given: older FHIR is no valid R4."""
    command = program("sekmet", "sekmet")
    port = free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    settings = {
        "base_url": base,
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder),
        "db_path": str(folder / "sekmet.db"),
        "server_auth": {"types": ["bearer"] if token else ["none"], "tokens": [token] if token else []},
        "validation": {"inbound": "strict" if strict else "off"},
        "simulator": {"enabled": False},
        "server_behaviour": {"absolute_references": absolute_references},
    }
    file = folder / "settings.yaml"
    file.write_text(json.dumps(settings))  # JSON is YAML
    log = (folder / "sekmet.log").open("w")
    process = subprocess.Popen(
        [command, "serve", "--config", str(file)], cwd=folder, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        for _ in range(300):
            assert process.poll() is None, (folder / "sekmet.log").read_text()
            try:
                requests.get(f"{base}/metadata", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield Sekmet(base, token, folder / "sekmet.db")
    finally:
        process.terminate()
        process.wait(20)
        log.close()
