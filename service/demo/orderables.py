"""What the order pad of the demo can find by name: medicines, tests and referrals of the project's own tables.

Medicines are products of the NHS dictionary of medicines and devices whose own name shows the ingredient; tests and
referrals are the order concepts the cards propose. Only what the loaded vocabulary knows is offered, so licences that
are left out and a site's overlay hold here too.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from terminology.coding import Coding
from terminology.vocabulary import Link, Vocabulary

MOST = 12
"""Names of one answer, at most."""

_FORM = re.compile(r"(tablets|capsules|oral solution|oral suspension|inhaler)( sugar free| CFC free)?$")
_SOLID = re.compile(r"(tablets|capsules)$")
_ORDERS = {"order-": "test", "refer-": "referral"}


@dataclass(frozen=True, slots=True)
class Orderable:
    """Something that can be put in the basket. ``kind``: medicine, test or referral; ``codings``: what names it."""

    kind: str
    name: str
    codings: tuple[Coding, ...]

    def as_json(self) -> dict[str, Any]:
        """For the page: kind, name, and the CodeableConcept of a draft order."""
        codings = [
            {"system": one.system, "code": one.code, "display": one.display or self.name} for one in self.codings
        ]
        return {"kind": self.kind, "name": self.name, "code": {"coding": codings, "text": self.name}}


def all_orderables(vocabulary: Vocabulary) -> tuple[Orderable, ...]:
    """Everything that can be ordered, in alphabetical order. Reads the tables: some tenths of a second."""
    found = (*_medicines(vocabulary), *_orders(vocabulary))
    return tuple(sorted(found, key=lambda one: one.name.casefold()))


def search(orderables: tuple[Orderable, ...], text: str) -> tuple[Orderable, ...]:
    """Those with a word that starts with each word asked for; tests and solid forms come before liquids."""
    asked = text.casefold().split()
    if not asked:
        return ()
    starts = [re.compile(rf"(?<![a-z0-9]){re.escape(word)}") for word in asked]
    found = [one for one in orderables if all(start.search(one.name.casefold()) for start in starts)]
    return tuple(sorted(found, key=lambda one: _rank(one, asked[0]))[:MOST])


def _rank(one: Orderable, first: str) -> tuple[bool, bool, bool, int, str]:
    name = one.name.casefold()
    liquid = one.kind == "medicine" and _SOLID.search(name) is None
    strength = re.search(r"\d+", name)
    return not name.startswith(first), liquid, "/" in name, int(strength[0]) if strength else 0, name


def _medicines(vocabulary: Vocabulary) -> Iterator[Orderable]:
    dmd = next((address for address, short in vocabulary.systems.items() if short == "dmd"), "")
    seen: set[str] = set()
    for table in sorted((files("terminology") / "value_sets" / "medicines").iterdir(), key=lambda one: one.name):
        for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines()):
            name = row["display"]
            if row["system"] != "dmd" or row["assigned_by"] != "ingredient-in-name" or name in seen:
                continue
            if "(" in name or _FORM.search(name) is None:
                continue
            coding = Coding(dmd, row["code"], name)
            match = vocabulary.meaning([(dmd, row["code"])]).medicine
            if match is not None and match.link is Link.CODE:
                seen.add(name)
                yield Orderable("medicine", name, (coding,))


def _orders(vocabulary: Vocabulary) -> Iterator[Orderable]:
    for concept in sorted(vocabulary.tables.offers):
        kind = next((kind for start, kind in _ORDERS.items() if concept.startswith(start)), None)
        if kind is not None:
            yield Orderable(kind, vocabulary.title(concept), vocabulary.codings_for(concept))
