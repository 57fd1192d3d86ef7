"""One vocabulary for all tests of the terminology: it never changes once it is loaded."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from terminology.tables import HERE
from terminology.vocabulary import Vocabulary, load


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return load()


@pytest.fixture
def tables_in(tmp_path: Path) -> Path:
    """A copy of the tables that a test may spoil."""
    shutil.copytree(HERE / "value_sets", tmp_path / "value_sets")
    for file in (*HERE.glob("*.toml"), HERE / "sources.csv", HERE / "version.txt"):
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.fixture
def overlay(tmp_path: Path) -> Callable[[str], Path]:
    """Writes an overlay file and says where it is."""

    def write(text: str) -> Path:
        path = tmp_path / "local-codes.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
