"""Small stand-ins for the clinical core, and the application around them, for tests of the service alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from cards.card import Advice, Card, Reason, WebLink
from cards.entries import Area, Input, Reading
from cards.finding import Indicator, Priority, Refer, RequestTest, ReviewMedicine
from service.answer import Answer
from service.app import Parts, create_app
from service.fhir.queries import Query, queries_for
from service.hooks.request import HookCall
from service.hooks.services import SERVICES
from service.observe import AccessLog
from service.settings import Profile, Settings
from service.store import Store
from terminology.coding import Coding

DEMO = Settings(profile=Profile.DEMO)
TEST = RequestTest("order-ck", "Creatine kinase", "No creatine kinase on record.")
REFERRAL = Refer("refer-neurology", "Refer to neurology", Priority.URGENT, "Do not delay for tests.")
REVIEW = ReviewMedicine("Review indapamide", "Is it still needed?", "MedicationStatement/m1")


class StandInVocabulary:
    """Knows one code for every order."""

    version = "2026.1"
    content_hash = "abc"

    def codes_to_search(self, _concepts: Any) -> tuple[str, ...]:
        return ("2823-3",)

    def codings_for(self, _concept: str) -> tuple[Coding, ...]:
        return (Coding("http://snomed.info/sct", "55300003", "Cramp (finding)"), Coding("http://loinc.org", "2157-6"))

    def title(self, concept: str) -> str:
        return concept.removeprefix("order-")


@dataclass(frozen=True)
class StandInContent:
    vocabulary: Any = field(default_factory=StandInVocabulary)
    version: str = "1.2.3"
    label: str = "muscle-cds rules 1.2.3"
    hash: str = "0123abcd"
    override_reasons: tuple[Reason, ...] = (
        Reason("known-baseline", "Known baseline for this patient"),
        Reason("patient-declined", "Patient declined"),
    )


def parts() -> Parts:
    content: Any = StandInContent()
    queries: dict[str, tuple[Query, ...]] = {one.id: queries_for(one.id, content.vocabulary) for one in SERVICES}
    return Parts(content, queries)


def a_card(**changed: Any) -> Card:
    return Card(
        **{
            "topic": "missing-tests",
            "topic_title": "Missing tests",
            "indicator": Indicator.INFO,
            "summary": "No usable recent CK on record: consider a biochemical screen for cramps or twitching",
            "detail": "**Found**\n\n- Cramp, 2026-06-01",
            "suggestions": (TEST, REFERRAL, REVIEW),
            "override_reasons": (Reason("known-baseline", "Known baseline for this patient"),),
            "links": (WebLink("NICE NG127", "https://www.nice.org.uk/guidance/ng127"),),
            "rules": ("P14",),
        }
        | changed
    )


def an_answer(*cards: Card, patient_id: str = "pat-1", encounter_id: str | None = None, **advice: Any) -> Answer:
    inputs = {Area.RESULTS: Input(Reading.COMPLETE), Area.MEDICINES: Input(Reading.FAILED, "did not answer")}
    return Answer(Advice(cards, **advice), inputs, {Area.RESULTS: 2, Area.ORDERS: 0}, patient_id, encounter_id)


def a_request(**changed: Any) -> dict[str, Any]:
    """The least request a service can work with, and a user; a member that is None is left out."""
    request = {
        "hook": "patient-view",
        "hookInstance": "5c9ba9c1-0e3b-4a0e-9df0-3a5a2a2a6f10",
        "context": {"userId": "Practitioner/gp-1", "patientId": "pat-1"},
        "prefetch": {"patient": {"resourceType": "Patient", "id": "pat-1"}},
    } | changed
    return {name: member for name, member in request.items() if member is not None}


def body(**changed: Any) -> bytes:
    return json.dumps(a_request(**changed)).encode()


def advises(*cards: Card, **advice: Any) -> Callable[[HookCall], Answer]:
    """A pipeline that gives these cards to everyone."""

    def advise(call: HookCall) -> Answer:
        return an_answer(*cards, patient_id=call.patient_id, encounter_id=call.encounter_id, **advice)

    return advise


def an_app(
    advise: Callable[[HookCall], Answer] | None = None,
    *,
    lines: list[str] | None = None,
    settings: Settings = DEMO,
    store: Store | None = None,
) -> Flask:
    """The application around a stand-in core; its log goes into ``lines``."""
    log = AccessLog((lines if lines is not None else []).append, lambda: datetime(2026, 6, 15, 9, tzinfo=UTC))
    return create_app(settings, parts(), advise=advise or advises(a_card()), log=log, store=store)
