"""Codes that are numbers answer as a table of texts would, in a tenth of the memory."""

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from terminology import numbers
from terminology.index import Numbers
from terminology.numbers import MOST_DIGITS, Numbered, is_number, packed

FIRST, SECOND, NOTHING = frozenset({"quinine"}), frozenset({"furosemide", "amiloride"}), frozenset()
MEANINGS = (FIRST, SECOND, NOTHING)
CODES = st.integers(1, 10**MOST_DIGITS - 1).map(str)
TABLES = st.dictionaries(CODES, st.integers(0, 2), max_size=50)


def a_table(groups):
    return Numbered(packed(groups.items()), MEANINGS)


@given(TABLES, CODES | st.text(max_size=25))
@example({"9999999999999999999": 0, "1": 1}, "9999999999999999999")
def test_a_code_means_what_its_group_means_and_any_other_nothing(groups, other):
    table = a_table(groups)

    assert {code: table.get(code) for code in groups} == {code: MEANINGS[group] for code, group in groups.items()}
    assert table.get(other) == (MEANINGS[groups[other]] if other in groups else NOTHING)


@pytest.mark.parametrize(
    "spelled",
    ["042", " 42", "42 ", "+42", "-42", "4_2", "42.0", "\uff14\uff12", "\u0664\u0662", "", "0", "0" * 30, "4" * 5_000],
)
def test_a_number_that_is_spelled_otherwise_is_another_code(spelled):
    assert a_table({"42": 0}).get(spelled) == NOTHING
    assert not is_number(spelled)


def test_what_means_nothing_gives_the_default():
    table = a_table({"42": 0, "43": 2})

    assert table.get("42", SECOND) == FIRST
    assert table.get("43", SECOND) == table.get("44", SECOND) == SECOND


def test_a_site_adds_changes_and_takes_away():
    table = a_table({"42": 0, "43": 1})
    table["7"] = SECOND
    table["x"] = FIRST
    table["43"] = FIRST
    del table["42"]
    table.update({"8": FIRST, "9": FIRST})

    found = {code: table.get(code) for code in ("7", "8", "9", "42", "43", "x")}
    assert found == {"7": SECOND, "8": FIRST, "9": FIRST, "42": NOTHING, "43": FIRST, "x": FIRST}


def test_the_index_is_the_same_on_every_machine(monkeypatch):
    """On one that keeps the highest byte first, the bytes are turned on the way in and on the way out."""
    other = "big" if sys.byteorder == "little" else "little"
    here = packed([("258", 1)])
    assert here == Numbers(bytes((2, 1, 0, 0, 0, 0, 0, 0)), bytes((1, 0)))

    monkeypatch.setattr(numbers.sys, "byteorder", other)
    assert packed([("258", 1)]) == Numbers(bytes((0, 0, 0, 0, 0, 0, 1, 2)), bytes((0, 1)))
    assert Numbered(packed([("258", 1)]), MEANINGS).get("258") == SECOND
