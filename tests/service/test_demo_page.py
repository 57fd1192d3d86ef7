"""What the demo serves besides the ready requests: the page, its FHIR server, the order pad's search, the report."""

import json
import re
from datetime import date

import pytest
from fhir.resources.R4B import get_fhir_model_class

from service.app import create_app, load_parts
from service.demo import fhir_server, patients
from service.demo.orderables import all_orderables, search
from service.settings import Profile, Settings
from service.store import MemoryStore
from tests.contract.calls import all_parts, demo_settings, service
from tests.repository import ROOT
from tests.service.stand_ins import an_app
from tests.terminology.meant import meant

TODAY = date(2026, 6, 15)
STATIC = ROOT / "service" / "demo" / "static"
FILES = sorted(path.name for path in STATIC.iterdir())
LOW_POTASSIUM = patients()["low-potassium-on-indapamide"]
BASE = "http://127.0.0.1:5000/demo/fhir"
EACH_FILE = pytest.mark.parametrize("name", FILES)


@pytest.fixture(scope="module")
def client():
    return service(demo_settings())


@pytest.fixture(scope="module")
def orderables():
    return all_orderables(all_parts().content.vocabulary)


# --- the page -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/demo", "/demo/"])
def test_the_page_is_served_with_a_policy_that_lets_nothing_foreign_in(path):
    response = an_app().test_client().get(path)

    assert response.status_code == 200
    assert response.mimetype == "text/html"
    policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
    assert policy.pop("default-src") == policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) <= {"'self'", "'none'"}
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"


def test_the_page_says_what_it_is_not():
    said = an_app().test_client().get("/demo/").text

    for words in ("Synthetic patients", "not for clinical use", "No card does not mean that nothing is wrong"):
        assert words in said


@EACH_FILE
def test_every_part_of_the_page_is_served_with_the_same_policy(name):
    client = an_app().test_client()
    response = client.get(f"/demo/static/{name}")

    kinds = {
        "html": {"text/html"},
        "css": {"text/css"},
        "js": {"text/javascript", "application/javascript"},
        "svg": {"image/svg+xml"},
    }
    assert response.status_code == 200
    assert response.mimetype in kinds[name.rpartition(".")[2]]
    assert response.headers["Content-Security-Policy"] == client.get("/demo/").headers["Content-Security-Policy"]


@EACH_FILE
def test_no_part_of_the_page_names_another_host_or_writes_markup(name):
    text = (STATIC / name).read_text(encoding="utf-8")

    addresses = set(re.findall(r"https?://[\w.-]+", text)) - {
        "http://www.w3.org"
    }  # the name of a language, not fetched
    assert addresses == set()
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|javascript:", text
    )
    if name.endswith(".html"):
        assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text) == []


@EACH_FILE
def test_every_module_of_the_page_is_used_and_every_one_it_imports_is_there(name):
    text = (STATIC / name).read_text(encoding="utf-8")

    assert set(re.findall(r'from "\./([\w.]+)"', text)) <= set(FILES)
    if name != "index.html":
        others = "".join((STATIC / other).read_text(encoding="utf-8") for other in FILES if other != name)
        assert f"/{name}" in others


def test_the_picture_on_the_readme_is_one_and_small():
    picture = (ROOT / "docs" / "images" / "demo.png").read_bytes()

    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(picture[16:20]) == 1280
    assert len(picture) < 200_000


def test_the_page_about_the_demo_names_every_patient_by_the_title_on_the_page():
    named = re.findall(r"^\| ([^|`]+) \| [^|]+ \|$", (ROOT / "docs" / "demo.md").read_text(), flags=re.MULTILINE)

    assert [name for name in named if name not in ("Patient", "Address")] == [one.title for one in patients().values()]


@pytest.mark.parametrize("path", ["/demo/", "/demo/static/page.js", "/demo/about", "/demo/patients", "/demo/orderables", "/demo/feedback", "/demo/fhir/metadata", "/demo/fhir/Patient"])  # fmt: skip
def test_none_of_it_is_there_in_production(path):
    settings = Settings(profile=Profile.PRODUCTION, authentication=False, accept_risk=frozenset({"no-authentication"}))
    app = create_app(settings, all_parts(), store=MemoryStore())

    assert app.test_client().get(path).status_code == 404


@pytest.mark.parametrize("path", ["/demo/static/../routes.py", "/demo/static/..%2froutes.py", "/demo/static/", "/demo/static/none.js"])  # fmt: skip
def test_nothing_but_the_parts_of_the_page_is_served_from_the_disk(path):
    response = an_app().test_client().get(path)

    assert response.status_code == 404
    assert response.get_json()["resourceType"] == "OperationOutcome"


