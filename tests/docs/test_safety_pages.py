"""The threat model and the hazard log name every fault and hazard, and tests that exist."""

import csv
import re
from pathlib import Path

import pytest

from tests.contract.conformance import existing_tests
from tests.repository import ROOT, project_files, text_of

THREATS = Path("docs/threat-model.md")
HAZARDS = Path("docs/safety/hazard-log.csv")
SHARED = ROOT.parent / "shared"

FILES = [path.as_posix() for path in project_files()]
ROWS = re.findall(r"^\| ([FD]\d+) \| (.+) \|$", text_of(THREATS), flags=re.MULTILINE)
LOG = list(csv.DictReader(text_of(HAZARDS).splitlines()))
COLUMNS = ["id", "kind", "hazard", "cause", "effect", "severity", "likelihood", "control", "status", "tests"]
S1 = {name for name, rest in ROWS if "| S1 |" in rest}


def missing(names):
    """Of names of tests, those that do not exist. ``*`` stands for the words of a fault's module."""
    known = existing_tests()
    for name in names:
        if "::" in name:
            there = name in known
        else:
            pattern = re.escape(name).replace(r"\*", r"\w+")
            there = any(re.fullmatch(pattern, file) for file in FILES)
        if not there:
            yield name


def named_in(row):
    return re.findall(r"`(tests/[^`]+)`", row)


@pytest.mark.parametrize("row", [rest for _, rest in ROWS], ids=[name for name, _ in ROWS])
def test_a_threat_names_tests_and_they_exist(row):
    tests = named_in(row)

    assert tests
    assert list(missing(one for one in tests if "tests/faults/" not in one)) == []


@pytest.mark.parametrize("row", LOG, ids=[row["id"] for row in LOG])
def test_a_hazard_is_filled_in_and_its_tests_exist(row):
    assert list(row) == COLUMNS
    assert row["status"] in ("built", "partly built", "not applicable")
    assert row["hazard"]
    assert row["control"]
    assert row["tests"]
    assert list(missing(one for one in row["tests"].split() if "tests/faults/" not in one)) == []


def test_the_fault_suite_holds_a_module_for_every_row_that_is_named():
    named = {one for _, row in ROWS for one in named_in(row)} | {one for row in LOG for one in row["tests"].split()}

    assert list(missing(sorted(one for one in named if "tests/faults/" in one))) == []


def test_every_fault_has_its_row_and_names_its_own_module():
    faults = {name: rest for name, rest in ROWS if name.startswith("F")}

    assert list(faults) == [f"F{number}" for number in range(1, 29)]
    for name, rest in faults.items():
        assert f"tests/faults/test_f{int(name[1:]):02d}_*.py" in named_in(rest)


def test_every_hazard_and_every_grave_fault_stands_in_the_log_once():
    ids = [row["id"] for row in LOG]

    assert len(set(ids)) == len(ids)
    assert {one for one in ids if one.startswith("HZ")} == {f"HZ{number:02d}" for number in range(1, 31)}
    assert {one for one in ids if one.startswith("F")} == S1
    assert {row["severity"] for row in LOG if row["id"] in S1} == {"S1"}


def test_a_hazard_that_is_named_anywhere_in_the_log_exists():
    ids = {row["id"] for row in LOG}

    for row in LOG:
        assert set(re.findall(r"\bHZ\d\d\b", " ".join(row.values()))) <= ids


def test_rows_and_severities_are_those_of_the_promises():
    promises = SHARED / "design" / "reliability.md"
    specification = SHARED / "clinical" / "specification.md"
    if not (promises.is_file() and specification.is_file()):
        pytest.skip("the documents the rows come from are not beside this tree")
    stated = dict(re.findall(r"^\| (F\d+) \|.*\| (S\d) \|$", promises.read_text(encoding="utf-8"), flags=re.MULTILINE))
    hazards = re.findall(r"^\| (HZ\d\d) \|", specification.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert {name for name, severity in stated.items() if severity == "S1"} == S1
    assert stated.keys() == {name for name, _ in ROWS if name.startswith("F")}
    assert set(hazards) == {row["id"] for row in LOG if row["id"].startswith("HZ")}
