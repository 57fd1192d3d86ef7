"""The pinned packages: name, version, sha256, and nothing else (reliability R19)."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repository import PACKAGES, modules, project_files, text_of

FILES = [path for path in project_files() if path.parts[0] == "requirements"]
RUNTIME, DEV, BUILD = (Path("requirements") / f"{name}.txt" for name in ("runtime", "dev", "build"))
POSTGRES = Path("requirements/postgres.txt")  # runtime.txt and the driver of the shared store: what the image holds
SEKMET, HEALTHCHAIN = (Path("requirements") / f"{name}.txt" for name in ("sekmet", "healthchain"))
RUN_ELSEWHERE = {
    Path("tests/counterparts/play_healthchain.py"): HEALTHCHAIN,
    Path("bench/healthchain_service.py"): HEALTHCHAIN,
}  # by the interpreter of its own environment
PIN = re.compile(r"([a-z0-9][a-z0-9-]*)==([0-9][0-9A-Za-z.]*) \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def pins(path: Path) -> dict[str, str]:
    return {found[1]: found[2] for line in text_of(path).splitlines() if (found := PIN.fullmatch(line))}


def project() -> dict:
    return tomllib.loads(text_of(Path("pyproject.toml")))


def missing_from(pinned: dict[str, str], wanted: list[str]) -> list[str]:
    """Requirements that no pin meets."""
    return [
        line
        for line in wanted
        if not (need := Requirement(line)).specifier.contains(pinned.get(canonicalize_name(need.name), "0"))
    ]


def test_there_are_files_for_running_testing_and_building_and_one_for_each_counterpart():
    assert set(FILES) == {RUNTIME, POSTGRES, DEV, BUILD, SEKMET, HEALTHCHAIN}


def test_each_counterpart_is_pinned_at_the_version_the_makefile_resolves():
    wanted = dict(
        re.findall(r'echo "([a-z-]+==[0-9.]+)" \| .* (requirements/[a-z]+\.txt) -', text_of(Path("Makefile")))
    )

    assert {Path(path) for path in wanted.values()} == {SEKMET, HEALTHCHAIN}
    for requirement, path in wanted.items():
        assert missing_from(pins(Path(path)), [requirement]) == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_line_is_a_pin_or_a_hash(path):
    odd = [line for line in text_of(path).splitlines() if not (PIN.fullmatch(line) or HASH.fullmatch(line))]

    assert odd == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_pin_has_a_hash(path):
    lines = text_of(path).splitlines()

    assert all(
        HASH.fullmatch(after) for line, after in zip(lines, [*lines[1:], ""], strict=True) if PIN.fullmatch(line)
    )


def test_everything_the_service_declares_is_pinned():
    assert missing_from(pins(RUNTIME), project()["project"]["dependencies"]) == []


def test_every_tool_is_pinned():
    assert missing_from(pins(DEV), project()["project"]["optional-dependencies"]["dev"]) == []


def test_what_builds_the_package_is_pinned():
    assert missing_from(pins(BUILD), project()["build-system"]["requires"]) == []


def test_a_requirement_that_nothing_meets_is_noticed():
    assert missing_from({"flask": "3.1.3"}, ["Flask>=3.1", "Flask>=4", "fhir.resources>=8"]) == [
        "Flask>=4",
        "fhir.resources>=8",
    ]


def test_what_the_shared_store_needs_is_pinned():
    assert missing_from(pins(POSTGRES), project()["project"]["optional-dependencies"]["postgres"]) == []


def test_the_tests_run_on_the_versions_the_service_ships_with():
    assert pins(RUNTIME).items() <= pins(POSTGRES).items() <= pins(DEV).items()


def test_the_versions_that_are_installed_are_the_pinned_ones():
    assert {name: version(name) for name in pins(RUNTIME)} == pins(RUNTIME)


# --- what is imported is pinned -----------------------------------------------------------------------------------


def packages_imported_by(paths: Iterable[Path]) -> set[frozenset[str]]:
    """For each import of something that is neither ours nor Python's, the packages that could provide it."""
    roots = set()
    for path in paths:
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.Import):
                roots |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                roots.add(node.module.partition(".")[0])
    providers = packages_distributions()
    return {
        frozenset(canonicalize_name(name) for name in providers.get(root, [root]))
        for root in roots - set(sys.stdlib_module_names) - {*PACKAGES, "tests", "bench"}
    }


def test_whatever_the_service_imports_ships_with_it():
    imported = packages_imported_by(modules())

    assert imported
    assert {names for names in imported if not names & pins(RUNTIME).keys()} == set()


def test_whatever_a_test_imports_is_pinned():
    imported = packages_imported_by(
        path
        for path in project_files()
        if path.parts[0] in ("tests", "bench") and path.suffix == ".py" and path not in RUN_ELSEWHERE
    )

    assert imported
    assert {names for names in imported if not names & pins(DEV).keys()} == set()


@pytest.mark.parametrize("path", RUN_ELSEWHERE, ids=str)
def test_whatever_is_imported_in_another_environment_is_pinned_there(path):
    imported = packages_imported_by([path])

    assert imported
    assert {names for names in imported if not names & pins(RUN_ELSEWHERE[path]).keys()} == set()
