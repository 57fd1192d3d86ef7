"""Errors of the service.

MuscleCdsError
├─ BadContent              a table, sheet or overlay that cannot be trusted: the process does not come up
├─ BadSettings             a setting that cannot be used: the process does not come up
├─ CallRejected            a call not answered, by the caller's fault or for now; has an HTTP status
│  ├─ BadCall              400
│  ├─ NotTrusted           401: who is calling is not proven
│  ├─ NotAllowed           403: proven, but not allowed here
│  ├─ UnknownService       404
│  ├─ DataNotAvailable     412: nothing we needed could be had
│  ├─ TooLarge             413
│  ├─ NotPlainBody         415
│  └─ StoreDown            503: what must be looked up or written cannot be, for now
├─ NotSeeded               a FHIR server that did not take the synthetic patients; only the command meets it
└─ StoreUnavailable        the store cannot be reached, read or written

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
    "NotAllowed",
    "NotPlainBody",
    "NotSeeded",
    "NotTrusted",
    "StoreDown",
    "StoreUnavailable",
    "TooLarge",
    "UnknownService",
]


class BadSettings(MuscleCdsError):  # noqa: N818 -- named for what is bad, as the whole family
    """A setting that cannot be used; names the setting and what it may be."""


class NotSeeded(MuscleCdsError):  # noqa: N818 -- as above
    """A FHIR server that did not become ready, or refused a resource; says which, and with which status."""


class StoreUnavailable(MuscleCdsError):  # noqa: N818 -- as above
    """The store of seen tokens, cards shown and feedback cannot be reached, read or written (R17, F28)."""


class CallRejected(MuscleCdsError):  # noqa: N818 -- as above
    """A request that cannot be answered as it stands.

    ``issue`` is a code of the FHIR value set issue-type, for the OperationOutcome.
    """

    status = 400
    issue = "invalid"


class BadCall(CallRejected):
    """Not a hook request, or not one for this service."""


class NotTrusted(CallRejected):
    """Who is calling is not proven. ``because`` is a word of ours for the log alone: the caller is never told (J3)."""

    status = 401
    issue = "login"

    def __init__(self, because: str) -> None:
        """``because``: one of the words of service/hooks/trust.py and keys.py."""
        super().__init__("Who is calling could not be proven.")
        self.because = because


class NotAllowed(CallRejected):
    """A proven caller that may not call here: its organisation is not one of those its entry lists (K14)."""

    status = 403
    issue = "forbidden"


class StoreDown(CallRejected):
    """The store cannot be asked or written: a replay cannot be told from a call, or feedback kept (R3, R17)."""

    status = 503
    issue = "transient"


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
