"""Rows for tests of the store."""

from datetime import UTC, datetime
from uuid import UUID

from service.store import FeedbackItem, Outcome, ShownCard

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)  # a Monday, week 25


def uuid(number):
    return str(UUID(int=number, version=4))


def a_shown(number=1, **changed):
    return ShownCard(
        **{
            "card": uuid(number),
            "topic": "quinine",
            "rules": ("O1", "O2"),
            "content_version": "1.0.0",
            "content_hash": "0123abcd",
            "client": "north",
            "hook": "order-select",
            "at": NOON,
        }
        | changed
    )


def a_report(number=1, outcome=Outcome.ACCEPTED, **changed):
    card = uuid(number) if isinstance(number, int) else number
    return FeedbackItem(**{"card": card, "outcome": outcome, "at": NOON, "received": NOON} | changed)
