"""The tables as FHIR ValueSets."""

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.valueset import ValueSet

from terminology.export import value_sets, write
from terminology.tables import read

ALL = {value_set["id"]: value_set for value_set in value_sets()}


def codes(value_set: dict[str, Any], system: str) -> set[str]:
    return {
        concept["code"]
        for include in value_set["compose"]["include"]
        if include["system"] == system
        for concept in include["concept"]
    }


def test_every_value_set_is_valid_fhir():
    for value_set in ALL.values():
        ValueSet.model_validate(value_set)


def test_there_is_one_for_each_concept_and_each_medicine_class():
    tables = read()
    expected = {f"result-{row['concept']}" for row in tables.results}
    expected |= {f"problem-{row['concept']}" for row in tables.problems if row["kind"] != "exclude"}
    expected |= {f"order-{row['concept']}" for row in tables.orders}
    expected |= {f"medicine-{name}" for name in tables.classes["class"]}

    assert set(ALL) == expected


def test_a_value_set_lists_its_codes_by_system_and_no_excluded_one():
    cramp = ALL["problem-muscle-cramp"]

    assert "55300003" in codes(cramp, "http://snomed.info/sct")
    assert "95418008" not in codes(cramp, "http://snomed.info/sct")
    assert "R25.2" in codes(cramp, "http://hl7.org/fhir/sid/icd-10-cm")
    assert cramp["title"] == "Muscle cramp"


def test_a_class_holds_the_ingredients_it_borrows_from_other_files():
    sotalol = {row["code"] for row in read().medicines if row["concept"] == "sotalol" and row["system"] == "rxnorm"}

    assert sotalol <= codes(ALL["medicine-beta-blocker"], "http://www.nlm.nih.gov/research/umls/rxnorm")


def test_each_code_stands_once_in_its_system():
    for value_set in ALL.values():
        systems = [include["system"] for include in value_set["compose"]["include"]]
        assert len(systems) == len(set(systems))
        for include in value_set["compose"]["include"]:
            listed = [concept["code"] for concept in include["concept"]]
            assert len(listed) == len(set(listed)), value_set["id"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("result-ck-total", "LOINC"),
        ("problem-muscle-cramp", "SNOMED CT"),
        ("medicine-loop-diuretic", "Open Government Licence"),
        ("medicine-loop-diuretic", "National Library of Medicine"),
    ],
)
def test_a_value_set_carries_the_notices_of_its_licences(name: str, words: str):
    assert words in ALL[name]["copyright"]


def test_rows_of_a_licence_the_site_does_not_hold_are_left_out():
    without = {value_set["id"]: value_set for value_set in value_sets(without_licences=frozenset({"loinc"}))}

    assert codes(without["result-potassium"], "http://loinc.org") == set()
    assert "LOINC" not in without["result-potassium"]["copyright"]
    assert "order-bmp" not in " ".join(without)


def test_the_files_are_named_after_the_value_sets_and_use_the_given_address(tmp_path: Path):
    written = write(tmp_path / "out", canonical_base="https://fhir.hospital.example")

    assert len(written) == len(ALL)
    potassium = json.loads((tmp_path / "out" / "ValueSet-result-potassium.json").read_text(encoding="utf-8"))
    assert potassium["url"] == "https://fhir.hospital.example/ValueSet/result-potassium"


@pytest.mark.no_cover  # tests/uncovered.py
def test_writing_twice_gives_the_same_bytes(tmp_path: Path):
    first = {path.name: path.read_bytes() for path in write(tmp_path / "one")}
    second = {path.name: path.read_bytes() for path in write(tmp_path / "two")}

    assert first == second
