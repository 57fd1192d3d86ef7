"""What two processes that share the tests need (``pytest -n 2``, as CI runs them; alone none of this does anything).

A test marked ``alone`` judges times, and needs the machine as if nothing else ran: it waits until the test of the other
process is over, and that one waits until it is done. What tests measure and count is brought together for the summary.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from pathlib import Path
from typing import Any

import pytest

from tests.counterparts import tally
from tests.faults import figures

DOOR, ROOM = Path(__file__), Path(__file__).with_name("conftest.py")
"""Files of the tree to lock, never written: all pass the door one by one, and are in the room together or alone."""


@contextmanager
def _locked(path: Path, how: int) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY)
    try:
        flock(file, how)
        yield file
    finally:
        os.close(file)


@contextmanager
def in_the_room(*, alone: bool) -> Iterator[None]:
    """While this lasts, nobody is in the room who is ``alone``; and nobody at all, for one who is.

    Who waits for the room to empty holds the door meanwhile, else those who may share it would never leave it empty.
    """
    with _locked(DOOR, LOCK_EX) as door, _locked(ROOM, LOCK_EX if alone else LOCK_SH):
        flock(door, LOCK_UN)
        yield


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outside of pytest-timeout: who waits is not slow
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """One test, from the first of its fixtures to the last."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with in_the_room(alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes know a test by its id: those of one id, as for the operations of an OpenAPI document, get one by name."""
    ids = Counter(item.nodeid for item in items)
    for item in items:
        if ids[item.nodeid] > 1:
            item._id = item.parent.id.child(item.name)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In one of several processes: hand over what was measured and counted."""
    handed_over: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if handed_over is not None:
        handed_over |= {"figures": figures.given(), "tally": tally.given(session.config)}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """In the process that prints the summary: take what one of the others hands over, unless it broke down."""
    handed_over: dict[str, Any] = getattr(node, "workeroutput", {})
    figures.take(handed_over.get("figures", []))
    tally.take(node.config, handed_over.get("tally", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what was measured and counted."""
    figures.show(terminalreporter)
    tally.show(terminalreporter, config)
