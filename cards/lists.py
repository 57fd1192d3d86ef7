"""What a sheet lists: the conditions, medicines, orders and results a rule looks for, each with its source.

A list is clinical content like a sentence or a threshold: it stands in the sheet, and to add a condition or a class of
medicines is to add a row there. The rows are checked against the terminology and the sources when the content is
loaded.
"""

from typing import Final

import msgspec

from cards.entries import Area
from cards.presentation import Symptom
from cards.toml_file import Section
from terminology.errors import BadContent
from terminology.vocabulary import Vocabulary

#: Tables of rows, ``[[contraindication]]``; each row names the finding that says why.
TABLES: Final = ("contraindication", "caution", "interaction", "review-caution", "contributor", "disturbance", "judged")
_GROUPS: Final = ("concepts", "medicines", "ingredients", "orders")


class Listing(msgspec.Struct, frozen=True):
    """A ``[list.NAME]``, or one row of a table of :data:`TABLES`: what is looked for, and why it may stand there.

    One group is filled: ``concepts`` (problems, relatives' problems), ``medicines`` (classes), ``ingredients``,
    ``orders``, or else ``analyte`` alone. Beside concepts or an ingredient, ``analyte`` is what they are about.
    """

    where: str
    concepts: tuple[str, ...]
    medicines: tuple[str, ...]
    ingredients: tuple[str, ...]
    orders: tuple[str, ...]
    analyte: str
    says: str  # what a list is for, in a sentence for the page
    finding: str  # the finding of the sheet that says why; empty in a list
    drafted: str  # the finding that says it of a draft, where that is another one
    symptoms: tuple[Symptom, ...]  # counts only beside one of these; empty: always
    areas: tuple[Area, ...]  # the parts of the record that decide, where a row says so
    above: str  # the threshold of the sheet that the dose of a day has to exceed; empty: any dose
    by_name: bool  # whether a medicine known by its name without a code counts
    rule: str
    facts: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All that the row names, in its order."""
        return (
            *self.concepts,
            *self.medicines,
            *self.ingredients,
            *self.orders,
            *([self.analyte] if self.analyte else []),
        )

    def ingredients_in(self, vocabulary: Vocabulary) -> frozenset[str]:
        """The ingredients of its classes and those it names. Raises BadContent for a class that does not exist."""
        return frozenset(self.ingredients).union(*(vocabulary.ingredients_of(name) for name in self.medicines))

    def check(self, vocabulary: Vocabulary) -> None:
        """Raise BadContent, naming the place, for a name that the terminology does not know."""
        for table, names in (("problem", self.concepts), ("order", self.orders)):
            for name in names:
                if vocabulary.tables.about.get(name) != table:
                    raise BadContent(f"{self.where}: there is no {table} concept {name!r} in terminology/titles.toml")
        for name in self.ingredients:
            if not vocabulary.classes_of(name):
                raise BadContent(f"{self.where}: {name!r} is no ingredient of any class of medicines")
        for name in self.medicines:
            if name not in vocabulary.tables.classes:
                raise BadContent(f"{self.where}: there is no class of medicines {name!r}")
        if self.analyte and self.analyte not in vocabulary.analytes:
            raise BadContent(f"{self.where}: there is no analyte {self.analyte!r}")


def read_list(section: Section) -> Listing:
    """A ``[list.NAME]``. Raises BadContent if it lists nothing, or has no rule or source."""
    return _read(section, says=section.text("says"))


def read_row(section: Section) -> Listing:
    """A row of a table such as ``[[contraindication]]``. Raises BadContent as :func:`read_list` does."""
    return _read(section, finding=section.text("finding", ""))


def _read(section: Section, *, says: str = "", finding: str = "") -> Listing:
    groups = {name: section.texts(name) for name in _GROUPS}
    listing = Listing(
        where=section.where,
        **groups,
        analyte=section.text("analyte", ""),
        says=says,
        finding=finding,
        drafted=section.text("drafted", ""),
        symptoms=tuple(section.member(Symptom, word) for word in section.texts("symptoms")),
        areas=tuple(section.member(Area, word) for word in section.texts("areas")),
        above=section.text("above", ""),
        by_name=section.flag("by_name"),
        rule=section.text("rule"),
        facts=section.texts("facts"),
        sources=section.texts("sources"),
    )
    section.done()
    if sum(bool(names) for names in groups.values()) != 1 and not (listing.analyte and not any(groups.values())):
        raise BadContent(f"{section.where}: one of {', '.join(_GROUPS)} or analyte should say what is looked for")
    if not (listing.facts or listing.sources):
        raise BadContent(f"{section.where}: facts or sources should say why it stands here")
    return listing
