"""The 24 traps that systems of this kind fall into, and which test shows that this one does not (traps, by number).

Those without a test of their own elsewhere stand at the end.
"""

import json

import pytest

from service.app import create_advisor, create_app
from service.demo import patients
from service.watching import access_log
from tests.contract.calls import (
    AN_ORDER,
    TODAY,
    address_of,
    all_parts,
    cards_of,
    demo_settings,
    members_named,
    one_of_each_hook,
    request_of,
    service,
    topics,
)
from tests.contract.conformance import existing_tests

SHOWN_BY = {
    1: ("test_t1_a_body_without_prefetch_is_answered_and_so_is_the_next_call",),
    2: ("test_t2_two_services_on_one_patient_give_their_own_cards",),
    3: (
        "test_j4_t3_a_rule_that_raises_costs_its_card_and_the_failure_is_said_and_logged",
        "test_a_failure_is_never_answered_with_silence",
    ),
    4: (
        "test_a_prefetched_patient_who_is_someone_else_is_refused",
        "test_a_resource_of_another_patient_is_dropped_and_counted_and_nothing_of_it_is_kept",
    ),
    5: ("test_c7_an_unknown_service_is_a_404_and_another_hook_a_400",),
    6: ("test_calls_side_by_side_do_not_mix", "test_t6_calls_at_the_same_time_do_not_mix"),
    7: (
        "test_an_address_in_a_token_is_never_called",
        "test_k8_a_foreign_key_address_is_refused_and_nothing_is_fetched",
    ),
    8: (
        "test_t8_a_token_of_the_real_sandbox_opens_nothing",
        "test_t8_a_hospital_that_would_trust_the_real_sandbox_does_not_start",
        "test_the_demo_profile_refuses_to_start_in_production",
    ),
    9: ("test_no_part_of_a_request_is_ever_logged", "test_t9_no_log_line_holds_anything_of_any_synthetic_patient"),
    10: ("test_j1_j2_j5_t10_every_refusal_is_an_operation_outcome_that_gives_nothing_away",),
    11: ("test_a_request_made_from_discovery_alone_is_never_412",),
    12: (
        "test_t12_an_odd_patient_id_is_never_asked_for",
        "test_c8_an_odd_patient_id_is_refused_and_asked_of_nobody",
    ),
    13: ("test_t13_pages_are_followed_to_the_end",),
    14: ("test_f6_t14_a_server_that_is_not_listed_is_not_called", "test_f7_a_redirect_is_not_followed"),
    15: ("test_t15_every_suggestion_of_the_rules_is_in_the_answer",),
    16: (
        "test_values_are_converted_by_the_closed_table_and_rounded_half_up",
        "test_t16_calcium_in_either_unit_gives_one_verdict_and_without_a_unit_none",
    ),
    17: ("test_any_prefetch_key_may_hold_anything",),
    18: ("test_t18_what_a_clinician_dismissed_is_still_shown_to_everyone",),
    19: ("test_g7_names_from_the_record_cannot_become_markup",),
    20: ("test_t20_an_order_of_the_sandbox_fires_in_r4_and_in_dstu2",),
    21: (
        "test_t21_acceptance_and_dismissal_are_recorded",
        "test_t21_a_bare_item_is_refused_and_an_unknown_card_is_counted",
    ),
    22: ("test_t22_unknown_keys_of_a_context_are_tolerated",),
    23: (
        "test_a_token_is_for_the_address_called_and_for_feedback_also_for_its_service",
        "test_a_client_may_have_a_fixed_audience_and_no_other_client_may_use_it",
        "test_a_token_counts_once_wherever_it_is_sent",
    ),
    24: ("test_t24_with_every_server_down_the_service_starts_and_answers",),
}


def test_every_trap_has_a_test_that_exists():
    existing = {test.partition("::")[2] for test in existing_tests()}

    assert list(SHOWN_BY) == list(range(1, 25))
    assert all(SHOWN_BY.values())
    for number, tests in SHOWN_BY.items():
        assert [test for test in tests if test not in existing] == [], f"T{number}"


# --- the traps that no other test is about ----------------------------------------------------------------------------


@pytest.mark.parametrize("request_body", one_of_each_hook(), ids=lambda request: request["hook"])
def test_t1_a_body_without_prefetch_is_answered_and_so_is_the_next_call(request_body):
    client = service(demo_settings())
    without = {name: member for name, member in request_body.items() if name != "prefetch"}

    assert client.post(address_of(without), json=without).status_code in (200, 412)
    assert cards_of(client, request_body)


def test_t2_two_services_on_one_patient_give_their_own_cards():
    client = service(demo_settings())
    order = request_of(AN_ORDER)
    view = {**order, "hook": "patient-view", "context": {"userId": "Practitioner/1", "patientId": order["context"]["patientId"]}}  # fmt: skip
    ordered, viewed = topics(cards_of(client, order)), topics(cards_of(client, view))

    assert ordered == ["quinine"]
    assert viewed
    assert ordered != viewed


def words_in(value):
    """Every text of a request that could tell who it is about, or what was found."""
    if isinstance(value, dict):
        for member in value.values():
            yield from words_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from words_in(member)
    elif isinstance(value, str) and len(value) > 9:
        yield value


@pytest.mark.parametrize("name", sorted(patients()))
def test_t9_no_log_line_holds_anything_of_any_synthetic_patient(name, capsys):
    request = request_of(name)
    cards_of(service(demo_settings(), access_log("info")), request)
    said = "".join(capsys.readouterr())
    identifying = {word for word in words_in(request["prefetch"]) if not word.startswith("http")}
    identifying |= {request["context"]["patientId"], request["hookInstance"]}

    assert [json.loads(line)["event"] for line in said.splitlines()] == ["request"]
    assert [word for word in identifying if word in said] == []


