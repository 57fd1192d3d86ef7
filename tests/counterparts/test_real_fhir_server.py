"""The real server command against a FHIR server nobody here wrote: what it fetches itself and what it is sent by
prefetch give the same answer, byte for byte but for what is random in it.

The FHIR server is sekmet-fhir, open and behind bearer tokens, there with absolute references; or any other:

    pytest tests/counterparts/test_real_fhir_server.py --fhir-base http://127.0.0.1:8080/fhir [--fhir-token TOKEN]

What sekmet-fhir 0.1.1 does otherwise than FHIR says has a test of its own at the end.
"""

import json
import re
import time
import uuid
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests

from service.demo import patients
from service.fhir.queries import queries_for
from service.hooks.services import SERVICES
from terminology.vocabulary import load
from tests.counterparts import sekmet
from tests.counterparts.records import (
    SAMPLES,
    demo_records,
    family_history,
    on_a_referred_medicine,
    sample_files,
    sample_records,
    with_many_results,
)
from tests.counterparts.tally import count_of
from tests.service.test_server import server

TODAY = datetime.now(ZoneInfo("Europe/London")).date()
QUERIES = {one.hook: queries_for(one.id, load()) for one in SERVICES}
IDS = {one.hook: one.id for one in SERVICES}
TOKEN = "a-token-of-the-record-system"
UUID = re.compile(rb'"uuid":"[0-9a-f-]{36}"')
DEMO = {record.name: record for record in demo_records(TODAY)}
MANY = 620  # more than two pages of 250


# --- the two servers --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["open", "bearer tokens, absolute references"])
def fhir(request, tmp_path_factory):
    """The FHIR server: one that was named, or one that is started."""
    base = request.config.getoption("--fhir-base", default=None)
    if base:
        if request.param != "open":
            pytest.skip("the FHIR server that was named is as it is")
        token = request.config.getoption("--fhir-token", default=None)
        yield sekmet.Sekmet(base.removesuffix("/"), token, log=None)
        return
    bearer = request.param != "open"
    with sekmet.running(
        tmp_path_factory.mktemp("sekmet"), token=TOKEN if bearer else None, absolute_references=bearer
    ) as started:
        yield started


@pytest.fixture(scope="module")
def service(fhir):
    """The real server command. It logs errors only: nobody reads its pipe while it runs."""
    with server("serve", MUSCLE_CDS_LOG_LEVEL="error", **settings(fhir)) as started:
        yield started


def settings(fhir):
    """With time enough for a FHIR server written for tests."""
    return {"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_FHIR_BASES": fhir.base, "MUSCLE_CDS_DEADLINE_MS": "30000"}


@pytest.fixture(scope="module")
def tally(request, fhir):
    """What is counted of this FHIR server, printed at the end of the run."""
    which = "sekmet-fhir" if fhir.log else urlsplit(fhir.base).netloc
    return count_of(request.config, f"{which}, {'bearer tokens' if fhir.token else 'open'}")


def headers(fhir):
    access = {"Authorization": f"Bearer {fhir.token}"} if fhir.token else {}
    return {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"} | access


def put(fhir, record, tally):
    """Write a record in one transaction. Another server than ours may refuse records that are no valid R4."""
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in record.resources
    ]
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = requests.post(fhir.base, json=body, headers=headers(fhir), timeout=100)
    if fhir.log is None and answer.status_code >= 400:
        pytest.skip(f"the server refused the record: {answer.status_code} {answer.text[:300]}")
    assert answer.status_code == 200, answer.text[:1000]
    assert {one["response"]["status"][:3] for one in answer.json()["entry"]} <= {"200", "201"}
    tally["records loaded"] += 1
    tally["resources loaded"] += len(record.resources)


# --- one hook, by either road -----------------------------------------------------------------------------------------


def order_of(record, hook):
    """Drafts for an order hook: the record's own where it is an ordering patient, else quinine."""
    name = record.demo if (record.demo or "").startswith("order-") else "order-quinine-with-digoxin"
    text = json.dumps(patients()[name].on(TODAY)["context"])
    context = json.loads(text.replace(f"demo-{name}", record.patient))
    if hook == "order-sign":
        del context["selections"]
    return context


def context_of(record, hook):
    return {"userId": "Practitioner/gp-1", "patientId": record.patient} if hook == "patient-view" else order_of(record, hook)  # fmt: skip


def ask(service, hook, context, **more):
    body = {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context} | more
    status, _, raw = service.ask("POST", f"/cds-services/{IDS[hook]}", json.dumps(body).encode())
    return status, UUID.sub(b'"uuid":"-"', raw)


def access(fhir, token=None):
    token = token or fhir.token
    given = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "muscle-cds"}  # fmt: skip
    return {"fhirServer": fhir.base} | ({"fhirAuthorization": given} if token else {})


