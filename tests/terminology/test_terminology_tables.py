"""The tables: what ships, that it is checked, and that the committed index is what they say."""

import re
from collections import Counter
from pathlib import Path

import pytest

from terminology.build import build, write
from terminology.check import failures
from terminology.errors import BadContent
from terminology.index import decode
from terminology.lookup import INDEX
from terminology.tables import HERE, read
from terminology.vocabulary import load

ROOT = HERE.parent


@pytest.mark.no_cover  # tests/uncovered.py
def test_the_committed_index_is_what_the_tables_say_byte_for_byte():
    assert build() == INDEX.read_bytes()


@pytest.mark.no_cover  # tests/uncovered.py
def test_the_tables_pass_every_check():
    assert [*failures(read())] == []


@pytest.mark.no_cover  # tests/uncovered.py
def test_the_build_writes_the_names_and_the_index(tables_in: Path):
    (tables_in / "value_sets" / "medicine_names.csv").write_text(
        "name,ingredients,is,licences,seen_as\n", encoding="utf-8"
    )

    write(tables_in)

    assert (tables_in / "index.json").read_bytes() == INDEX.read_bytes()


def test_the_tables_hold_about_fifty_six_thousand_rows():
    assert sum(1 for _ in read().coded()) == 55_622


def test_a_changed_row_changes_the_hash(few_tables_in: Path):
    _, before = decode(build(few_tables_in))
    table = few_tables_in / "value_sets" / "results.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join([lines[0], *lines[2:]]), encoding="utf-8")

    _, after = decode(build(few_tables_in))

    assert after != before


# An index that cannot be trusted


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: data.replace(b'"potassium"', b'"sodium"', 1), "does not match its hash"),
        (lambda data: data.replace(b'"format":2', b'"format":99'), "format 99"),
        (lambda data: data[: len(data) // 2], "not an index"),
        (lambda _: b"\xff\xfe", "not an index"),
        (lambda _: b"", "not an index"),
    ],
)
def test_a_damaged_index_is_refused_and_says_what_to_do(spoil, message: str):
    with pytest.raises(BadContent, match=message) as refusal:
        decode(spoil(INDEX.read_bytes()))

    assert "terminology/index.json" in str(refusal.value)
    assert "muscle-cds terminology build" in str(refusal.value)


def test_a_missing_index_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("terminology.lookup.INDEX", tmp_path / "index.json")

    with pytest.raises(BadContent, match="missing"):
        load()


# Tables that cannot be trusted


