"""Two processes that share the tests: who is alone is alone, and does not wait for ever."""

import threading
from contextlib import ExitStack

import pytest

from tests import side_by_side
from tests.side_by_side import in_the_room

NOT_YET = 0.2  # seconds in which nothing is to happen


@pytest.fixture(autouse=True)
def _a_room_of_our_own(tmp_path, monkeypatch):
    """Not that of the processes which run these tests."""
    for name in ("DOOR", "ROOM"):
        (tmp_path / name).touch()
        monkeypatch.setattr(side_by_side, name, tmp_path / name)


class Guest:
    """Somebody who goes in on a thread of his own and stays until he is told to leave."""

    def __init__(self, *, alone=False):
        self.is_in, self._leaves = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._visit, args=(alone,), daemon=True)
        self._thread.start()

    def _visit(self, alone):
        with in_the_room(alone=alone):
            self.is_in.set()
            self._leaves.wait(20)

    def leaves(self):
        self._leaves.set()
        self._thread.join(20)


@pytest.fixture
def guest():
    with ExitStack() as at_the_end:

        def comes(**how):
            one = Guest(**how)
            at_the_end.callback(one.leaves)
            return one

        yield comes


def test_those_who_are_not_alone_are_in_together(guest):
    assert guest().is_in.wait(20)
    assert guest().is_in.wait(20)


def test_one_who_is_alone_waits_until_all_are_gone_and_the_next_wait_for_him(guest):
    first, second = guest(), guest()
    assert first.is_in.wait(20)
    assert second.is_in.wait(20)
    alone = guest(alone=True)
    first.leaves()
    assert not alone.is_in.wait(NOT_YET)
    late = guest()
    assert not late.is_in.wait(NOT_YET)  # else a room that is never empty would keep him out for ever

    second.leaves()
    assert alone.is_in.wait(20)
    assert not late.is_in.wait(NOT_YET)
    alone.leaves()
    assert late.is_in.wait(20)


def test_two_who_are_alone_are_in_one_after_the_other(guest):
    first = guest(alone=True)
    assert first.is_in.wait(20)
    second = guest(alone=True)
    assert not second.is_in.wait(NOT_YET)
    first.leaves()
    assert second.is_in.wait(20)
