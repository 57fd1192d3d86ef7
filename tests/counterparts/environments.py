"""Where the programs of others are that these tests talk to: each in an environment of its own, by ``make counterparts``."""

from pathlib import Path

import pytest

from tests.repository import ROOT


def program(environment: str, name: str) -> Path:
    """A program of one environment. Skips the test where the environment was not made, or could not be."""
    folder = ROOT / ".venv" / "counterparts" / environment
    if not (folder / ".made").exists():  # the stamp is written last: half an environment has none
        pytest.skip(f"there is no environment of {environment}: make counterparts")
    return folder / "bin" / name
