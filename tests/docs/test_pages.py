"""The pages tell the truth about the tree: links lead somewhere, the map is whole, commands and examples are real."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from dataclasses import fields
from datetime import date
from pathlib import Path

import click
import msgspec
import pytest

from service.__main__ import main
from service.commands import answer_once
from service.settings import PREFIX, Settings, options
from tests.repository import PACKAGES, ROOT, pages, project_files, text_of

README = Path("README.md")
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def without_code(page: Path) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text_of(page), flags=re.DOTALL)


def code_blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", without_code(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages(), ids=str)
def test_links_between_pages_lead_somewhere(page):
    for target in LINK.findall(without_code(page)):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (ROOT / page.parent / name).resolve() if name else ROOT / page
        assert there.is_relative_to(ROOT), f"{target} leads out of the project"
        assert there.exists(), f"{target} leads nowhere"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there.relative_to(ROOT)), f"{target}: no such heading"


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_json_example_is_json(page):
    for block in code_blocks(page, "json"):
        json.loads(block)


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_toml_example_is_toml(page):
    for block in code_blocks(page, "toml"):
        tomllib.loads(block)


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_make_target_on_a_page_exists(page):
    targets = set(re.findall(r"^([a-z]+):", text_of(Path("Makefile")), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text_of(page), flags=re.MULTILINE))

    assert named <= targets


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_file_a_page_names_is_there(page):
    named = re.findall(r"`((?:terminology|cards|service|tests|docs|deploy|requirements)/[\w./-]*)`", text_of(page))

    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_command_a_page_names_exists(page):
    for line in re.findall(r"(?:^ {4}|`)[\w./]*muscle-cds ((?:[a-z]+ ?)+)", text_of(page), flags=re.MULTILINE):
        command: click.Command = main
        for word in line.split():
            if not isinstance(command, click.Group):
                break  # the rest are arguments
            assert word in command.commands, f"muscle-cds {line.strip()}: there is no {word}"
            command = command.commands[word]


@pytest.mark.parametrize("page", pages(), ids=str)
def test_every_setting_a_page_names_exists(page):
    named = set(re.findall(r"\bMUSCLE_CDS_[A-Z_]*[A-Z]\b", text_of(page)))

    known = {option.variable for option in options()} | {"MUSCLE_CDS_CONFIG"}
    secret = {PREFIX + row.name.upper() + "_FILE" for row in fields(Settings) if row.metadata.get("secret")}
    assert named - known - secret == set()


def test_every_page_can_be_reached_from_the_readme():
    reached, ahead = set(), [README]
    while ahead:
        page = ahead.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in LINK.findall(without_code(page)):
            there = (ROOT / page.parent / target.partition("#")[0]).resolve()
            if there.suffix == ".md" and there.is_relative_to(ROOT):
                ahead.append(there.relative_to(ROOT))

    assert {page for page in pages() if page.parts[0] == "docs"} - reached == set()


# --- the README -----------------------------------------------------------------------------------------------------


def rows_of_the_map() -> set[str]:
    return {row.rstrip("/") for row in re.findall(r"^\| `([\w./-]+/)` \|", text_of(README), flags=re.MULTILINE)}


def test_the_map_of_folders_shows_every_folder_at_the_top():
    folders = {path.parts[0] for path in project_files() if len(path.parts) > 1} - {".ci"}

    assert folders - rows_of_the_map() == set()


def test_the_map_of_folders_shows_no_folder_that_is_not_there():
    assert {row for row in rows_of_the_map() if not (ROOT / row).is_dir()} == set()


def test_the_map_names_the_three_packages_in_the_order_of_import():
    rows = re.findall(r"^\| `(\w+)/` \|", text_of(README), flags=re.MULTILINE)

    assert [row for row in rows if row in PACKAGES] == list(PACKAGES)


def test_the_readme_fits_one_screen():
    assert len(text_of(README).splitlines()) <= 90


def test_the_readme_says_what_it_is_not():
    words = " ".join(text_of(README).split())

    for claim in (
        "Evaluation and integration testing only",
        "not placed on the market as a medical device",
        "no UKCA or CE mark",
    ):
        assert claim in words, f"specification 6.2: {claim}"


# --- the README's request and card ------------------------------------------------------------------------------------


def is_abridged_from(shown, whole) -> bool:
    """Whether ``shown`` leaves things out of ``whole`` and says nothing else: members, list ends, and text at an …"""
    match shown, whole:
        case dict(), dict():
            return all(key in whole and is_abridged_from(value, whole[key]) for key, value in shown.items())
        case list(), list():
            return len(shown) <= len(whole) and all(map(is_abridged_from, shown, whole))
        case str(), str():
            return re.fullmatch(".*".join(map(re.escape, shown.split("…"))), whole, flags=re.DOTALL) is not None
        case _:
            return bool(shown == whole)


@pytest.mark.parametrize("shown", [{"b": 1}, {"a": [2]}, {"a": [1, 2, 3]}, {"t": "no… words"}, {"t": "many"}])
def test_an_abridged_example_may_not_say_something_else(shown):
    whole = {"a": [1, 2], "t": "many words"}

    assert is_abridged_from({"a": [1], "t": "many…"}, whole)
    assert not is_abridged_from(shown, whole)


def readme_example() -> tuple[bytes, date]:
    command = re.search(r"muscle-cds evaluate (\S+) --as-of (\S+)", text_of(README))
    return (ROOT / command[1]).read_bytes(), date.fromisoformat(command[2])


def test_the_request_in_the_readme_is_the_one_in_the_file():
    request, _ = readme_example()

    assert is_abridged_from(json.loads(code_blocks(README, "json")[0]), json.loads(request))


def test_the_card_in_the_readme_is_the_one_the_service_gives():
    answer = json.loads(msgspec.json.encode(answer_once(Settings(), *readme_example())))

    assert is_abridged_from(json.loads(code_blocks(README, "json")[1]), answer), json.dumps(answer, indent=2)


# --- decisions --------------------------------------------------------------------------------------------------------


def test_the_list_of_decisions_gives_every_page_its_own_title():
    folder = Path("docs/decisions")
    listed = {
        (name, title)
        for name, title in re.findall(
            r"^\| \[\d{4}\]\((\d{4}-[\w-]+\.md)\) \| (.+) \|$", text_of(folder / "index.md"), flags=re.MULTILINE
        )
    }
    written = {
        (page.name, text_of(page).splitlines()[0].removeprefix(f"# {int(page.name[:4])}. "))
        for page in pages()
        if page.parent == folder and page.name[:4].isdigit()
    }

    assert listed == written


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed here")
def test_make_runs_what_is_installed_and_nothing_from_a_path_that_is_meant_for_something_else() -> None:
    """A PYTHONPATH with a package of the name "service" made "make run" start that."""
    done = subprocess.run(
        ["make", "--no-print-directory", "--eval", 'show: ; @echo "[$$PYTHONPATH$$PYTHONHOME]"', "show"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": "/elsewhere", "PYTHONHOME": "/elsewhere"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert done.stdout == "[]\n"
