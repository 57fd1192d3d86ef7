import uuid
from functools import partial

import pytest

from cards.finding import Indicator, RequestTest
from service.fhir import write
from service.hooks.response import Renderer
from tests.contract.cds_hooks import empty_members, faults
from tests.service.stand_ins import REFERRAL, REVIEW, TEST, StandInVocabulary, a_card, an_answer

BASE = "https://rules.example.org/fhir"
RENDERER = Renderer(
    draft=partial(write.draft, vocabulary=StandInVocabulary()), label="rules 1.2.3", canonical_base=BASE
)


@pytest.mark.parametrize(
    "card",
    [
        a_card(),
        a_card(suggestions=()),
        a_card(override_reasons=(), links=()),
        a_card(detail=""),
        a_card(suggestions=(RequestTest("order-ck", "CK"),)),
        a_card(indicator=Indicator.CRITICAL, summary="x" * 139),
    ],
)
def test_every_card_fits_the_schema_and_has_no_empty_member(card):
    body = RENDERER.body(an_answer(card, encounter_id="enc-1"))

    assert faults("response", body) == []
    assert empty_members(body) == []


def test_no_cards_are_an_empty_list():
    assert RENDERER.body(an_answer()) == {"cards": []}


def test_a_card_names_its_rule_set_its_topic_and_its_reasons():
    card = RENDERER.body(an_answer(a_card()))["cards"][0]

    assert card["source"] == {
        "label": "rules 1.2.3",
        "topic": {"system": f"{BASE}/CodeSystem/card-topic", "code": "missing-tests", "display": "Missing tests"},
    }
    assert card["overrideReasons"] == [
        {
            "system": f"{BASE}/CodeSystem/override-reason",
            "code": "known-baseline",
            "display": "Known baseline for this patient",
        }
    ]
    assert card["links"][0]["type"] == "absolute"


def test_topic_codes_can_do_without_hyphens():
    plain = Renderer(RENDERER.draft, "rules", BASE, topic_codes_plain=True)

    assert plain.body(an_answer(a_card()))["cards"][0]["source"]["topic"]["code"] == "missingtests"


def test_every_proposal_becomes_one_suggestion_with_one_action_in_order():
    card = RENDERER.body(an_answer(a_card(suggestions=(TEST, REFERRAL, REVIEW))))["cards"][0]

    assert [one["label"] for one in card["suggestions"]] == [TEST.label, REFERRAL.label, REVIEW.label]
    assert [len(one["actions"]) for one in card["suggestions"]] == [1, 1, 1]
    assert {one["actions"][0]["type"] for one in card["suggestions"]} == {"create"}
    assert card["suggestions"][0]["actions"][0]["description"] == f"{TEST.label}. {TEST.note}"
    assert card["selectionBehavior"] == "any"


def test_a_card_without_suggestions_has_no_selection_behaviour():
    assert "selectionBehavior" not in RENDERER.body(an_answer(a_card(suggestions=())))["cards"][0]


def test_all_uuids_are_new_each_time_and_uuids():
    seen = set()
    for _ in range(20):
        for card in RENDERER.body(an_answer(a_card(), a_card()))["cards"]:
            seen |= {card["uuid"], *(one["uuid"] for one in card["suggestions"])}

    assert len(seen) == 20 * 2 * 4
    assert {uuid.UUID(one).version for one in seen} == {4}
