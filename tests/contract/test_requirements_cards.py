"""Requirements G1 to G13 and H1 to H17: cards, and what stands on them.

Judged over every worked example of every sheet, as the record is opened and as orders are placed, with all that a site
may switch on, and over the synthetic patients through the whole service.
"""

import json
import re
import uuid
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import pytest

from cards.advise import advise
from cards.card import Reason, WebLink
from cards.example_charts import chart_from
from cards.finding import Indicator
from cards.moment import Moment
from cards.toml_file import Section
from cards.topics import TOPICS
from service.answer import Answer
from service.app import create_advisor, create_app
from service.fhir import write
from service.hooks.response import Renderer
from service.settings import Settings
from tests.contract.calls import (
    AN_ORDER,
    TODAY,
    all_parts,
    cards_of,
    demo_settings,
    every_card,
    members_named,
    one_of_each_hook,
    request_of,
    service,
)
from tests.contract.cds_hooks import faults
from tests.service.stand_ins import a_card, an_answer

BASE = Settings().canonical_base
MYASTHENIA_GRAVIS = {"system": "http://snomed.info/sct", "code": "91637004"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def renderer():
    content = all_parts().content
    return Renderer(partial(write.draft, vocabulary=content.vocabulary), content.label, BASE)


def bodies():
    """The answer to every worked example, whole."""
    content = replace(all_parts().content, beyond=True, removal=True, critical_as_warning=False)
    made = []
    for topic in TOPICS:
        for example in topic.sheet.examples:
            row = Section(f"{topic.code}: {example.name}", example.section)
            chart = chart_from(row, content.vocabulary)
            advice = advise(chart, content, Moment.ORDER if chart.drafts else Moment.RECORD)
            drafts = frozenset(draft.source for draft in chart.drafts)
            made.append(renderer().body(Answer(advice, {}, {}, "p1", None, drafts)))
    return made


BODIES = bodies()
CARDS = [card for body in BODIES for card in body["cards"]]


def suggestions():
    return [one for card in CARDS for one in card.get("suggestions", [])]


def actions():
    return [action for one in suggestions() for action in one["actions"]]


def links():
    return [link for card in CARDS for link in card.get("links", [])]


def test_there_is_something_to_judge():
    assert len(BODIES) > 100
    assert len(CARDS) > 150
    assert {card["source"]["topic"]["code"] for card in CARDS} == {topic.code for topic in TOPICS}
    assert {action["type"] for action in actions()} == {"create", "delete"}


def test_g1_an_answer_is_an_object_of_cards_alone():
    for body in BODIES:
        assert list(body) == ["cards"]
        assert faults("response", body) == []


def test_g2_nothing_to_say_is_a_200_without_cards(client):
    healthy = request_of()
    for key in healthy["prefetch"]:
        if key != "patient":
            healthy["prefetch"][key] = None

    assert cards_of(client, healthy) == []


def test_g3_every_summary_is_one_line_below_140_characters():
    assert [card["summary"] for card in CARDS if not 0 < len(card["summary"]) < 140] == []
    assert [card["summary"] for card in CARDS if "\n" in card["summary"]] == []


@pytest.mark.parametrize(("length", "good"), [(139, True), (140, False)])
def test_g3_the_schema_knows_139_from_140(length, good):
    card = {"summary": "x" * length, "indicator": "info", "source": {"label": "s"}}

    assert (faults("response", {"cards": [card]}) == []) is good


def test_g4_the_indicator_is_one_of_three():
    assert {card["indicator"] for card in CARDS} == {"info", "warning", "critical"} == {one.value for one in Indicator}


def test_g5_the_source_names_the_rules_and_their_version():
    content = all_parts().content

    assert {card["source"]["label"] for card in CARDS} == {content.label}
    assert content.version in content.label


def test_g6_ten_thousand_cards_have_ten_thousand_uuids():
    made = renderer().body(an_answer(*[a_card()] * 10_000))
    found = list(members_named(made, "uuid"))

    assert all(UUID.fullmatch(one) for one in found)
    assert len(set(found)) == len(found) > 10_000
    assert all(uuid.UUID(card["uuid"]).version == 4 for card in made["cards"])


def test_g7_no_detail_holds_html_a_table_or_a_picture():
    """The only angle bracket is the comparator of a result, directly before its number, which opens no tag."""
    for card in CARDS:
        assert not re.search(r"<(?!=?[0-9])|!\[|\|--|\]\(|```", card["detail"]), card["detail"]


HOSTILE = ["<img src=x onerror=1>", "[x](javascript:1)", "<script>alert(1)</script>", "# Big", "http://evil.example"]


@pytest.mark.parametrize("text", HOSTILE)
def test_g7_names_from_the_record_cannot_become_markup(client, text):
    for request in one_of_each_hook():
        for resource in members_named(request, "resource"):
            for concept in ("code", "medicationCodeableConcept"):
                if concept in resource:
                    resource[concept]["text"] = text
                    for coding in resource[concept].get("coding", []):
                        coding["display"] = text
        cards = cards_of(client, request)
        assert cards
        said = json.dumps(cards).replace("https://www.", "")
        assert not any(sign in said for sign in ("<", "](", "javascript:", "http://evil"))


def test_g8_g9_a_source_has_neither_a_url_nor_an_icon_of_ours():
    assert {tuple(sorted(card["source"])) for card in CARDS} == {("label", "topic")}


def test_g10_every_card_has_a_topic_that_is_the_same_for_its_kind():
    topics = {tuple(sorted(card["source"]["topic"].items())) for card in CARDS}
    codes = [dict(topic)["code"] for topic in topics]

    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"[a-z0-9-]{1,100}", code) for code in codes)
    assert {dict(topic)["system"] for topic in topics} == {f"{BASE}/CodeSystem/card-topic"}


