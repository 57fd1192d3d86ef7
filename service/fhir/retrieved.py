"""What came back for each query, by whichever road: the five states of a prefetch key, and our own searches (R8)."""

from typing import TypeAlias

import msgspec

from service.fhir.resource import Resource
from terminology.closed import Closed


class Trouble(Closed):
    """Why a part of the record is not complete; the values are words fit for a card."""

    NOT_PERMITTED = "the record system did not permit it"
    NOT_ANSWERED = "the record system did not answer in time"
    LEFT_ALONE = "the record system had just failed several times, so it was not asked"
    SERVER_ERROR = "the record system answered with an error"
    NOT_FHIR = "the answer could not be read"
    SENT_AS_FAILED = "the record system reported that it could not be had"
    NO_SERVER = "it was not sent, and no record system that may be called was named"
    CUT_SHORT = "only part of it could be had"


class Resources(msgspec.Struct, frozen=True):
    """A search that answered, entry by entry. ``trouble`` is set when it was cut short.

    ``broken``: for each entry that is not a resource at all, why. ``entries`` hold matches and included resources
    alike, of any type, in the order they came; OperationOutcome entries with search mode "outcome" are left out.
    """

    entries: tuple[Resource, ...]
    broken: tuple[str, ...] = ()
    trouble: Trouble | None = None


class Nothing(msgspec.Struct, frozen=True):
    """The record system looked and has nothing: a null key, or a read that found nothing."""


class Failed(msgspec.Struct, frozen=True):
    """It could not be had."""

    trouble: Trouble


Retrieved: TypeAlias = Resources | Nothing | Failed
