"""The pages for clinicians: all that a card says, in words that a GP reads, and numbers that are those of the rules."""

import re

import pytest

from cards.content import Content, load_content
from cards.reference.clinicians import clinician_pages
from cards.topic import Speaks
from cards.topics import TOPICS
from terminology.vocabulary import load

CONTENT: Content = load_content(load())
PAGES = clinician_pages(CONTENT)
every_topic = pytest.mark.parametrize("topic", TOPICS, ids=[topic.code for topic in TOPICS])

TECHNICAL = re.compile(
    r"\b(FHIR|JSON|TOML|prefetch|hook|API|null|resource|endpoint|boolean|string|concept|ingredient|enum|SNOMED|LOINC"
    r"|bundle|token|schema|query|parser?|True|False|None)\b|`|\{"
)


def test_every_topic_has_a_page_and_the_index_links_to_it():
    assert set(PAGES) == {"index.md", *(f"{topic.code}.md" for topic in TOPICS)}
    for topic in TOPICS:
        assert f"[{topic.sheet.title}]({topic.code}.md)" in PAGES["index.md"]


@every_topic
def test_every_sentence_that_a_card_can_say_is_on_its_page(topic):
    page = re.sub(r"\[(\w+)\]", r"{\1}", PAGES[f"{topic.code}.md"]).replace("{number}", "{n}")
    for kind in topic.sheet.kinds.values():
        if kind.speaks is Speaks.CARD:
            assert f"| {kind.when} |" in page
            assert f"| {kind.summary} |" in page
        for sentence in kind.sentences:
            assert sentence.say in page
            assert sentence.facts + sentence.sources
    for part in (topic.sheet.appears, topic.sheet.silent, topic.sheet.never):
        assert all(f"- {one.say} ({one.rule})" in page for one in part)


@every_topic
def test_every_source_that_a_sentence_names_is_explained_at_the_end(topic):
    body, _, end = PAGES[f"{topic.code}.md"].partition("## What it rests on")
    explained = set(re.findall(r"^- ([A-Z][\w-]*):", end, re.MULTILINE))
    named = {
        name for kind in topic.sheet.kinds.values() for one in kind.sentences for name in (*one.facts, *one.sources)
    }

    assert named <= explained
    assert body


@pytest.mark.parametrize("name", PAGES)
def test_no_technical_word_stands_on_the_page(name):
    text = PAGES[name].partition("-->")[2]  # after the line that says how it was made

    assert TECHNICAL.findall(text) == []


@pytest.mark.parametrize("name", PAGES)
def test_what_a_clinician_needs_first_is_read_in_two_minutes(name):
    """Up to the sentences in full: at 250 words a minute, without tables and lists to look up, and where it is laid
    down.
    """
    text = PAGES[name].partition("-->")[2]
    first = re.split(r"^## (?:What else in the record it looks for|What it says, in full)$", text, flags=re.MULTILINE)[
        0
    ]
    prose = [re.sub(r" \([^()]*\)$", "", line) for line in first.splitlines() if not line.startswith("|")]

    assert len(" ".join(prose).split()) <= 2 * 250


WINDOWS = CONTENT.windows
BY_TOPIC = {topic.code: topic.sheet for topic in TOPICS}


@pytest.mark.parametrize(
    ("topic", "words", "number"),
    [
        ("quinine", "for {} days or more", WINDOWS.quinine),
        ("quinine", "more than {} mg a night", BY_TOPIC["quinine"].number("dose")),
        ("diltiazem", "simvastatin above {} mg a day", BY_TOPIC["diltiazem"].number("simvastatin")),
        ("medicines", "a potassium over {}", BY_TOPIC["medicines"].number("potassium-sparing")),
        ("statin-ck", "more than {} times", BY_TOPIC["statin-ck"].number("action")),
        ("test-appropriateness", "of the last {} days", BY_TOPIC["test-appropriateness"].number("ck-days")),
        ("test-appropriateness", "at most {} times", BY_TOPIC["test-appropriateness"].number("ck-ratio")),
        ("test-appropriateness", "within {} days", BY_TOPIC["test-appropriateness"].number("tsh-days")),
        ("biochemistry", "is {} days old or less", WINDOWS.critical),
        ("biochemistry", "{} days for potassium and sodium", WINDOWS.look_back["potassium"]),
        ("biochemistry", "{} days for calcium and magnesium", WINDOWS.look_back["magnesium"]),
        ("ck", "of the last {} days", WINDOWS.look_back["ck-total"]),
        ("ck", "{} days old or less", WINDOWS.critical),
        ("missing-tests", "ordered in the last {} days", WINDOWS.pending),
        ("myotonia", "of the last {} days", WINDOWS.referral),
        ("referral-quality", "of the last {} days", WINDOWS.referral),
        ("out-of-scope", "under {}", CONTENT.gatekeeper.adult),
    ],
)
def test_a_number_in_words_is_that_of_the_rules(topic, words, number):
    sheet = BY_TOPIC[topic]
    told = [one.say for one in (*sheet.appears, *sheet.silent)] + [kind.when for kind in sheet.kinds.values()]

    assert any(words.format(number) in one for one in told)
    assert WINDOWS.symptom == 365, "the pages say: of the last year"
    assert WINDOWS.look_back["tsh"] == 365, "the pages say: of the last year"
