"""The conformance page is true: every requirement is there, and what is held to show it exists."""

import re
from pathlib import Path

import pytest

from tests.contract.conformance import (
    GROUPS,
    PAGE,
    SHOWN,
    STATUSES,
    TABLE,
    existing_tests,
    numbers_in,
    page,
    requirements,
)

CHECKLIST = Path(__file__).resolve().parents[3] / "shared" / "cds-hooks" / "requirements.md"
ROWS = requirements()
SIZES = {"A": 8, "B": 16, "C": 9, "D": 9, "E": 17, "F": 10, "G": 13, "H": 17, "I": 10, "J": 5, "K": 17, "L": 4, "M": 3, "N": 3}  # fmt: skip


def test_every_item_of_the_checklist_has_a_row_in_its_order():
    assert [row.number for row in ROWS] == [
        f"{letter}{one}" for letter in GROUPS for one in range(1, SIZES[letter] + 1)
    ]
    assert len(ROWS) == 141


@pytest.mark.skipif(not CHECKLIST.is_file(), reason="the checklist itself is not at hand")
def test_numbers_levels_and_duties_are_those_of_the_checklist():
    listed = re.findall(
        r"^\| ([A-N]\d+) \| ([A-Z ]+?)( \(client\))? \|", CHECKLIST.read_text(encoding="utf-8"), re.MULTILINE
    )

    assert [(row.number, row.level, row.whose) for row in ROWS] == [
        (number, level, "client" if client else "service") for number, level, client in listed
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_row_is_complete(row):
    assert row.rule.strip()
    assert row.status in STATUSES
    assert row.whose in ("service", "client")
    assert (row.status == "survived") <= (row.whose == "client")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_every_test_that_is_named_exists(row):
    assert [test for test in row.tests if test not in existing_tests()] == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.status in SHOWN], ids=lambda row: row.number)
def test_what_is_said_to_be_met_is_shown_by_a_test(row):
    assert row.tests


@pytest.mark.parametrize("row", [row for row in ROWS if row.level in ("MUST", "MUST NOT", "SHOULD")], ids=lambda row: row.number)  # fmt: skip
def test_no_must_and_no_should_is_left_out(row):
    """What is not met yet says so, and by which part."""
    assert row.tests or row.status == "work"


def test_every_test_with_a_number_in_its_name_stands_in_the_row_of_that_number():
    rows = {row.number: row for row in ROWS}
    forgotten = [
        f"{number}: {test}"
        for test in sorted(existing_tests())
        for number in numbers_in(test)
        if test not in rows[number].tests
    ]

    assert forgotten == []


def test_the_page_is_what_the_table_says_today():
    same = PAGE.read_text(encoding="utf-8") == page(ROWS)

    assert same, f"{PAGE.name} is not what {TABLE.name} says; write it anew with: python -m tests.contract.conformance"


def test_a_test_that_does_not_exist_would_be_noticed():
    assert "tests/docs/test_conformance.py::test_that_is_not_there" not in existing_tests()
    assert "tests/docs/test_conformance.py::test_a_row_is_complete" in existing_tests()
    assert numbers_in("tests/contract/test_requirements_calls.py::test_c1_d1_t3_x") == ["C1", "D1"]