@pytest.mark.parametrize("name", sorted(patients()))
def test_t15_every_suggestion_of_the_rules_is_in_the_answer(name):
    settings, given = demo_settings(), []
    advisor = create_advisor(settings, all_parts(), today=lambda: TODAY)

    def advise(call):
        given.append(advisor.advise(call))
        return given[-1]

    client = create_app(settings, all_parts(), advise=advise, log=access_log("error")).test_client()
    cards = cards_of(client, request_of(name))

    assert [[one.label for one in card.suggestions] for card in given[-1].advice.cards] == [
        [one["label"] for one in card.get("suggestions", [])] for card in cards
    ]


def newest_potassium(request):
    """The entry of the last potassium; the patient has older ones."""
    entries = request["prefetch"]["results"]["entry"]
    potassium = [entry for entry in entries if entry["resource"]["code"]["text"] == "Serum potassium"]
    return max(potassium, key=lambda entry: entry["resource"]["effectiveDateTime"])


def calcium(value, unit):
    request = request_of()
    entry = newest_potassium(request)
    entry["resource"]["code"] = {"coding": [{"system": "http://loinc.org", "code": "29265-6"}]}  # adjusted calcium
    entry["resource"]["valueQuantity"] = {"value": value} | ({"unit": unit} if unit else {})
    entry["resource"].pop("referenceRange", None)
    return cards_of(service(demo_settings()), request)


def test_t16_calcium_in_either_unit_gives_one_verdict_and_without_a_unit_none():
    american, british, bare = calcium(8.0, "mg/dL"), calcium(2.0, "mmol/L"), calcium(2.0, None)

    assert "biochemistry" in topics(american)
    assert topics(american) == topics(british)
    assert [card["summary"] for card in american] == [card["summary"] for card in british]
    assert "biochemistry" not in topics(bare)
    assert "Adjusted calcium: the value has no unit" in json.dumps(bare)


def test_t18_what_a_clinician_dismissed_is_still_shown_to_everyone():
    """The trap is a dismissal that hides a card from the next clinician, or a new value from the same one. Nothing is
    hidden here: no clinician is kept in the store, and a call is answered from what it brings alone.
    """
    client = service(demo_settings())
    request = request_of()
    card = next(card for card in cards_of(client, request) if card["source"]["topic"]["code"] == "biochemistry")
    dismissed = {
        "feedback": [{"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-06-15T09:00:00Z"}]
    }
    assert client.post(f"{address_of(request)}/feedback", json=dismissed).get_json()["recorded"] == 1

    for clinician in (request["context"]["userId"], "Practitioner/another"):
        request["context"]["userId"] = clinician
        assert card["summary"] in [one["summary"] for one in cards_of(client, request)]
    newest_potassium(request)["resource"]["valueQuantity"]["value"] = 2.4
    assert any("2.4" in one["summary"] for one in cards_of(client, request))


def as_dstu2(request):
    """The same order as the sandbox sends it with its default server: a MedicationOrder."""
    entries = request["context"]["draftOrders"]["entry"]
    for entry in entries:
        order = entry["resource"]
        kept = {name: order[name] for name in ("id", "status", "medicationCodeableConcept") if name in order}
        entry["resource"] = {"resourceType": "MedicationOrder", "patient": order["subject"], "dateWritten": "2026-06-15"} | kept  # fmt: skip
    request["context"]["selections"] = [f"MedicationOrder/{entry['resource']['id']}" for entry in entries]
    return request


@pytest.mark.parametrize("medicine", ["order-furosemide-with-low-potassium", "methylphenidate"])
@pytest.mark.parametrize("version", ["R4", "DSTU2"])
def test_t20_an_order_of_the_sandbox_fires_in_r4_and_in_dstu2(medicine, version):
    request = request_of("order-furosemide-with-low-potassium")
    del request["context"]["draftOrders"]["type"]  # the sandbox sends a Bundle without one
    (entry,) = request["context"]["draftOrders"]["entry"]
    if medicine == "methylphenidate":
        entry["resource"]["medicationCodeableConcept"] = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6901", "display": "methylphenidate"}]}  # fmt: skip
    if version == "DSTU2":
        as_dstu2(request)

    assert "medicines" in topics(cards_of(service(demo_settings()), request))


@pytest.mark.parametrize("request_body", one_of_each_hook(), ids=lambda request: request["hook"])
def test_t22_unknown_keys_of_a_context_are_tolerated(request_body):
    client = service(demo_settings())
    expected = topics(cards_of(client, request_body))
    request_body["context"] |= {"x": None, "taskId": {"a": [1]}, "": ""}

    assert topics(cards_of(client, request_body)) == expected


def test_t24_with_every_server_down_the_service_starts_and_answers():
    down = "http://127.0.0.1:1/fhir"  # nothing listens on that port
    client = service(demo_settings(fhir_bases=[down]))
    request = request_of(fhirServer=down, fhirAuthorization={"access_token": "t", "token_type": "Bearer"})
    missing = request_of(prefetch=None, fhirServer=down, fhirAuthorization=request["fhirAuthorization"])
    del request["prefetch"]["procedures"]

    assert client.get("/cds-services").status_code == 200
    assert cards_of(client, request)
    assert client.post(address_of(missing), json=missing).status_code == 412
    assert list(members_named(cards_of(client, request), "summary"))
