"""Servers as processes of their own: started on a free port of loopback, measured as a whole tree, and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PATIENCE: Final = 60.0  # seconds for a server to answer
_UP: Final = (200, 401)  # a caller who is not proven is refused by a service that is up
_OF_WHO_MEASURES: Final = frozenset({"ENV", "PYTHONDONTWRITEBYTECODE"})
_TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A server that answers. ``began``: seconds from its start to its first answer."""

    port: int
    pid: int
    began: float

    def cpu(self) -> float:
        """Seconds of CPU that the living processes of the tree have used."""
        return sum(_cpu(pid) for pid in self.tree())

    def memory(self) -> int:
        """Bytes of the tree, what its processes share counted once (PSS); RSS where the kernel does not tell."""
        return sum(_memory(pid) for pid in self.tree())

    def tree(self) -> list[int]:
        """The process and its descendants."""
        children: dict[int, list[int]] = {}
        for place in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = place.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            children.setdefault(int(fields[1]), []).append(int(place.parent.name))
        found = [self.pid]
        for pid in found:
            found += children.get(pid, [])
        return found


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def _memory(pid: int) -> int:
    for file, name in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = Path(f"/proc/{pid}/{file}").read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    arguments: list[str], port: int, path: str, *, python: str = sys.executable, **environment: str
) -> Iterator[Running]:
    """Start ``python ARGUMENTS``, wait until GET of the path is answered, and end it at the end.

    Its modules are kept as bytecode, so that a later start reads them as an installed package's are read: ours would
    otherwise be compiled at each start beside libraries that were compiled when they were installed.
    Raises RuntimeError if it ends by itself or does not answer in time.
    """
    here = os.environ  # noqa: TID251 -- what a server inherits, without the settings of whoever measures
    kept = {name: value for name, value in here.items() if not name.startswith("MUSCLE_CDS_")}
    kept = {name: value for name, value in kept.items() if name not in _OF_WHO_MEASURES}
    began = time.perf_counter()
    process = subprocess.Popen(
        [python, *arguments],
        cwd=ROOT,
        env=kept | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _await(process, port, path, began + PATIENCE)
        yield Running(port, process.pid, time.perf_counter() - began)
    finally:
        _end(process)


def _await(process: subprocess.Popen[bytes], port: int, path: str, until: float) -> None:
    while not _answers(port, path):
        if process.poll() is not None or time.perf_counter() > until:
            process.kill()
            raise RuntimeError(f"the server did not come up: {process.communicate()[1][-2000:]!r}")
        time.sleep(0.005)


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status in _UP
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; what is left of its session after that is killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def as_environment(file: Path) -> Mapping[str, str]:
    """The environment that names a settings file to the server command."""
    return {"MUSCLE_CDS_CONFIG": str(file)}
