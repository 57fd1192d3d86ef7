"""The layout holds: who imports whom, who may look at clock and environment, and what stands where."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import service.errors
from tests.repository import PACKAGES, ROOT, modules, project_files, text_of

ALLOWED_AT_THE_TOP = {
    "pyproject.toml",
    "README.md",
    "docker-compose.yml",
    "Makefile",
    "Dockerfile",
    ".ci",
    "terminology",
    "cards",
    "service",
    "tests",
    "bench",
    "docs",
    "deploy",
    "requirements",
    "LICENSE",
    "NOTICE",
    "CHANGELOG.md",
    ".gitattributes",
    ".gitignore",
    ".dockerignore",
}

# Where the clock and the environment may be looked at. The last tells the metrics library where its folder is.
MAY_LOOK_OUTSIDE = {Path("service/settings.py"), Path("service/clock.py"), Path("service/watching.py")}
CLOCK_AND_ENVIRONMENT = {
    "date.today",
    "datetime.today",
    "datetime.now",
    "datetime.utcnow",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "os.environ",
    "os.environb",
    "os.getenv",
    "os.putenv",
}

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "handler", "handlers", "process"}


def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path), filename=str(path))


# --- who imports whom ---------------------------------------------------------------------------------------------


def test_every_import_contract_is_kept():
    contracts = tomllib.loads(text_of(Path("pyproject.toml")))["tool"]["importlinter"]["contracts"]

    checked = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

    all_kept = f"Contracts: {len(contracts)} kept, 0 broken." in checked.stdout
    assert all_kept, checked.stdout[checked.stdout.find("Contracts") :] + checked.stderr


def test_the_contracts_speak_of_the_three_packages():
    settings = tomllib.loads(text_of(Path("pyproject.toml")))["tool"]["importlinter"]

    assert set(settings["root_packages"]) == set(PACKAGES)
    assert ["service", "cards", "terminology"] in [contract.get("layers") for contract in settings["contracts"]]


# --- clock and environment ----------------------------------------------------------------------------------------


def looks_outside(tree: ast.Module) -> Iterator[str]:
    """Uses of the clock or the environment: by attribute, however deep, or by a name imported from its module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            spelled = ".".join(ast.unparse(node).split(".")[-2:])
            if spelled in CLOCK_AND_ENVIRONMENT:
                yield f"line {node.lineno}: {spelled}"
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                if f"{node.module}.{name.name}" in CLOCK_AND_ENVIRONMENT:
                    yield f"line {node.lineno}: from {node.module} import {name.name}"


@pytest.mark.parametrize(
    "code",
    [
        "import datetime\nnow = datetime.datetime.now()",
        "from datetime import date\nday = date.today",
        "import os\nhome = os.environ['HOME']",
        "from os import getenv",
        "from time import time",
    ],
)
def test_the_fence_sees_a_look_at_clock_or_environment(code):
    assert list(looks_outside(ast.parse(code)))


def test_the_fence_lets_a_stopwatch_through():
    assert not list(looks_outside(ast.parse("import time\nstart = time.monotonic()")))


@pytest.mark.parametrize("path", modules(), ids=str)
def test_only_named_modules_look_at_clock_and_environment(path):
    if path in MAY_LOOK_OUTSIDE:
        return
    assert list(looks_outside(tree_of(path))) == []


# --- modules ------------------------------------------------------------------------------------------------------


def first_sentence(path: Path) -> str:
    words = " ".join((ast.get_docstring(tree_of(path)) or "").split())
    return re.split(r"(?<=[.?!])\s", words, maxsplit=1)[0]


@pytest.mark.parametrize("path", modules(), ids=str)
def test_the_first_sentence_of_a_module_says_what_it_knows(path):
    sentence = first_sentence(path)

    assert re.fullmatch(r"[^a-z].*[.?!]", sentence), f"{path} needs a docstring that opens with a sentence"
    assert len(sentence.split()) >= 4, f"{path}: {sentence!r} says too little"


def test_no_two_modules_say_the_same_about_themselves():
    sentences = [first_sentence(path) for path in modules()]

    assert sorted(sentences) == sorted(set(sentences))


def test_no_module_is_named_after_nothing():
    assert [str(path) for path in modules() if path.stem in VAGUE_NAMES] == []


def test_nothing_is_left_to_be_implemented():
    unfinished = [
        f"{path}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    ]

    assert unfinished == []


# --- topics -------------------------------------------------------------------------------------------------------


def topics_on_disk(suffix: str) -> set[str]:
    folder = Path("cards/topics")
    return {path.stem for path in project_files() if path.parent == folder and path.suffix == suffix} - {"__init__"}


def topics_in_the_table_of_contents() -> set[str]:
    imported = set()
    for node in ast.walk(tree_of(Path("cards/topics/__init__.py"))):
        if isinstance(node, ast.ImportFrom) and node.module == "cards.topics":
            imported |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cards.topics."):
            imported.add(node.module.removeprefix("cards.topics."))
        elif isinstance(node, ast.Import):
            imported |= {n.name.removeprefix("cards.topics.") for n in node.names if n.name.startswith("cards.topics.")}
    return imported


def test_every_topic_is_a_pair_of_rules_and_sheet():
    assert topics_on_disk(".py")
    assert topics_on_disk(".py") == topics_on_disk(".toml")


def test_every_topic_stands_in_the_table_of_contents():
    assert topics_in_the_table_of_contents() == topics_on_disk(".py")


# --- errors -------------------------------------------------------------------------------------------------------


def drawn_family() -> dict[str, tuple[str, str]]:
    """The tree in the docstring of service/errors.py: class -> its parent and what stands beside it."""
    lines = (service.errors.__doc__ or "").splitlines()
    drawn, line_of_descent = {}, []
    for line in lines[lines.index("MuscleCdsError") + 1 :]:
        if not line.strip():
            break
        branch = re.match(r"([│ ]*)[├└]─ (\w+)\s*(.*)", line)
        if branch is None:
            continue  # the remark of the line above goes on
        depth = len(branch[1]) // 3
        del line_of_descent[depth:]
        drawn[branch[2]] = (line_of_descent[-1] if line_of_descent else "MuscleCdsError", branch[3])
        line_of_descent.append(branch[2])
    return drawn


def real_family() -> dict[str, type]:
    return {
        name: value
        for name, value in inspect.getmembers(service.errors, inspect.isclass)
        if issubclass(value, service.errors.MuscleCdsError) and value is not service.errors.MuscleCdsError
    }


def test_the_family_tree_of_errors_is_drawn_as_it_is():
    drawn = {name: parent for name, (parent, _) in drawn_family().items()}

    assert drawn == {name: value.__bases__[0].__name__ for name, value in real_family().items()}


def test_the_family_tree_names_the_http_status_each_error_has():
    written = {
        name: int(found[0]) for name, (_, note) in drawn_family().items() if (found := re.search(r"\b[45]\d\d\b", note))
    }

    assert written
    assert {name: real_family()[name].status for name in written} == written


def test_no_error_is_born_outside_the_family_home():
    family = {"MuscleCdsError", *real_family()}
    homes = {Path("service/errors.py"), Path("terminology/errors.py")}
    strays = [
        f"{path}: {node.name}"
        for path in modules()
        if path not in homes
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and family & {ast.unparse(base).split(".")[-1] for base in node.bases}
    ]

    assert strays == []


# --- the top level ------------------------------------------------------------------------------------------------


def test_nothing_new_stands_at_the_top_level():
    assert {path.parts[0] for path in project_files()} - ALLOWED_AT_THE_TOP == set()
