"""The generated pages say what the content says today."""

import pytest

from cards.topics import TOPICS
from service.reference import CLINICIANS, FOLDER, pages_for_clinicians, reference_pages, write
from tests.repository import ROOT

COMMAND = "make docs"  # or: python -m service.reference
PAGES = reference_pages()
CARDS = pages_for_clinicians()
WRITTEN = {FOLDER: PAGES, CLINICIANS: CARDS}


@pytest.mark.parametrize(("folder", "name"), [(folder, name) for folder, pages in WRITTEN.items() for name in pages])
def test_the_page_is_what_the_content_would_write_today(folder, name):
    page = ROOT / folder / name

    assert page.is_file(), f"{folder / name} is missing; write it with: {COMMAND}"
    same = page.read_text(encoding="utf-8") == WRITTEN[folder][name]
    assert same, f"{folder / name} is not current; write it anew with: {COMMAND}"


@pytest.mark.parametrize("folder", WRITTEN)
def test_the_folder_holds_no_page_that_nobody_writes(folder):
    written_by_hand = {
        path.name for path in (ROOT / folder).glob("*.md") if "Made by `make docs`" not in path.read_text()
    }

    assert {path.name for path in (ROOT / folder).iterdir()} - written_by_hand == set(WRITTEN[folder])


@pytest.mark.parametrize("folder", WRITTEN)
def test_the_command_writes_exactly_these_pages(folder, tmp_path):
    write(tmp_path / "pages", WRITTEN[folder])

    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "pages").iterdir()}
    assert written == dict(WRITTEN[folder])


def test_every_sentence_a_card_can_say_stands_on_the_page():
    page = PAGES["clinical-content.md"]
    for topic in TOPICS:
        for kind in topic.sheet.kinds.values():
            assert kind.summary in page
            for sentence in kind.sentences:
                assert sentence.say.replace("|", "\\|") in page


def test_every_fact_and_every_number_stands_on_a_page():
    for number in range(1, 58):
        assert f"| F{number} |" in PAGES["traceability.md"]
    for words in ("at most 2.5", "below 1.90", "more than 1.5 times the upper limit", "0.02 x (40", "| 365 |"):
        assert words in PAGES["bands.md"]
