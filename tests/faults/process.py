"""What the kernel tells of a running worker: its threads, memory and time on the processor. Linux only."""

import os
import time
from pathlib import Path

import pytest

from tests.service.test_server import Running

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").is_file(), reason="/proc tells of processes on Linux only"
)
MIB = 1024 * 1024


def children(main: int) -> list[int]:
    """The processes that the server command looks after: its workers, and that of the metrics if they are on."""
    text = Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii")
    return [int(one) for one in text.split()]


def workers_of(service: Running, count: int) -> list[int]:
    """All of them, once they are there: the first answers before the last is forked."""
    found: list[int] = []
    for _ in range(200):
        found = children(service.process.pid)
        if len(found) == count:
            break
        time.sleep(0.02)
    assert len(found) == count
    return found


def worker_of(service: Running) -> int:
    """The process that answers: the only child of the server command."""
    (worker,) = children(service.process.pid)
    return worker


def threads(pid: int) -> int:
    return _status(pid, "Threads")


def resident(pid: int) -> int:
    """Bytes in memory now."""
    return _status(pid, "VmRSS") * 1024


def peak(pid: int) -> int:
    """Most bytes in memory since :func:`forget_peak`."""
    return _status(pid, "VmHWM") * 1024


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def cpu_seconds(pid: int) -> float:
    """Time on the processor, of all its threads, in steps of a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)
