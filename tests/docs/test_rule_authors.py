"""The worked example of the page for authors of rules, done as the page says: in a copy of the sheets, by the command."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cards.lists import TABLES
from tests.repository import PACKAGES, ROOT, text_of
from tests.uncovered import UNCOVERED

PAGE = text_of(Path("docs/rule-authors.md"))
_, BEFORE, EXAMPLE, AFTER = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
NAME = "201 mg at night is a caution here"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's packages, to change."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def check(folder: Path) -> "subprocess.CompletedProcess[str]":
    """``muscle-cds check`` in that folder."""
    command = [sys.executable, "-m", "service", "check"]
    environment = os.environ | UNCOVERED
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def change(sheet: Path, old: str, new: str) -> None:
    text = sheet.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{sheet.name} does not hold what the page quotes"
    sheet.write_text(text.replace(old, new), encoding="utf-8")


def test_the_worked_example_of_the_page_goes_as_the_page_says(copy: Path):
    sheet = copy / "cards" / "topics" / "quinine.toml"
    untouched = check(copy)
    assert untouched.returncode == 0, untouched.stderr

    sheet.write_text(sheet.read_text(encoding="utf-8") + "\n" + EXAMPLE, encoding="utf-8")
    with_example = check(copy)
    assert with_example.returncode == 1
    assert f"FAIL  quinine: {NAME}" in with_example.stdout
    assert with_example.stdout.count("FAIL") == 1

    change(sheet, BEFORE, AFTER)
    changed = check(copy)
    assert f"ok    quinine: {NAME}" in changed.stdout
    assert "FAIL  quinine:" in changed.stdout, "the page says that older examples rest on 300 mg"
    assert changed.stdout.splitlines()[2] != untouched.stdout.splitlines()[2], "the content's hash shows any change"


def test_a_word_in_braces_that_no_rule_fills_is_named(copy: Path):
    sheet = copy / "cards" / "topics" / "myotonia.toml"
    change(
        sheet, '"Myotonia recorded: uncommon, may suggest neuromuscular disease; consider neurology referral"', '"{x}"'
    )

    refused = check(copy)

    assert refused.returncode == 1
    assert "FAIL  myotonia: " in refused.stdout
    assert re.search(r"myotonia.toml: \[finding.\w+\], line \d+: nothing is filled in for \{x\}", refused.stdout)


def test_a_slip_is_answered_with_file_table_and_line(copy: Path):
    sheet = copy / "cards" / "topics" / "quinine.toml"
    change(sheet, 'concepts = ["tinnitus"]', 'concepts = ["tinitus"]')
    line = sheet.read_text(encoding="utf-8").splitlines().index("[[contraindication]]") + 1

    refused = check(copy)

    assert refused.returncode != 0
    assert (
        f"quinine.toml: [[contraindication]] no. 1, line {line}: there is no problem concept 'tinitus'"
        in refused.stderr
    )
    assert "Traceback" not in refused.stderr


def test_a_word_that_no_card_says_is_named_with_its_place(copy: Path):
    sheet = copy / "cards" / "topics" / "myotonia.toml"
    change(
        sheet,
        '"Myotonia recorded: uncommon, may suggest neuromuscular disease; consider neurology referral"',
        '"Myotonia recorded: start the referral"',
    )

    refused = check(copy)

    assert refused.returncode == 1
    assert re.search(r"FAIL  myotonia.toml: \[finding.\w+\], line \d+: 'start' in '", refused.stdout)
    assert "worked examples, 0 failed" in refused.stdout


def test_every_table_of_rows_is_named_on_the_page():
    assert [name for name in TABLES if f"`[[{name}]]`" not in PAGE] == []


def test_every_key_of_the_page_is_one_that_a_sheet_may_hold():
    source = text_of(Path("cards/lists.py")) + text_of(Path("cards/topic.py"))
    rows = re.findall(r"^\| (`[^|]+`) \|", PAGE, flags=re.MULTILINE)
    keys = {key for row in rows for key in re.findall(r"`([a-z_]+)`", row)} - {"cards", "terminology"}

    assert {key for key in keys if f'"{key}"' not in source} == set()