def cards(raw):
    return {card["source"]["topic"]["code"]: card for card in json.loads(raw)["cards"]}


class Watch:
    """The lines that the FHIR server writes while something happens. No lines are seen of a server that was named."""

    def __init__(self, fhir):
        self.fhir = fhir

    def __enter__(self):
        self.after = max((line.number for line in self.fhir.lines()), default=0) if self.fhir.log else 0
        return self

    def __exit__(self, *_):
        self.seen = []

    def expect(self, *paths):
        """Wait for lines of these paths: a line may be written after its answer was read."""
        until = time.monotonic() + 10
        while self.fhir.log and time.monotonic() < until:
            self.seen = [line for line in self.fhir.lines(self.after) if line.caller == "muscle-cds"]
            if {plain(line.url) for line in self.seen} >= {plain(path) for path in paths}:
                break
            time.sleep(0.05)
        return self.seen


def plain(url):
    """A search as what it asks for, however it is spelled: the path behind the base, and the parameters."""
    parts = urlsplit(url)
    return parts.path.removeprefix("/fhir/").strip("/"), frozenset(parse_qsl(parts.query))


def is_following(line):
    """A further page, or Medications that a medicine refers to and the search did not bring."""
    return "_offset" in line.url or line.url.startswith("/fhir/Medication?")


def both_roads_are_one(fhir, service, record, hook, tally, **context):
    """Fire a hook without prefetch and with it; the answers are the same, and the FHIR server was asked each query."""
    asked = context_of(record, hook) | context
    with Watch(fhir) as watch:
        status, fetched = ask(service, hook, asked, **access(fhir))
    assert status == 200, fetched

    wanted = [
        path for query in QUERIES[hook]
        if (path := query.path(patient_id=record.patient, encounter_id=context.get("encounterId")))
    ]  # fmt: skip
    lines = watch.expect(*wanted)
    if fhir.log:
        first = sorted(str(plain(line.url)) for line in lines if not is_following(line))
        assert first == sorted(str(plain(path)) for path in wanted)
        assert {line.method for line in lines} == {"GET"}
        assert {line.scheme for line in lines} == {"Bearer" if fhir.token else ""}
        tally["searches in the log of the server"] += len(lines)

    status, sent = ask(service, hook, asked, prefetch=record.prefetch(QUERIES[hook]))
    assert status == 200, sent
    tally["hooks fired without prefetch"] += 1
    tally["answers with cards"] += bool(json.loads(fetched)["cards"])
    assert fetched == sent
    tally["answers equal by both roads"] += 1
    return cards(fetched), lines


HOOKS = pytest.mark.parametrize("hook", ["patient-view", "order-select", "order-sign"])


@pytest.mark.parametrize("name", DEMO)
def test_our_patients_get_the_same_cards_by_fetch_and_by_prefetch(fhir, service, tally, name):
    record = DEMO[name]
    put(fhir, record, tally)

    given = {hook: both_roads_are_one(fhir, service, record, hook, tally)[0] for hook in IDS}

    demo = patients()[name].on(TODAY)
    if name != "results-refused":  # a record cannot refuse
        _, shown = ask(service, demo["hook"], demo["context"], prefetch=demo["prefetch"])
        assert cards(shown) == given[demo["hook"]]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the FHIR samples are not at hand")
@pytest.mark.parametrize("name", sample_files())
def test_records_of_other_makers_get_the_same_cards_by_fetch_and_by_prefetch(fhir, service, tally, name):
    for record in sample_records(name, TODAY):
        put(fhir, record, tally)
        for hook in IDS:
            both_roads_are_one(fhir, service, record, hook, tally)


@HOOKS
def test_every_query_is_sent_the_encounters_too_where_there_is_one(fhir, service, tally, hook):
    plain_record = DEMO["low-potassium-on-indapamide"]
    encounter = {
        "resourceType": "Encounter", "id": "encounter-1", "status": "in-progress", "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{plain_record.patient}"},
    }  # fmt: skip
    record = replace(plain_record, resources=(*plain_record.resources, encounter))
    put(fhir, record, tally)
    asked = context_of(record, hook) | {"encounterId": "encounter-1"}

    with Watch(fhir) as watch:
        status, fetched = ask(service, hook, asked, **access(fhir))
    wanted = [query.path(patient_id=record.patient, encounter_id="encounter-1") for query in QUERIES[hook]]
    sent = ask(service, hook, asked, prefetch=record.prefetch(QUERIES[hook]) | {"encounter": encounter})

    assert (status, fetched) == sent
    if fhir.log:
        asked_for = {plain(line.url): line.status for line in watch.expect(*wanted)}
        assert asked_for == {plain(path): 200 for path in wanted}


