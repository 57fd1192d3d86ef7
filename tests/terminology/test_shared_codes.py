"""Every code that the worked cases write into a record is recognised as what it stands for."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from terminology.coding import Coding
from terminology.tables import HERE
from terminology.vocabulary import Link, Vocabulary
from tests.terminology.meant import meant

CODES = HERE.parent.parent / "shared" / "cases" / "codes.json"
if not CODES.exists():
    pytest.skip("the worked cases are not beside this project", allow_module_level=True)

#: The case's name for a thing -> our concept, where it is not the same words with hyphens.
OURS = {
    "adjusted calcium": "calcium-adjusted",
    "total calcium": "calcium-total",
    "CK": "ck-total",
    "TSH": "tsh",
    "free T4": "free-t4",
    "nocturnal leg cramps": "nocturnal-leg-cramp",
    "weakness of hand": "muscle-weakness",
    "quinine sulfate": "quinine",
    "neurology referral": "refer-neurology",
}
#: One order of the cases is several of our concepts, by code.
ORDERS = {
    "U&E": {"order-ue", "order-electrolytes"},
    "calcium": {"order-bone-profile", "order-calcium"},
    "TFT": {"order-tft"},
}
#: Decoys and context of the cases, on which no rule rests: they must mean nothing.
UNMAPPED = {"total thyroidectomy", "occupation"}


def written(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Name, kind, system and code of every code of the cases, with the other spellings they use."""
    cases = json.loads(path.read_text(encoding="utf-8"))
    for name, concept in cases["concepts"].items():
        for codes in (concept["codes"], *concept.get("when", {}).values()):
            for dialect, (code, *_) in codes.items():
                yield name, concept["kind"], cases["systems"][dialect], code
                for spelling in cases["spellings"].values():
                    if spelling["of"] == dialect:
                        respelled = code.replace(spelling["drop"], "") if "drop" in spelling else code
                        yield name, concept["kind"], spelling.get("system", cases["systems"][dialect]), respelled


@pytest.mark.parametrize(("name", "kind", "system", "code"), [*written(CODES)])
def test_a_code_of_the_cases_is_recognised(vocabulary: Vocabulary, name: str, kind: str, system: str, code: str):
    codings = [Coding(system, code)]
    concept = OURS.get(name, name.replace(" ", "-"))

    match kind:
        case "result":
            assert meant(vocabulary, codings).measured == {concept}
        case "order":
            assert meant(vocabulary, codings).orders & ORDERS.get(name, {concept})
        case "medicine":
            match = meant(vocabulary, codings).medicine
            assert match is not None
            assert (match.ingredients, match.link) == ({concept}, Link.CODE)
        case "problem" if name in UNMAPPED:
            assert meant(vocabulary, codings).problems == frozenset()
        case "problem":
            assert concept in meant(vocabulary, codings).problems
        case _:
            pytest.fail(f"{name} has a kind this test does not know: {kind}")
