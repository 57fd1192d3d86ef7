"""What cards say of everyone alike is laid out once, and holds nothing of a patient (rule R12)."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest
from msgspec.structs import replace as changed

from cards import example_charts, layout
from cards.advise import advise
from cards.card import Advice
from cards.content import Content, load_content
from cards.example_charts import chart_of
from cards.moment import Moment
from cards.phrase import Phrase
from cards.toml_file import Section
from terminology.vocabulary import Vocabulary

Ask = Callable[..., Advice]

#: Charts that earn different cards. No number, date or name of theirs stands in a sheet.
RECORDS: tuple[dict[str, str | list[str]], ...] = (
    {"problems": ["muscle-cramp 17 days ago"], "results": ["potassium 3.27 mmol/L [3.51-5.29] 13 days ago"]},
    {"problems": ["muscle-fasciculation 17 days ago", "muscle-weakness 11 days ago"]},
    {"problems": ["muscle-cramp 17 days ago"], "medicines": ["quinine since 207 days ago", "indapamide"]},
    {"problems": ["muscle-cramp 17 days ago"], "results": ["ck-total 1237 U/L [27-193] 13 days ago"]},
    {"problems": ["myotonia 17 days ago"], "unread": ["potassium: the unit 'mg%' cannot be converted"]},
)
OF_A_PATIENT = ("2026-05-29", "2026-06-02", "2025-11-20", "3.27", "3.3 ", "5.29", "1237", "27-193", "mg%", "Condition/")


def texts(kept: object) -> Iterator[str]:
    """Every text that is kept, however deep."""
    if isinstance(kept, str):
        yield kept
    elif isinstance(kept, Phrase):
        yield kept.text
        yield kept.fixed or ""
    elif isinstance(kept, dict):
        for key, value in kept.items():
            yield from (*texts(key), *texts(value))
    elif isinstance(kept, tuple):
        for one in kept:
            yield from texts(one)
    elif isinstance(kept, msgspec.Struct):
        yield from (text for name in kept.__struct_fields__ for text in texts(getattr(kept, name)))


def test_a_phrase_without_placeholders_says_the_same_of_everyone() -> None:
    assert Phrase("So it is {{here}}.").fixed == "So it is {here}."
    assert Phrase("So it is.").of({"drug": "Quinine"}) == "So it is."


def test_no_card_says_a_sentence_twice_with_other_marks(content: Content) -> None:
    """Two findings of one card may rest one sentence on facts of their own: it is said once, with the marks of both."""
    charts = [
        (example_charts.chart_from(Section(one.name, one.section), content.vocabulary), f"{topic.code}: {one.name}")
        for topic in content.topics
        for one in topic.sheet.examples
    ]
    for chart, name in charts:
        for card in advise(chart, content, Moment.ORDER if chart.drafts else Moment.RECORD).cards:
            lines = [line for line in card.detail.splitlines() if line.startswith("- ") and line.endswith(")")]
            said = Counter(line.rpartition(" (")[0] for line in lines if "/" not in line.rpartition(" (")[2])
            assert not [line for line, count in said.items() if count > 1], name


def test_a_sentence_of_two_findings_carries_the_marks_of_both(advised: Ask) -> None:
    problems = ["muscle-fasciculation 40 days ago", "muscle-weakness 30 days ago", "dysarthria 20 days ago"]
    (card, *_) = advised(problems=problems).cards

    assert card.detail.count("Consider neurology referral; do not delay referral for tests.") == 1
    assert "Consider neurology referral; do not delay referral for tests. (F49, F52, F27, F47)" in card.detail


def test_a_diuretic_drafted_with_a_low_value_beside_a_cramp_is_told_once(content: Content) -> None:
    """O9 and O10 hold at once: what they have in common stands on the card once."""
    chart = chart_of(
        content.vocabulary,
        problems=["muscle-cramp 20 days ago"],
        results=["potassium 3.3 mmol/L [3.5-5.3] 13 days ago"],
        drafts=["furosemide 40 mg daily"],
    )
    (card, *_) = advise(chart, content, Moment.ORDER).cards

    assert card.detail.lower().count("diuretics are among the medicines") == 1
    assert card.detail.lower().count("furosemide is needed at this dose") == 1


def test_a_phrase_with_a_placeholder_is_filled_in_for_each_patient() -> None:
    phrase = Phrase("{drug} since {date}")

    assert phrase.fixed is None
    assert phrase.of({"drug": "Quinine", "date": "2026"}) == "Quinine since 2026"
    with pytest.raises(KeyError, match="date"):
        phrase.of({"drug": "Quinine"})


def test_nothing_of_a_patient_is_kept_in_what_is_laid_out(vocabulary: Vocabulary) -> None:
    content = load_content(vocabulary)
    said = "".join(card.detail for lines in RECORDS for card in advise(chart_of(vocabulary, **lines), content).cards)
    assert all(mark in said for mark in ("2026-05-29", "3.27", "1237", "mg%", "Condition/"))  # there was much to keep

    layouts = content.layouts
    kept = "\n".join(texts((layouts._scripts, layouts._layouts, layouts._buttons)))

    assert "Fact sheet: F" in kept
    assert not [mark for mark in OF_A_PATIENT if mark in kept]


def test_the_same_kinds_of_findings_are_laid_out_once(vocabulary: Vocabulary) -> None:
    content = load_content(vocabulary)
    first = advise(chart_of(vocabulary, problems=["muscle-cramp 17 days ago"]), content)
    after_first = len(content.layouts._layouts)

    second = advise(chart_of(vocabulary, problems=["muscle-cramp 3 days ago"]), content)

    assert len(content.layouts._layouts) == after_first == len(first.cards) == len(second.cards)
    assert [card.links for card in first.cards] == [card.links for card in second.cards]


def test_what_is_laid_out_is_bounded_and_the_answers_stay_the_same(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    charts = [chart_of(vocabulary, **lines) for lines in RECORDS]
    unbounded, bounded = load_content(vocabulary), load_content(vocabulary)
    expected = [advise(chart, unbounded) for chart in charts]
    assert len(unbounded.layouts._layouts) > 2

    monkeypatch.setattr(layout, "_MOST_LAYOUTS", 2)
    for _ in range(2):
        assert [advise(chart, bounded) for chart in charts] == expected

    assert len(bounded.layouts._layouts) <= 2


def test_the_switch_for_what_goes_beyond_the_fact_sheet_has_layouts_of_its_own(content: Content) -> None:
    chart = chart_of(content.vocabulary, problems=["muscle-cramp 17 days ago"], medicines=["salmeterol"])
    everything = advise(chart, content)

    without = advise(chart, replace(content, beyond=False))

    mark = f"{content.frame.words['marks']['beyond']})"
    assert any(mark in card.detail for card in everything.cards)
    assert not any(mark in card.detail for card in without.cards)


def test_a_sentence_with_a_brace_out_of_place_costs_one_card(content: Content) -> None:
    def broken(one: str) -> Content:
        (topic,) = [t for t in content.topics if t.code == one]
        kinds = {name: changed(kind, summary=kind.summary + " {") for name, kind in topic.sheet.kinds.items()}
        marred = replace(topic, sheet=changed(topic.sheet, kinds=kinds))
        return replace(content, topics=tuple(marred if t.code == one else t for t in content.topics))

    advice = advise(
        chart_of(content.vocabulary, problems=["muscle-cramp 17 days ago"], medicines=["indapamide"]),
        broken("medicines"),
    )

    assert advice.failed_topics == ("medicines",)
    assert [card.topic for card in advice.cards] == ["missing-tests", "data-quality"]


def test_a_button_that_names_something_of_the_patient_is_worded_for_each(content: Content) -> None:
    (topic,) = [t for t in content.topics if t.code == "ck"]
    worded = {
        name: changed(one, label=f"{one.label} after {{value}}") if name == "repeat-ck" else one
        for name, one in topic.sheet.suggestions.items()
    }
    own = replace(topic, sheet=changed(topic.sheet, suggestions=worded))
    content = replace(content, topics=tuple(own if t.code == "ck" else t for t in content.topics))

    def labels(value: str) -> list[str]:
        results = [f"ck-total {value} U/L [27-193] 13 days ago"]
        chart = chart_of(content.vocabulary, problems=["muscle-cramp 17 days ago"], results=results)
        return [one.label for card in advise(chart, content).cards for one in card.suggestions]

    assert any(label.endswith("after 700") for label in labels("700"))
    assert any(label.endswith("after 800") for label in labels("800"))


def test_what_the_fact_sheet_says_of_one_finding_is_not_repeated_as_beyond_it_for_another(advised: Ask) -> None:
    """Magnesium goes beyond the fact sheet, potassium does not; the sentences on both are the same."""
    cramp, low = ["muscle-cramp 5 days ago"], ["potassium 2.9 mmol/L 3 days ago", "magnesium 0.50 mmol/L 3 days ago"]
    both = advised(problems=cramp, results=low, medicines=["indapamide since 200 days ago"])
    for card in both.cards:
        lines = [line.rsplit(" (", 1)[0] for line in card.detail.split("\n") if line.startswith("- ")]
        assert len(lines) == len(set(lines)), f"{card.topic} says something twice"
    (alone,) = [c for c in advised(problems=cramp, results=low[1:]).cards if c.topic == "biochemistry"]
    assert "- Metabolic disorders may cause cramp. (F16, beyond the fact sheet)" in alone.detail
