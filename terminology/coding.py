"""One code in one code system, as a record carries it, spelled the way our tables spell it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coding:
    """A code as it was sent. An empty system means that none was sent."""

    system: str
    code: str
    display: str = ""