# --- the FHIR server ------------------------------------------------------------------------------------------------


def test_the_page_is_told_the_address_of_the_fhir_server_as_the_service_may_call_it():
    about = an_app(settings=demo_settings(port=5123)).test_client().get("/demo/about").get_json()

    assert about["fhirServer"] == "http://127.0.0.1:5123/demo/fhir"
    assert date.fromisoformat(about["today"])
    six = an_app(settings=demo_settings(host="::1")).test_client().get("/demo/about").get_json()
    assert six["fhirServer"] == "http://[::1]:5000/demo/fhir"


def test_the_capability_statement_says_fhir_r4_and_what_is_there(client):
    response = client.get("/demo/fhir/metadata")

    assert response.mimetype == "application/fhir+json"
    statement = response.get_json()
    get_fhir_model_class("CapabilityStatement").model_validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    assert {"Patient", "Condition", "Observation"} <= {one["type"] for one in statement["rest"][0]["resource"]}


def test_a_resource_can_be_read_by_its_id(client):
    response = client.get(f"/demo/fhir/Patient/{LOW_POTASSIUM.id}")

    assert response.mimetype == "application/fhir+json"
    assert response.get_json()["id"] == LOW_POTASSIUM.id
    assert client.get("/demo/fhir/Patient/nobody").status_code == 404
    assert client.get(f"/demo/fhir/Observation/{LOW_POTASSIUM.id}").status_code == 404


def found(kind, **asked):
    status, bundle = fhir_server.search(kind, asked, BASE, TODAY)
    assert status == 200
    get_fhir_model_class("Bundle").model_validate(bundle)
    return bundle


def ids(bundle):
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


@pytest.mark.parametrize("whom", [{"patient": LOW_POTASSIUM.id}, {"patient": f"Patient/{LOW_POTASSIUM.id}"}, {"subject": LOW_POTASSIUM.id}])  # fmt: skip
def test_a_search_gives_one_patients_resources_newest_first(whom):
    bundle = found("Observation", **whom)

    dates = [entry["resource"]["effectiveDateTime"] for entry in bundle["entry"]]
    assert dates == sorted(dates, reverse=True)
    assert (
        len(dates)
        == bundle["total"]
        == sum(one["resourceType"] == "Observation" for one in LOW_POTASSIUM.records(TODAY))
    )


def test_a_search_by_code_takes_codes_with_and_without_their_system():
    plain = found("Observation", patient=LOW_POTASSIUM.id, code="2823-3")

    assert {entry["resource"]["code"]["text"] for entry in plain["entry"]} == {"Serum potassium"}
    assert ids(found("Observation", patient=LOW_POTASSIUM.id, code="http://loinc.org|2823-3,9-9")) == ids(plain)
    assert found("Observation", patient=LOW_POTASSIUM.id, code="9-9") == {
        "resourceType": "Bundle", "type": "searchset", "total": 0,
        "link": [{"relation": "self", "url": f"{BASE}/Observation?patient={LOW_POTASSIUM.id}&code=9-9"}],
    }  # fmt: skip


def test_a_search_by_id_and_one_for_somebody_unknown():
    assert ids(found("Patient", _id=f"{LOW_POTASSIUM.id},nobody")) == [LOW_POTASSIUM.id]
    assert ids(found("Patient")) != []
    assert ids(found("Condition", patient="nobody")) == []


def test_pages_hold_what_count_says_and_lead_to_all_of_it(client):
    seen, url = [], f"/demo/fhir/Observation?patient={LOW_POTASSIUM.id}&_count=4&_sort=-date"
    while url:
        bundle = client.get(url).get_json()
        assert len(bundle["entry"]) <= 4
        seen += ids(bundle)
        url = next(
            (
                link["url"].removeprefix("http://127.0.0.1:5000")
                for link in bundle["link"]
                if link["relation"] == "next"
            ),
            None,
        )

    assert seen == ids(client.get(f"/demo/fhir/Observation?patient={LOW_POTASSIUM.id}").get_json())
    assert len(seen) == len(set(seen)) == 11


def test_the_self_link_names_what_was_applied_and_nothing_else():
    asked = {"patient": LOW_POTASSIUM.id, "_sort": "-date", "status": "final"}
    (link,) = found("Observation", **asked)["link"]

    assert link["url"] == f"{BASE}/Observation?patient={LOW_POTASSIUM.id}"


