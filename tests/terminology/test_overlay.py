"""The site's overlay: local codes come in, wrong ones are refused with file and line."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from terminology.coding import Coding
from terminology.errors import BadContent
from terminology.tables import HERE
from terminology.vocabulary import Link, MedicineMatch, Vocabulary, load
from tests.terminology.meant import meant

LOCAL = "https://fhir.hospital.example/lab-codes"
SNOMED = "http://snomed.info/sct"
DMD = "https://dmd.nhs.uk"

Write = Callable[[str], Path]


def entry(act: str = "add", **changes: str) -> str:
    """An overlay entry that is right but for the changes; a change to "" takes the line away."""
    lines = {
        "concept": '"ck-total"',
        "system": f'"{LOCAL}"',
        "code": '"CK"',
        "display": '"Creatine kinase"',
        "reviewer": '"A. Example"',
        "date": "2026-03-01",
        "reason": '"Own code of the laboratory."',
    } | changes
    return f"[[{act}]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value)


@pytest.fixture
def with_overlay(overlay: Write) -> Callable[[str], Vocabulary]:
    return lambda text: load(overlay=overlay(text))


def test_a_local_code_counts_by_its_system_and_code(with_overlay, vocabulary: Vocabulary):
    ours = [Coding(LOCAL, "CK")]
    changed = with_overlay(entry())

    assert meant(vocabulary, ours).measured == frozenset()
    assert meant(changed, ours).measured == {"ck-total"}
    assert meant(changed, [Coding(f"{LOCAL}|2", " CK ")]).measured == {"ck-total"}


@pytest.mark.parametrize("system", ["", "https://another.example/lab-codes", "http://loinc.org"])
def test_a_local_code_under_another_system_or_none_means_nothing(with_overlay, system: str):
    assert meant(with_overlay(entry()), [Coding(system, "CK")]).measured == frozenset()


def test_an_exclusion_still_beats_a_local_code(with_overlay):
    changed = with_overlay(entry())

    assert meant(changed, [Coding(LOCAL, "CK"), Coding("http://loinc.org", "50756-6")]).measured == frozenset()


def test_a_local_code_is_searched_for_last(with_overlay):
    assert with_overlay(entry()).codes_to_search(["ck-total"]) == ("2157-6", "397798009", "CK")


def test_what_the_overlay_says_changes_the_hash_and_its_layout_does_not(overlay: Write, vocabulary: Vocabulary):
    first, again = load(overlay=overlay(entry())), load(overlay=overlay("# a comment\n" + entry()))
    other = load(overlay=overlay(entry(reviewer='"B. Example"')))

    assert len({vocabulary.content_hash, first.content_hash, other.content_hash}) == 3
    assert first.content_hash == again.content_hash
    assert first.version == vocabulary.version


def test_an_overlay_leaves_other_vocabularies_alone(with_overlay):
    with_overlay(entry())

    assert meant(load(), [Coding(LOCAL, "CK")]).measured == frozenset()


def test_a_published_code_can_be_added_after_the_check_of_its_system(with_overlay):
    tonic = entry(concept='"muscle-cramp"', system=f'"{SNOMED}"', code='"24443003"', display='"x"')

    assert meant(with_overlay(tonic), [Coding(SNOMED, "24443003")]).problems == {"muscle-cramp"}


def test_a_code_can_be_removed(with_overlay):
    changed = with_overlay(
        entry("remove", concept='"order-bone-profile"', system=f'"{SNOMED}"', code='"1006761000000104"')
    )

    assert meant(changed, [Coding(SNOMED, "1006761000000104")]).orders == frozenset()
    assert changed.codings_for("order-bone-profile") == ()
    assert changed.codes_to_search(["order-bone-profile"]) == ()


def test_a_concept_that_only_has_codes_it_is_not_can_be_given_one(with_overlay):
    changed = with_overlay(entry(concept='"family-history-related"', code='"FH1"'))

    assert meant(changed, [Coding(LOCAL, "FH1")]).problems == {"family-history-related"}


def test_removing_one_meaning_of_a_code_keeps_the_others(with_overlay):
    icd10cm = "http://hl7.org/fhir/sid/icd-10-cm"
    changed = with_overlay(entry("remove", concept='"hypertension"', system=f'"{icd10cm}"', code='"I11.0"'))

    meaning = meant(changed, [Coding(icd10cm, "I110")]).problems
    assert "heart-failure" in meaning
    assert "hypertension" not in meaning


def test_a_local_code_of_an_order_is_sent_beside_the_published_ones(with_overlay):
    changed = with_overlay(entry(concept='"order-ck"'))

    assert meant(changed, [Coding(LOCAL, "CK")]).orders == {"order-ck"}
    assert changed.codings_for("order-ck")[-1] == Coding(LOCAL, "CK", "Creatine kinase")


def test_a_reviewed_medicine_counts_like_one_that_shows_its_ingredient(with_overlay):
    changed = with_overlay(entry(concept='"triamterene"', system=f'"{DMD}"', code='"1631411000001103"'))

    match = meant(changed, [Coding(SNOMED, "1631411000001103")]).medicine
    assert match == MedicineMatch(frozenset({"triamterene"}), Link.CODE, also_by_brand=frozenset({"furosemide"}))


def test_a_medicine_known_by_brand_can_be_removed(with_overlay):
    frusene = {"system": f'"{DMD}"', "code": '"1631411000001103"'}
    changed = with_overlay(entry("remove", concept='"triamterene"', **frusene))

    assert meant(changed, [Coding(DMD, "1631411000001103")]).medicine == MedicineMatch(
        frozenset({"furosemide"}), Link.BRAND
    )


def test_a_date_may_stand_between_quotes(with_overlay):
    assert meant(with_overlay(entry(date='"2026-03-01"')), [Coding(LOCAL, "CK")]).measured == {"ck-total"}


def test_an_empty_overlay_changes_no_meaning(with_overlay, vocabulary: Vocabulary):
    assert with_overlay("# nothing yet\n").codes_to_search(["tsh"]) == vocabulary.codes_to_search(["tsh"])


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (entry(concept='"creatine"'), 1, "there is no concept 'creatine'"),
        (entry(reviewer=""), 1, "reviewer is missing"),
        (entry(reviewer='"  "'), 1, "reviewer is missing"),
        (entry(date=""), 1, "date is missing"),
        (entry(date='"soon"'), 1, "date is missing or no day"),
        (entry(date="2026-03-01T10:00:00"), 1, "date is missing or no day"),
        (entry(reason=""), 1, "reason is missing"),
        (entry(display=""), 1, "display is missing"),
        (entry(code="123"), 1, "between double quotes"),
        (entry(colour='"red"'), 1, "no 'colour'"),
        (entry(system='"lab codes"'), 1, "is not an address"),
        (entry(system='"https://x.example/a|1"'), 1, "is not an address"),
        (entry(code=f'"{"x" * 101}"'), 1, "at most 100"),
        (entry(system='"http://loinc.org"', code='"2157-7"'), 1, "check digit"),
        (entry(system=f'"{SNOMED}"', code='"CK"'), 1, "check digit"),
        (entry(system='"http://unitsofmeasure.org"', code='"U/L"'), 1, "cannot be a code"),
        (entry(system='"http://loinc.org"', code='"50756-6"'), 1, "is excluded"),
        (entry(system='"http://loinc.org"', code='"2157-6"'), 1, "stands for ck-total already"),
        (entry(system='"http://loinc.org"', code='"2823-3"'), 1, "stands for potassium already"),
        (
            entry(concept='"muscle-weakness"', system='"http://hl7.org/fhir/sid/icd-10-cm"', code='"R53.1"'),
            1,
            "is excluded",
        ),
        (entry("remove"), 1, "cannot be removed"),
        ("# one\n\n" + entry() + "\n" + entry(code='"CK2"', reason=""), 12, "reason is missing"),
        (entry() + entry("remove", code='"CK9"'), 9, "cannot be removed"),
        (entry() + entry(), 9, "stands at local-codes.toml, line 1 too"),
    ],
)
def test_an_entry_that_cannot_be_trusted_is_refused_with_file_and_line(
    with_overlay, text: str, line: int, message: str
):
    with pytest.raises(BadContent) as refusal:
        with_overlay(text)

    assert str(refusal.value).startswith(f"local-codes.toml, line {line}: ")
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[add]\n", "Correct the TOML"),
        ("[add]\nconcept = 'x'\n", "two brackets"),
        ("[[change]]\n", "no 'change'"),
        ("add = [{concept = 'ck-total'}]\n", "under a heading"),
        ("add = ['x']\n", "under a heading"),
        ("[add.more]\n", "two brackets"),
    ],
)
def test_an_overlay_of_another_shape_is_refused(with_overlay, text: str, message: str):
    with pytest.raises(BadContent, match=re.escape(message)) as refusal:
        with_overlay(text)

    assert str(refusal.value).startswith("local-codes.toml")


def test_an_overlay_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(BadContent, match=r"gone\.toml: the overlay file cannot be read"):
        load(overlay=tmp_path / "gone.toml")


def test_an_overlay_that_is_not_utf8_is_refused(tmp_path: Path):
    path = tmp_path / "local-codes.toml"
    path.write_bytes("reason = 'Ä'".encode("latin-1"))

    with pytest.raises(BadContent, match="UTF-8"):
        load(overlay=path)


def test_an_overlay_as_an_editor_on_windows_saves_it_is_read(tmp_path: Path):
    path = tmp_path / "local-codes.toml"
    path.write_bytes(b"\xef\xbb\xbf" + entry().replace("\n", "\r\n").encode())

    assert meant(load(overlay=path), [Coding(LOCAL, "CK")]).measured == {"ck-total"}


def test_the_example_in_the_documentation_works(overlay: Write):
    page = (HERE.parent / "docs" / "local-codes.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert example is not None

    changed = load(overlay=overlay(example[1]))

    assert meant(changed, [Coding(LOCAL, "CK")]).measured == {"ck-total"}
    assert meant(changed, [Coding(SNOMED, "1006761000000104")]).orders == frozenset()
