"""Whatever part of a good record is damaged, however: the cards are a subset of what they were, plus notices, and no
sentence rests on the absence of something in a damaged part (reliability sections 1 and 4).

The whole way, from the call to the cards, over prefetch and over fetch. What holds for the rules alone, with parts of
a chart taken away, is in tests/properties/test_rules.py.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from cards.content import load_content
from service.answer import Answer
from service.app import create_advisor, create_app, load_parts
from service.fhir.bounds import FhirBase
from service.fhir.retrieve import Retriever
from service.hooks.request import HookCall
from service.pipeline import Advisor
from service.settings import load
from service.watching import access_log
from terminology.vocabulary import load as load_vocabulary
from tests.faults.server import Ehr, Fault, html, ok, running, status
from tests.faults.story import (
    INPUTS,
    body,
    notes,
    rested_on,
    said,
    says_nothing_from_absence,
    topics,
    weight,
)
from tests.fhir_stub import bundle, outcome
from tests.properties.test_roads import PATIENT, TODAY, records
from tests.service.fhir.builders import KEYS

Json: TypeAlias = dict[str, Any]
Road: TypeAlias = Callable[[list[Json], "Damage"], list[Json] | None]

KINDS = tuple(INPUTS)
ELSEWHERE = "https://elsewhere.example/fhir/next"


@dataclass(frozen=True)
class Damage:
    """What is wrong with which type, and which entries of it are still there, by position."""

    how: dict[str, str]
    kept: dict[str, tuple[bool, ...]]

    def entries(self, kind: str, found: list[Json]) -> list[Json]:
        mask = self.kept.get(kind, ())
        return [one for place, one in enumerate(found) if place < len(mask) and mask[place]]


WHOLE = Damage({}, {})
HOLDING_BACK = {"results", "orders", "problems", "medicines"}
CONTENT = load_content(load_vocabulary())
REASSURING = {topic.code for topic in CONTENT.topics if topic.sheet.reassures}
FOLDED = CONTENT.frame.words["folded"]["line"]


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    """At least one part of the record damaged; the patient only as a whole."""
    kinds = draw(st.sets(st.sampled_from(KINDS), min_size=1, max_size=len(KINDS) - 1))
    in_part = ("cut", "broken", "fewer than said")
    at_once = ("failed", "denied", "unreadable")
    how = {kind: draw(st.sampled_from(at_once if kind == "Patient" else at_once + in_part)) for kind in sorted(kinds)}
    masks = st.lists(st.booleans(), min_size=12, max_size=12).map(tuple)
    return Damage(how, {kind: draw(masks) for kind in how})


def answered(kind: str, record: list[Json], damage: Damage) -> Any:
    """What stands for one type, in prefetch or as the body of an answer."""
    found = [one for one in record if one["resourceType"] == kind]
    match damage.how.get(kind):
        case None if kind == "Patient":
            return PATIENT
        case None:
            return bundle(*found)
        case "failed":
            return outcome("exception")
        case "denied":
            return outcome("forbidden")
        case "cut":
            return bundle(*damage.entries(kind, found), next_url=ELSEWHERE)
        case "broken":
            made = bundle(*damage.entries(kind, found))
            return made | {"entry": [*made["entry"], {"resource": None}]}
        case "fewer than said":
            kept = damage.entries(kind, found)
            return bundle(*kept, total=len(kept) + 3)
        case _:
            return None


# ---- the two roads


class Desk:
    """The application in process, around an advisor that is another one for every call."""

    def __init__(self) -> None:
        ours = load({"MUSCLE_CDS_PROFILE": "demo", "MUSCLE_CDS_DEADLINE_MS": "20000"})
        parts = load_parts(ours)
        self.advisor: Advisor = create_advisor(ours, parts, today=lambda: TODAY)
        self._now = self.advisor
        self._client: FlaskClient = create_app(ours, parts, advise=self._advise, log=access_log("error")).test_client()

    def _advise(self, call: HookCall) -> Answer:
        return self._now.advise(call)

    @contextmanager
    def calling(self, base: str) -> Iterator[None]:
        """With connections and circuit breakers that nobody has used."""
        retriever = Retriever([FhirBase(base)])
        self._now = replace(self.advisor, retriever=retriever)
        try:
            yield
        finally:
            retriever.close()
            self._now = self.advisor

    def ask(self, raw: bytes) -> list[Json] | None:
        """The cards; None if nothing could be said at all."""
        answer = self._client.post("/cds-services/muscle-patient-view", data=raw)
        assert answer.status_code in (200, 412), answer.text
        return answer.get_json()["cards"] if answer.status_code == 200 else None


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.advisor.retriever.close()


@pytest.fixture(scope="module")
def ehr() -> Iterator[Ehr]:
    with running() as server:
        yield server.ehr()


def by_prefetch(desk: Desk) -> Road:
    def road(record: list[Json], damage: Damage) -> list[Json] | None:
        sent = {KEYS[kind]: answered(kind, record, damage) for kind in KINDS if damage.how.get(kind) != "unreadable"}
        return desk.ask(body(prefetch=sent))

    return road


def by_fetch(desk: Desk, ehr: Ehr) -> Road:
    as_status: dict[str, Fault] = {"failed": status(500), "denied": status(403), "unreadable": html()}

    def road(record: list[Json], damage: Damage) -> list[Json] | None:
        for kind in KINDS:
            how = damage.how.get(kind, "")
            ehr.answers(kind, as_status.get(how) or ok(answered(kind, record, damage)))
        with desk.calling(ehr.base):
            return desk.ask(body(ehr))

    return road


# ---- the property


def diminished(before: list[Json], after: list[Json], damaged: list[str]) -> None:
    """The answer to a damaged record against that to the whole one.

    A card may be new for one reason alone: an entry that is lost had held it back. A newer result hid an older one, a
    referral that runs made a red flag no news. Such a card names what is missing, as all do, and does not reassure. One
    that reassures may be new only where a critical result that is lost had kept everything else silent (V13): the part
    that is missing is then named on a card of its own beside it. What stood folded into the last of four cards before
    (specification 3.5) and has a card of its own now is not new.
    """
    old, new = topics(before), topics(after)
    if old.keys() - {
        "quinine"
    }:  # without a symptom in scope nothing is said of a failed search (sheet of data-quality)
        assert after, "silence would pass for an all-clear"
    if after:
        assert notes(after).keys() == set(damaged)
    says_nothing_from_absence(after, *damaged)
    for name, card in new.items():
        if name in old and weight(card) < weight(old[name]):
            lost = rested_on(old[name], damaged) - rested_on(card, damaged)
            assert lost, f"{name} became calmer, and not for want of an entry"
    for name in (new.keys() - old.keys()) & REASSURING:
        if FOLDED.format(summary=new[name]["summary"]) in said(before):
            continue
        assert "results" in damaged, f"{name} reassures and was not there before"
        assert "critical" in {card["indicator"] for card in before}, f"{name} reassures and was not there before"
        assert "data-quality" in new
    for name in new.keys() - old.keys() - REASSURING - {"data-quality"}:
        assert set(damaged) & HOLDING_BACK, f"{name} was not there before"


def check(road: Road, record: list[Json], damage: Damage) -> None:
    before, after = road(record, WHOLE), road(record, damage)
    assert before is not None
    if after is None:
        event("nothing could be said")
        return
    event(f"{len(before)} cards before, {len(after)} after")
    diminished(before, after, sorted({INPUTS[kind] for kind in damage.how}))


NIGHTLY = settings.get_current_profile_name() == "nightly"
pytestmark = [pytest.mark.timeout(900 if NIGHTLY else 120), pytest.mark.no_cover]  # tests/uncovered.py
LENGTH = settings(
    max_examples=5_000 if NIGHTLY else 200,
    deadline=None,
    derandomize=not NIGHTLY,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@LENGTH
@given(record=records(), damage=damages())
def test_by_prefetch_a_damaged_record_never_says_more_than_the_whole_one(
    record: list[Json], damage: Damage, desk: Desk
) -> None:
    check(by_prefetch(desk), record, damage)


@LENGTH
@given(record=records(), damage=damages())
def test_by_fetch_a_damaged_record_never_says_more_than_the_whole_one(
    record: list[Json], damage: Damage, desk: Desk, ehr: Ehr
) -> None:
    check(by_fetch(desk, ehr), record, damage)


@settings(LENGTH, max_examples=LENGTH.max_examples // 4)
@given(record=records(), damage=damages())
def test_the_same_damage_by_either_road_gives_the_same_cards(
    record: list[Json], damage: Damage, desk: Desk, ehr: Ehr
) -> None:
    sent, fetched = by_prefetch(desk)(record, damage), by_fetch(desk, ehr)(record, damage)

    assert (sent is None) == (fetched is None)
    if sent is not None and fetched is not None:
        assert outline(sent) == outline(fetched)


def outline(cards: list[Json]) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What is advised; the words for why a part was not had are those of the road."""
    return [
        (name, card["indicator"], card["summary"], tuple(sorted(notes([card])))) for name, card in topics(cards).items()
    ]


def test_the_kinds_tried_are_all_that_are_asked_for(ehr: Ehr, desk: Desk) -> None:
    ehr.requests.clear()
    with desk.calling(ehr.base):
        desk.ask(body(ehr))

    assert {one.path.partition("/")[0] for one in ehr.requests} == set(KINDS)
    assert json.dumps(sorted(INPUTS)) == json.dumps(sorted(KINDS))
