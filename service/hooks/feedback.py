"""What a client reports on cards: read leniently item by item, and reduced to what may be kept (I1-I10, R17).

A report may hold a patient's data anywhere: in a comment, in a reason's text, in an id that is none. So nothing is
kept as it came: a card only as a UUID, an outcome and a reason only as a word of our own, a time as a time, accepted
suggestions as their number, and a comment only where the site switched that on.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from cards.card import Reason
from service.errors import BadCall, StoreDown, StoreUnavailable, TooLarge
from service.hooks.request import MAX_DEPTH, STRICT, TOO_DEEP, depth
from service.store.contract import FeedbackItem, FeedbackOutcome, Outcome, Store

MAX_BODY = 64 * 1024  # R17
MAX_ITEMS = 100  # R17
MAX_COMMENT = 2_000  # characters; what goes beyond is cut off
UNLISTED = "unlisted"  # a reason was given, and it is none of ours

TOO_LARGE = "The feedback is larger than 64 KiB: send it in smaller batches."

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SPELLINGS = ("overrideReason", "overrideReasons")  # the second: Epic's documentation


class FeedbackReader(msgspec.Struct, frozen=True):
    """Reads reports. ``reasons``: the codes of our override reasons, by code and by display as :func:`_plain` makes
    them; ``comments``: whether userComment is kept (I9).
    """

    reasons: Mapping[str, str]
    comments: bool = False

    def read(self, body: bytes, received: datetime) -> tuple[FeedbackItem, ...]:
        """The items of a body, in its order.

        Raises BadCall if it is not the least that can be recorded: an object with ``feedback``, a list of 1 to 100
        objects, each with ``card`` and ``outcome`` as texts that are not empty. Raises TooLarge beyond 64 KiB.
        """
        return tuple(self._item(sent, received) for sent in _items(_json(body)))

    def _item(self, sent: Mapping[str, Any], received: datetime) -> FeedbackItem:
        at = _instant(sent.get("outcomeTimestamp"))
        card = sent["card"].lower()
        overrides = tuple(_overrides(sent))
        suggestions = sent.get("acceptedSuggestions")
        return FeedbackItem(
            card=card if _UUID.fullmatch(card) else "",
            outcome=_OUTCOMES.get(sent["outcome"].lower(), Outcome.OTHER),
            at=at or received,
            received=received,
            at_receipt=at is None,
            reason=next((code for one in overrides if (code := self._reason(one))), ""),
            suggestions=len(suggestions) if isinstance(suggestions, list) else 0,
            comment=next((text for one in overrides if (text := _comment(one))), "") if self.comments else "",
        )

    def _reason(self, sent: Mapping[str, Any]) -> str:
        """Our code for a reason, whether it came as a Coding or as a text in an extension; "" if none came."""
        given = [_plain(text) for text in _reason_texts(sent) if text.strip()]
        return next((self.reasons[text] for text in given if text in self.reasons), UNLISTED if given else "")


def reader(reasons: tuple[Reason, ...], *, comments: bool = False) -> FeedbackReader:
    """A reader that knows these override reasons by code, with or without hyphens, and by display."""
    known = {_plain(text): reason.code for reason in reasons for text in (reason.display, reason.code)}
    return FeedbackReader(known, comments)


def keep(store: Store, items: tuple[FeedbackItem, ...], client: str) -> FeedbackOutcome:
    """Write a batch of a client, all or nothing.

    Raises BadCall if a card was shown to another client (R17), StoreDown if it could not be written: it is to be sent
    again, which counts nothing twice (I6).
    """
    try:
        kept = store.record(items, client)
    except StoreUnavailable:
        raise StoreDown("The feedback could not be written, and none of it was: send it again later.") from None
    if kept.foreign:
        where = ", ".join(f"feedback[{at}].card" for at in kept.foreign[:5])
        raise BadCall(f"{where} was not shown to this client, and nothing was recorded: send your own cards only.")
    return kept


def told(items: tuple[FeedbackItem, ...], kept: FeedbackOutcome) -> dict[str, int]:
    """What became of a batch, in numbers: the body of the answer, and what the log may hold (I7)."""
    return {
        "recorded": kept.recorded,
        "repeated": kept.repeated,
        "unmatched": kept.unmatched,
        "timedAtReceipt": sum(item.at_receipt for item in items),
    }


_OUTCOMES = {"accepted": Outcome.ACCEPTED, "overridden": Outcome.OVERRIDDEN}


def _json(body: bytes) -> Any:
    if len(body) > MAX_BODY:
        raise TooLarge(TOO_LARGE)
    if depth(body) > MAX_DEPTH:
        raise BadCall(TOO_DEEP)
    try:
        return STRICT.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise BadCall(
            "The body is not valid JSON: send an object with feedback, in UTF-8 without a byte order mark."
        ) from None


def _items(value: Any) -> Iterator[Mapping[str, Any]]:
    sent = value.get("feedback") if isinstance(value, dict) else None
    if not isinstance(sent, list) or not sent:
        raise BadCall("feedback is missing: send an object with feedback, a list of at least one item.")
    if len(sent) > MAX_ITEMS:
        raise BadCall(f"feedback has more than {MAX_ITEMS} items: send it in smaller batches.")
    for at, item in enumerate(sent):
        if not isinstance(item, dict):
            raise BadCall(f"feedback[{at}] is not a JSON object: send card, outcome and outcomeTimestamp.")
        for name in ("card", "outcome"):
            if not isinstance(item.get(name), str) or not item[name]:
                raise BadCall(f"feedback[{at}].{name} is missing: send it as a text.")
        yield item


def _instant(value: Any) -> datetime | None:
    """A time as sent, in UTC; one without a zone is taken as UTC, as the standard demands it. None if it is none."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _overrides(sent: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The objects that hold a reason or a comment: under either spelling, alone or in a list."""
    for name in _SPELLINGS:
        value = sent.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield one


def _reason_texts(sent: Mapping[str, Any]) -> Iterator[str]:
    """Whatever names the reason: code and display of the Coding, and texts of an extension."""
    coding, extension = sent.get("reason"), sent.get("extension")
    texts = [coding.get("code"), coding.get("display")] if isinstance(coding, dict) else [coding]
    texts += extension.values() if isinstance(extension, dict) else []
    yield from (text for text in texts if isinstance(text, str))


def _comment(sent: Mapping[str, Any]) -> str:
    text = sent.get("userComment")
    if not isinstance(text, str):
        return ""
    return (
        text[:MAX_COMMENT].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    )  # half a character, no database takes


def _plain(text: str) -> str:
    """Letters and digits alone: some record systems take no hyphen in a code."""
    return re.sub(r"[^a-z0-9]", "", text.lower())
