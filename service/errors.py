"""Errors of the service.

MuscleCdsError
├─ BadContent              a table, sheet or overlay that cannot be trusted: the process does not come up
├─ BadSettings             a setting that cannot be used: the process does not come up
├─ CallRejected            the caller's fault; carries an HTTP status and a fixed sentence
│  ├─ BadCall              400
│  ├─ UnknownService       404
│  ├─ DataNotAvailable     412: nothing we needed could be had
│  ├─ TooLarge             413
│  └─ NotPlainBody         415

A FHIR server that fails is not an error here: it becomes the state of an input (service/fhir/retrieved.py).
A message says what happened, to which part, and what to do. It holds no identifier and no value of a patient, and it
never repeats what was sent.
"""

from terminology.errors import BadContent, MuscleCdsError

__all__ = [
    "BadCall",
    "BadContent",
    "BadSettings",
    "CallRejected",
    "DataNotAvailable",
    "MuscleCdsError",
    "NotPlainBody",
    "TooLarge",
    "UnknownService",
]


class BadSettings(MuscleCdsError):  # noqa: N818 -- named for what is bad, as the whole family
    """A setting that cannot be used; names the setting and what it may be."""


class CallRejected(MuscleCdsError):  # noqa: N818 -- as above
    """A request that cannot be answered as it stands.

    ``issue`` is a code of the FHIR value set issue-type, for the OperationOutcome.
    """

    status = 400
    issue = "invalid"


class BadCall(CallRejected):
    """Not a hook request, or not one for this service."""


class UnknownService(CallRejected):
    """No service of that id."""

    status = 404
    issue = "not-found"


class TooLarge(CallRejected):
    """The body is larger than the limit."""

    status = 413
    issue = "too-long"


class NotPlainBody(CallRejected):
    """The body is compressed or otherwise encoded (R7)."""

    status = 415
    issue = "not-supported"


class DataNotAvailable(CallRejected):
    """Nothing the service needs was sent, and none of it could be fetched."""

    status = 412
    issue = "incomplete"
