import csv
import json
from datetime import date
from importlib.resources import files

import pytest
from fhir.resources.R4B import get_fhir_model_class

from service.commands import answer_once
from service.demo import patients, records, what_to_try
from service.fhir.queries import queries_for
from service.settings import Settings
from tests.contract.cds_hooks import empty_members, faults
from tests.service.stand_ins import StandInVocabulary, an_app

TODAY = date(2026, 6, 15)
SYSTEMS = {"http://snomed.info/sct": "snomed", "http://loinc.org": "loinc", "https://dmd.nhs.uk": "dmd"}
OCCUPATION = ("loinc", "11341-5")  # asked for by queries.py, which gives its source
ALL = pytest.mark.parametrize("patient", patients().values(), ids=lambda patient: patient.name)


def codings(value):
    if isinstance(value, dict):
        if {"system", "code"} <= value.keys():
            yield value["system"], value["code"]
        for member in value.values():
            yield from codings(member)
    elif isinstance(value, list):
        for member in value:
            yield from codings(member)


@pytest.fixture(scope="module")
def known_codes():
    tables = files("terminology") / "value_sets"
    found = {OCCUPATION}
    for table in (*tables.iterdir(), *(tables / "medicines").iterdir()):
        if table.name.endswith(".csv"):
            rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
            found |= {(row["system"], row["code"]) for row in rows if "code" in (rows.fieldnames or ())}
    return found


@ALL
def test_every_patient_is_a_conformant_request_with_all_the_data_the_service_asks_for(patient):
    request = patient.on(TODAY)

    assert faults("request", request) == []
    assert empty_members({**request, "prefetch": {}, "hook": "x"}) == ["$.prefetch"]
    wanted = {query.key for query in queries_for(patient.service, StandInVocabulary())}
    assert set(request["prefetch"]) == wanted - {"encounter"}
    assert "@-" not in json.dumps(request)


@ALL
def test_every_clinical_code_stands_in_the_tables(patient, known_codes):
    used = {(SYSTEMS[system], code) for system, code in codings(patient.request) if system in SYSTEMS}

    assert used <= known_codes


@ALL
def test_no_patient_has_a_real_name_or_number(patient):
    person = patient.request["prefetch"]["patient"]

    assert person["name"] == [{"text": "Synthetic patient"}]
    assert not {"identifier", "telecom", "address"} & person.keys()


SHOWN = {
    "cramp-in-pregnancy": {"missing-tests": "info", "symptom-advice": "info"},
    "haemolysed-potassium": {"biochemistry": "warning"},
    "known-motor-neurone-disease": {"known-neuromuscular": "info"},
    "low-potassium-on-indapamide": {"biochemistry": "warning", "medicines": "warning"},
    "nothing-to-say": {},
    "order-furosemide-with-low-potassium": {"medicines": "warning"},
    "order-quinine-with-digoxin": {"quinine": "warning"},
    "order-referral-for-isolated-twitching": {"referral-quality": "info"},
    "raised-ck-on-a-statin": {"ck": "info"},
    "results-refused": {"data-quality": "info"},
    "twitching-in-a-doctor": {"symptom-advice": "info"},
    "twitching-with-hand-weakness": {"referral-red-flag": "warning"},
    "untreated-hypothyroidism": {"thyroid": "warning"},
}
NOT_SHOWN = {
    "known-motor-neurone-disease": {"symptom-advice", "missing-tests", "referral-red-flag"},
    "results-refused": {"missing-tests"},
    "twitching-with-hand-weakness": {"symptom-advice"},
}


@ALL
def test_every_patient_shows_what_it_is_there_to_show(patient):
    answer = answer_once(Settings(), json.dumps(patient.on(TODAY)).encode(), TODAY)

    cards = {card["source"]["topic"]["code"]: card["indicator"] for card in answer["cards"]}
    assert SHOWN[patient.name].items() <= cards.items()
    assert not NOT_SHOWN.get(patient.name, set()) & cards.keys()
    assert bool(cards) is (patient.name != "nothing-to-say")


