"""Every answer that is not 2xx: an OperationOutcome with a fixed sentence and the correlation id (R1, J2, J5, T10)."""

from typing import Any

from service.errors import CallRejected
from service.hooks.request import TOO_LARGE

Json = dict[str, Any]

# issue type of FHIR, and the sentence, for what the web framework refuses before a route of ours is reached
_BY_STATUS: dict[int, tuple[str, str]] = {
    400: ("invalid", "The request could not be read: send one hook request as JSON over HTTP/1.1."),
    404: ("not-found", "There is nothing at this address: GET /cds-services lists the services."),
    405: ("not-supported", "This address does not take that method: GET /cds-services, POST to a service."),
    413: ("too-long", TOO_LARGE),
    500: ("exception", "The service failed on this call. Nothing may be concluded from it about the patient."),
}
_OTHER = ("processing", "The request could not be answered.")


def rejected(error: CallRejected, correlation_id: str) -> Json:
    """The body for a call we refused ourselves; its sentence is ours."""
    return _outcome(error.issue, str(error), correlation_id)


def refused(status: int, correlation_id: str) -> Json:
    """The body for a status that has no sentence of its own."""
    issue, sentence = _BY_STATUS.get(status, _OTHER)
    return _outcome(issue, sentence, correlation_id)


def _outcome(issue: str, sentence: str, correlation_id: str) -> Json:
    return {
        "resourceType": "OperationOutcome",
        "id": correlation_id,  # its form is that of a FHIR id; the same as in the X-Correlation-ID header and the log
        "issue": [{"severity": "error", "code": issue, "diagnostics": sentence}],
    }
