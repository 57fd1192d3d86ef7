"""Every sheet is held against the rules of wording (specification 3.6, 6.1, 6.2 no. 6) and every worked example runs."""

import re
from collections.abc import Iterator
from dataclasses import replace
from string import Formatter

import pytest
from msgspec import structs

from cards.compose import LONGEST_SUMMARY
from cards.content import Content, load_content
from cards.examples import run
from cards.language import load_language
from cards.red_flags import RED_FLAGS
from cards.topic import Kind, Speaks, Topic
from cards.topics import TOPICS
from terminology.vocabulary import load

SPOKEN = [(topic, kind) for topic in TOPICS for kind in topic.sheet.kinds.values()]
every_topic = pytest.mark.parametrize("topic", TOPICS, ids=[topic.code for topic in TOPICS])
every_kind = pytest.mark.parametrize(("topic", "kind"), SPOKEN, ids=[f"{t.code}/{k.name}" for t, k in SPOKEN])

ABROAD = re.compile(
    r"\b(cent(er|ers)|fiber|color\w*|behavior\w*|hemoly\w*|\w*kalemia\w*|\w*natremia\w*|\w*calcemia\w*|anemia"
    r"|edema|diarrhea|dyspnea|orthopnea|esophag\w*|tumor\w*|labor|motor neuron|randomiz\w*|recogniz\w*|hospitaliz\w*"
    r"|pediatric\w*|program|estrogen|ischemi\w*|gynecolog\w*|hematolog\w*|counsel(or|ing)|sulfur|practic(ing|ed)"
    r"|acetaminophen|epinephrine|furosemid|medication)\b",
    re.IGNORECASE,
)
MARKUP = re.compile(r"<[/!a-zA-Z]|&[a-zA-Z#]+;|\]\(|[*_`#]{2}")
BENIGN = re.compile(r"\bbenign\b", re.IGNORECASE)


def everything_said(topic: Topic) -> Iterator[str]:
    yield topic.sheet.title
    for kind in topic.sheet.kinds.values():
        yield kind.summary
        yield kind.found
        yield from (one.say for one in kind.sentences)
    for suggestion in topic.sheet.suggestions.values():
        yield suggestion.label
        yield suggestion.note


NERVES = "refer-clinical-neurophysiology"


@pytest.fixture(scope="module")
def longest() -> dict[str, str]:
    """The longest plausible value of every placeholder that a summary may hold."""
    vocabulary = load()
    classes = ("diuretic", "methylphenidate-any", "other-stimulant", "laba")
    drugs = [vocabulary.title(name) for group in classes for name in vocabulary.ingredients_of(group)]
    electrolytes = [a for a in vocabulary.analytes.values() if "electrolytes" in a.groups]
    drug = max(drugs, key=len)
    return {
        "analyte": max((a.title for a in electrolytes), key=len),
        "areas": "patient details, problems and orders",
        "date": "2026-06-15",
        "drug": drug,
        "drugs": drug,  # further ones join only as far as they fit
        "n": "12",
        "ratio": "1234.56",
        "reason": "Optic neuritis",
        "sign": max(RED_FLAGS.words.values(), key=len),
        "symptom": "Fasciculation",
        "test": max((vocabulary.title(c) for c in ("order-ck", "order-tft", "order-tsh", NERVES)), key=len),
        "tests": "U&E, calcium, TSH and CK",
        "unit": max((a.unit for a in electrolytes), key=len),
        "value": ">100000",
    }


def said(part: str, text: str) -> list[str]:
    """What the check says of one sentence, as the summary of a finding or in its detail."""
    topic = next(topic for topic in TOPICS if topic.code == "myotonia")
    kind = next(kind for kind in topic.sheet.kinds.values() if kind.why)
    changed = {part: text} if part == "summary" else {part: (structs.replace(kind.why[0], say=text),)}
    sheet = structs.replace(topic.sheet, kinds={kind.name: structs.replace(kind, **changed)}, suggestions={})
    return list(load_language().slips([replace(topic, sheet=sheet)]))


@pytest.mark.parametrize("part", ["summary", "why", "check", "consider", "not_known"])
def test_the_words_that_no_card_says_are_found(part: str) -> None:
    for text in (
        "Diagnosed with", "You must", "Must not", "Stop it", "This confirms", "to rule out", "ruled out", "all clear",
        "start quinine", "a reassuring result", "No problems found", "it stops at 4 weeks; stop it",
    ):  # fmt: skip
        (slip,) = said(part, text)
        assert slip.startswith("myotonia.toml: [finding."), slip
        assert text in slip
    for text in (
        "restart", "since the last", "diuretic started", "before starting", "diagnosis", "confirm criteria",
        "Stop at 4 weeks if no benefit",
    ):  # fmt: skip
        assert said(part, text) == []


