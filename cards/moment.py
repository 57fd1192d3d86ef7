"""When advice is asked for."""

from terminology.closed import Closed


class Moment(Closed):
    """A record is opened, or orders are drafted."""

    RECORD = "record"
    ORDER = "order"