def test_results_of_several_pages_are_all_read(fhir, service, tally):
    record = with_many_results(TODAY, MANY)
    put(fhir, record, tally)

    given, lines = both_roads_are_one(fhir, service, record, "patient-view", tally)

    assert "calcium" in given["biochemistry"]["summary"].lower()  # the oldest: it stands on the last page
    if fhir.log:
        assert len([line for line in lines if "/Observation?" in line.url]) == 3


@HOOKS
def test_a_medicine_named_in_another_resource_is_read(fhir, service, tally, hook):
    record = on_a_referred_medicine(TODAY)
    put(fhir, record, tally)

    given, _ = both_roads_are_one(fhir, service, record, hook, tally)

    assert "indapamide" in json.dumps(given).lower()


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_the_server_refuses_is_said_and_never_read_as_nothing_there(fhir, service, tally):
    if not fhir.token:
        pytest.skip("the server asks for no token")
    record = DEMO["order-quinine-with-digoxin"]
    put(fhir, record, tally)

    status, raw = ask(service, "patient-view", context_of(record, "patient-view"), **access(fhir, "another-token"))
    assert (status, json.loads(raw)["resourceType"]) == (412, "OperationOutcome")

    status, raw = ask(service, "order-sign", context_of(record, "order-sign"), **access(fhir, "another-token"))
    assert status == 200
    assert "did not permit it" in json.dumps(cards(raw))
    assert "another-token" not in raw.decode()


def test_of_a_patient_who_is_not_there_nothing_is_claimed(fhir, service):
    context = {"userId": "Practitioner/gp-1", "patientId": "nobody-at-all"}
    status, raw = ask(service, "patient-view", context, **access(fhir))

    assert (status, cards(raw)) == (200, {})


# --- where sekmet-fhir 0.1.1 differs from FHIR R4 ---------------------------------------------------------------------
# It has no search parameters for FamilyMemberHistory: it ignores ``patient``, answers with those of all patients, and
# says so in a warning beside them.

MND = "37340000"
MOTHER = "twitching-in-a-doctor"


def put_and_delete(fhir, resources, method):
    entries = [{"request": {"method": method, "url": f"{one['resourceType']}/{one['id']}"}} for one in resources]
    if method == "PUT":
        entries = [entry | {"resource": one} for entry, one in zip(entries, resources, strict=True)]
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert requests.post(fhir.base, json=body, headers=headers(fhir), timeout=100).status_code == 200


OF_OTHERS = "- Not used: Family history: a record that belongs to another patient was left out (FamilyMemberHistory)."


@pytest.mark.parametrize(
    ("others", "reading", "said"),
    [
        (3, "complete", [OF_OTHERS]),
        (
            520,
            "incomplete",
            ["- Not checked or not complete: family history (only part of it could be had).", OF_OTHERS],
        ),
    ],
)
def test_family_history_of_others_is_never_used_and_a_part_is_never_taken_for_all(fhir, tally, others, reading, said):
    """The patient's own is used wherever it stands among the others', and that there were others is said (R12). What is more than five pages is not read
    to its end, and the card then says so: that there is no more is not claimed (R9).
    """
    if fhir.log is None:
        pytest.skip("another server searches family history as FHIR says")
    record = DEMO[MOTHER]
    put(fhir, record, tally)
    context = context_of(record, "patient-view")
    foreign = [family_history("somebody-else", number, "73297009") for number in range(others)]
    own = family_history(record.patient, 1, MND)
    whole = replace(record, resources=(*record.resources, own)).prefetch(QUERIES["patient-view"])
    put_and_delete(fhir, [own, *foreign], "PUT")
    try:
        answer = requests.get(f"{fhir.base}/FamilyMemberHistory?patient=nobody", headers=headers(fhir), timeout=10)
        assert answer.json()["total"] == others + 1
        assert "Unknown search parameter 'patient'" in answer.json()["entry"][-1]["resource"]["issue"][0]["diagnostics"]
        with server("serve", **settings(fhir)) as logging:
            fetched = ask(logging, "patient-view", context, **access(fhir))
            sent = ask(logging, "patient-view", context, prefetch=whole)
            _, log, _ = logging.stop()
    finally:
        put_and_delete(fhir, [own, *foreign], "DELETE")

    one, other = (cards(raw)["symptom-advice"]["detail"].splitlines() for _, raw in (fetched, sent))
    told = [line for line in one if line.startswith("- Family history: ")]
    assert told == [f"- Family history: Motor neurone disease (FamilyMemberHistory/{own['id']})"]
    assert [line for line in one if line not in other] == said
    assert [line for line in other if line not in one] == []
    states = [line["inputs"]["family history"] for line in map(json.loads, log.splitlines()) if "inputs" in line]
    assert states == [reading, "complete"]
