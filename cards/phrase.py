"""A piece of a sheet's wording, taken apart once: most of them say the same of every patient."""

from collections.abc import Mapping
from string import Formatter


def placeholders(text: str) -> frozenset[str]:
    """The words in braces. Raises ValueError, saying what to do, for a brace out of place or an odd word in it."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise ValueError("a brace stands alone or has no end; write each placeholder as {date}") from None
    for _, name, form, conversion in parts:
        if name is not None and (form or conversion or not name.isidentifier()):
            inside = name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            raise ValueError(f"{{{inside}}} is no placeholder; write one word in braces, such as {{date}}")
    return frozenset(name for _, name, _, _ in parts if name is not None)


class Phrase:
    """Wording with placeholders such as ``{drug}``, or without any. Raises ValueError for a brace out of place."""

    __slots__ = ("fixed", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.fixed = None if any(name is not None for _, name, _, _ in Formatter().parse(text)) else text.format()
        """What it says of every patient; None if it has placeholders."""

    def of(self, fill: Mapping[str, str]) -> str:
        """What it says of this patient. Raises KeyError for a placeholder that is not filled in."""
        return self.text.format_map(fill) if self.fixed is None else self.fixed
