"""The order hooks: what their context must hold, whom they are about, and what may be done to a draft."""

import json
from datetime import date
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cards.card import Advice
from cards.entries import Draft
from cards.finding import RemoveDraft
from cards.moment import Moment
from service import pipeline
from service.answer import Answer
from service.app import create_renderer
from service.errors import BadCall, CallRejected
from service.fhir.queries import queries_for
from service.fhir.retrieve import Retriever
from service.fhir.retrieved import Failed
from service.hooks.request import hook_named, parse
from service.hooks.services import SERVICES
from terminology.vocabulary import Link
from tests.contract.cds_hooks import empty_members, faults
from tests.service.fhir.builders import vocabulary
from tests.service.stand_ins import DEMO, TEST, StandInVocabulary, a_card, an_answer, body, parts

SELECT, SIGN = (next(one for one in SERVICES if one.hook == hook) for hook in ("order-select", "order-sign"))
CANARY = "canary-4711"
DRAFT = {"resourceType": "MedicationRequest", "id": "draft-1", "medicationCodeableConcept": {"text": "Quinine"}}
BUNDLE = {"resourceType": "Bundle", "entry": [{"resource": DRAFT}]}
LEFT_OUT = type("LeftOut", (), {"__repr__": lambda _: "left out"})()


def context(**changed):
    made = {
        "userId": "Practitioner/gp-1",
        "patientId": "pat-1",
        "selections": ["MedicationRequest/draft-1"],
        "draftOrders": BUNDLE,
    } | changed
    return {name: part for name, part in made.items() if part is not LEFT_OUT}


def called(service=SELECT, **changed):
    return parse(body(hook=service.hook, context=context(**changed)), service)


# what is asked


def test_there_is_a_service_for_each_order_hook():
    assert [(one.id, one.hook, one.moment) for one in SERVICES] == [
        ("muscle-patient-view", "patient-view", Moment.RECORD),
        ("muscle-order-select", "order-select", Moment.ORDER),
        ("muscle-order-sign", "order-sign", Moment.ORDER),
    ]


def test_the_drafts_and_the_selections_are_taken_from_the_context():
    orders = called().orders

    assert json.loads(bytes(orders.bundle)) == BUNDLE
    assert orders.selections == ("MedicationRequest/draft-1",)
    assert called().oddities == ()


def test_order_sign_is_about_every_draft_whatever_selections_say():
    assert called(SIGN).orders.selections is None
    assert called(SIGN, selections=LEFT_OUT).oddities == ()


@pytest.mark.parametrize("sent", [LEFT_OUT, None, {"a": 1}, 5, True], ids=str)
def test_without_a_list_of_selections_every_draft_is_judged_and_the_log_is_told(sent):
    call = called(selections=sent)

    assert call.orders.selections is None
    assert call.oddities == ("selections-missing",)


@pytest.mark.parametrize("sent", [[], "", [""], [5, None], [[]]], ids=str)
def test_an_empty_list_of_selections_selects_nothing_and_the_log_is_told(sent):
    call = called(selections=sent)

    assert call.orders.selections == ()
    assert call.oddities == ("selections-empty",)


@pytest.mark.parametrize(("sent", "read"), [
    (["a", "b"], ("a", "b")), ("a", ("a",)), ([" a ", 5], ("a",)), (["a", "a"], ("a", "a")),
])  # fmt: skip
def test_selections_are_read_tolerantly(sent, read):
    assert called(selections=sent).orders.selections == read


@pytest.mark.parametrize("service", [SELECT, SIGN], ids=lambda one: one.id)
@pytest.mark.parametrize(("sent", "sentence"), [
    (LEFT_OUT, "context.draftOrders is missing"),
    (None, "context.draftOrders is not a Bundle"),
    (DRAFT, "context.draftOrders is not a Bundle"),
    ([BUNDLE], "context.draftOrders is not a Bundle"),
    (CANARY, "context.draftOrders is not a Bundle"),
    ({"resourceType": CANARY}, "context.draftOrders is not a Bundle"),
    ({"entry": [{"resource": DRAFT}]}, "context.draftOrders is not a Bundle"),
    (5, "context.draftOrders is not a Bundle"),
], ids=str)  # fmt: skip
def test_without_a_bundle_of_drafts_the_call_is_refused(service, sent, sentence):
    with pytest.raises(BadCall) as caught:
        called(service, draftOrders=sent)

    assert sentence in str(caught.value)
    assert CANARY not in str(caught.value)


