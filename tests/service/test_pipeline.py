from datetime import date
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from cards.card import Advice
from service import pipeline
from service.errors import DataNotAvailable
from service.fhir.queries import queries_for
from service.fhir.retrieve import Retriever
from service.fhir.retrieved import Failed, Nothing, Resources, Trouble
from service.hooks.request import parse
from service.hooks.services import SERVICES
from tests.service.stand_ins import StandInVocabulary, a_card, body

QUERIES = queries_for(SERVICES[0].id, StandInVocabulary())
FAILED = Failed(Trouble.NO_SERVER)


def had(**parts):
    return {query.key: parts.get(query.key, FAILED) for query in QUERIES}


def test_when_nothing_could_be_had_the_call_is_refused_and_the_keys_are_named():
    with pytest.raises(DataNotAvailable, match=r"prefetch for patient, problems, results, medicationStatements"):
        pipeline.refuse_if_nothing_was_had(QUERIES, had())


def test_an_encounter_alone_is_as_good_as_nothing():
    with pytest.raises(DataNotAvailable):
        pipeline.refuse_if_nothing_was_had(QUERIES, had(encounter=Nothing()))


@pytest.mark.parametrize("part", [Nothing(), Resources(()), Resources((), trouble=Trouble.CUT_SHORT)])
@pytest.mark.parametrize("key", ["patient", "problems", "results", "procedures"])
def test_any_part_that_could_be_had_is_enough_to_go_on(key, part):
    pipeline.refuse_if_nothing_was_had(QUERIES, had(**{key: part}))


@pytest.fixture
def seen(monkeypatch):
    """What the chart was made from; chart and advice are stand-ins."""
    told = {}

    def assemble(retrieved, **known):
        told.update(known, retrieved=retrieved)
        return SimpleNamespace(inputs={"i": 1}, unmapped={"u": 2}, of_others={"o": 3}, drafts=())

    monkeypatch.setattr(pipeline, "assemble", assemble)
    monkeypatch.setattr(pipeline, "advise", lambda *_: Advice((a_card(),)))
    return told


def answered(deadline=2.0, **request):
    retriever = Retriever(())
    advisor = pipeline.Advisor(
        retriever=retriever,
        queries={SERVICES[0].id: QUERIES},
        content=SimpleNamespace(vocabulary="the vocabulary"),
        today=lambda: date(2026, 6, 15),
        zone=ZoneInfo("Europe/London"),
        deadline=deadline,
    )
    answer = advisor.advise(parse(body(**request), SERVICES[0]))
    retriever.close()
    return answer


@pytest.mark.usefixtures("seen")
def test_an_answer_says_whether_the_time_for_searches_was_over():
    assert not answered(deadline=60.0).late
    assert answered(deadline=pipeline.KEPT_FOR_THE_RULES).late


def test_a_call_goes_from_the_request_to_the_advice(seen):
    context = {"userId": "Patient/pat-1", "patientId": "pat-1", "encounterId": "e1"}

    answer = answered(context=context)

    assert isinstance(seen.pop("retrieved")["patient"], Resources)
    assert seen == {
        "patient_id": "pat-1",
        "as_of": date(2026, 6, 15),
        "zone": ZoneInfo("Europe/London"),
        "vocabulary": "the vocabulary",
        "for_clinician": False,
        "encounter_id": "e1",
        "basket": None,
        "with_doses": False,
    }
    assert (answer.inputs, answer.unmapped, answer.of_others) == ({"i": 1}, {"u": 2}, {"o": 3})
    assert (answer.patient_id, answer.encounter_id) == ("pat-1", "e1")
    assert len(answer.advice.cards) == 1
