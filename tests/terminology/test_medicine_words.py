"""Medicines: what a product holds, how well that is founded, its classes, and names in words."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.build import names
from terminology.coding import Coding
from terminology.errors import BadContent
from terminology.tables import HERE, read
from terminology.vocabulary import Link, MedicineMatch, Vocabulary, load
from tests.terminology.meant import meant

SNOMED = "http://snomed.info/sct"
DMD = "https://dmd.nhs.uk"
VOCABULARY = load()


def product(concept: str, display: str) -> list[Coding]:
    """The codings of a product, found in the table of its class."""
    for row in read().medicines:
        if row["concept"] == concept and row["display"] == display:
            system = {"snomed": SNOMED, "dmd": DMD}.get(row["system"], "http://www.nlm.nih.gov/research/umls/rxnorm")
            return [Coding(system, row["code"])]
    raise AssertionError(f"no row {display!r} for {concept}")


# Codes


def test_a_combination_product_gives_all_its_ingredients(vocabulary: Vocabulary):
    match = meant(vocabulary, product("amiloride", "Co-amilozide 5mg/50mg tablets")).medicine

    assert match == MedicineMatch(frozenset({"amiloride", "hydrochlorothiazide"}), Link.CODE)


def test_a_brand_without_its_ingredient_in_the_name_is_known_by_brand_only(vocabulary: Vocabulary):
    frusene = meant(vocabulary, [Coding(DMD, "1631411000001103")]).medicine

    assert frusene == MedicineMatch(frozenset({"furosemide", "triamterene"}), Link.BRAND)


def test_a_generic_coding_beside_the_brand_gives_the_link_to_its_ingredient_alone(vocabulary: Vocabulary):
    frusene, furosemide = Coding(DMD, "1631411000001103"), Coding(DMD, "317972000")

    match = meant(vocabulary, [frusene, furosemide]).medicine

    assert match == MedicineMatch(frozenset({"furosemide"}), Link.CODE, also_by_brand=frozenset({"triamterene"}))


def test_one_founded_row_is_enough_for_an_ingredient_that_brand_rows_name_too(vocabulary: Vocabulary):
    match = meant(vocabulary, [Coding(SNOMED, "318555003")]).medicine

    assert match == MedicineMatch(frozenset({"amiloride", "hydrochlorothiazide", "timolol"}), Link.CODE)


def test_no_brand_row_ever_gives_the_link_that_may_lower_a_card():
    founded: dict[str, set[str]] = {}
    for row in read().medicines:
        if row["assigned_by"] != "brand-name":
            founded.setdefault(row["code"], set()).add(row["concept"])
    branded = [row for row in read().medicines if row["assigned_by"] == "brand-name"]

    assert len(branded) > 4000
    for row in branded:
        match = meant(VOCABULARY, [Coding(DMD if row["system"] == "dmd" else SNOMED, row["code"])]).medicine
        if match is not None and match.link is Link.CODE and row["concept"] in match.ingredients:
            assert row["concept"] in founded[row["code"]], row.place


# Classes


@pytest.mark.parametrize(
    ("ingredient", "classes"),
    [
        ("furosemide", {"loop-diuretic", "diuretic", "potassium-losing-diuretic"}),
        ("spironolactone", {"aldosterone-antagonist", "diuretic", "potassium-sparing"}),
        ("potassium-canrenoate", {"aldosterone-antagonist", "diuretic", "potassium-sparing"}),
        ("amiloride", {"potassium-sparing-diuretic", "diuretic", "potassium-sparing"}),
        ("finerenone", {"aldosterone-antagonist"}),
        ("clarithromycin", {"qt-prolonging", "cyp3a4-inhibitor-potent"}),
        ("sotalol", {"qt-prolonging", "beta-blocker"}),
        ("insulin", {"insulin", "glucose-lowering", "glucose-lowering-any"}),
        ("warfarin", {"warfarin", "anticoagulant", "anticoagulant-any"}),
        ("methylphenidate", {"stimulant", "methylphenidate-any"}),
        ("lisdexamfetamine", {"stimulant", "other-stimulant"}),
        ("caffeine", {"stimulant"}),
    ],
)
def test_an_ingredient_is_in_its_class_its_groups_and_the_classes_it_is_named_for(
    vocabulary: Vocabulary, ingredient: str, classes: set[str]
):
    assert vocabulary.classes_of(ingredient) == classes


def test_other_stimulants_are_neither_methylphenidate_nor_caffeine(vocabulary: Vocabulary):
    others = vocabulary.ingredients_of("other-stimulant")

    assert {"lisdexamfetamine", "dexamfetamine", "modafinil"} <= others
    assert not others & {"methylphenidate", "dexmethylphenidate", "serdexmethylphenidate", "caffeine"}


def test_classes_and_ingredients_agree_both_ways(vocabulary: Vocabulary):
    for name, ingredients in vocabulary.tables.classes.items():
        assert ingredients, name
        for ingredient in ingredients:
            assert name in vocabulary.classes_of(ingredient)


def test_an_unknown_class_is_a_mistake(vocabulary: Vocabulary):
    with pytest.raises(BadContent, match=r"medicine_classes\.toml"):
        vocabulary.ingredients_of("water-tablets")


def test_an_unknown_ingredient_has_no_class(vocabulary: Vocabulary):
    assert vocabulary.classes_of("paracetamol") == frozenset()


# Names in words


@pytest.mark.parametrize(
    ("text", "ingredients"),
    [
        ("Quinine sulfate 200mg tablets", {"quinine"}),
        ("QUININE BISULPHATE 300MG", {"quinine"}),
        ("Bendroflumethiazide 2.5mg", {"bendroflumethiazide"}),
        ("bendrofluazide 2.5 mg om", {"bendroflumethiazide"}),
        ("Frusemide 40mg", {"furosemide"}),
        ("co-amilofruse 5/40", {"amiloride", "furosemide"}),
        ("Co-amilofruse 5mg/40mg tablets", {"amiloride", "furosemide"}),
        ("Chlorthalidone 25", {"chlortalidone"}),
        ("Lasix 40", {"furosemide"}),
        ("Concerta XL 36mg", {"methylphenidate"}),
        ("furosemide, digoxin and Adcal", {"furosemide", "digoxin"}),
        ("(spironolactone)", {"spironolactone"}),
        ("Slow-K", {"potassium-chloride"}),
    ],
)
def test_whole_words_of_ingredients_and_brands_are_matched(vocabulary: Vocabulary, text: str, ingredients: set[str]):
    assert vocabulary.medicine_named(text) == MedicineMatch(frozenset(ingredients), Link.NAME)


@pytest.mark.parametrize(
    "text",
    [
        "Nystatin 100,000 units/ml",
        "statin",
        "a diuretic",
        "water tablets",
        "Furosemidex",
        "tonic water",
        "tablet",
        "Teva",
        "sodium",
        "losar tan",
        "Please reconcile",
        "vitamin B12",
        "hydralazine",
        "Panadol",
        "",
        "   ",
        "40mg",
    ],
)
def test_parts_of_words_classes_makers_and_forms_are_not_matched(vocabulary: Vocabulary, text: str):
    assert vocabulary.medicine_named(text) is None


def test_hydroxychloroquine_is_not_read_as_chloroquine(vocabulary: Vocabulary):
    match = vocabulary.medicine_named("Hydroxychloroquine 200mg")

    assert match == MedicineMatch(frozenset({"hydroxychloroquine"}), Link.NAME)


@pytest.mark.parametrize("ingredient", sorted(VOCABULARY.tables.classes_of))
def test_every_ingredient_is_known_by_its_own_name(ingredient: str):
    match = VOCABULARY.medicine_named(f"Rx: {ingredient.replace('-', ' ').upper()} 5mg")

    assert match is not None
    assert ingredient in match.ingredients


@given(st.text(), st.text())
def test_what_a_part_of_a_text_names_the_whole_text_names(before: str, after: str):
    match = VOCABULARY.medicine_named(f"{before} furosemide {after}")

    assert match is not None
    assert "furosemide" in match.ingredients


def test_a_name_known_under_two_licences_stays_as_long_as_one_of_them_is_held():
    held = load(without_licences=frozenset({"dmd-ogl3"}))
    none = load(without_licences=frozenset({"dmd-ogl3", "rxnorm-free"}))

    assert VOCABULARY.medicine_named("Actos") == held.medicine_named("Actos") is not None
    assert none.medicine_named("Actos") is None


# The table of names


@pytest.mark.no_cover  # tests/uncovered.py
def test_the_table_of_names_follows_from_the_medicine_rows():
    table = (HERE / "value_sets" / "medicine_names.csv").read_text(encoding="utf-8")

    assert table == names()


def test_no_name_is_a_refused_word_a_form_or_a_word_of_a_salt():
    tables = read()
    never = {row["name"] for row in tables.refused}
    never |= set(tables.name_words["forms"]) | set(tables.name_words["salts"]) | set(tables.name_words["release"])

    assert not {row["name"] for row in tables.names} & never


def test_every_name_has_a_word_of_four_letters():
    for row in read().names:
        assert any(len(word) >= 4 and word.isalpha() for word in row["name"].split()), row.place


@pytest.mark.no_cover  # tests/uncovered.py
def test_a_brand_of_unrelated_ingredients_is_no_name(tables_in):
    table = tables_in / "value_sets" / "medicines" / "loop-diuretic.csv"
    before = {row["name"] for row in csv.DictReader(names(tables_in).splitlines())}
    rows = table.read_text(encoding="utf-8")
    source = rows.splitlines()[1].split(",")[7]
    added = f"furosemide,descendant-sample,rxnorm,99999999,furosemide 20 MG Oral Tablet [Zocor],SBD,brand-name,{source},rxnorm-free\n"
    table.write_text(rows + added, encoding="utf-8")

    after = {row["name"] for row in csv.DictReader(names(tables_in).splitlines())}

    assert "zocor" in before
    assert "zocor" not in after
