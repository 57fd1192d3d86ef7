"""What was sent is not asked for again, what is missing is fetched in time, and nobody else is ever called."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.chart import Area
from service.fhir.client import FhirBase, Limits
from service.fhir.queries import PATIENT_VIEW, Query, queries_for
from service.fhir.retrieve import Retriever
from service.fhir.retrieved import Failed, Nothing, Resources, Trouble
from tests.fhir_stub import TOKEN, Reply, bundle, outcome, running


class Words:
    def codes_to_search(self, concepts):
        return ("2823-3", "2951-2") if "potassium" in tuple(concepts) else ("26544005",)


QUERIES = queries_for(PATIENT_VIEW, Words())
KEYS = [query.key for query in QUERIES]
PATH_OF = {query.key: query.path(patient_id="p1", encounter_id="e1").split("?")[0] for query in QUERIES}
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female"}
ENCOUNTER = {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/p1"}}


def a_resource(kind, number, **more):
    codes = {"coding": [{"code": "2823-3"}]}
    reference = {"reference": "Patient/p1"}
    return {
        "resourceType": kind,
        "id": f"{kind[:3]}{number}",
        "code": codes,
        "subject": reference,
        "patient": reference,
        **more,
    }


def medicine(number, of, kind="MedicationRequest"):
    reference = of if isinstance(of, dict) else {"reference": of}
    return {
        "resourceType": kind,
        "id": f"{kind}{number}",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": reference,
    }


def medications(*numbers):
    return [{"resourceType": "Medication", "id": f"m{n}"} for n in numbers]


def the_record():
    """Two of everything."""
    return [
        PATIENT,
        ENCOUNTER,
        *(
            a_resource(next(iter(query.types & {PATH_OF[query.key]})), n)
            for query in QUERIES
            if not query.is_read
            for n in (1, 2)
        ),
    ]


@pytest.fixture
def stub():
    with running() as up:
        yield up


@pytest.fixture
def retrieve(stub):
    made = []

    def ask(queries=QUERIES, *, limits=None, bases=None, seconds=10.0, **changes):
        retriever = Retriever([FhirBase(stub.base)] if bases is None else bases, limits)
        made.append(retriever)
        call = {
            "prefetch": {},
            "fhir_server": stub.base,
            "token": TOKEN,
            "patient_id": "p1",
            "encounter_id": "e1",
        } | changes
        call["prefetch"] = {
            key: msgspec.Raw(value if isinstance(value, bytes) else json.dumps(value).encode())
            for key, value in call["prefetch"].items()
        }
        return retriever.retrieve(queries, deadline=time.monotonic() + seconds, **call)

    yield ask
    for retriever in made:
        retriever.close()


def only(*keys):
    return tuple(query for query in QUERIES if query.key in keys)


def ids(retrieved):
    return [one.id for one in retrieved.entries]


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


# ---- pages


def results(count):
    return [a_resource("Observation", n) for n in range(count)]


def test_t13_pages_are_followed_to_the_end(stub, retrieve):
    stub.page_size = 3
    stub.put(*results(7))

    got = retrieve(only("results"))["results"]

    assert ids(got) == [f"Obs{n}" for n in range(7)]
    assert got.trouble is None
    assert len(stub.calls) == 3


def test_f8_an_endless_search_ends_after_five_pages_and_says_so(stub, retrieve):
    stub.page_size = 1
    stub.put(*results(20))
    got = retrieve(only("results"))["results"]

    assert ids(got) == [f"Obs{n}" for n in range(5)]
    assert got.trouble is Trouble.CUT_SHORT
    assert len(stub.calls) == 5


def test_r9_entries_are_read_up_to_the_limit(stub, retrieve):
    stub.page_size = 3
    stub.put(*results(8))
    got = retrieve(only("results"), limits=Limits(entries=5))["results"]

    assert ids(got) == [f"Obs{n}" for n in range(5)]
    assert got.trouble is Trouble.CUT_SHORT


def test_f8_a_page_is_never_asked_for_twice(stub, retrieve):
    first, second = f"{stub.base}/Observation?a=1", f"{stub.base}/Observation?a=2"
    plan = [bundle(a_resource("Observation", n), next_url=[second, first][n % 2]) for n in range(4)]
    stub.answers("Observation", *(Reply(body=page) for page in plan))
    got = retrieve(only("results"))["results"]

    assert got.trouble is Trouble.CUT_SHORT
    assert [call.query.get("a") for call in stub.calls] == [None, "2", "1"]


def test_f8_a_page_that_names_itself_as_the_next_is_not_asked_for_again(stub, retrieve):
    (problems,) = only("problems")
    own = f"{stub.base}/{problems.path(patient_id='p1', encounter_id=None)}"
    stub.answers("Condition", Reply(body=bundle(a_resource("Condition", 1), next_url=own)))

    assert retrieve((problems,))["problems"].trouble is Trouble.CUT_SHORT
    assert len(stub.calls) == 1


@pytest.mark.parametrize(
    "link", ["{other}/Condition?_page=2", "{base}/../Condition", "{base}2/Condition", "Condition?_page=2", ""]
)
def test_f8_a_next_link_elsewhere_is_not_followed_and_gets_no_token(stub, retrieve, link):
    with running(token=None) as other:
        next_url = link.format(other=other.base, base=stub.base)
        stub.answers("Condition", Reply(body=bundle(a_resource("Condition", 1), next_url=next_url)))
        got = retrieve(only("problems"))["problems"]

        assert ids(got) == ["Con1"]
        assert got.trouble is Trouble.CUT_SHORT
        assert other.calls == []
        assert len(stub.calls) == 1


@pytest.mark.parametrize(
    "second",
    [Reply(500, outcome("exception")), Reply(403, outcome("x")), Reply(body=b"<html>"), Reply(404), Reply(body=None)],
)
def test_hz10_a_page_that_fails_cuts_the_search_short(stub, retrieve, second):
    first = bundle(a_resource("Condition", 1), next_url=f"{stub.base}/Condition?_page=2")
    stub.answers("Condition", Reply(body=first), second)
    got = retrieve(only("problems"))["problems"]

    assert ids(got) == ["Con1"]
    assert got.trouble is Trouble.CUT_SHORT


def test_hz10_trouble_of_an_early_page_is_not_forgotten_on_the_last(stub, retrieve):
    first = bundle(a_resource("Condition", 1), outcome("timeout"), next_url=f"{stub.base}/Condition?_page=2")
    stub.answers("Condition", Reply(body=first), Reply(body=bundle(a_resource("Condition", 2))))
    got = retrieve(only("problems"))["problems"]

    assert ids(got) == ["Con1", "Con2"]
    assert got.trouble is Trouble.CUT_SHORT


def test_hz10_fewer_matches_than_the_server_counted_are_not_the_whole_answer(stub, retrieve):
    first = bundle(a_resource("Condition", 1), next_url=f"{stub.base}/Condition?_page=2", total=3)
    last = Reply(body=bundle(a_resource("Condition", 2)))
    stub.answers("Condition", Reply(body=first), last)
    assert retrieve(only("problems"))["problems"].trouble is Trouble.CUT_SHORT

    stub.answers("Condition", Reply(body=first | {"total": 2}), last)
    assert retrieve(only("problems"))["problems"].trouble is None


def prefetched_with_next(stub):
    return {"problems": bundle(a_resource("Condition", 0), next_url=f"{stub.base}/Condition?_page=2")}


def test_e12_a_prefetched_page_is_continued_under_the_listed_base(stub, retrieve):
    stub.answers("Condition", Reply(body=bundle(a_resource("Condition", 1))))

    got = retrieve(only("problems"), prefetch=prefetched_with_next(stub))["problems"]

    assert ids(got) == ["Con0", "Con1"]
    assert got.trouble is None
    assert [call.query for call in stub.calls] == [{"_page": "2"}]


@pytest.mark.parametrize("change", [{"token": None}, {"fhir_server": None}, {"fhir_server": "http://127.0.0.1:9/fhir"}])
def test_e12_else_it_is_cut_short(stub, retrieve, change):
    got = retrieve(only("problems"), prefetch=prefetched_with_next(stub), **change)["problems"]

    assert ids(got) == ["Con0"]
    assert got.trouble is Trouble.CUT_SHORT
    assert stub.calls == []


# ---- faults and time


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


# ---- the Medications that medicines refer to

MEDICINES = only("medicationRequests")


def test_a_medication_that_was_included_is_not_asked_for(stub, retrieve):
    stub.put(medicine(1, "Medication/m1"), *medications(1))

    assert ids(retrieve(MEDICINES)["medicationRequests"]) == ["MedicationRequest1", "m1"]
    assert len(stub.calls) == 1


def test_medications_that_were_only_referred_to_are_fetched_in_one_search(stub, retrieve):
    stub.page_size = 2
    stub.put(*medications(3, 1, 2))
    sent = bundle(
        medicine(1, "Medication/m2"),
        medicine(2, f"{stub.base}/Medication/m1/_history/4"),
        medicine(3, "Medication/m2"),
        medicine(4, "Medication/m9"),
        medicine(5, "Medication/m3"),
    )
    got = retrieve(MEDICINES, prefetch={"medicationRequests": sent})["medicationRequests"]

    assert ids(got)[5:] == ["m2", "m1", "m3"]
    assert got.trouble is None
    assert [call.query["_id"] for call in stub.calls] == ["m2,m1,m9,m3"] * 2


def test_medications_are_fetched_after_a_search_that_did_not_include_them(stub, retrieve):
    stub.put(*medications(1))
    stub.answers("MedicationStatement", Reply(body=bundle(medicine(1, "Medication/m1", "MedicationStatement"))))
    got = retrieve(only("medicationStatements"))["medicationStatements"]

    assert ids(got) == ["MedicationStatement1", "m1"]
    assert [call.path for call in stub.calls] == ["MedicationStatement", "Medication"]


def test_an_r5_reference_is_followed_too(stub, retrieve):
    stub.put(*medications(1))
    r5 = {"resourceType": "MedicationRequest", "id": "r5", "medication": {"reference": {"reference": "Medication/m1"}}}

    assert ids(retrieve(MEDICINES, prefetch={"medicationRequests": bundle(r5)})["medicationRequests"]) == ["r5", "m1"]


@pytest.mark.parametrize(
    "reference",
    [
        "#m1",
        "urn:uuid:7",
        "http://other.example/fhir/Medication/m1",
        "Medication/",
        "Medication/a&b",
        "Medication/..",
        "Substance/m1",
        "",
        7,
        None,
        {"display": "x"},
        {"reference": {"reference": 7}},
    ],
)
def test_a_reference_that_is_no_medication_of_this_server_is_not_followed(stub, retrieve, reference):
    sent = bundle(medicine(1, reference if isinstance(reference, dict) else {"reference": reference}))

    assert len(ids(retrieve(MEDICINES, prefetch={"medicationRequests": sent})["medicationRequests"])) == 1
    assert stub.calls == []


def test_not_more_medications_are_asked_for_than_the_limit(stub, retrieve):
    stub.put(*medications(*range(40)))
    sent = bundle(*(medicine(n, f"Medication/m{n}") for n in range(40)))
    got = retrieve(MEDICINES, prefetch={"medicationRequests": sent})["medicationRequests"]

    assert ids(got)[40:] == [f"m{n}" for n in range(30)]


@pytest.mark.parametrize(
    "reply", [Reply(403), Reply(body=b"x"), Reply(body=bundle(a_resource("Observation", 1))), Reply(delay=30)]
)
def test_medications_that_cannot_be_had_do_not_cost_the_medicines(stub, retrieve, reply):
    stub.answers("Medication", reply)
    sent = bundle(medicine(1, "Medication/m1"))
    got = retrieve(MEDICINES, prefetch={"medicationRequests": sent}, seconds=1.0)["medicationRequests"]

    assert ids(got) == ["MedicationRequest1"]


def test_without_a_server_medications_are_not_asked_for(stub, retrieve):
    sent = bundle(medicine(1, "Medication/m1"))
    got = retrieve(MEDICINES, prefetch={"medicationRequests": sent}, token=None)["medicationRequests"]

    assert got.trouble is None
    assert stub.calls == []


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
