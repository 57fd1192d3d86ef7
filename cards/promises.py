"""What a clinician may rely on, in sentences: when there is a card, when there is none, and what is never said or done.

The rules decide; these sentences describe them. Each names the row of the specification, or the hazard, that it is laid
down in, so that a reviewer can hold one against the other.
"""

from importlib.resources import files

import msgspec

from cards.toml_file import Section, read_section
from terminology.errors import BadContent


class Promise(msgspec.Struct, frozen=True):
    """One sentence for the page, and where it is laid down (``P1, P3``; ``HZ13``)."""

    say: str
    rule: str


class Promises(msgspec.Struct, frozen=True):
    """The content of promises.toml: what holds for every card."""

    never: tuple[Promise, ...]
    silent: tuple[Promise, ...]


def read_promises(section: Section, key: str) -> tuple[Promise, ...]:
    """The sentences under a key of a sheet. Raises BadContent if there is none, or one without a rule."""
    found = []
    for row in section.rows(key):
        found.append(Promise(row.said("say"), row.text("rule")))
        row.done()
    if not found:
        raise BadContent(f"{section.where}: {key} should say at least one thing, for the page that clinicians read")
    return tuple(found)


def load_promises() -> Promises:
    """The content of promises.toml. Raises BadContent as :func:`read_promises` does."""
    whole = read_section(files("cards") / "promises.toml")
    promises = Promises(never=read_promises(whole, "never"), silent=read_promises(whole, "silent"))
    whole.done()
    return promises
