"""The benign card: when it is shown, what it may not claim, and the detail additions (specification P16, HZ01)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cards.advise import advise
from cards.card import Advice, Card
from cards.content import Content
from cards.entries import Area, Unread
from cards.example_charts import ago, chart_of

Ask = Callable[..., Advice]

ADVICE = "symptom-advice"
NORMAL = [
    "potassium 4.2 mmol/L [3.5-5.3] 5 days ago",
    "calcium-adjusted 2.35 mmol/L [2.2-2.6] 5 days ago",
    "tsh 2.1 mIU/L [0.4-4.5] 5 days ago",
    "ck-total 90 U/L [25-200] 5 days ago",
]


def shown(advice: Advice) -> Card | None:
    return next((card for card in advice.cards if card.topic == ADVICE), None)


def detail(advice: Advice) -> str:
    card = shown(advice)
    assert card is not None
    return card.detail


def part(advice: Advice, name: str) -> str:
    """The lines under one heading of the detail."""
    return detail(advice).split(f"**{name}**")[1].split("**")[0]


@pytest.mark.parametrize(
    ("problem", "summary"),
    [
        ("muscle-fasciculation", "Fasciculation without recorded weakness is usually benign"),
        ("cramp-fasciculation-syndrome", "Fasciculation without recorded weakness is usually benign"),
        ("muscle-cramp", "Muscle cramp is usually benign"),
        ("nocturnal-leg-cramp", "Muscle cramp is usually benign"),
        ("myokymia", "Myokymia is nearly always benign"),
        ("eyelid-twitch", "Myokymia is nearly always benign"),
    ],
)
def test_a_benign_card_says_that_no_weakness_is_recorded_and_asks_for_power_and_wasting(
    advised: Ask, problem: str, summary: str
) -> None:
    advice = advised(problems=[f"{problem} 20 days ago"], results=NORMAL)
    (card,) = advice.cards
    assert (card.topic, card.indicator.value) == (ADVICE, "info")
    assert card.summary.startswith(summary)
    assert card.suggestions == ()
    assert "no weakness recorded" in card.detail.lower()
    assert "not proof of normal power" in card.detail
    assert "Check power and look for wasting" in part(advice, "Check")
    assert "all clear" not in card.detail.lower()


def test_one_card_for_several_symptoms_fasciculation_first_and_all_in_the_detail(advised: Ask) -> None:
    advice = advised(
        problems=["myokymia 1 days ago", "muscle-cramp 2 days ago", "muscle-fasciculation 30 days ago"],
        results=NORMAL,
    )
    (card,) = advice.cards
    assert card.summary.startswith("Fasciculation")
    for words in ("Myokymia is painless", "calf stretches", "isolated fasciculation is common"):
        assert words in card.detail


def test_the_known_limits_are_printed(advised: Ask) -> None:
    unknown = part(advised(problems=["muscle-cramp 5 days ago"]), "Not known")
    for words in ("never coded", "tonic water", "inhalers", "caffeine"):
        assert words in unknown


@pytest.mark.parametrize("problem", ["myotonia 20 days ago", "blepharospasm 20 days ago"])
def test_myotonia_and_facial_spasm_alone_get_no_benign_card(advised: Ask, problem: str) -> None:
    assert shown(advised(problems=[problem])) is None


def test_a_critical_card_withholds_the_benign_one(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp 5 days ago"], results=["potassium 2.4 mmol/L [3.5-5.3] 1 days ago"])
    assert shown(advice) is None


# weakness of another time, or unread


def test_an_old_active_weakness_is_named_with_its_date_and_takes_the_claim_that_none_is_recorded(advised: Ask) -> None:
    advice = advised(problems=["muscle-fasciculation 5 days ago", "muscle-weakness 400 days ago"], results=NORMAL)
    card = shown(advice)
    assert card is not None
    assert card.summary == (
        "Fasciculation with an older record of weakness or wasting (2025-05-11): check power before calling it benign"
    )
    assert "Muscle weakness, 2025-05-11" in card.detail
    assert "no weakness recorded" not in card.detail.lower()
    assert card.suggestions == ()


def test_a_resolved_weakness_is_named_as_not_counted(advised: Ask) -> None:
    advice = advised(problems=["muscle-fasciculation 5 days ago", "muscle-weakness resolved 250 days ago"])
    assert "Not counted, marked resolved or inactive: Muscle weakness, 2025-10-08 (Condition/c2)" in detail(advice)
    assert "No weakness recorded: no active code" in detail(advice)


def with_unread(content: Content, about: str, *, expected: bool) -> Advice:
    chart = chart_of(content.vocabulary, problems=["muscle-fasciculation 5 days ago"], results=NORMAL)
    entry = Unread(Area.PROBLEMS, about, "its status could not be read", "Condition/u1", ago(3), expected)
    return advise(replace(chart, unread=(entry,)), content)


def test_a_weakness_entry_that_could_not_be_read_takes_the_claim_that_none_is_recorded(content: Content) -> None:
    advice = with_unread(content, "muscle-weakness", expected=False)
    card = shown(advice)
    assert card is not None
    assert "could not be read: check power" in card.summary
    assert "no weakness recorded" not in card.detail.lower()


@pytest.mark.parametrize(("about", "expected"), [("muscle-weakness", True), ("hypertension", False)])
def test_an_entry_left_out_by_rule_or_about_something_else_does_not(
    content: Content, about: str, expected: bool
) -> None:
    assert "No weakness recorded" in detail(with_unread(content, about, expected=expected))


def test_no_benign_advice_rests_on_a_problem_list_that_was_read_in_part(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp 5 days ago"], results=NORMAL, incomplete=["problems"])
    assert {card.topic for card in advice.cards} == {"data-quality"}


@pytest.mark.parametrize("area", [Area.PROBLEMS, Area.RESULTS, Area.ENCOUNTER])
@pytest.mark.parametrize("about", ["muscle-weakness", "dysarthria", "motor-neurone-disease", "myotonia"])
def test_an_unread_entry_that_would_take_the_benign_words_takes_them_wherever_it_stands(
    content: Content, area: Area, about: str
) -> None:
    """A finding among the results or a reason for the encounter is a sign as much as a problem is (P1 to P3, S8)."""
    chart = chart_of(content.vocabulary, problems=["muscle-fasciculation 5 days ago"], results=NORMAL)
    entry = Unread(area, about, "it does not say whose it is", "Observation", None)
    card = shown(advise(replace(chart, unread=(entry,)), content))
    assert card is not None
    assert "could not be read: check power" in card.summary
    assert "no weakness recorded" not in card.detail.lower()
    assert entry.why in card.detail


@pytest.mark.parametrize("symptom", ["muscle-fasciculation", "muscle-cramp", "myokymia"])
@pytest.mark.parametrize("area", ["results", "this encounter"])
@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_nothing_is_said_of_weakness_from_a_part_that_may_hold_it_and_was_not_read(
    advised: Ask, how: str, area: str, symptom: str
) -> None:
    """Signs are looked for among the results and the reasons of the encounter too (principle 2, HZ01, HZ10)."""
    card = shown(advised(problems=[f"{symptom} 5 days ago"], **{how: [area]}))
    assert card is not None
    assert f"recorded, but {area}, which may hold weakness, could not be read" in card.summary
    assert "without recorded weakness" not in card.detail.lower()
    assert "no weakness recorded" not in card.detail.lower()


@pytest.mark.parametrize("area", [Area.ENCOUNTER, Area.FAMILY, Area.RESULTS])
@pytest.mark.parametrize("problems", [["muscle-cramp 5 days ago"], ["muscle-cramp severe 5 days ago"]])
def test_what_belongs_to_another_patient_is_named_whatever_it_was(
    content: Content, problems: list[str], area: Area
) -> None:
    """3.8 no. 7: dropped, counted and named, and it changes nothing else."""
    chart = chart_of(content.vocabulary, problems=problems)
    entry = Unread(area, "", "a record that belongs to another patient was left out", area.name, None, expected=True)
    before, after = advise(chart, content), advise(replace(chart, unread=(entry,)), content)
    assert [(card.topic, card.summary) for card in after.cards] == [(card.topic, card.summary) for card in before.cards]
    assert any(entry.why in card.detail for card in after.cards)


def test_a_neuropathy_is_not_called_benign_while_the_orders_may_hold_its_referral(advised: Ask) -> None:
    """S8 and 3.8 no. 24: with the referral it is known disease, and nothing is called benign."""
    record = {"problems": ["muscle-cramp 5 days ago", "peripheral-neuropathy 900 days ago"], "results": NORMAL}
    assert {card.topic for card in advised(**record).cards} == {ADVICE}
    for how in ("unreadable", "incomplete"):
        assert {card.topic for card in advised(**record, **{how: ["orders"]}).cards} == {"data-quality"}


def test_unreadable_results_do_not_take_the_explanation(advised: Ask) -> None:
    advice = advised(problems=["muscle-cramp 5 days ago"], unreadable=["results"])
    assert {card.topic for card in advice.cards} == {"data-quality", ADVICE}


# detail additions


def test_treatments_stand_with_the_strength_of_their_evidence(advised: Ask) -> None:
    consider = part(advised(problems=["muscle-cramp 5 days ago"]), "Consider")
    for words in (
        "benefit unproven",
        "level C, one small trial each",
        "off-label",
        "MHRA: not routine",
        "less caffeine",
    ):
        assert words in consider


def test_in_pregnancy_the_medicines_are_left_out_and_quinine_is_to_be_avoided(advised: Ask) -> None:
    advice = advised(person="female 29", problems=["muscle-cramp 5 days ago", "pregnancy 200 days ago"])
    assert "often worse in pregnancy" in part(advice, "Why it may matter")
    assert "quinine for cramps is to be avoided" in part(advice, "Consider")
    assert "diltiazem" not in detail(advice)
    assert "short course" not in detail(advice)


def test_pregnancy_says_nothing_on_twitching_without_cramp(advised: Ask) -> None:
    advice = advised(person="female 29", problems=["myokymia 5 days ago", "pregnancy 200 days ago"])
    assert "quinine for cramps is to be avoided" not in detail(advice)


@pytest.mark.parametrize(
    ("person", "older"),
    [("female born 1966-06-15", True), ("female born 1966-06-16", False), ("female born 1997-01-01", False)],
)
def test_cramp_in_sleep_is_frequent_from_sixty_on(advised: Ask, person: str, older: bool) -> None:
    advice = advised(person=person, problems=["nocturnal-leg-cramp 5 days ago"])
    assert ("plantarflexed" in detail(advice)) is older
    assert "an urge to move" in part(advice, "Check")


def test_age_is_not_named_for_a_cramp_that_is_not_coded_as_nocturnal(advised: Ask) -> None:
    assert "plantarflexed" not in detail(advised(person="female 80", problems=["muscle-cramp 5 days ago"]))


@pytest.mark.parametrize("recorded", ["health-anxiety", "medical-practitioner"])
def test_worry_and_occupation_ask_for_one_explanation_and_never_reach_a_summary(advised: Ask, recorded: str) -> None:
    advice = advised(problems=["muscle-fasciculation 5 days ago", f"{recorded} 5 days ago"])
    assert "avoid repeated reassurance" in part(advice, "Consider")
    assert "Never assume anxiety" in detail(advice)
    assert ("treatment of the health anxiety" in detail(advice)) is (recorded == "health-anxiety")
    for card in advice.cards:
        for word in ("anxi", "doctor", "practitioner", "professional", "occupation"):
            assert word not in card.summary.lower()


def test_anxiety_of_another_kind_is_not_health_anxiety(advised: Ask) -> None:
    advice = advised(problems=["muscle-fasciculation 5 days ago", "anxiety 5 days ago"])
    assert "repeated reassurance" not in detail(advice)


@pytest.mark.parametrize(("days", "lasting"), [(90, False), (91, True)])
def test_an_eyelid_twitch_of_over_ninety_days_may_be_referred_says_ng127(
    advised: Ask, days: int, lasting: bool
) -> None:
    advice = advised(problems=[f"eyelid-twitch 5 days ago onset {days} days ago"])
    assert ("over 3 months" in detail(advice)) is lasting


def test_an_undated_eyelid_twitch_is_not_called_lasting(advised: Ask) -> None:
    assert "over 3 months" not in detail(advised(problems=["eyelid-twitch undated"]))


@pytest.mark.parametrize(
    ("relative", "words"),
    [
        ("muscle-cramp in mother", "supports benign cramp-fasciculation"),
        ("motor-neurone-disease in mother", "no red flag of its own"),
        ("muscular-dystrophy in brother", "no red flag of its own"),
    ],
)
def test_family_history_is_a_line(advised: Ask, relative: str, words: str) -> None:
    advice = advised(problems=["muscle-fasciculation 5 days ago"], family=[relative], results=NORMAL)
    assert [card.topic for card in advice.cards] == [ADVICE]
    assert words in detail(advice)
    assert "Family history: " in part(advice, "Found")
