"""A search is followed to its last page, a medicine to its Medication, and neither further than the limits allow."""

import pytest

from service.fhir.bounds import Limits
from service.fhir.retrieved import Trouble
from tests.fhir_stub import Reply, bundle, outcome, running
from tests.service.fhir.searches import a_resource, ids, medications, medicine, only, results, retrieve, stub

__all__ = ["retrieve", "stub"]  # fixtures


# ---- pages


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


# ---- the Medications that medicines refer to


MEDICINES = only("medicationRequests")


def entry(resource, mode):
    return {"resource": resource, "search": {"mode": mode}}


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


def made_of(medication, *references):
    return medication | {"ingredient": [{"itemReference": {"reference": one}} for one in references]}


def test_what_a_medication_is_made_of_is_fetched_too(stub, retrieve):
    one, two, three, four, package = medications(1, 2, 3, 4, 9)
    stub.put(made_of(package, "Medication/m1", "Medication/m9", f"{stub.base}/Medication/m2"), one, three, four)
    stub.put(made_of(two, "Medication/m3"))
    included = entry(made_of(medications(8)[0], "Medication/m4", "#m5", "Substance/m6"), "include")
    sent = bundle(medicine(1, "Medication/m8"), medicine(2, "Medication/m9"))
    sent["entry"].append(included)

    got = retrieve(MEDICINES, prefetch={"medicationRequests": sent})["medicationRequests"]

    assert ids(got) == ["MedicationRequest1", "MedicationRequest2", "m8", "m9", "m4", "m1", "m2"]
    assert [call.query["_id"] for call in stub.calls] == ["m9,m4", "m1,m2"]  # and no third time


def test_a_package_is_kept_if_what_it_is_made_of_cannot_be_had(stub, retrieve):
    package = made_of(medications(9)[0], "Medication/m1")
    stub.answers("Medication", Reply(body=bundle(package)), Reply(delay=30))
    sent = bundle(medicine(1, "Medication/m9"))

    got = retrieve(MEDICINES, prefetch={"medicationRequests": sent}, seconds=1.0)["medicationRequests"]

    assert ids(got) == ["MedicationRequest1", "m9"]


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
