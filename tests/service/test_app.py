import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import responses

from service.app import create_advisor, create_app, load_parts
from service.clients import Client
from service.commands import answer_once
from service.demo import patients
from service.errors import BadCall, BadContent, BadSettings, DataNotAvailable
from service.hooks.request import parse
from service.hooks.services import SERVICES
from service.observe import AccessLog
from service.settings import Profile, Settings
from service.start_log import warn_of_overdue_content
from tests.contract.cds_hooks import faults
from tests.service.stand_ins import body

CALL = "/cds-services/muscle-patient-view"
DEMO = Settings(profile=Profile.DEMO)
TODAY = date(2026, 6, 15)
LOW_POTASSIUM = patients()["low-potassium-on-indapamide"]


def posted(day=TODAY):
    return json.dumps(LOW_POTASSIUM.on(day)).encode()


@pytest.fixture(scope="module")
def parts():
    return load_parts(DEMO)


def test_the_production_profile_fails_closed_and_says_what_to_do():
    with pytest.raises(BadSettings, match=r"client authentication.*MUSCLE_CDS_PROFILE=demo"):
        create_app(Settings())


def test_a_call_without_data_and_without_a_server_is_a_412_that_names_the_keys(parts):
    response = create_app(DEMO, parts).test_client().post(CALL, data=body(prefetch=None))

    assert response.status_code == 412
    assert "problems, results" in response.get_json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("server", ["https://evil.example/fhir", "http://169.254.169.254/", "/fhir", "", 5])
def test_a_server_that_is_not_listed_is_never_called(parts, server):
    authorization = {"access_token": "t", "token_type": "Bearer"}
    raw = body(prefetch=None, fhirServer=server, fhirAuthorization=authorization)
    with responses.RequestsMock() as calls:
        response = create_app(DEMO, parts).test_client().post(CALL, data=raw)
        assert len(calls.calls) == 0

    assert response.status_code == 412


def test_one_evaluation_without_a_server_gives_the_cards_of_that_day():
    answer = answer_once(DEMO, posted(), TODAY)

    assert faults("response", answer) == []
    assert "biochemistry" in {card["source"]["topic"]["code"] for card in answer["cards"]}
    assert "2026-06-03" in json.dumps(answer)


def test_one_evaluation_calls_no_server_although_the_settings_list_it():
    raw = body(prefetch=None, fhirServer="https://ehr.example/fhir")
    settings = replace(DEMO, fhir_bases=("https://ehr.example/fhir",))
    with responses.RequestsMock() as calls:
        with pytest.raises(DataNotAvailable):
            answer_once(settings, raw, TODAY)
        assert len(calls.calls) == 0


def test_one_evaluation_does_not_need_the_demo_profile():
    assert answer_once(Settings(), posted(), TODAY)["cards"]


def test_one_evaluation_refuses_what_the_service_would_refuse():
    with pytest.raises(BadCall):
        answer_once(DEMO, b"[]", None)


def test_the_switches_of_a_site_reach_the_cards():
    settings = Settings(profile=Profile.DEMO, canonical_base="https://site.example/fhir", topic_codes_plain=True)
    raw = json.dumps(patients()["results-refused"].on(TODAY)).encode()
    cards = answer_once(settings, posted(), TODAY)["cards"] + answer_once(settings, raw, TODAY)["cards"]

    systems = {card["source"]["topic"]["system"] for card in cards}
    assert systems == {"https://site.example/fhir/CodeSystem/card-topic"}
    assert all("-" not in card["source"]["topic"]["code"] for card in cards)


def test_a_site_may_lower_critical_cards_to_warnings():
    request = LOW_POTASSIUM.on(TODAY)
    for entry in request["prefetch"]["results"]["entry"]:
        if entry["resource"]["code"]["text"] == "Serum potassium":
            entry["resource"]["valueQuantity"]["value"] = 2.3
    raw = json.dumps(request).encode()

    def indicators(settings):
        return {card["indicator"] for card in answer_once(settings, raw, TODAY)["cards"]}

    assert "critical" in indicators(DEMO)
    assert "critical" not in indicators(Settings(profile=Profile.DEMO, critical_as_warning=True))


def test_a_licence_nobody_knows_stops_the_start():
    with pytest.raises(BadContent):
        load_parts(Settings(without_licences=frozenset({"no-such-licence"})))


def test_every_card_names_the_rule_set_and_its_version(parts):
    for card in answer_once(DEMO, posted(), TODAY)["cards"]:
        assert card["source"]["label"] == parts.content.label
        assert parts.content.version in card["source"]["label"]


@pytest.mark.parametrize(("day", "lines"), [(date(2027, 6, 15), 0), (date(2027, 6, 16), 1)])
def test_the_start_warns_once_the_content_is_past_its_review_date(parts, day, lines):
    written = []
    log = AccessLog(written.append, lambda: datetime(2027, 6, 16, tzinfo=UTC), "warning")

    warn_of_overdue_content(DEMO, parts.content, log, day)

    assert len(written) == lines
    assert all("past its review date" in line and "2027-06-15" in line for line in written)


def test_fhir_servers_are_called_as_the_settings_say_and_each_client_has_its_own(parts):
    told = []
    client = Client("north", "https://north.example", fhir_bases=("http://127.0.0.1:9/fhir",), open_server=True)
    ours = Settings(profile=Profile.DEMO, clients=(client,))
    advisor = create_advisor(ours, parts, observe=told.append)
    raw = body(fhirServer="http://127.0.0.1:9/fhir")
    advisor.advise(replace(parse(raw, SERVICES[0]), client="north"))
    advisor.retriever.close()

    assert {one.client for one in told} == {"north"}
    assert advisor.by_client["north"].circuit_open
    assert not advisor.retriever.circuit_open


def test_a_file_of_authorities_that_holds_none_stops_the_start(parts, tmp_path):
    file = tmp_path / "authorities.pem"
    file.write_text("nothing of the kind")

    with pytest.raises(BadSettings, match="fhir_ca_file"):
        create_app(Settings(profile=Profile.DEMO, fhir_bases=("https://ehr.example/fhir",), fhir_ca_file=file), parts)
