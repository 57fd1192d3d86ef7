"""Closed lists of words, such as the parts of a record or the weights of a card."""

from enum import Enum


class Closed(Enum):
    """An Enum whose members are told apart by identity alone, as there is one of each.

    The ordinary one is hashed by its name, in Python, each time it is looked up; with tables by such words on the path
    of every call that was a twentieth of its cost.
    """

    __hash__ = object.__hash__
