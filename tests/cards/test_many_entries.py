"""A card stays short however long the record is (specification 3.5, 3.6)."""

from dataclasses import replace

import pytest

from cards.advise import advise
from cards.content import Content
from cards.entries import Area, Unread
from cards.example_charts import chart_of
from tests.cards.asked import card_of, part

CRAMP = ["muscle-cramp 5 days ago"]
LOW = "potassium 3.1 mmol/L 2 days ago"


def found(content: Content, topic: str, **lines: list[str]) -> list[str]:
    card = card_of(advise(chart_of(content.vocabulary, problems=CRAMP, **lines), content), topic)
    return [line for line in part(card, "Found").splitlines() if line.startswith("- ")]


def test_forty_records_of_one_repeat_prescription_are_one_line(content: Content) -> None:
    issues = [f"indapamide since {28 * number} days ago" for number in range(1, 41)]
    potassium, indapamide = found(content, "medicines", results=[LOW], medicines=issues)

    assert "Observation/o1" in potassium
    assert indapamide.startswith("- Indapamide, since ")
    assert indapamide.endswith("(MedicationStatement/m1), and 39 more alike")


def test_a_few_records_are_told_each_with_its_id(content: Content) -> None:
    issues = [f"indapamide since {28 * number} days ago" for number in range(1, 8)]
    lines = found(content, "medicines", results=[LOW], medicines=issues)

    assert len(lines) == 8
    assert all(f"(MedicationStatement/m{number})" in line for number, line in enumerate(lines[1:], 1))


def test_entries_of_other_patients_are_named_once_however_many_they_are(content: Content) -> None:
    foreign = Unread(Area.FAMILY, "", "a record that belongs to another patient was left out", "FamilyMemberHistory")
    odd = [Unread(Area.RESULTS, "", f"odd {number}", f"Observation/{number}") for number in range(3)]
    chart = replace(chart_of(content.vocabulary, problems=CRAMP), unread=(*[foreign] * 500, *odd))
    not_known = part(card_of(advise(chart, content), "symptom-advice"), "Not known")

    assert not_known.count("belongs to another patient") == 1
    assert all(f"odd {number}" in not_known for number in range(3))
    assert "further entries" not in not_known


@pytest.mark.parametrize(
    ("differing", "last"), [(40, None), (41, "- 1 further entries."), (500, "- 460 further entries.")]
)
def test_of_more_entries_than_a_card_can_hold_the_others_are_counted(
    content: Content, differing: int, last: str | None
) -> None:
    """Final results of one time that differ are all printed (3.8 no. 12), but not without end."""
    values = [
        f"potassium {value // 1000}.{value % 1000:03} mmol/L [9-9.9] 2 days ago"
        for value in range(2600, 2600 + differing)
    ]
    lines = found(content, "biochemistry", results=values)

    assert len(lines) == 40 + (last is not None)
    assert last is None or lines[-1] == last
