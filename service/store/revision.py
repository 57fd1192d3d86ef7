"""Which version of the tables this code needs (R17): asked at every start and by every probe."""

from typing import Final

WANTED: Final = "0001"
"""The newest of the migrations; a test compares."""