def test_dates_move_with_the_day():
    patient = patients()["low-potassium-on-indapamide"]
    potassium, *earlier = [
        entry["resource"]
        for entry in patient.on(TODAY)["prefetch"]["results"]["entry"]
        if entry["resource"]["code"]["text"] == "Serum potassium"
    ]
    assert all(one["effectiveDateTime"] < potassium["effectiveDateTime"] for one in earlier)

    assert potassium["effectiveDateTime"] == "2026-06-03"
    assert json.dumps(patient.on(date(2027, 6, 15))).count("2027-06-03") == json.dumps(patient.on(TODAY)).count(
        "2026-06-03"
    )


@ALL
def test_the_records_of_a_patient_are_all_of_the_prefetch_and_fit_any_fhir_server(patient):
    resources = patient.records(TODAY)

    assert resources[0]["resourceType"] == "Patient"
    assert resources[0]["id"] == patient.id
    assert len({(one["resourceType"], one["id"]) for one in resources}) == len(resources)
    for one in resources:
        get_fhir_model_class(one["resourceType"]).model_validate(one)
    sent = json.dumps(patient.on(TODAY)["prefetch"])
    assert sent.count('"resourceType": "') == sum(
        json.dumps(one).count('"resourceType": "') for one in resources
    ) + sent.count('"resourceType": "Bundle"') + sent.count('"resourceType": "OperationOutcome"')


def test_the_records_of_all_patients_can_be_had_at_once():
    assert records(TODAY) == {one.name: one.records(TODAY) for one in patients().values()}


def test_only_the_refused_results_are_refused():
    assert {one.name: set(one.refused()) for one in patients().values() if one.refused()} == {
        "results-refused": {"Observation"}
    }


def test_the_bare_address_leads_to_the_page():
    answer = an_app().test_client().get("/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/demo/")


def test_the_patients_are_listed_and_served_ready_to_post():
    client = an_app().test_client()
    listed = client.get("/demo/patients").get_json()["patients"]

    assert len(listed) == len(patients()) == 13
    for one in listed:
        request = client.get(one["request"])
        assert request.status_code == 200
        assert client.post(f"/cds-services/{one['service']}", data=request.data).status_code == 200
    assert {one["service"] for one in listed} == {"muscle-patient-view", "muscle-order-select"}


@pytest.mark.parametrize("name", ["nobody", "..%2f..%2fapp", "low-potassium-on-indapamide.json"])
def test_a_patient_who_is_not_there_is_a_404_in_json(name):
    response = an_app().test_client().get(f"/demo/patients/{name}")

    assert response.status_code == 404
    assert response.get_json()["resourceType"] == "OperationOutcome"


def test_what_to_try_names_every_patient_and_a_command_for_a_record_and_for_an_order():
    said = what_to_try("http://127.0.0.1:5000")

    assert said.startswith("Open http://127.0.0.1:5000/demo/ in a browser")
    assert all(name in said for name in patients())
    assert (
        "curl -s http://127.0.0.1:5000/demo/patients/low-potassium-on-indapamide | curl -s -H "
        "'Content-Type: application/json' -d @- http://127.0.0.1:5000/cds-services/muscle-patient-view" in said
    )
    assert (
        "curl -s http://127.0.0.1:5000/demo/patients/order-quinine-with-digoxin | curl -s -H "
        "'Content-Type: application/json' -d @- http://127.0.0.1:5000/cds-services/muscle-order-select" in said
    )


@pytest.mark.parametrize("name", [name for name in patients() if name.startswith("order-")])
def test_an_order_that_is_signed_shows_what_it_shows_when_it_is_selected(name):
    selected = patients()[name].on(TODAY)
    signed = selected | {"hook": "order-sign"}
    signed["context"] = {key: part for key, part in selected["context"].items() if key != "selections"}
    answers = [answer_once(Settings(), json.dumps(one).encode(), TODAY)["cards"] for one in (selected, signed)]

    summaries = [[card["summary"] for card in cards] for cards in answers]
    assert summaries[0]
    assert summaries[0] == summaries[1]
