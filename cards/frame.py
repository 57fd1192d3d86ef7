"""The words around a card, and who stands for the content: content.toml."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files
from typing import Final

import msgspec

from cards.phrase import placeholders
from cards.toml_file import Section, read_section
from terminology.errors import BadContent

#: The lines that every card is made with, by table and key, and the placeholders that are filled in each.
_LINES: Final[Mapping[str, Mapping[str, str]]] = {
    "parts": dict.fromkeys(("found", "why", "check", "consider", "not_known", "basis"), ""),
    "marks": {"beyond": ""},
    "evidence": {
        "result": "title value unit date range extras source",
        "alike": "line count",
        "more": "count",
        "range": "low high unit whose",
        "range_low": "low unit whose",
        "range_high": "high unit whose",
        "default": "whose",
        "unused": "whose",
        "no_range": "",
        "no_usable": "",
        "lower_sent": "",
        "upper_sent": "",
        "problem": "label date source",
        "medicine": "label start extras source",
        "order": "label status date source",
        "relative": "label source",
        "allergy": "label source",
        "draft": "label extras source",
        "undated": "",
        "since": "date",
        "no_start": "",
        "unstated": "",
        "haemolysed": "",
        "sent": "sent",
        "calculated": "sent",
        "preliminary": "",
        "note": "note",
        "by_name": "",
        "by_brand": "",
    },
    "not_known": {
        "always": "",
        "input": "area why",
        "entry": "what source",
        "entry_dated": "what source date",
        "unused": "what source",
        "more": "count",
        "topic_failed": "topic",
    },
    "folded": {"line": "summary"},
    "basis": {
        "rule": "rules version hash terminology",
        "facts": "facts",
        "sources": "sources",
        "review": "signed_by reviewed review_by",
    },
}
_REASON: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Frame(msgspec.Struct, frozen=True):
    """The words around a card: the tables of content.toml, by table and key."""

    words: Mapping[str, Mapping[str, str]]
    label: str
    version: str
    signed_by: str
    reviewed: date
    review_by: date

    def say(self, table: str, key: str, **fill: str) -> str:
        """A line of content.toml with its placeholders filled."""
        return self.words[table][key].format_map(fill)


def load_frame() -> Frame:
    """The content of content.toml. Raises BadContent if a line, a date or a text of its head is missing or odd."""
    whole = read_section(files("cards") / "content.toml")
    head = whole.section("content")
    reviewed, review_by = head.table.pop("reviewed", None), head.table.pop("review_by", None)
    if type(reviewed) is not date or type(review_by) is not date:
        raise BadContent(f"{head.where}: reviewed and review_by should be dates without quotes, such as 2026-06-15")
    if review_by <= reviewed:
        raise BadContent(f"{head.where}: review_by should be a day after reviewed")
    frame = Frame(
        words={name: dict(_lines(whole.section(name), keys)) for name, keys in _LINES.items()}
        | {"override": dict(_reasons(whole.section("override")))},
        label=head.said("label"),
        version=head.said("version"),
        signed_by=head.said("signed_by"),
        reviewed=reviewed,
        review_by=review_by,
    )
    head.done()
    whole.done()
    return frame


def _lines(table: Section, keys: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, filled in keys.items():
        line = table.said(key)
        try:
            odd = placeholders(line) - set(filled.split())
        except ValueError as error:
            raise BadContent(f"{table.where}: {key}: {error}") from None
        if odd:
            may = f"; it may name {', '.join(filled.split())}" if filled else ", and no placeholder belongs there"
            raise BadContent(f"{table.where}: {key}: nothing is filled in for {{{min(odd)}}}{may}")
        yield key, line
    table.done()


def _reasons(table: Section) -> Iterator[tuple[str, str]]:
    """The reasons for dismissing a card, by code: at least one, for a record system that asks for a reason."""
    if not table.table:
        raise BadContent(f"{table.where}: give at least one reason for which a card may be dismissed")
    for code in list(table.table):
        if _REASON.fullmatch(code) is None:
            raise BadContent(
                f"{table.where}: {code!r} should be small letters and digits with hyphens, such as no-time"
            )
        yield code, table.said(code)
