"""Charts of every kind that the properties are tried on, and what is asked of the advice about them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cards.advise import advise
from cards.card import Advice
from cards.chart import Chart
from cards.content import load_content
from cards.example_charts import chart_of
from cards.finding import Indicator
from cards.topic import Speaks
from terminology.vocabulary import load

CONTENT = load_content(load())
REASSURING = tuple(t for t in CONTENT.topics if t.sheet.reassures)
CALM = frozenset(kind.rule for t in REASSURING for kind in t.sheet.kinds.values() if kind.speaks is Speaks.CARD)
Lines = dict[str, Any]

bounded = settings(
    max_examples=150,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

SYMPTOMS = (
    "muscle-cramp",
    "nocturnal-leg-cramp",
    "muscle-fasciculation",
    "cramp-fasciculation-syndrome",
    "myokymia",
    "eyelid-twitch",
    "myotonia",
    "blepharospasm",
    "hemifacial-spasm",
)
RED_FLAGS = (
    "muscle-weakness",
    "muscle-wasting",
    "foot-drop",
    "wrist-drop",
    "dysarthria",
    "dysphagia",
    "muscle-rigidity",
    "orthopnoea",
    "breathlessness-at-rest",
)
BACKGROUND = (
    "motor-neurone-disease",
    "peripheral-neuropathy",
    "dialysis",
    "pregnancy",
    "palliative-care",
    "malaria",
    "heart-failure",
    "health-anxiety",
    "restless-legs",
    "av-block",
    "hypothyroidism",
    "hypertension",
)
#: analyte: unit, range sent, lowest and highest value to try, decimal places
ANALYTES: Mapping[str, tuple[str, str, str, str, int]] = {
    "potassium": ("mmol/L", "3.5-5.3", "2.0", "7.5", 1),
    "sodium": ("mmol/L", "133-146", "115", "165", 0),
    "calcium-adjusted": ("mmol/L", "2.2-2.6", "1.60", "3.70", 2),
    "calcium-total": ("mmol/L", "2.2-2.6", "1.60", "3.70", 2),
    "albumin": ("g/L", "35-50", "20", "50", 0),
    "magnesium": ("mmol/L", "0.7-1.0", "0.30", "1.30", 2),
    "ck-total": ("U/L", "25-200", "40", "9000", 0),
    "tsh": ("mIU/L", "0.4-4.5", "0.05", "30.00", 2),
    "free-t4": ("pmol/L", "9-19", "4.0", "30.0", 1),
}
MEDICINES = (
    "indapamide",
    "furosemide",
    "spironolactone",
    "methylphenidate",
    "lisdexamfetamine",
    "salmeterol",
    "atorvastatin",
    "quinine",
    "digoxin",
    "warfarin",
    "levothyroxine",
)
ORDERS = ("refer-neurology", "order-ue", "order-ck", "order-tsh", "order-bone-profile", "order-magnesium")

days = st.integers(0, 420)


@st.composite
def problems(draw: st.DrawFn, concepts: tuple[str, ...], most: int) -> list[str]:
    lines = []
    for concept in draw(st.lists(st.sampled_from(concepts), max_size=most, unique=True)):
        how = draw(st.sampled_from(["", "", "", " resolved", " severe"]))
        when = draw(st.one_of(st.just("undated"), days.map(lambda d: f"{d} days ago"), st.just("20 days ago")))
        lines.append(f"{concept}{how} {when}")
    return lines


def result(analyte: str, value: Decimal, day: int, words: str = "", *, unit: str = "", ranged: bool = True) -> str:
    """A line of the examples: the value, given in the analyte's own unit, written in this or another unit."""
    own, limits, *_ = ANALYTES[analyte]
    factor = conversions(analyte)[unit] if unit else Decimal(1)
    bounds = "-".join(f"{Decimal(bound) / factor:f}" for bound in limits.split("-"))
    shown = f" [{bounds}]" if ranged else ""
    return f"{analyte} {value / factor:f} {unit or own}{shown} {day} days ago{words}"


def conversions(analyte: str) -> Mapping[str, Decimal]:
    """The other units of an analyte that can stand in a line, with what a value in them is multiplied by."""
    entry = CONTENT.vocabulary.analytes[analyte]
    return {name: factor for name, factor in entry.conversions.items() if " " not in name and factor}


@st.composite
def values(draw: st.DrawFn, analyte: str) -> Decimal:
    _, _, lowest, highest, places = ANALYTES[analyte]
    return draw(st.decimals(Decimal(lowest), Decimal(highest), places=places))


@st.composite
def measured(draw: st.DrawFn, *, plain: bool = False) -> list[tuple[str, Decimal, int, str, bool]]:
    """Results of at most two days for each analyte; of one day never two, which only their times could tell apart."""
    found = []
    shared = draw(st.integers(0, 30))
    for analyte in draw(st.lists(st.sampled_from(sorted(ANALYTES)), max_size=6, unique=True)):
        for day in draw(st.lists(st.one_of(st.just(shared), days), min_size=1, max_size=2, unique=True)):
            words = "" if plain else draw(st.sampled_from(["", "", "", " haemolysed", " preliminary", " unstated"]))
            found.append((analyte, draw(values(analyte)), day, words, draw(st.booleans())))
    return found


@st.composite
def charts(draw: st.DrawFn, *, plain: bool = False) -> Lines:
    medicines = [
        name
        + draw(
            st.sampled_from(["", " since 20 days ago", " since 200 days ago", " since 300 days ago ended 100 days ago"])
        )
        for name in draw(st.lists(st.sampled_from(MEDICINES), max_size=4, unique=True))
    ]
    orders = [
        f"{name} {draw(st.sampled_from(['active', 'draft', 'completed']))} {draw(st.integers(0, 200))} days ago"
        for name in draw(st.lists(st.sampled_from(ORDERS), max_size=2, unique=True))
    ]
    return {
        "person": draw(st.sampled_from(["female 50", "male 70", "unknown 40"])),
        "problems": draw(problems(SYMPTOMS, 3)) + draw(problems(RED_FLAGS, 2)) + draw(problems(BACKGROUND, 2)),
        "results": [result(a, v, d, w, ranged=r) for a, v, d, w, r in draw(measured(plain=plain))],
        "medicines": medicines,
        "orders": orders,
    }


def built(lines: Lines) -> Chart:
    return chart_of(CONTENT.vocabulary, **lines)


def advised(chart: Chart) -> Advice:
    return advise(chart, CONTENT)


Said = tuple[str, Indicator, str, frozenset[str], frozenset[str]]


def said(advice: Advice) -> list[Said]:
    """Every card as what it says: the order of lines within a part is not compared."""
    return [
        (c.topic, c.indicator, c.summary, frozenset(c.detail.splitlines()), frozenset(s.label for s in c.suggestions))
        for c in advice.cards
    ]


def topics(advice: Advice) -> dict[str, Indicator]:
    return {card.topic: card.indicator for card in advice.cards}


def reassures(advice: Advice) -> bool:
    """Whether a reassuring card is shown, or folded into another."""
    return any(rule in CALM for card in advice.cards for rule in card.rules)


INFORMATION = 1


def urgency(advice: Advice) -> int:
    return max((list(Indicator).index(card.indicator) + INFORMATION for card in advice.cards), default=0)
