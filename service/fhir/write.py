"""What a card proposes, as a FHIR R4 resource: always a draft for a clinician to complete, never an instruction.

Built as plain JSON, because this runs in every call; every shape made here is checked with fhir.resources R4B in the
tests. A test or referral is a ServiceRequest with intent ``order``: accepting it makes the clinician's own draft order.
A medicine review is a Task with intent ``proposal``. No draft carries a date: when it is signed is the record's to say.
"""

from typing import Any

from cards.finding import Proposal, Refer, RequestTest, ReviewMedicine
from terminology.vocabulary import Vocabulary

Json = dict[str, Any]


def draft(intent: Proposal, patient_id: str, encounter_id: str | None, vocabulary: Vocabulary) -> Json:
    """The draft of an intent for a patient, and for the encounter if there is one.

    The note of a test says why it is proposed (``reasonCode``); the note of a referral is meant for whoever receives
    it (``note``).
    """
    match intent:
        case RequestTest():
            made = _request(intent.order, "routine", vocabulary)
            if intent.note:
                made["reasonCode"] = [{"text": intent.note}]
            whom = "subject"
        case Refer():
            made = _request(intent.order, intent.priority.value, vocabulary)
            if intent.note:
                made["note"] = [{"text": intent.note}]
            whom = "subject"
        case ReviewMedicine():
            made = _review(intent)
            whom = "for"
    made[whom] = {"reference": f"Patient/{patient_id}"}
    if encounter_id:
        made["encounter"] = {"reference": f"Encounter/{encounter_id}"}
    return made


def _request(order: str, priority: str, vocabulary: Vocabulary) -> Json:
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "priority": priority,
        "code": _code(order, vocabulary),
    }


def _code(order: str, vocabulary: Vocabulary) -> Json:
    """The order in words, with the code of each system that is known; a site maps the words where it has none."""
    codings = [
        {"system": coding.system, "code": coding.code} | ({"display": coding.display} if coding.display else {})
        for coding in vocabulary.codings_for(order)
    ]
    text = {"text": vocabulary.title(order)}
    return {"coding": codings} | text if codings else text


def _review(intent: ReviewMedicine) -> Json:
    made: Json = {
        "resourceType": "Task",
        "status": "draft",
        "intent": "proposal",
        "priority": "routine",
        "description": intent.label,
        "focus": {"reference": intent.medicine},
    }
    if intent.note:
        made["note"] = [{"text": intent.note}]
    return made