@pytest.mark.parametrize("count", ["x", "-1", "", "99999999", "٣"])
def test_a_count_that_is_none_is_taken_as_the_default(count):
    assert len(ids(found("Observation", patient=LOW_POTASSIUM.id, _count=count))) == 11


def test_what_a_record_system_refuses_is_refused_with_its_own_words(client):
    patient = patients()["results-refused"]
    response = client.get(f"/demo/fhir/Observation?patient={patient.id}")

    assert response.status_code == 403
    assert response.get_json() == patient.refused()["Observation"]
    assert client.get(f"/demo/fhir/Condition?patient={patient.id}").status_code == 200


def test_the_fhir_server_is_read_only(client):
    for method in ("post", "put", "delete", "patch"):
        assert getattr(client, method)(f"/demo/fhir/Patient/{LOW_POTASSIUM.id}").status_code == 405


# --- the order pad --------------------------------------------------------------------------------------------------


def test_an_orderable_medicine_is_one_the_vocabulary_knows_by_its_code(orderables):
    vocabulary = all_parts().content.vocabulary
    medicines = [one for one in orderables if one.kind == "medicine"]

    assert len(medicines) > 1000
    assert all(meant(vocabulary, one.codings).medicine is not None for one in medicines)
    assert len({one.name for one in orderables}) == len(orderables)


def test_tests_and_referrals_are_the_ones_the_cards_propose(orderables):
    vocabulary = all_parts().content.vocabulary
    orders = {one.name: one for one in orderables if one.kind != "medicine"}

    assert orders["Creatine kinase (CK)"].codings == vocabulary.codings_for("order-ck")
    assert {one.kind for one in orders.values()} == {"test", "referral"}
    assert all(meant(vocabulary, one.codings).orders for one in orders.values())


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("quinine sulfate", "Quinine sulfate 200mg tablets"),
        ("FURO 40", "Furosemide 40mg tablets"),
        ("ck", "Creatine kinase (CK)"),
        ("u&e", "Urea and electrolytes (U&E)"),
        ("neurology", "Private referral to neurology"),
        ("indapamide 2.5", "Indapamide 2.5mg tablets"),
    ],
)
def test_the_search_finds_what_a_prescriber_types(orderables, text, first):
    assert search(orderables, text)[0].name == first


@pytest.mark.parametrize("text", ["", "   ", "zzzz", "[a-z]", "\\"])
def test_what_is_not_there_is_not_found(orderables, text):
    assert search(orderables, text) == ()


def test_the_search_is_bounded(orderables):
    assert len(search(orderables, "tablets")) == 12


def test_what_is_left_out_of_the_vocabulary_cannot_be_ordered(orderables):
    without = load_parts(demo_settings(without_licences=["dmd-ogl3"])).content.vocabulary

    left = all_orderables(without)
    assert {one.name for one in left} < {one.name for one in orderables}
    assert all(meant(without, one.codings).medicine for one in left if one.kind == "medicine")


def test_the_page_is_given_what_a_draft_needs(client):
    (found_one, *_) = client.get("/demo/orderables?q=quinine+sulfate").get_json()["orderables"]

    assert found_one == {
        "kind": "medicine",
        "name": "Quinine sulfate 200mg tablets",
        "code": {
            "coding": [
                {"system": "https://dmd.nhs.uk", "code": "324919005", "display": "Quinine sulfate 200mg tablets"}
            ],
            "text": "Quinine sulfate 200mg tablets",
        },
    }
    assert client.get("/demo/orderables").get_json() == {"orderables": []}
    assert client.get(f"/demo/orderables?q={'x' * 5000}").get_json() == {"orderables": []}


# --- what became of the cards ---------------------------------------------------------------------------------------


def test_the_report_shows_what_was_shown_and_what_became_of_it():
    client = service(demo_settings())
    assert client.get("/demo/feedback").get_json() == {"lines": []}
    request = client.get(f"/demo/patients/{LOW_POTASSIUM.name}").data
    cards = client.post("/cds-services/muscle-patient-view", data=request).get_json()["cards"]
    item = {"card": cards[0]["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-06-15T09:00:00Z"}
    client.post("/cds-services/muscle-patient-view/feedback", data=json.dumps({"feedback": [item]}))

    lines = {line["topic"]: line for line in client.get("/demo/feedback").get_json()["lines"]}
    assert lines[cards[0]["source"]["topic"]["code"]]["overridden"] == 1
    assert {topic: line["shown"] for topic, line in lines.items()} == {
        card["source"]["topic"]["code"]: 1 for card in cards
    }
