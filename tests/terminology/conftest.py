"""One vocabulary for all tests of the terminology: it never changes once it is loaded."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from terminology.build import names
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


@pytest.fixture(scope="session")
def few_medicines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tables")
    shutil.copytree(HERE / "value_sets", root / "value_sets")
    for file in (*HERE.glob("*.toml"), HERE / "sources.csv", HERE / "version.txt"):
        shutil.copy(file, root)
    for path in (root / "value_sets" / "medicines").iterdir():
        header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        first: dict[str, str] = {}
        for row in rows:
            first.setdefault(row.partition(",")[0], row)
        path.write_text("".join([header, *first.values()]), encoding="utf-8")
    (root / "value_sets" / "medicine_names.csv").write_text(names(root), encoding="utf-8")
    return root


@pytest.fixture
def few_tables_in(few_medicines: Path, tmp_path: Path) -> Path:
    """Like ``tables_in``, with one row for each ingredient: sound, and checked in no time."""
    return shutil.copytree(few_medicines, tmp_path / "few")


@pytest.fixture
def overlay(tmp_path: Path) -> Callable[[str], Path]:
    """Writes an overlay file and says where it is."""

    def write(text: str) -> Path:
        path = tmp_path / "local-codes.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
