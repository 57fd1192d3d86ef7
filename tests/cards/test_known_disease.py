"""Myotonia, known neuromuscular disease and facial spasm (specification P7, P8, P17)."""

from collections.abc import Callable

import pytest

from cards.card import Advice
from cards.content import Content
from cards.finding import Refer, RequestTest
from cards.red_flags import RED_FLAGS
from tests.cards.asked import DONE, card_of, dealt, referrals

Ask = Callable[..., Advice]

ADVICE, KNOWN = "symptom-advice", "known-neuromuscular"
TWITCH = "muscle-fasciculation 40 days ago"


# P7: myotonia


def test_myotonia_is_a_warning_with_referral_ck_tsh_and_electrolytes(advised: Ask) -> None:
    advice = advised(problems=["myotonia 20 days ago", "muscle-cramp 20 days ago"], results=DONE[1:2])
    assert dealt(advice)["myotonia"] == "warning"
    assert ADVICE not in dealt(advice)
    orders = [s.order for s in card_of(advice, "myotonia").suggestions if isinstance(s, RequestTest | Refer)]
    assert orders == ["refer-neurology", "order-ck", "order-tsh", "order-ue"]


def test_myotonia_beside_a_running_referral_proposes_no_second_one(advised: Ask) -> None:
    advice = advised(problems=["myotonia 20 days ago"], orders=["refer-neurology active 10 days ago"], results=DONE)
    assert dealt(advice) == {"myotonia": "warning"}
    assert card_of(advice, "myotonia").suggestions == ()


# P8: known disease


@pytest.mark.parametrize("disease", RED_FLAGS.known)
def test_known_disease_of_any_age_has_its_own_card_and_withholds_the_rest(advised: Ask, disease: str) -> None:
    advice = advised(
        problems=[
            f"{disease} 9000 days ago",
            TWITCH,
            "muscle-cramp severe 3 days ago",
            "myotonia 20 days ago",
            "muscle-weakness 5 days ago",
            "dysarthria 5 days ago",
        ]
    )
    assert dealt(advice) == {KNOWN: "info"}
    assert referrals(advice) == []


@pytest.mark.parametrize("disease", ["neuromyotonia", "lambert-eaton-syndrome", "bulbospinal-neuronopathy"])
def test_nothing_is_called_benign_beside_a_disease_of_which_it_may_be_part(advised: Ask, disease: str) -> None:
    """F26 counts neuromyotonia among neuromuscular disease, and P8 names myasthenia, which Lambert-Eaton is a form of."""
    advice = advised(problems=["myokymia 20 days ago", f"{disease} 900 days ago"], results=DONE)
    assert dealt(advice) == {KNOWN: "info"}


def test_a_myopathy_that_is_not_inflammatory_or_inherited_silences_no_red_flag(advised: Ask) -> None:
    """P8 names inflammatory myopathy and the dystrophies: one from a medicine or a virus has no specialist team."""
    signs = ["muscle-weakness 5 days ago", "orthopnoea 1 days ago"]
    old = "secondary-myopathy 6000 days ago"
    assert dealt(advised(problems=[TWITCH, old, *signs], results=DONE)) == {"referral-red-flag": "critical"}
    assert dealt(advised(problems=[TWITCH, old, signs[0]], results=DONE)) == {"referral-red-flag": "warning"}
    assert "missing-tests" in dealt(advised(problems=["muscle-cramp 20 days ago", old]))


def test_a_myopathy_that_is_no_known_disease_is_named_before_anything_is_called_benign(advised: Ask) -> None:
    for symptom, word in ((TWITCH, "Fasciculation"), ("muscle-cramp 20 days ago", "Cramp"), ("myokymia", "Myokymia")):
        card = card_of(advised(problems=[symptom, "secondary-myopathy 6000 days ago"], results=DONE), ADVICE)
        assert card.summary == (
            f"{word} with a secondary or unspecified myopathy on record (2010-01-10): check power before calling it benign"
        )
        assert "not proof of normal power" in card.detail


def test_known_disease_withholds_even_the_immediate_card_and_names_the_breathing(advised: Ask) -> None:
    advice = advised(
        problems=["motor-neurone-disease 300 days ago", TWITCH, "muscle-weakness 5 days ago", "orthopnoea 1 days ago"]
    )
    assert dealt(advice) == {KNOWN: "info"}
    assert "telephoning the team the same day" in card_of(advice, KNOWN).detail


def test_a_critical_result_still_speaks_beside_known_disease(advised: Ask) -> None:
    advice = advised(
        problems=["motor-neurone-disease 300 days ago", TWITCH],
        results=["potassium 2.4 mmol/L [3.5-5.3] 1 days ago"],
    )
    assert dealt(advice) == {"biochemistry": "critical", KNOWN: "info"}


@pytest.mark.parametrize(
    ("orders", "known"),
    [
        ([], False),
        (["refer-neurology draft 1 days ago"], False),
        (["refer-neurology other 1 days ago"], False),
        (["refer-physiotherapy active 1 days ago"], False),
        (["refer-neurology active 900 days ago"], True),
        (["refer-neurology-private completed"], True),
    ],
)
def test_neuropathy_is_known_disease_only_with_a_neurology_referral(
    advised: Ask, orders: list[str], known: bool
) -> None:
    advice = advised(problems=["peripheral-neuropathy 900 days ago", "muscle-cramp 20 days ago"], orders=orders)
    assert (KNOWN in dealt(advice)) is known
    assert (ADVICE in dealt(advice)) is not known


def test_nothing_is_said_on_treatment_in_known_disease(content: Content) -> None:
    sheet = next(topic.sheet for topic in content.topics if topic.code == KNOWN)
    said = " ".join(s.say for kind in sheet.kinds.values() for s in kind.sentences).lower()
    for word in ("quinine", "stretch", "diltiazem", "vitamin", "caffeine", "magnesium", "medicine", "treat"):
        assert word not in said


# P17: facial spasm


def test_facial_spasm_proposes_a_referral_and_no_blood_test(advised: Ask) -> None:
    advice = advised(problems=["hemifacial-spasm 20 days ago"])
    assert dealt(advice) == {"facial-spasm": "info"}
    assert [type(s) for s in card_of(advice, "facial-spasm").suggestions] == [Refer]


@pytest.mark.parametrize(
    "more",
    [
        {"orders": ["refer-neurology active 100 days ago"]},
        {"orders": ["refer-neurology draft 0 days ago"]},
        {"unreadable": ["orders"]},
    ],
)
def test_facial_spasm_proposes_no_second_referral(advised: Ask, more: dict[str, list[str]]) -> None:
    assert referrals(advised(problems=["blepharospasm 20 days ago"], **more)) == []


def test_facial_spasm_in_known_disease_proposes_no_referral(advised: Ask) -> None:
    advice = advised(problems=["blepharospasm 20 days ago", "myasthenia-gravis 2000 days ago"])
    assert dealt(advice) == {"facial-spasm": "info", KNOWN: "info"}
    assert referrals(advice) == []