def test_g10_topic_codes_are_letters_and_digits_only_where_a_site_asks_for_it():
    cards = every_card(service(demo_settings(topic_codes_plain=True)))

    assert [card for card in cards if not re.fullmatch(r"[a-z0-9]{1,100}", card["source"]["topic"]["code"])] == []


def test_g11_only_topics_whose_rules_say_so_are_ever_critical():
    critical = {card["source"]["topic"]["code"] for card in CARDS if card["indicator"] == "critical"}

    assert critical == {"biochemistry", "ck", "diltiazem", "quinine", "referral-red-flag"}


def test_g12_no_card_names_the_patient_or_the_user(client):
    for request in one_of_each_hook():
        request["prefetch"]["patient"] |= {
            "name": [{"family": "Canaryname", "given": ["Cana"]}],
            "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9999999999"}],
            "telecom": [{"value": "01632 960000"}],
            "address": [{"text": "Canarystreet"}],
        }
        said = json.dumps(cards_of(client, request))
        assert not any(word in said for word in ("Canaryname", "Cana", "9999999999", "960000", "gp-1"))


def test_g13_a_card_about_a_result_shows_its_date(client):
    (card,) = (one for one in cards_of(client, request_of()) if one["source"]["topic"]["code"] == "biochemistry")

    assert re.search(r"\b2026-\d\d-\d\d\b", card["detail"])
    assert re.search(r"\b2026-\d\d-\d\d\b", card["summary"])


# --- suggestions, actions, links, reasons -----------------------------------------------------------------------------


def test_h1_suggestions_come_with_any_and_without_them_there_is_no_behaviour():
    assert {card.get("selectionBehavior") for card in CARDS if "suggestions" in card} == {"any"}
    assert [card for card in CARDS if "selectionBehavior" in card and "suggestions" not in card] == []


def test_h2_h3_a_suggestion_has_a_label_and_a_uuid_and_none_is_recommended_above_another():
    assert {tuple(sorted(one)) for one in suggestions()} == {("actions", "label", "uuid")}
    assert all(one["label"].strip() and UUID.fullmatch(one["uuid"]) for one in suggestions())


