"""The few Markdown shapes of the reference pages."""

from collections.abc import Iterable

MADE = "<!-- Made by `make docs` from the content. Change the sheets, not this page. -->"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; a pipe or line break in a cell is made harmless. Without rows, a line that says so."""
    names = list(head)
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not lines:
        return "None."
    return "\n".join([f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}", *lines])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def code(text: str) -> str:
    """Text as code."""
    return f"`{text}`"


def page(title: str, introduction: str, *blocks: str) -> str:
    """A whole page, ending in one line break."""
    return "\n\n".join([MADE, f"# {title}", introduction, *blocks]).rstrip() + "\n"
