"""F20: one malformed entry among fifty good ones, wherever it stands: the others are used, and it is counted and named."""

import json
from typing import Any

import msgspec
import pytest

from cards.entries import Area, Reading
from service.fhir.assemble import assemble
from service.fhir.queries import queries_for
from service.fhir.retrieve import Retriever
from service.fhir.retrieved import Trouble
from tests.faults.figures import record
from tests.faults.server import Ehr, ok
from tests.faults.story import Json, ask, body, notes, result, said, says_nothing_from_absence, topics
from tests.faults.story import record as the_record
from tests.fhir_stub import bundle
from tests.service.fhir.builders import AS_OF, LONDON, vocabulary
from tests.service.test_server import Running

GOOD = 49
TOO_DEEP_FOR_ALL = 100_000
POTASSIUM = ("2823-3", 4.2, "mmol/L", (3.5, 5.3))


def without(member: str) -> Any:
    return lambda one: {name: value for name, value in one.items() if name != member}


UNREADABLE: dict[str, Any] = {
    "no status": without("status"),
    "an unknown status": lambda one: one | {"status": "perhaps"},
    "a text where a number belongs": lambda one: one | {"valueQuantity": {"value": "high", "unit": "mmol/L"}},
    "no value": without("valueQuantity"),
    "no unit": lambda one: one | {"valueQuantity": {"value": 4.2}},
    "a list where an object belongs": lambda one: one | {"valueQuantity": [7]},
}
"""A result of which it is known what was tested: it is named by its name, and only that test is in doubt."""

BROKEN: dict[str, Any] = {
    "null": lambda _one: None,
    "a text": lambda _one: "Observation",
    "a number": lambda _one: 7,
    "a list": lambda _one: [],
    "no type": without("resourceType"),
    "another Bundle": lambda _one: bundle(),
}
"""Nobody can say what it was: the part of the record is incomplete."""

UNKNOWN: dict[str, Any] = {"no code": without("code")}
"""It could be any test or none; counted among what is not understood."""

MALFORMED = UNREADABLE | BROKEN | UNKNOWN

used: list[int] = []


def spoilt(how: str, position: int) -> list[Any]:
    """Fifty potassium results, one of them spoilt."""
    made: list[Any] = [result(f"o{number}", *POTASSIUM, days_ago=10 + number) for number in range(GOOD + 1)]
    made[position] = MALFORMED[how](made[position])
    return made


def read(entries: list[Any]) -> Any:
    """The chart of the record with these results, by prefetch."""
    sent = {
        "patient": the_record()[0],
        "problems": the_record()[1],
        "results": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in entries]},
    }
    retriever = Retriever(())
    got = retriever.retrieve(
        [one for one in queries_for("muscle-patient-view", vocabulary()) if one.key in sent],
        prefetch={key: msgspec.Raw(json.dumps(value).encode()) for key, value in sent.items()},
        fhir_server=None,
        token=None,
        patient_id="p1",
        encounter_id=None,
        deadline=0.0,
    )
    retriever.close()
    return assemble(got, patient_id="p1", as_of=max(AS_OF, today()), zone=LONDON, vocabulary=vocabulary())


def today() -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415 -- the results are dated from today

    return datetime.now(UTC).date()


@pytest.mark.parametrize("how", MALFORMED)
def test_in_every_position_the_others_are_used_and_it_is_counted(how: str) -> None:
    for position in range(GOOD + 1):
        chart = read(spoilt(how, position))

        assert len(chart.results) == GOOD
        named = [one for one in chart.unread if one.area is Area.RESULTS]
        assert [one.about for one in named] == (["potassium"] if how in UNREADABLE else [""] if how in BROKEN else [])
        assert chart.unmapped.get(Area.RESULTS, 0) == (1 if how in UNKNOWN else 0)
        assert chart.inputs[Area.RESULTS].reading is (Reading.INCOMPLETE if how in BROKEN else Reading.COMPLETE)
        used.append(len(chart.results))
    record("F20", "entries used of 50, one of them spoilt: fewest", min(used))
    record("F20", "ways to spoil one, times positions", len(used))


@pytest.mark.parametrize("position", [0, 25, 49])
@pytest.mark.parametrize("how", [*UNREADABLE, *BROKEN])
def test_the_card_names_an_entry_that_was_spoilt(service: Running, ehr: Ehr, how: str, position: int) -> None:
    entries = spoilt(how, position)
    raw = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in entries]}
    ehr.put(*the_record())
    ehr.answers("Observation", ok(raw))
    after = ask(service, body(ehr)).cards

    assert "biochemistry" not in topics(after)  # 49 normal results of potassium were read
    if how in BROKEN:
        assert notes(after) == {"results": "an entry could not be read"}
        assert "data-quality" in topics(after)
        says_nothing_from_absence(after, "results")
    else:
        assert notes(after) == {}
        assert f"Observation/o{position}" in said(after)


@pytest.mark.parametrize("depth", [70, 700, TOO_DEEP_FOR_ALL])
@pytest.mark.parametrize("position", [0, 25, 49])
@pytest.mark.parametrize("member", ["note", "valueQuantity", "referenceRange", "subject"])
def test_an_entry_that_is_nested_deep_costs_no_other_or_is_named(
    service: Running, ehr: Ehr, member: str, position: int, depth: int
) -> None:
    good = [result(f"o{number}", *POTASSIUM, days_ago=10 + number) for number in range(GOOD + 1)]
    good[0] = result("o0", "2823-3", 3.1, "mmol/L", (3.5, 5.3), days_ago=5)
    texts = [json.dumps({"resource": one}) for one in good]
    odd = result("deep", "2951-2", 139, "mmol/L", (133, 146), days_ago=1) | {member: 0}
    deep = json.dumps({"resource": odd}).replace(f'"{member}": 0', f'"{member}": ' + "[" * depth + "]" * depth)
    texts.insert(position, deep)
    ehr.put(*the_record())
    ehr.answers("Observation", ok(f'{{"resourceType":"Bundle","entry":[{",".join(texts)}]}}'.encode()))
    after = ask(service, body(ehr)).cards

    if depth == TOO_DEEP_FOR_ALL:  # the answer as a whole cannot be gone through
        assert notes(after) == {"results": Trouble.NOT_FHIR.value}
        says_nothing_from_absence(after, "results")
        return
    assert "biochemistry" in topics(after)  # the low potassium was read
    assert notes(after).keys() <= {"results"}
    if notes(after):
        says_nothing_from_absence(after, "results")
    elif member == "valueQuantity":
        assert "Observation/deep" in said(after)


@pytest.mark.parametrize("kind", ["Condition", "MedicationRequest", "ServiceRequest"])
def test_it_is_the_same_for_every_part_of_the_record(service: Running, ehr: Ehr, kind: str) -> None:
    ehr.put(*the_record())
    good: list[Json] = [one for one in the_record() if one["resourceType"] == kind]
    spoil = bundle(*good)
    spoil["entry"].append({"resource": None})
    ehr.answers(kind, ok(spoil))
    after = ask(service, body(ehr)).cards

    part = {"Condition": "problems", "MedicationRequest": "medicines", "ServiceRequest": "orders"}[kind]
    assert notes(after).keys() == {part}
    says_nothing_from_absence(after, part)
    assert "biochemistry" in topics(after)
