"""The fact sheet, taken apart into facts F1-F57, and the sources of what goes beyond it."""

from collections.abc import Mapping
from enum import Enum
from importlib.resources import files

import msgspec

from cards.toml_file import Section, read_section
from terminology.errors import BadContent


class Handled(Enum):
    """What is done with a fact: a finding claims it, a card asks it, or a card tells it."""

    COMPUTE = "compute"
    ASK = "ask"
    TELL = "tell"


class Fact(msgspec.Struct, frozen=True):
    """One numbered sentence of the fact sheet, in our words. ``not_computed``: why, if no finding claims it."""

    id: str
    words: str
    handled: tuple[Handled, ...]
    not_computed: str


class Source(msgspec.Struct, frozen=True):
    """Where a sentence beyond the fact sheet comes from. ``url`` is empty unless a card may link to the page.

    ``facts``: those that a card tells by naming this source (F57, the references of the fact sheet).
    """

    id: str
    label: str
    url: str
    facts: tuple[str, ...] = ()


def load_facts() -> Mapping[str, Fact]:
    """The facts of fact_sheet.toml by id. Raises BadContent for a fact without words, handling or reason."""
    whole = read_section(files("cards") / "fact_sheet.toml")
    found = {name: _fact(name, table) for name, table in whole.sections("fact").items()}
    whole.done()
    return found


def _fact(name: str, table: Section) -> Fact:
    try:
        handled = tuple(Handled(word) for word in table.texts("handled"))
    except ValueError as error:
        raise BadContent(f"{table.where}: handled should hold compute, ask or tell") from error
    fact = Fact(name, table.text("words"), handled, table.text("not_computed", ""))
    table.done()
    if not handled:
        raise BadContent(f"{table.where}: handled should say compute, ask or tell")
    if Handled.COMPUTE not in handled and not fact.not_computed:
        raise BadContent(f"{table.where}: a fact that is not computed says why in not_computed")
    return fact


def load_sources() -> Mapping[str, Source]:
    """The sources of sources.toml by id. Raises BadContent for one without a label."""
    whole = read_section(files("cards") / "sources.toml")
    found = {}
    for name in list(whole.table):
        section = whole.section(name)
        found[name] = Source(name, section.said("label"), section.text("url", ""), section.texts("facts"))
        section.done()
    return found