def test_h4_h5_a_suggestion_is_one_action():
    assert {len(one["actions"]) for one in suggestions()} == {1}
    assert list(members_named(CARDS, "actionSelectionBehavior")) == []


def test_h6_every_action_has_a_type_and_a_description():
    assert {action["type"] for action in actions()} <= {"create", "update", "delete"}
    assert all(action["description"].strip() for action in actions())


def test_h7_what_is_created_is_a_whole_new_resource():
    created = [action["resource"] for action in actions() if action["type"] == "create"]

    assert created
    assert [resource for resource in created if resource["resourceType"] not in ("ServiceRequest", "Task", "CommunicationRequest")] == []  # fmt: skip
    assert [resource for resource in created if "id" in resource] == []


def test_h8_a_deletion_names_its_target_by_reference_and_carries_no_resource():
    deletions = [action for action in actions() if action["type"] == "delete"]

    assert deletions
    for action in deletions:
        assert re.fullmatch(r"[A-Z][A-Za-z]+/\S+", action["resourceId"])
        assert "resource" not in action


def test_h9_what_is_taken_away_is_a_draft_of_the_request():
    settings = demo_settings(suggest_removal=True)
    parts = replace(all_parts(), content=replace(all_parts().content, removal=True))
    client = create_app(settings, parts, advise=create_advisor(settings, parts, lambda: TODAY).advise).test_client()
    request = request_of(AN_ORDER)
    contraindication = json.loads(json.dumps(request["prefetch"]["problems"]["entry"][0]))
    contraindication["resource"] |= {"id": "c-mg", "code": {"coding": [MYASTHENIA_GRAVIS]}}
    request["prefetch"]["problems"]["entry"].append(contraindication)
    drafts = {f"{one['resourceType']}/{one['id']}" for one in members_named(request["context"]["draftOrders"], "resource")}  # fmt: skip
    deleted = set(members_named(cards_of(client, request), "resourceId"))

    assert deleted == drafts


def test_h10_h11_h12_every_link_is_absolute_and_leads_out_of_no_app():
    assert links()
    for link in links():
        assert sorted(link) == ["label", "type", "url"]
        assert link["type"] == "absolute"
        assert link["label"].strip()


def test_h13_links_lead_only_to_the_hosts_that_the_sources_list():
    hosts = {urlsplit(link["url"]).hostname for link in links()}

    assert hosts == {"www.nice.org.uk", "www.gov.uk", "pure.eur.nl", "www.aomrc.org.uk"} & hosts
    assert {urlsplit(link["url"]).scheme for link in links()} == {"https"}


def test_h14_there_are_no_system_actions():
    assert [body for body in BODIES if "systemActions" in body] == []


def test_h15_h16_every_reason_to_override_has_code_system_and_display():
    reasons = [reason for card in CARDS for reason in card.get("overrideReasons", [])]

    assert reasons
    for reason in reasons:
        assert sorted(reason) == ["code", "display", "system"]
        assert reason["system"] == f"{BASE}/CodeSystem/override-reason"
        assert all(text.strip() for text in reason.values())


def test_h17_the_reasons_are_of_our_own_list_and_borrow_no_code():
    codes = {(reason["code"], reason["display"]) for card in CARDS for reason in card.get("overrideReasons", [])}

    assert len({code for code, _ in codes}) == len(codes)
    assert "non-adherence-reason" not in json.dumps(CARDS)


def test_n1_n2_nothing_carries_an_extension():
    assert list(members_named(BODIES, "extension")) == []
    assert list(members_named([renderer().body(an_answer(a_card()))], "extension")) == []


def test_a_card_keeps_its_reasons_and_links_as_they_were_given():
    card = a_card(override_reasons=(Reason("a", "A"),), links=(WebLink("L", "https://www.gov.uk/x"),))
    (made,) = renderer().body(an_answer(card))["cards"]

    assert [reason["code"] for reason in made["overrideReasons"]] == ["a"]
    assert [link["url"] for link in made["links"]] == ["https://www.gov.uk/x"]