def test_patient_view_does_not_look_at_drafts():
    sent = body(context=context(draftOrders=5))

    assert parse(sent, SERVICES[0]).orders is None


@pytest.mark.parametrize("service", [SELECT, SIGN], ids=lambda one: one.id)
def test_the_rules_of_patient_view_hold_for_the_order_hooks_too(service):
    other = {"patient": {"resourceType": "Patient", "id": "pat-2"}}
    for sent in (
        body(hook=service.hook, context=context(patientId="../pat-1")),
        body(hook=service.hook, context=context(), prefetch=other),
        body(hook="patient-view", context=context()),
        body(hook=service.hook, context=None),
    ):
        with pytest.raises(BadCall):
            parse(sent, service)
    assert called(service, userId="Patient/pat-1").for_clinician is False


def test_the_drafts_are_not_in_the_printed_form_of_a_call():
    assert CANARY not in repr(called(draftOrders=BUNDLE | {"id": CANARY}, selections=[CANARY]))


def test_a_member_of_a_draft_given_twice_is_refused():
    sent = body(hook="order-select", context=context()).replace(b'"id": "draft-1"', b'"id": "draft-1", "id": "draft-2"')

    with pytest.raises(BadCall):
        parse(sent, SELECT)


@pytest.mark.parametrize("hook", ["patient-view", "order-select", "order-sign", "order-dispatch"])
def test_the_hook_of_a_body_can_be_told_before_it_is_parsed(hook):
    assert hook_named(body(hook=hook)) == hook


def test_a_body_that_names_no_hook_names_none():
    assert hook_named(b"{}") == hook_named(b'{"hook":5}') == ""
    with pytest.raises(BadCall):
        hook_named(b"[]")


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) |
                    st.dictionaries(st.sampled_from(["resourceType", "entry", "x"]), inner, max_size=3), max_leaves=9))  # fmt: skip
def test_whatever_stands_in_the_context_is_served_or_refused(value):
    for sent in ({"draftOrders": value}, {"selections": value}):
        for service in (SELECT, SIGN):
            try:
                assert called(service, **sent).orders is not None
            except CallRejected as error:
                assert error.status == 400  # noqa: PT017 -- both ends are right


# what is done


@pytest.fixture
def advised(monkeypatch):
    """Calls the pipeline with a stand-in core. Gives the answer, and what the core was asked with."""

    def advise(call, drafts=()):
        seen = {}

        def assemble(retrieved, **known):
            seen.update(known, retrieved=retrieved)
            return SimpleNamespace(inputs={}, unmapped={}, of_others={}, drafts=drafts)

        def cards(*asked):
            seen["asked"] = asked[2:]
            return Advice((a_card(),))

        monkeypatch.setattr(pipeline, "assemble", assemble)
        monkeypatch.setattr(pipeline, "advise", cards)
        retriever = Retriever(())
        advisor = pipeline.Advisor(
            retriever=retriever,
            queries={one.id: queries_for(one.id, StandInVocabulary()) for one in SERVICES},
            content=SimpleNamespace(vocabulary=vocabulary()),
            today=lambda: date(2026, 6, 15),
            zone=ZoneInfo("Europe/London"),
            deadline=2.0,
        )
        try:
            return advisor.advise(call), seen
        finally:
            retriever.close()

    return advise


def a_draft(source="MedicationRequest/draft-1", *, judged=True):
    return Draft(frozenset({"quinine"}), frozenset(), "Quinine", Link.CODE, judged, source)


