"""The root of every error the project raises on purpose, and the one that content raises."""


class MuscleCdsError(Exception):
    """Anything that goes wrong and was foreseen. service/errors.py draws the family tree."""


class BadContent(MuscleCdsError):  # noqa: N818 -- the family tree names what is bad, not that it is an error
    """A table, sheet or overlay that cannot be trusted, found when it is loaded: the process does not come up.

    The message names the file, the line where there is one, what is wrong, and what to do.
    """
