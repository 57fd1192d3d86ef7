"""A card as the rules hand it over: text, weight and intents. What makes JSON of it is in service/hooks."""

from dataclasses import dataclass

import msgspec

from cards.finding import Indicator, Intent

LONGEST_SUMMARY = 139  # CDS Hooks: under 140 characters


@dataclass(frozen=True, slots=True)
class WebLink:
    """A page to read more; the address comes from cards/sources.toml, never from a record."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A coded reason for overriding a card."""

    code: str
    display: str


class Card(msgspec.Struct, frozen=True, gc=False):
    """One advisory card. ``summary`` has at most 139 characters in one line; ``detail`` is GitHub Flavored Markdown.

    ``rules``: the specification rows it rests on (P9). ``topic`` and ``topic_title`` are the code and its display.
    """

    topic: str
    topic_title: str
    indicator: Indicator
    summary: str
    detail: str
    suggestions: tuple[Intent, ...]
    override_reasons: tuple[Reason, ...]
    links: tuple[WebLink, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer to one call. No cards means: we looked, and there is nothing to say.

    ``silent_because`` is one word from a closed set, for the log (``no-symptom``, ``deceased``, ...); "" if cards are
    shown. ``failed_topics``: topics whose rules raised, or whose card could not be written; a data-quality card speaks
    for them. ``errors``: what was raised, one for each of them, in the same order.
    """

    cards: tuple[Card, ...]
    silent_because: str = ""
    failed_topics: tuple[str, ...] = ()
    errors: tuple[BaseException, ...] = ()
