"""F22: values and dates in odd forms, for every analyte that a rule reads: used, or named as unreadable; never guessed.

What is used and what is not stands in the specification (3.2; 3.8 no. 8, 10 to 12, 15, 19) and rule R10; each form goes
over prefetch and over fetch through the running service, and both must give the same cards. In the two large tables
every pair is prefetched, and every third is fetched too: each form for three analytes or more, each analyte in every
third form.
"""

import csv
import json
import re
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from cards.windows import load_windows
from service.fhir.resource import from_json
from service.fhir.retrieved import Resources
from terminology.vocabulary import load
from tests.faults.figures import record
from tests.faults.server import Ehr, FaultyServer
from tests.faults.story import Json, ask, body, day, notes, result, said, topics
from tests.faults.values import (
    DAYS_AGO,
    ENTRY,
    NAMED,
    SCENES,
    TOTAL_CALCIUM,
    USED,
    Scene,
    also,
    dated,
    plain,
    quantity,
    the_record,
)
from tests.fhir_stub import bundle
from tests.service.fhir.builders import AS_OF, KEYS, LONDON, chart_of
from tests.service.test_server import Running

ANALYTES = load().analytes
UNITS = files("terminology") / "value_sets" / "units.csv"
PLACE = f"Observation/{ENTRY}"
LATELY = {"effectiveDateTime": AS_OF.isoformat()}
CALCULATED_WITH = {"calcium-total", "albumin"}
"""No rule compares them but for adjusted calcium, which is worked out from a number and the albumin of the same day."""
LESS_THAN_A_TENTH = {"magnesium": "critical", "tsh": "warning", "free-t4": "warning", "free-t3": "info"}
"""How grave the card is with a value of "<0.1", for the analytes of which that is plausible (3.5)."""
tried: set[tuple[str, str]] = set()


@pytest.fixture(scope="module")
def record_system(fhir: FaultyServer) -> Ehr:
    """One for the module: nothing is faulty about how it answers."""
    return fhir.ehr("r395")


@pytest.fixture
def answer(service: Running, record_system: Ehr) -> Any:
    """The cards for a scene with these observations in it, the same by prefetch and, if asked, by fetch."""

    def asked(scene: Scene, *observations: Json, fetched: bool = True) -> list[Json]:
        resources = the_record(scene, *observations)
        sent: dict[str, Any] = {key: bundle() for key in KEYS.values() if key != "encounter"}
        sent["patient"], sent["problems"], sent["results"] = resources[0], bundle(resources[1]), bundle(*resources[2:])
        by_prefetch = ask(service, body(prefetch=sent)).cards
        if not fetched:
            return by_prefetch
        record_system.resources = resources
        by_fetch = ask(service, body(record_system)).cards
        assert [advice(card) for card in by_prefetch] == [advice(card) for card in by_fetch]
        assert notes(by_fetch) == {}
        return by_fetch

    return asked


def advice(card: Json) -> tuple[Any, ...]:
    return card["summary"], card["indicator"], card["detail"]


def weight(cards: list[Json], scene: Scene) -> str | None:
    """How grave the card of the scene's topic is; None: there is none."""
    card = topics(cards).get(scene.topic)
    return None if card is None else str(card["indicator"])


def found(cards: list[Json]) -> str:
    """What the cards say was found."""
    return " ".join(card["detail"].partition("**Why it may matter**")[0] for card in cards)


def not_known(cards: list[Json]) -> list[str]:
    """The lines of what is not known."""
    return [
        line
        for card in cards
        for line in card["detail"].partition("**Not known**")[2].partition("**Basis**")[0].splitlines()
    ]


def named(cards: list[Json]) -> list[str]:
    """The lines that name the odd entry as not known."""
    return [line for line in not_known(cards) if PLACE in line]


def is_missing(cards: list[Json], scene: Scene) -> bool | None:
    """Whether the test of the screen that the analyte settles is said to be missing; None: it settles none."""
    if not scene.screen:
        return None
    return bool(re.search(rf"\b{scene.screen}\b", topics(cards)["missing-tests"]["summary"]))


def is_fetched(form: str, analyte: str) -> bool:
    """Whether this pair of the large tables is fetched too: every third."""
    return ([*USED, *NAMED].index(form) + [*SCENES].index(analyte)) % 3 == 0


def count(analyte: str, form: str) -> None:
    tried.add((analyte, form))
    record("F22", "odd forms of a value, times analytes, each used or named", len(tried))