def replace(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


RESULTS = "value_sets/results.csv"
FIRST = "potassium,exact,loinc,22760-3,Potassium [Mass/volume] in Serum or Plasma"


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "message"),
    [
        (RESULTS, "concept,kind", "concept,sort", "line 1", "columns"),
        (RESULTS, FIRST, FIRST + ",surplus", "line 2", "fields"),
        (RESULTS, FIRST, FIRST.replace("22760-3", "22760-4"), "line 2", "check digit"),
        (RESULTS, FIRST, FIRST.replace("loinc", "snomed"), "line 2", "check digit"),
        (RESULTS, FIRST, FIRST.replace("loinc", "read2"), "line 2", "is not known"),
        (RESULTS, FIRST, FIRST.replace("exact", "similar"), "line 2", "kind"),
        (RESULTS, FIRST, FIRST.replace("Potassium [Mass/volume] in Serum or Plasma", ""), "line 2", "display is empty"),
        (RESULTS, FIRST, FIRST.replace("potassium", "potassium "), "line 2", "white space"),
        (RESULTS, "22760-3", "2823-3", "line 3", "twice"),
        (RESULTS, FIRST, FIRST.replace("22760-3", "44783-9"), "line 2", "excluded"),
        (RESULTS, "sct-uk-extension", "no-such-licence", "line ", "licences.toml"),
        (RESULTS, "mii-lab-ecl-component-28233", "no-such-source", "line 2", "sources.csv"),
        ("value_sets/problems.csv", "exact,snomed,55300003", "exact,snomed,95418008", "line ", "both included"),
        ("value_sets/problems.csv", "icd-10,R25.2", "icd-10,R25.2X", "line ", "icd-10"),
        ("value_sets/medicines/statin.csv", "ingredient-in-name", "somebody", "statin.csv, line 2", "assigned_by"),
        ("value_sets/units.csv", ",1,identity", ",-1,identity", "line 2", "above zero"),
        ("value_sets/units.csv", ",1,identity", ",1,magic", "line 2", "relation"),
        ("value_sets/units.csv", "mmol/l,mmol/L,1,", "mmol/l,mmol/L,2,", "line 3", "another meaning"),
        ("value_sets/medicine_names.csv", "furosemide,furosemide,", "furosemide,quinine,", "line ", "does not follow"),
        ("value_sets/medicine_names.csv", "furosemide,furosemide,", "xx,furosemide,", "medicine_names.csv", "missing"),
        ("titles.toml", "muscle-cramp ", "muscle-crampp ", "titles.toml", "muscle-cramp has no title"),
        ("titles.toml", "[orders]", 'no-such-thing = "X"\n[orders]', "titles.toml", "is no concept"),
        ("medicine_classes.toml", '"sotalol"', '"sotalolol"', "medicine_classes.toml", "sotalolol"),
        (
            "medicine_classes.toml",
            "[class.statin]",
            "[class.statins]",
            "statin.csv",
            "'statin' is not in medicine_classes.toml",
        ),
        (
            "medicine_classes.toml",
            "[group.diuretic]",
            "[group.statin]",
            "medicine_classes.toml",
            "both a class and a group",
        ),
        ("analytes.toml", '["1.0", "12.0"]', '["12.0", "1.0"]', "analytes.toml, potassium", "plausible"),
        ("analytes.toml", "[sodium]", "[natrium]", "analytes.toml, natrium", "results.csv"),
        (
            "licences.toml",
            'site_needs = "nothing beyond',
            'sites_need = "nothing beyond',
            "licences.toml",
            "site_needs",
        ),
        ("medicine_classes.toml", 'classes = ["stimulant"]\n', "", "group other-stimulant", "no list of classes"),
        ("medicine_classes.toml", '"loop-diuretic"', '"loop-diuretics"', "group diuretic", "'loop-diuretics'"),
        ("medicine_classes.toml", 'title = "Statin"', 'title = ""', "class statin", "no title"),
        (
            "medicine_classes.toml",
            "[group.diuretic]",
            '[class.sweets]\ntitle = "Sweets"\n[group.diuretic]',
            "sweets",
            "no file",
        ),
        ("titles.toml", "order-ck ", 'muscle-cramp = "X"\norder-ck ', "titles.toml", "no concept"),
        ("analytes.toml", 'title     = "Sodium"', "", "analytes.toml, sodium", "title missing"),
        ("analytes.toml", '["133", "146"]', "[133, 146]", "analytes.toml, sodium", "limits"),
        ("analytes.toml", '["133", "146"]', '["13.3", "14.6"]', "analytes.toml, sodium", "limits must lie within"),
        ("analytes.toml", '["3.5", "5.3"]', '["35", "53"]', "analytes.toml, potassium", "limits must lie within"),
        ("analytes.toml", "limits    = [", "limit = [", "analytes.toml, potassium", "there is no 'limit' of an"),
        ("analytes.toml", "places    = 1", 'places = "1"', "analytes.toml, potassium", "places must be a whole"),
        ("analytes.toml", "places    = 1", "places = true", "analytes.toml, potassium", "places must be a whole"),
        ("analytes.toml", "places    = 1", "places = -1", "analytes.toml, potassium", "places must be a whole"),
        ("analytes.toml", 'groups    = ["electrolytes"]', 'groups = "x"', "analytes.toml, potassium", "groups must be"),
        ("analytes.toml", '"mmol/L"', '"mg/dL"', "analytes.toml, potassium", "has the unit 'mg/dL'"),
        ("analytes.toml", 'title     = "Sodium"', "title = 1", "analytes.toml, sodium", "title must be text"),
        ("analytes.toml", '["133", "146"]', '["low", "146"]', "analytes.toml, sodium", "limits"),
        ("value_sets/units.csv", "tsh,mIU/L", "prolactin,mIU/L", "line ", "'prolactin' is not in analytes.toml"),
        ("value_sets/units.csv", ",1,identity", ",one,identity", "line 2", "above zero"),
        ("value_sets/medicine_names.csv", "quinine,quinine,", "quinine,chinin,", "line ", "'chinin'"),
        ("titles.toml", "[problems]", "[problems", "titles.toml", "Correct the TOML"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused_with_file_and_line(
    few_tables_in: Path, file: str, old: str, new: str, place: str, message: str
):
    replace(few_tables_in, file, old, new)

    with pytest.raises(BadContent) as refusal:
        build(few_tables_in)

    assert place in str(refusal.value)
    assert message in str(refusal.value)
    assert str(few_tables_in) not in str(refusal.value)


def test_a_missing_table_is_refused(few_tables_in: Path):
    (few_tables_in / "value_sets" / "orders.csv").unlink()

    with pytest.raises(BadContent, match=r"value_sets/orders\.csv: the file is missing"):
        build(few_tables_in)


def test_a_table_that_is_not_utf8_is_refused(few_tables_in: Path):
    (few_tables_in / "value_sets" / "orders.csv").write_bytes("Ä".encode("latin-1"))

    with pytest.raises(BadContent, match="UTF-8"):
        build(few_tables_in)


def test_a_table_as_a_spreadsheet_on_windows_saves_it_is_the_same_table(few_tables_in: Path):
    """With a byte order mark, and lines that end in CR LF."""
    before = build(few_tables_in)
    for file in ("value_sets/units.csv", "titles.toml"):
        path = few_tables_in / file
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert build(few_tables_in) == before


def test_an_empty_version_is_refused(few_tables_in: Path):
    (few_tables_in / "version.txt").write_text("\n", encoding="utf-8")

    with pytest.raises(BadContent, match=r"version\.txt"):
        build(few_tables_in)


def test_many_failures_are_told_together_and_cut_short(few_tables_in: Path):
    path = few_tables_in / RESULTS
    path.write_text(path.read_text(encoding="utf-8").replace(",exact,", ",similar,"), encoding="utf-8")

    with pytest.raises(BadContent, match="and 337 more"):
        build(few_tables_in)


def test_an_ingredient_in_two_class_files_is_refused(few_tables_in: Path):
    statins = few_tables_in / "value_sets" / "medicines" / "statin.csv"
    row = statins.read_text(encoding="utf-8").splitlines()[1]
    loop = few_tables_in / "value_sets" / "medicines" / "loop-diuretic.csv"
    loop.write_text(loop.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")

    with pytest.raises(BadContent, match="atorvastatin has rows in loop-diuretic, statin"):
        build(few_tables_in)


def test_one_name_for_two_things_is_refused(few_tables_in: Path):
    orders = few_tables_in / "value_sets" / "orders.csv"
    row = next(line for line in orders.read_text(encoding="utf-8").splitlines() if line.startswith("order-ck,"))
    orders.write_text(
        orders.read_text(encoding="utf-8") + row.replace("order-ck", "muscle-cramp") + "\n", encoding="utf-8"
    )

    with pytest.raises(BadContent, match="muscle-cramp is a concept of problems and of orders"):
        build(few_tables_in)


def test_tables_with_few_rows_are_as_sound_as_all(few_tables_in: Path):
    assert decode(build(few_tables_in))[0].version == load().version


# Licences


def test_the_row_counts_in_the_licensing_page_are_true():
    counted = Counter(row["licence"] for row in read().coded())
    page = (HERE / "LICENSING.md").read_text(encoding="utf-8")
    stated = {
        tag: int(rows.replace(",", ""))
        for tag, rows in re.findall(r"^\| `([a-z0-9-]+)` \| ([\d,]+) \|", page, re.MULTILINE)
    }

    assert stated == dict(counted)
    assert f"Together {sum(counted.values()):,} rows" in page


def test_every_notice_of_what_ships_is_in_the_notice_file():
    notice = " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())
    tables = read()

    for tag in {row["licence"] for row in tables.coded()}:
        assert tables.licences[tag]["notice"] in notice, tag


def test_neither_atc_nor_an_unverified_row_ships():
    unverified_ck, unverified_magnesium = "1000931000000105", "312475002"
    rows = [*read().coded()]

    assert not [row.place for row in rows if row["system"] == "atc"]
    assert not [row.place for row in rows if row["code"] in {unverified_ck, unverified_magnesium}]