@pytest.mark.parametrize("service", [SELECT, SIGN], ids=lambda one: one.id)
def test_the_rules_are_asked_about_the_order_and_the_answer_names_the_drafts(advised, service):
    context_draft = a_draft("MedicationRequest/draft-2", judged=False)
    answer, seen = advised(called(service), (a_draft(), context_draft))

    assert seen["asked"] == (Moment.ORDER,)
    assert [entry.judged for entry in seen["basket"].orders] == [True]
    assert answer.drafts == {"MedicationRequest/draft-1", "MedicationRequest/draft-2"}
    assert len(answer.advice.cards) == 1


def test_with_no_data_at_all_an_order_hook_still_answers(advised):
    call = parse(body(hook="order-select", context=context(), prefetch=None), SELECT)
    answer, seen = advised(call, (a_draft(),))

    assert all(isinstance(part, Failed) for part in seen["retrieved"].values())
    assert len(answer.advice.cards) == 1


@pytest.mark.parametrize("changed", [
    {"selections": ["MedicationRequest/elsewhere"]},
    {"draftOrders": {"resourceType": "Bundle"}},
    {"draftOrders": {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1"}]}},
    {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": DRAFT | {"resourceType": "NutritionOrder"}}]},
     "selections": LEFT_OUT},
    {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest", "id": "draft-1"}}]}},
    {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": DRAFT | {"medicationCodeableConcept": {"text": "Paracetamol"}}}]}},
], ids=str)  # fmt: skip
def test_a_call_about_no_order_is_answered_without_cards_and_without_a_search(advised, changed):
    answer, seen = advised(called(**changed), (a_draft(),))

    assert answer.advice == Advice((), silent_because="no-order-judged")
    assert seen == {}


def test_a_call_whose_only_order_is_no_concern_of_ours_is_answered_without_cards(advised):
    answer, seen = advised(called(), (a_draft(judged=False),))

    assert answer.advice.cards == ()
    assert "asked" not in seen


# what is answered


def rendered(answer: Answer):
    made = create_renderer(DEMO, parts()).body(answer)
    assert faults("response", made) == []
    assert empty_members(made) == []
    return made["cards"]


REMOVE = RemoveDraft("Take quinine out of the basket", "Myasthenia gravis is on record.", "MedicationRequest/draft-1")


def answered(*intents, drafts=("MedicationRequest/draft-1",)):
    return replace(an_answer(a_card(suggestions=intents)), drafts=frozenset(drafts))


def test_a_draft_of_this_request_may_be_taken_away():
    ((suggestion,),) = (card["suggestions"] for card in rendered(answered(REMOVE)))

    assert suggestion["label"] == REMOVE.label
    assert suggestion["actions"] == [
        {
            "type": "delete",
            "description": "Take quinine out of the basket. Myasthenia gravis is on record.",
            "resourceId": "MedicationRequest/draft-1",
        }
    ]


@pytest.mark.parametrize(("draft", "drafts"), [
    ("MedicationRequest/draft-2", ("MedicationRequest/draft-1",)),
    ("MedicationStatement/m1", ("MedicationRequest/draft-1",)),
    ("MedicationRequest/draft-1", ()),
    ("MedicationRequest", ("MedicationRequest",)),
])  # fmt: skip
def test_nothing_but_a_draft_of_this_request_is_ever_taken_away(draft, drafts):
    remove = RemoveDraft("Remove", "", draft)
    (alone,) = rendered(answered(remove, drafts=drafts))
    (with_test,) = rendered(answered(remove, TEST, drafts=drafts))

    assert "suggestions" not in alone
    assert "selectionBehavior" not in alone
    assert [one["label"] for one in with_test["suggestions"]] == [TEST.label]


DRAFT_NAMES = st.sampled_from([f"{kind}/d{n}" for kind in ("MedicationRequest", "ServiceRequest") for n in range(4)])


@given(st.lists(DRAFT_NAMES, max_size=4), st.frozensets(DRAFT_NAMES, max_size=4))
def test_what_is_deleted_is_always_a_draft_of_the_request(removed, drafts):
    answer = answered(*(RemoveDraft("Remove", "why", one) for one in removed), drafts=drafts)
    actions = [a for card in rendered(answer) for s in card.get("suggestions", []) for a in s["actions"]]

    assert {action["resourceId"] for action in actions} == set(removed) & drafts
    assert all(action["type"] == "delete" for action in actions)
