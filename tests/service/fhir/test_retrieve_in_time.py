"""One search that fails or hangs costs itself alone, and the answer is there at the deadline."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.fhir.bounds import FhirBase, Limits
from service.fhir.retrieve import Retriever
from service.fhir.retrieved import Failed, Nothing, Resources, Trouble
from tests.fhir_stub import Reply, bundle, outcome, running
from tests.service.fhir.searches import (
    KEYS,
    PATH_OF,
    PATIENT,
    a_resource,
    ids,
    only,
    results,
    retrieve,
    stub,
    the_record,
)

__all__ = ["retrieve", "stub"]  # fixtures


FAULTS = {
    "500": (Reply(500, outcome("exception")), Trouble.SERVER_ERROR),
    "429": (Reply(429, headers={"Retry-After": "30"}), Trouble.SERVER_ERROR),
    "403": (Reply(403, outcome("forbidden")), Trouble.NOT_PERMITTED),
    "401": (Reply(401), Trouble.NOT_PERMITTED),
    "reset": (Reply(reset=True), Trouble.NOT_ANSWERED),
    "HTML": (Reply(body=b"<html>Log in</html>", content_type="text/html"), Trouble.NOT_FHIR),
    "HTML that says it is FHIR": (Reply(body=b"<html>Log in</html>"), Trouble.NOT_FHIR),
    "cut JSON": (Reply(body=b'{"resourceType":"Bundle","entry":[{'), Trouble.NOT_FHIR),
    "empty body": (Reply(body=b""), Trouble.NOT_FHIR),
    "a list": (Reply(body=[]), Trouble.NOT_FHIR),
    "null": (Reply(body=None), Trouble.NOT_FHIR),
    "another type": (Reply(body={"resourceType": "CapabilityStatement"}), Trouble.NOT_FHIR),
    "an OperationOutcome": (Reply(body=outcome("exception")), Trouble.SERVER_ERROR),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("key", KEYS)
def test_f14_f15_f17_one_search_that_fails_is_named_and_the_others_count(stub, retrieve, key, fault):
    reply, trouble = FAULTS[fault]
    stub.put(*the_record())
    stub.answers(PATH_OF[key], reply)
    got = retrieve()

    assert got.pop(key) == Failed(trouble)
    assert all(isinstance(one, Resources) and one.trouble is None for one in got.values())


def test_a_patient_that_does_not_exist_is_nothing(retrieve):
    assert retrieve(only("patient")) == {"patient": Nothing()}


def test_a_server_that_is_down_is_a_failure_of_every_search(retrieve):
    with running() as gone:
        base = gone.base
    got = retrieve(bases=[FhirBase(base)], fhir_server=base)

    assert got == dict.fromkeys(KEYS, Failed(Trouble.NOT_ANSWERED))


def test_the_searches_run_side_by_side(stub, retrieve):
    together = threading.Barrier(len(KEYS))
    told = stub.reply_to

    def all_at_once(call):
        together.wait(timeout=20)  # broken, and an error for every search, unless all are under way at once
        return told(call)

    stub.reply_to = all_at_once
    stub.put(*the_record())
    got = retrieve(seconds=20)

    assert all(isinstance(one, Resources) for one in got.values())
    assert stub.busiest == len(KEYS)


@pytest.mark.alone
def test_at_the_deadline_the_answer_is_what_is_there(stub, retrieve):
    stub.put(*the_record())
    stub.answers("Condition", Reply(body=bundle(), delay=30))
    got = retrieve(seconds=1.0)

    assert got["problems"] == Failed(Trouble.NOT_ANSWERED)
    assert ids(got["results"]) == ["Obs1", "Obs2"]


@pytest.mark.alone
def test_at_the_deadline_the_pages_that_came_are_kept_as_cut_short(stub, retrieve):
    first = bundle(a_resource("Condition", 1), next_url=f"{stub.base}/Condition?_page=2")
    stub.answers("Condition", Reply(body=first), Reply(body=bundle(), delay=30))
    got = retrieve(only("problems"), seconds=1.0)["problems"]

    assert ids(got) == ["Con1"]
    assert got.trouble is Trouble.CUT_SHORT


@pytest.mark.alone
def test_an_answer_after_the_deadline_changes_nothing(stub, retrieve):
    stub.answers("Condition", Reply(body=bundle(a_resource("Condition", 1)), delay=1.0))
    got = retrieve(only("problems"), seconds=0.3)
    time.sleep(1.2)

    assert got == {"problems": Failed(Trouble.NOT_ANSWERED)}


def test_after_the_deadline_nothing_is_asked_but_what_was_sent_is_read(stub, retrieve):
    got = retrieve(only("patient", "problems"), prefetch={"patient": PATIENT}, seconds=-1.0)

    assert ids(got["patient"]) == ["p1"]
    assert got["problems"] == Failed(Trouble.NOT_ANSWERED)
    assert stub.calls == []


def test_f9_the_answers_of_one_call_share_a_limit_and_the_next_call_has_its_own(stub, retrieve):
    stub.put(*results(50))
    whole = retrieve(only("results"), limits=Limits(hook_bytes=100_000))["results"]
    cut = retrieve(only("results"), limits=Limits(hook_bytes=1_000))["results"]

    assert len(whole.entries) == 50
    assert cut == Failed(Trouble.CUT_SHORT)


@pytest.mark.alone
def test_a_search_that_no_thread_was_free_for_is_never_made_afterwards(stub, retrieve):
    stub.answers("Patient/p1", Reply(body=PATIENT, delay=1.0))
    got = retrieve(only("patient", "problems"), limits=Limits(threads=1), seconds=0.3)
    time.sleep(1.2)

    assert got == dict.fromkeys(["patient", "problems"], Failed(Trouble.NOT_ANSWERED))
    assert [call.path for call in stub.calls] == ["Patient/p1"]


def test_t6_calls_at_the_same_time_do_not_mix(stub):
    stub.token = None
    stub.delay = 0.01
    patients = [f"p{n}" for n in range(8)]
    stub.put(*({"resourceType": "Patient", "id": one} for one in patients))
    stub.put(
        *({"resourceType": "Condition", "id": one, "subject": {"reference": f"Patient/{one}"}} for one in patients)
    )
    retriever = Retriever([FhirBase(stub.base)])

    def ask(patient):
        return retriever.retrieve(
            only("patient", "problems"),
            prefetch={},
            fhir_server=stub.base,
            token=f"token-of-{patient}",
            patient_id=patient,
            encounter_id=None,
            deadline=time.monotonic() + 20,
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, patients))
    retriever.close()

    assert [[ids(one) for one in answer.values()] for answer in answers] == [[[one], [one]] for one in patients]
    for call in stub.calls:
        assert call.token == f"token-of-{call.query.get('patient') or call.path.removeprefix('Patient/')}"