def test_every_analyte_that_a_rule_reads_is_in_the_table() -> None:
    assert SCENES.keys() == ANALYTES.keys()
    for name, scene in SCENES.items():
        low, high = ANALYTES[name].plausible.low, ANALYTES[name].plausible.high
        assert low is not None
        assert high is not None
        assert Decimal(str(scene.implausible[0])) < low < Decimal(str(scene.sends[1])) < high
        assert high < Decimal(str(scene.implausible[1]))


@pytest.mark.parametrize("analyte", SCENES)
def test_the_card_of_each_analyte_turns_on_its_value(answer: Any, analyte: str) -> None:
    """Else nothing below would show whether it was used."""
    scene = SCENES[analyte]

    assert weight(answer(scene, plain(scene)), scene) == "warning"
    assert weight(answer(scene), scene) == scene.without
    assert weight(answer(scene, quantity(value=scene.normal)(plain(scene), scene)), scene) == scene.without


@pytest.mark.parametrize("analyte", SCENES)
@pytest.mark.parametrize("form", USED)
def test_what_can_be_read_is_used(answer: Any, form: str, analyte: str) -> None:
    scene = SCENES[analyte]
    cards = answer(scene, USED[form](plain(scene), scene), fetched=is_fetched(form, analyte))

    assert weight(cards, scene) == "warning"
    assert PLACE in found(cards)
    assert day(DAYS_AGO) in found(cards)
    assert not named(cards)
    assert not is_missing(cards, scene)
    assert ("status not stated" in found(cards)) is (form == "a status not stated")
    count(analyte, form)


@pytest.mark.parametrize("analyte", SCENES)
@pytest.mark.parametrize("form", NAMED)
def test_what_cannot_be_read_is_named_and_never_guessed(answer: Any, form: str, analyte: str) -> None:
    scene = SCENES[analyte]
    why, made = NAMED[form]
    cards = answer(scene, made(plain(scene), scene), fetched=is_fetched(form, analyte))

    assert weight(cards, scene) == scene.without
    assert PLACE not in found(cards)
    assert is_missing(cards, scene) is not False
    assert named(cards)
    assert all(why in line and ANALYTES[analyte].title in line for line in named(cards))
    count(analyte, form)


@pytest.mark.parametrize("analyte", SCENES)
def test_a_comparator_that_decides_counts(answer: Any, analyte: str) -> None:
    scene = SCENES[analyte]
    sign, number = scene.decides
    cards = answer(scene, quantity(comparator=sign, value=number)(plain(scene), scene))

    if analyte in CALCULATED_WITH:
        assert weight(cards, scene) is None
        assert any(f"{sign}{number}" in line for line in named(cards))
    else:
        assert weight(cards, scene) == "warning"
        assert f"{sign}{number}" in found(cards)
    count(analyte, "a comparator that decides")


@pytest.mark.parametrize("analyte", SCENES)
def test_less_than_a_tenth_counts_where_it_can_be_so(answer: Any, analyte: str) -> None:
    scene = SCENES[analyte]
    cards = answer(scene, quantity(comparator="<", value=0.1)(plain(scene), scene))

    assert weight(cards, scene) == LESS_THAN_A_TENTH.get(analyte, scene.without)
    if analyte not in LESS_THAN_A_TENTH:
        assert all("0.1" in line and "not a plausible value" in line for line in named(cards))
        assert named(cards)
    count(analyte, "<0.1")


@pytest.mark.parametrize(("analyte", "sign", "number"), [("magnesium", "<", 0.4), ("ck-total", ">", 5000)])
def test_a_comparator_may_be_what_is_urgent(answer: Any, analyte: str, sign: str, number: float) -> None:
    scene = SCENES[analyte]

    assert weight(answer(scene, quantity(comparator=sign, value=number)(plain(scene), scene)), scene) == "critical"


@pytest.mark.parametrize("analyte", SCENES)
def test_a_preliminary_value_makes_no_card_and_is_not_done_but_is_shown(answer: Any, analyte: str) -> None:
    scene = SCENES[analyte]
    cards = answer(scene, plain(scene) | {"status": "preliminary"})

    assert weight(cards, scene) == scene.without
    assert is_missing(cards, scene) is not False
    assert any(PLACE in line and "preliminary" in line for line in said(cards).split("\\n"))
    count(analyte, "preliminary")


