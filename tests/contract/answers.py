"""What every answer of the service has to be, whichever test asked for it (requirements A2, A3, J2, J5)."""

import json
import re
from typing import Any

from fhir.resources.R4B.operationoutcome import OperationOutcome

from tests.contract.cds_hooks import empty_members, faults

_DISCOVERY = re.compile(r"/cds-services/?")
_CALL = re.compile(r"/cds-services//?[^/]+/?")

_PAGE = re.compile(r"/demo/?|/demo/static/[^/]+")
_SEVERITIES = ("fatal", "error", "warning", "information")  # fhir.resources does not look at the required value set

judged: dict[int, int] = {}
"""How many answers were looked at, by status."""


def problems(method: str, path: str, status: int, content_type: str | None, body: bytes) -> list[str]:
    """What is wrong with one answer, in words; nothing for an answer that has no body by its nature."""
    judged[status] = judged.get(status, 0) + 1
    if method in ("HEAD", "OPTIONS") and not body:
        return []
    if (status == 200 and _PAGE.fullmatch(path)) or (status, path, body) == (302, "/", b""):
        return []  # the page of the demo profile, its parts and the way to it: no address of CDS Hooks
    if content_type == "application/fhir+json" and path.startswith("/demo/fhir/"):
        content_type = "application/json"  # the record system of the demo, which speaks FHIR
    if content_type != "application/json":
        return [f"Content-Type is {content_type}"]
    try:
        answer = json.loads(body)
    except ValueError:
        return ["the body is not JSON"]
    if status >= 300:
        return refusal_problems(answer)
    if not path.startswith("/cds-services"):
        return []  # the request of a demo patient says null for "none", and OpenAPI has empty objects of its own
    found = empty_members(answer)
    if method == "GET" and _DISCOVERY.fullmatch(path):
        found += faults("discovery", answer)
    elif method == "POST" and _CALL.fullmatch(path):
        found += faults("response", answer)
    return found


def refusal_problems(answer: Any) -> list[str]:
    """What keeps a body from being an OperationOutcome without an empty member."""
    try:
        OperationOutcome.model_validate(answer)
    except ValueError as why:
        return [f"not an OperationOutcome: {why}"]
    odd = [issue.get("severity") for issue in answer["issue"] if issue.get("severity") not in _SEVERITIES]
    return empty_members(answer) + [f"severity {severity}" for severity in odd]
