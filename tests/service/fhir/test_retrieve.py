"""What was sent is not asked for again, what is missing is fetched, and nobody else is ever called."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.entries import Area
from service.fhir.bounds import FhirBase
from service.fhir.queries import Query
from service.fhir.retrieve import Retriever
from service.fhir.retrieved import Failed, Nothing, Resources, Trouble
from tests.fhir_stub import TOKEN, Reply, bundle, outcome, running
from tests.service.fhir.searches import (
    ENCOUNTER,
    KEYS,
    PATH_OF,
    PATIENT,
    QUERIES,
    a_resource,
    ids,
    medicine,
    only,
    retrieve,
    stub,
    the_record,
)

__all__ = ["retrieve", "stub"]  # fixtures


# ---- what was sent


def whole_prefetch():
    sent = {"patient": PATIENT, "encounter": ENCOUNTER}
    for query in QUERIES:
        if not query.is_read:
            sent[query.key] = bundle(a_resource(PATH_OF[query.key], 1), a_resource(PATH_OF[query.key], 2))
    return sent


def test_a_complete_prefetch_needs_no_server_and_no_call(stub, retrieve):
    got = retrieve(prefetch=whole_prefetch())

    assert list(got) == KEYS
    assert all(isinstance(one, Resources) and one.trouble is None for one in got.values())
    assert stub.calls == []
    assert retrieve(prefetch=whole_prefetch(), fhir_server=None, token=None) == got


EMPTY_OR_FAILED = {
    "null": (None, Nothing()),
    "an empty Bundle": (bundle(), Resources(())),
    "an OperationOutcome": (outcome("exception"), Failed(Trouble.SENT_AS_FAILED)),
}


@pytest.mark.parametrize("state", EMPTY_OR_FAILED)
@pytest.mark.parametrize("key", KEYS)
def test_f18_null_an_empty_bundle_and_a_reported_failure_are_not_asked_for_again(stub, retrieve, key, state):
    sent, expected = EMPTY_OR_FAILED[state]

    got = retrieve(prefetch=whole_prefetch() | {key: sent})

    assert got[key] == expected
    assert stub.calls == []


@pytest.mark.parametrize("sent", ["absent", {}, [], "<html>Tomcat</html>", 7, b"<html>", {"resourceType": "Basic"}])
@pytest.mark.parametrize("key", KEYS)
def test_f18_what_is_absent_or_unusable_is_fetched_and_nothing_else_is(stub, retrieve, key, sent):
    stub.put(*the_record())
    prefetch = whole_prefetch() | {key: sent}
    if sent == "absent":
        del prefetch[key]

    got = retrieve(prefetch=prefetch)

    assert [call.path for call in stub.calls] == [PATH_OF[key]]
    assert got == retrieve(prefetch=whole_prefetch())


def test_the_same_facts_by_either_road_are_the_same(stub, retrieve):
    stub.put(*the_record())

    assert retrieve() == retrieve(prefetch=whole_prefetch())
    assert sorted(call.path for call in stub.calls) == sorted(PATH_OF.values())


def test_a_key_that_was_not_asked_for_is_ignored(retrieve):
    assert list(retrieve(prefetch=whole_prefetch() | {"vitals": bundle()})) == KEYS


def test_no_prefetch_and_no_server_is_a_failure_of_every_part(retrieve):
    got = retrieve(fhir_server=None, token=None)

    assert got == dict.fromkeys(KEYS, Failed(Trouble.NO_SERVER))


def test_what_was_sent_but_unreadable_is_not_said_to_be_missing(retrieve):
    assert retrieve(only("problems"), prefetch={"problems": "<html>"}, token=None) == {
        "problems": Failed(Trouble.NOT_FHIR)
    }


def test_an_encounter_that_the_context_does_not_name_is_not_asked_for(stub, retrieve):
    got = retrieve(only("patient", "encounter"), encounter_id=None)

    assert list(got) == ["patient"]
    assert [call.path for call in stub.calls] == ["Patient/p1"]
    assert list(retrieve(only("encounter"), encounter_id=None, prefetch={"encounter": ENCOUNTER})) == ["encounter"]


@pytest.mark.parametrize("odd", ["1&_id=2", "../Patient/2", "..", ""])
def test_t12_an_odd_patient_id_is_never_asked_for(stub, retrieve, odd):
    got = retrieve(only("patient", "problems"), patient_id=odd)

    assert got == dict.fromkeys(["patient", "problems"], Failed(Trouble.NO_SERVER))
    assert stub.calls == []


# ---- who is called


def test_every_call_is_a_get_with_the_token_of_the_call(stub, retrieve):
    retrieve()

    assert {(call.method, call.token) for call in stub.calls} == {("GET", TOKEN)}
    assert len(stub.calls) == len(KEYS)


@pytest.mark.parametrize(
    "named",
    [
        "{base}/sub",
        "{base}//",
        "{origin}",
        "{origin}/FHIR",
        "{other}",
        "http://user@{host}/fhir",
        "{base}?x=1",
        " {base}",
        "{base}\n",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "",
    ],
)
def test_f6_t14_a_server_that_is_not_listed_is_not_called(stub, retrieve, named):
    with running(token=None) as other:
        server = named.format(
            base=stub.base, origin=stub.origin, other=other.base, host=stub.origin.removeprefix("http://")
        )

        got = retrieve(fhir_server=server)

        assert got == dict.fromkeys(KEYS, Failed(Trouble.NO_SERVER))
        assert stub.calls == other.calls == []


def test_one_trailing_slash_of_the_named_server_does_not_matter(stub, retrieve):
    stub.put(PATIENT)

    assert ids(retrieve(only("patient"), fhir_server=stub.base + "/")["patient"]) == ["p1"]


@pytest.mark.parametrize("token", [None, "", "a\r\nX: y"])
def test_without_a_usable_token_a_server_is_not_called(stub, retrieve, token):
    assert retrieve(only("patient"), token=token) == {"patient": Failed(Trouble.NO_SERVER)}
    assert stub.calls == []


def test_unless_the_settings_call_it_open(retrieve):
    with running(token=None) as open_stub:
        open_stub.put(PATIENT)
        got = retrieve(
            only("patient"), bases=[FhirBase(open_stub.base, open_server=True)], fhir_server=open_stub.base, token=None
        )

        assert ids(got["patient"]) == ["p1"]
        assert [call.token for call in open_stub.calls] == [None]


def test_each_server_gets_only_the_token_of_its_own_call(stub, retrieve):
    with running(token="second") as second:
        bases = [FhirBase(stub.base), FhirBase(second.base)]
        retrieve(only("patient"), bases=bases)
        retrieve(only("patient"), bases=bases, fhir_server=second.base, token="second")

        assert [call.token for call in stub.calls] == [TOKEN]
        assert [call.token for call in second.calls] == ["second"]


def test_f7_a_redirect_of_one_search_is_a_failure_of_that_search(stub, retrieve):
    stub.put(*the_record())
    with running(token=None) as other:
        stub.answers("Condition", Reply(302, headers={"Location": f"{other.base}/Condition"}))
        got = retrieve()

        assert got["problems"] == Failed(Trouble.SERVER_ERROR)
        assert ids(got["results"]) == ["Obs1", "Obs2"]
        assert other.calls == []


# ---- properties


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(3)))
def test_which_search_answers_first_changes_nothing(order):
    with running() as stub:
        stub.put(*the_record())
        for place, path in zip(order, ["Condition", "Observation", "Procedure"], strict=True):
            truth = bundle(a_resource(path, 1), a_resource(path, 2))
            stub.answers(path, Reply(body=truth, delay=0.01 * place))
        retriever = Retriever([FhirBase(stub.base)])
        got = retriever.retrieve(
            QUERIES,
            prefetch={},
            fhir_server=stub.base,
            token=TOKEN,
            patient_id="p1",
            encounter_id="e1",
            deadline=time.monotonic() + 20,
        )
        retriever.close()

    assert list(got) == KEYS
    assert [ids(got[key]) for key in ("problems", "results", "procedures")] == [
        ["Con1", "Con2"],
        ["Obs1", "Obs2"],
        ["Pro1", "Pro2"],
    ]


def test_the_token_stands_in_no_text_of_ours(stub, retrieve, caplog):
    stub.answers("Condition", Reply(500))
    got = retrieve(seconds=5)

    assert TOKEN not in repr(got) + caplog.text
    assert "p1" not in caplog.text


def test_a_query_of_medicines_is_told_by_its_area():
    """The second round hangs on it."""
    assert {query.key for query in QUERIES if query.area is Area.MEDICINES} == {
        "medicationStatements",
        "medicationRequests",
    }
    assert isinstance(QUERIES[0], Query)


def test_r15_every_request_is_told_by_its_query_and_the_client_it_was_made_for(stub):
    told = []
    root = Retriever((), observe=told.append)
    north = root.for_bases([FhirBase(stub.base)], "north")
    stub.put(*the_record(), medicine(9, "Medication/m9"))
    north.retrieve(
        QUERIES,
        prefetch={},
        fhir_server=stub.base,
        token=TOKEN,
        patient_id="p1",
        encounter_id="e1",
        deadline=time.monotonic() + 10,
    )
    root.close()

    assert {one.query for one in told} == {*KEYS, "medications"}
    assert {one.client for one in told} == {"north"}
    assert len(told) == len(stub.calls)


# ---- a machine that has no more threads


def test_searches_for_which_no_thread_can_be_had_were_not_answered_and_the_others_count(retrieve, monkeypatch):
    start, left = threading.Thread.start, [2]

    def start_while_there_are(thread):
        searches = thread.name.startswith("fhir_")
        if searches and not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= searches
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_while_there_are)
    got = retrieve(seconds=2.0)

    assert list(got) == KEYS
    assert Failed(Trouble.NOT_ANSWERED) in got.values()
    assert not all(isinstance(one, Failed) for one in got.values())
