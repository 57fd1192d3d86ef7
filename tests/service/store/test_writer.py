"""The queue that keeps history off the request path: bounded, counted, flushed."""

from threading import Event, Thread

import pytest

from service.errors import StoreUnavailable
from service.store.writer import Writer
from tests.service.store.rows import a_shown

MANY = tuple(a_shown(number) for number in range(50))


class Shelf:
    """Keeps cards in a list, once it is let go."""

    def __init__(self, *, held=False):
        self.cards = []
        self.asked = Event()
        self.free = Event()
        if not held:
            self.free.set()

    def keep(self, cards):
        self.asked.set()
        assert self.free.wait(60)
        self.cards += cards


def fails(_cards):
    raise StoreUnavailable("down")


def test_cards_are_written_in_their_order():
    shelf = Shelf()
    writer = Writer(shelf.keep)
    for card in MANY:
        writer.add([card])

    assert writer.flush(60)
    assert shelf.cards == list(MANY)
    assert writer.dropped == 0
    writer.close()


def test_while_the_store_hangs_cards_are_taken_up_to_the_bound_and_then_counted():
    shelf = Shelf(held=True)
    writer = Writer(shelf.keep, most_waiting=10)
    writer.add(MANY[:1])
    assert shelf.asked.wait(60)  # the thread hangs in the store now

    for card in MANY[1:]:
        writer.add([card])

    assert writer.dropped == 39
    assert not writer.flush(0)
    shelf.free.set()
    assert writer.flush(60)
    assert shelf.cards == list(MANY[:11])
    writer.close()


def test_what_the_store_refuses_is_counted_and_the_next_is_tried_again():
    shelf, down = Shelf(), [True]
    writer = Writer(lambda cards: fails(cards) if down else shelf.keep(cards))
    writer.add(MANY[:3])
    assert writer.flush(60)
    down.clear()
    writer.add(MANY[3:5])
    assert writer.flush(60)

    assert (writer.dropped, shelf.cards) == (3, list(MANY[3:5]))
    writer.close()


def test_what_waits_at_the_end_is_written():
    shelf = Shelf(held=True)
    writer = Writer(shelf.keep)
    writer.add(MANY[:5])
    assert shelf.asked.wait(60)
    writer.add(MANY[5:])
    shelf.free.set()
    writer.close(60)

    assert shelf.cards == list(MANY)
    assert writer.dropped == 0


def test_the_end_does_not_wait_for_ever():
    shelf = Shelf(held=True)
    writer = Writer(shelf.keep)
    writer.add(MANY[:5])
    assert shelf.asked.wait(60)
    writer.add(MANY[5:])
    writer.close(0.05)

    assert writer.dropped == 45
    shelf.free.set()
    assert writer.flush(60)
    assert shelf.cards == list(MANY[:5])


def test_after_the_end_cards_are_counted_as_dropped():
    writer = Writer(Shelf().keep)
    writer.close()
    writer.add(MANY)

    assert writer.dropped == len(MANY)


def test_no_thread_is_started_before_there_is_a_card():
    writer = Writer(pytest.fail)
    writer.add([])

    assert writer._thread is None
    writer.close()


def test_where_no_thread_can_be_had_items_wait_and_the_next_one_tries_again(monkeypatch):
    def refused(_thread):
        raise RuntimeError("can't start new thread")

    shelf = Shelf()
    writer = Writer(shelf.keep)
    monkeypatch.setattr(Thread, "start", refused)
    writer.add(MANY[:5])  # never raises: a hook is being answered
    monkeypatch.undo()
    writer.add(MANY[5:10])

    assert writer.flush(60)
    assert shelf.cards == list(MANY[:10])
    writer.close()
