"""The changelog says who is affected: clinicians, integrators, or those who run it."""

import re
from itertools import pairwise
from pathlib import Path

from tests.repository import text_of

VERSION = re.compile(r"## (Unreleased|\d+\.\d+\.\d+, \d{4}-\d{2}-\d{2})")
AFFECTED = ["Clinical", "Protocol", "Technical"]


def changelog() -> str:
    return text_of(Path("CHANGELOG.md"))


def headings(mark: str) -> list[str]:
    return [line for line in changelog().splitlines() if line.startswith(mark + " ")]


def test_every_release_has_a_version_and_a_day():
    assert headings("##")
    assert [line for line in headings("##") if not VERSION.fullmatch(line)] == []


def test_the_newest_stands_first():
    released = [
        tuple(map(int, found[1].split(".")))
        for line in headings("##")
        if (found := re.match(r"## (\d+\.\d+\.\d+)", line))
    ]

    assert all(newer > older for newer, older in pairwise(released))


def test_changes_stand_under_those_they_affect():
    for release in re.split(r"^## ", changelog(), flags=re.MULTILINE)[1:]:
        groups = re.findall(r"^### (.+)$", release, flags=re.MULTILINE)

        assert groups, f"{release.splitlines()[0]}: no change is told"
        assert groups == [name for name in AFFECTED if name in groups]


def test_no_group_is_empty():
    for group in re.split(r"^###? ", changelog(), flags=re.MULTILINE)[1:]:
        title, _, body = group.partition("\n")
        if title in AFFECTED:
            assert re.search(r"^- \S", body, flags=re.MULTILINE), f"{title}: nothing stands under it"
