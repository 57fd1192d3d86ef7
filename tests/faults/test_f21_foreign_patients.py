"""F21: a server that ignores what was asked for: what is another patient's, or nobody's, is never used, and named.

It changes nothing else (specification 3.8 no. 7, which goes before the table of faults: decision 0010).
"""

import json
from typing import Any

import pytest

from tests.faults.figures import record
from tests.faults.server import Ehr, FaultyServer, foreign_patient, ok
from tests.faults.story import Json, ask, body, medicine, notes, problem, result, said, topics, weight
from tests.faults.story import record as the_record
from tests.fhir_stub import bundle
from tests.service.test_server import Running

OTHER = "Patient/zz9"
NAMED = ("a record that belongs to another patient was left out", "it does not say whose it is")
REFERENCES: dict[str, Json] = {
    "relative": {"subject": {"reference": OTHER}},
    "absolute": {"subject": {"reference": f"https://ehr.example/fhir/{OTHER}"}},
    "versioned": {"subject": {"reference": f"{OTHER}/_history/3"}},
    "absolute and versioned": {"subject": {"reference": f"https://ehr.example/fhir/{OTHER}/_history/3"}},
    "contained": {"subject": {"reference": "#zz9"}, "contained": [{"resourceType": "Patient", "id": "zz9"}]},
    "contained, by our id in a link": {
        "subject": {"reference": "#zz9"},
        "contained": [{"resourceType": "Patient", "id": "zz9", "link": [{"other": {"reference": "Patient/p1"}}]}],
    },
    "urn": {"subject": {"reference": "urn:uuid:7d1f0a4e-0000-4000-8000-000000000000"}},
    "an identifier alone": {"subject": {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "1"}}},
    "a display alone": {"subject": {"display": "Somebody Else"}},
    "nobody": {},
    "null": {"subject": None},
    "two, one of them ours": {"subject": [{"reference": "Patient/p1"}, {"reference": OTHER}]},
    "a group": {"subject": {"reference": "Group/p1"}},
    "an id that begins like ours": {"subject": {"reference": "Patient/p12"}},
    "our id in another case": {"subject": {"reference": "Patient/P1"}},
    "a search": {"subject": {"reference": "Patient?identifier=p1"}},
}

PROVEN = {
    *("relative", "absolute", "versioned", "absolute and versioned", "two, one of them ours", "a group"),
    *("an id that begins like ours", "our id in another case"),
}
"""The forms that say for certain that it is somebody else's; the others say nothing for certain."""

FOREIGN = {
    "Observation": ("results", lambda: result("zz1", "2823-3", 7.1, "mmol/L", (3.5, 5.3), days_ago=1)),
    "Condition": ("problems", lambda: problem("zz2", "26544005", days_ago=3)),  # weakness
    "MedicationRequest": ("medicines", lambda: medicine("zz3", "320031002", "Somebody's statin", days_ago=3)),
}


def of(reference: str, kind: str) -> Json:
    made = {name: value for name, value in FOREIGN[kind][1]().items() if name != "subject"}
    return made | REFERENCES[reference]


@pytest.fixture(scope="module")
def whole(service: Running, fhir: FaultyServer) -> list[Json]:
    """What is said of our patient alone."""
    everything = fhir.ehr("r396")
    everything.put(*the_record())
    return ask(service, body(everything)).cards


def check(whole: list[Json], after: list[Json], reference: str) -> None:
    assert "zz" not in said(after)
    assert "7.1" not in said(after)
    assert "Somebody" not in said(after)
    assert notes(after) == {}
    assert sum(any(words in card["detail"] for words in NAMED) for card in after) >= 1
    if reference in PROVEN:
        assert advised(after) == advised(whole)
    else:  # an entry that may be hers could not be read: no card is calmer for it, and none that speaks is lost
        assert topics(after).keys() <= topics(whole).keys()
        assert all(weight(card) >= weight(topics(whole)[name]) for name, card in topics(after).items())
        assert {"biochemistry", "medicines"} <= topics(after).keys()


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("reference", REFERENCES)
def test_a_server_that_ignores_the_patient_gives_nothing_away(
    service: Running, ehr: Ehr, whole: list[Json], reference: str, kind: str
) -> None:
    ehr.put(*the_record())
    ehr.answers(kind, foreign_patient(of(reference, kind)))

    check(whole, ask(service, body(ehr)).cards, reference)
    tried.add((reference, kind))
    record("F21", "forms of another patient's entry that were sent, none of them used", len(tried))


tried: set[tuple[str, str]] = set()


@pytest.mark.parametrize("reference", REFERENCES)
def test_another_patients_result_among_what_was_prefetched_is_not_used_either(
    service: Running, ehr: Ehr, whole: list[Json], reference: str
) -> None:
    ours = [one for one in the_record() if one["resourceType"] == "Observation"]
    ehr.put(*the_record())

    sent = {"results": bundle(*ours, of(reference, "Observation"))}
    check(whole, ask(service, body(ehr, prefetch=sent)).cards, reference)
    assert ehr.asked("Observation") == []


def test_a_patient_that_is_another_one_is_not_ours(service: Running, ehr: Ehr) -> None:
    ehr.put(*the_record())
    ehr.answers("Patient", ok({"resourceType": "Patient", "id": "zz9", "birthDate": "2019-01-01", "gender": "male"}))
    after = ask(service, body(ehr)).cards

    assert topics(after).keys() == {"data-quality"}
    assert NAMED[0] in said(after)
    assert "zz9" not in said(after)
    assert "2019" not in said(after)


def test_a_server_that_ignores_code_and_date_changes_nothing(service: Running, ehr: Ehr, whole: list[Json]) -> None:
    more = [
        result("x1", "718-7", 60, "g/L", (130, 170)),  # haemoglobin: not asked for
        result("x2", "2823-3", 6.9, "mmol/L", (3.5, 5.3), days_ago=2_000),  # long ago
        result("x3", "99999-9", 1, "mmol/L", (3, 5)),
    ]
    ehr.put(*the_record())
    ehr.answers("Observation", ok(json.dumps(bundle(*the_record()[2:4], *more)).encode()))
    after = ask(service, body(ehr)).cards

    assert advised(after) == advised(whole)
    assert notes(after) == {}


def advised(cards: list[Json]) -> list[tuple[Any, ...]]:
    return [(card["source"]["topic"]["code"], card["indicator"], card["summary"]) for card in cards]
