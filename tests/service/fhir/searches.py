"""A record, the searches that ask for it, and a retriever to ask a FHIR server of one's own."""

import json
import time

import msgspec
import pytest

from service.fhir.bounds import FhirBase
from service.fhir.queries import PATIENT_VIEW, queries_for
from service.fhir.retrieve import Retriever
from tests.fhir_stub import TOKEN, running


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


def results(count):
    return [a_resource("Observation", n) for n in range(count)]
