"""One code in one code system, as a record carries it, spelled the way our tables spell it."""

from dataclasses import dataclass
from typing import TypeAlias

Pair: TypeAlias = tuple[str, str]
"""System ("" if none was sent) and code: what a record's codings are looked up by."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A code as it was sent. An empty system means that none was sent."""

    system: str
    code: str
    display: str = ""