def test_no_summary_names_anxiety_or_an_occupation() -> None:
    """HZ25. In the detail they may be asked about; the words of every sheet are looked at below."""
    for text in ("Health anxiety", "Worried well", "A profession", "Doctors", "The job"):
        assert len(said("summary", text)) == 1, text
        assert said("check", text) == []


@every_topic
def test_no_sheet_says_a_banned_word(topic: Topic) -> None:
    assert list(load_language().slips([topic])) == []


@every_topic
def test_every_sheet_is_in_uk_spelling(topic: Topic) -> None:
    for text in everything_said(topic):
        found = ABROAD.search(text)
        assert found is None, f"{found.group()!r} in {text!r}" if found else ""


@every_kind
def test_every_summary_fits_with_its_longest_values(topic: Topic, kind: Kind, longest: dict[str, str]) -> None:
    names = {name for _, name, _, _ in Formatter().parse(kind.summary) if name}
    assert names <= set(longest), f"{topic.code}: give the longest value of {sorted(names - set(longest))}"
    filled = kind.summary.format(**longest)
    assert len(filled) <= LONGEST_SUMMARY, f"{len(filled)} characters: {filled}"


@every_topic
def test_no_sheet_holds_markup_or_a_line_break(topic: Topic) -> None:
    for text in everything_said(topic):
        assert not MARKUP.search(text), text
        assert "\n" not in text
        assert text == text.strip()


@every_kind
def test_a_sentence_is_a_sentence(topic: Topic, kind: Kind) -> None:
    for text in (one.say for one in kind.sentences):
        assert text.endswith((".", "?")), f"{topic.code}: {text}"
        assert text[0] == "{" or not text[0].islower(), f"{topic.code}: {text}"


@every_kind
def test_a_kind_that_speaks_names_its_rule_of_the_specification(topic: Topic, kind: Kind) -> None:
    assert re.fullmatch(r"P\d+a?|O\d+a?|S\d+|3\.\d+( no\. \d+)?", kind.rule), f"{topic.code}: {kind.rule}"


def test_a_card_that_calls_a_symptom_benign_says_no_weakness_recorded_and_asks_for_power_and_wasting(
    content: Content,
) -> None:
    """HZ01, over the cards of the worked examples: whatever calls it usually benign carries the caution."""
    from cards.compose import compose  # noqa: PLC0415 -- only this test composes
    from cards.examples import case_of, chart_from  # noqa: PLC0415
    from cards.toml_file import Section  # noqa: PLC0415

    benign = 0
    for topic in content.topics:
        for example in topic.sheet.examples:
            case = case_of(chart_from(Section(example.name, example.section), content.vocabulary), content)
            card = compose(topic, topic.find(case, topic.sheet), case, content) if topic.sheet.reassures else None
            if card is None:
                continue
            benign += 1
            text = card.detail.lower()
            assert "power" in text, example.name
            assert "wasting" in text, example.name
            cautious = "no weakness recorded" in text or "older record of weakness" in card.summary.lower()
            assert cautious or "could not be read" in card.summary, example.name
    assert benign > 10


def test_only_the_topics_that_are_held_back_call_a_symptom_benign_in_the_summary() -> None:
    for topic, kind in SPOKEN:
        if BENIGN.search(kind.summary):
            assert topic.sheet.reassures, f"{topic.code}/{kind.name}"


def test_quinine_is_never_named_as_an_option_without_the_mhra_conditions() -> None:
    for topic, kind in SPOKEN:
        for sentence in kind.consider:
            if "quinine" in sentence.say.lower() and "avoid" not in sentence.say.lower() and topic.code != "quinine":
                assert "MHRA" in sentence.say, f"{topic.code}: {sentence.say}"


def test_no_suggestion_creates_a_medicine_order() -> None:
    for topic in TOPICS:
        for suggestion in topic.sheet.suggestions.values():
            assert suggestion.order.startswith(("order-", "refer-")) or not suggestion.order


def test_a_silent_kind_withholds_something_or_it_would_do_nothing() -> None:
    for topic, kind in SPOKEN:
        if kind.speaks is Speaks.SILENT:
            assert kind.withholds, f"{topic.code}/{kind.name}"


EXAMPLES = [
    pytest.param(outcome.problems, id=f"{outcome.topic}: {outcome.example}") for outcome in run(load_content(load()))
]


@pytest.mark.parametrize("problems", EXAMPLES)
def test_every_worked_example_runs_as_it_says(problems: tuple[str, ...]) -> None:
    assert problems == ()
