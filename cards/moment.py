"""When advice is asked for."""

from enum import Enum


class Moment(Enum):
    """A record is opened, or orders are drafted."""

    RECORD = "record"
    ORDER = "order"
