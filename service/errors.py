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
│  ├─ StoreDown            503: what must be looked up or written cannot be, for now
│  ├─ Overloaded           503: as many calls are under way as one process takes
│  └─ NotReady             503: the answer of the readiness probe, and of no other address
├─ NotSeeded               a FHIR server that did not take the synthetic patients; only the command meets it
└─ StoreUnavailable        the store cannot be reached, read or written

A FHIR server that fails is not an error here: it becomes the state of an input (service/fhir/retrieved.py).
A message says what happened, to which part, and what to do. It holds no identifier and no value of a patient, and it
never repeats what was sent.
"""

from typing import Final

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
    "NotReady",
    "NotSeeded",
    "NotTrusted",
    "Overloaded",
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


WHY_NOT_TRUSTED: Final = frozenset(
    {
        "bad-algorithm", "bad-audience", "bad-header", "bad-jti", "bad-lifetime", "bad-signature", "bad-time",
        "bad-type", "expired", "foreign-key-address", "malformed", "no-key-id", "no-keys", "no-token", "not-yet",
        "replayed", "unknown-issuer", "unknown-key", "unreadable",
    }
)  # fmt: skip
"""Every word that says why a caller is not proven: a closed set, for the log and the metrics (R15)."""


class NotTrusted(CallRejected):
    """Who is calling is not proven. ``because`` is a word of ours for the log alone: the caller is never told (J3)."""

    status = 401
    issue = "login"

    def __init__(self, because: str) -> None:
        """``because``: one of the words of WHY_NOT_TRUSTED."""
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


class Overloaded(CallRejected):
    """As many calls are under way as this process takes; the rest of its threads is kept for probes (R16)."""

    status = 503
    issue = "throttled"


class NotReady(CallRejected):
    """No calls should be sent here for now: the process is about to end, or its store cannot be used (R16)."""

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
    """Nothing the service needs was sent, and none of it could be fetched. ``late``: not in the time there was."""

    status = 412
    issue = "incomplete"

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late