@pytest.mark.parametrize("analyte", SCENES)
@pytest.mark.parametrize("others", ["a1", "z1"])
def test_a_corrected_version_replaces_the_one_of_the_same_time(answer: Any, analyte: str, others: str) -> None:
    scene = SCENES[analyte]
    bad = plain(scene)
    good = quantity(value=scene.normal)(bad, scene)

    for status in ("amended", "corrected"):
        now_bad = answer(scene, good | {"id": others}, bad | {"status": status})
        assert weight(now_bad, scene) == "warning"
        assert PLACE in found(now_bad)
        now_good = answer(scene, bad | {"id": others}, good | {"status": status})
        assert weight(now_good, scene) == scene.without
        assert not is_missing(now_good, scene)
    count(analyte, "corrected")


@pytest.mark.parametrize("analyte", SCENES)
@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_what_was_an_error_or_cancelled_never_counts(answer: Any, status: str, analyte: str) -> None:
    scene = SCENES[analyte]
    cards = answer(scene, plain(scene) | {"status": status})

    assert weight(cards, scene) == scene.without
    assert PLACE not in found(cards)
    assert is_missing(cards, scene) is not False
    count(analyte, status)


@pytest.mark.parametrize("analyte", SCENES)
@pytest.mark.parametrize("years_ago", [0, 1, 2])
def test_a_year_alone_may_be_recent_but_is_not_surely_so(answer: Any, years_ago: int, analyte: str) -> None:
    """It speaks if some day of it is recent; it counts as done only if all of its days are."""
    scene, today, recent = SCENES[analyte], datetime.now(LONDON).date(), load_windows().look_back[analyte]
    year = today.year - years_ago
    may_be = years_ago == 0 or (today - date(year, 12, 31)).days <= recent
    surely = (today - date(year, 1, 1)).days <= recent
    cards = answer(scene, dated(str(year))(plain(scene), scene))

    if analyte in CALCULATED_WITH:  # which takes two values that are known to be of one day
        assert weight(cards, scene) is None
    else:
        assert weight(cards, scene) == ("warning" if may_be else scene.without)
        assert (f" on {year} (" in found(cards)) or not may_be
    assert is_missing(cards, scene) in (None, not surely)
    count(analyte, "a year alone")


@pytest.mark.parametrize("state", [{"valueString": "40"}, {"valueQuantity": {"value": 40}}, {"status": "preliminary"}])
def test_an_albumin_that_cannot_be_used_is_not_said_to_be_absent(answer: Any, state: Json) -> None:
    scene = SCENES["albumin"]
    low_total = result("total", TOTAL_CALCIUM, 2.05, "mmol/L", (2.2, 2.6), days_ago=DAYS_AGO + 1)
    odd = also(**state)(plain(scene) | {"effectiveDateTime": low_total["effectiveDateTime"]}, scene)
    if "valueString" in state:
        del odd["valueQuantity"]
    cards = answer(replace(scene, beside=()), low_total, odd)

    assert "could not be adjusted for albumin" in said(cards)
    assert "no albumin" not in said(cards)
    assert weight(cards, scene) is None


# ---- the closed table of units

SPELLED = [
    (row["analyte"], row["spelling"], row["factor"], row["relation"])
    for row in csv.DictReader(UNITS.read_text(encoding="utf-8").splitlines())
]


@pytest.mark.parametrize(("analyte", "spelling", "factor", "relation"), SPELLED)
def test_each_spelling_of_a_unit_is_converted_by_its_factor_or_refused(
    analyte: str, spelling: str, factor: str, relation: str
) -> None:
    scene = SCENES[analyte]
    sent = quantity(value=1 if factor == "" else float(Decimal(str(scene.sends[1])) / Decimal(factor)), unit=spelling)
    one = sent(plain(scene), scene)
    del one["valueQuantity"]["code"]
    made = chart_of({"results": Resources((from_json(json.dumps(one | LATELY).encode()),))})

    if relation in ("not-comparable", "implausible"):
        assert made.results == ()
        assert [entry.about for entry in made.unread] == [analyte]
    else:
        assert [entry.value for entry in made.results] == [ANALYTES[analyte].rounded(Decimal(str(scene.sends[1])))]
        assert made.unread == ()


def test_every_analyte_has_units_in_the_closed_table() -> None:
    assert {analyte for analyte, *_ in SPELLED} == ANALYTES.keys()
