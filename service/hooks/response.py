"""Advice as the JSON of CDS Hooks: cards, suggestions, reasons, links. No member is null or empty (A3).

The texts were made by the cards; here they only get their places, their uuids and the addresses of our code systems.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import urandom
from typing import Any

from cards.card import Card
from cards.finding import Intent, Proposal, RemoveDraft
from service.answer import Answer

Json = dict[str, Any]
MakeDraft = Callable[[Proposal, str, str | None], Json]


@dataclass(frozen=True, slots=True)
class Renderer:
    """Makes the body of an answer. ``draft`` makes the FHIR resource of an intent, for a patient and an encounter.

    ``label`` names the rule set and its version on every card; ``topic_codes_plain``: specification 3.8 no. 28.
    """

    draft: MakeDraft
    label: str
    canonical_base: str
    topic_codes_plain: bool = False

    def body(self, answer: Answer) -> Json:
        """The answer as the members of a CDS Hooks response (requirements G, H)."""
        cards = answer.advice.cards
        uuids = _uuids(sum(1 + len(card.suggestions) for card in cards))
        return {"cards": [self._card(card, answer, uuids) for card in cards]}

    def _card(self, card: Card, answer: Answer, uuids: Iterator[str]) -> Json:
        made: Json = {
            "uuid": next(uuids),
            "summary": card.summary,
            "indicator": card.indicator.value,
            "source": self._source(card),
        }
        if card.detail:
            made["detail"] = card.detail
        suggestions = [
            self._suggestion(one, answer, next(uuids)) for one in card.suggestions if _may_be_offered(one, answer)
        ]
        if suggestions:
            made["suggestions"] = suggestions
            made["selectionBehavior"] = "any"  # the only value every client knows
        if card.override_reasons:
            system = f"{self.canonical_base}/CodeSystem/override-reason"
            made["overrideReasons"] = [
                {"system": system, "code": reason.code, "display": reason.display} for reason in card.override_reasons
            ]
        if card.links:
            made["links"] = [{"label": link.label, "url": link.url, "type": "absolute"} for link in card.links]
        return made

    def _source(self, card: Card) -> Json:
        topic = {
            "system": f"{self.canonical_base}/CodeSystem/card-topic",
            "code": card.topic.replace("-", "") if self.topic_codes_plain else card.topic,
            "display": card.topic_title,
        }
        return {"label": self.label, "topic": topic}

    def _suggestion(self, intent: Intent, answer: Answer, uuid: str) -> Json:
        """One button, one draft: some record systems carry out one action of a suggestion only (H4)."""
        action: Json = {"description": _description(intent)}
        if isinstance(intent, RemoveDraft):
            action |= {"type": "delete", "resourceId": intent.draft}
        else:
            action |= {"type": "create", "resource": self.draft(intent, answer.patient_id, answer.encounter_id)}
        return {"uuid": uuid, "label": intent.label, "actions": [action]}


_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def _uuids(how_many: int) -> Iterator[str]:
    """Random UUIDs (RFC 9562, version 4), at most so many. All their bits are drawn at once: each draw costs a call of
    the system.
    """
    drawn = urandom(16 * how_many).hex()
    for at in range(0, len(drawn), 32):
        one = drawn[at : at + 32]
        yield f"{one[:8]}-{one[8:12]}-4{one[13:16]}-{_VARIANT[one[16]]}{one[17:20]}-{one[20:]}"


def _may_be_offered(intent: Intent, answer: Answer) -> bool:
    """Only a draft of this request that has a name of its own can be taken away (H8, H9)."""
    return not isinstance(intent, RemoveDraft) or ("/" in intent.draft and intent.draft in answer.drafts)


def _description(intent: Intent) -> str:
    """The whole action in plain text, because some clients show only this."""
    return f"{intent.label}. {intent.note}" if intent.note else intent.label
