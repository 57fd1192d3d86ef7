"""The words around a card, and who stands for the content: content.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from cards.toml_file import Section, read_toml
from terminology.errors import BadContent


@dataclass(frozen=True, slots=True)
class Frame:
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
    """The content of content.toml. Raises BadContent if a date or a text of its head is missing."""
    tables = read_toml(files("cards") / "content.toml")
    head = Section("content.toml: [content]", tables.pop("content", None))
    reviewed, review_by = head.table.pop("reviewed", None), head.table.pop("review_by", None)
    if not isinstance(reviewed, date) or not isinstance(review_by, date):
        raise BadContent("content.toml: [content] reviewed and review_by should be dates such as 2026-06-15")
    frame = Frame(
        words={name: dict(table) for name, table in tables.items()},
        label=head.text("label"),
        version=head.text("version"),
        signed_by=head.text("signed_by"),
        reviewed=reviewed,
        review_by=review_by,
    )
    head.done()
    return frame
