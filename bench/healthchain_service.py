"""A CDS Hooks service built with HealthChain, for bench.peers: it runs in HealthChain's own environment, not in ours.

    python healthchain_service.py PORT

``framework`` takes a hook and answers a fixed card: what the framework costs. ``reads`` reads every Bundle of the
prefetch into models of fhir.resources R4B, which HealthChain is built on, finds the newest result of each code and the
problems that name a cramp, and answers one card. That is a small part of what our rules do.
"""

import sys
from typing import Any

import uvicorn  # type: ignore[import-not-found]  # this module runs elsewhere
from fhir.resources.R4B.bundle import Bundle
from healthchain.gateway import CDSHooksService, HealthChainAPI  # type: ignore[import-not-found]  # as above
from healthchain.gateway.cds import CDSHooksConfig  # type: ignore[import-not-found]  # as above
from healthchain.models import Card, CDSResponse  # type: ignore[import-not-found]  # as above
from healthchain.models.responses.cdsresponse import Source  # type: ignore[import-not-found]  # as above

SOURCE = Source(label="peer")


def _card(summary: str, detail: str) -> Any:
    return CDSResponse(cards=[Card(summary=summary, indicator="info", source=SOURCE, detail=detail)])


def framework(_request: Any) -> Any:
    """Answer without looking."""
    return _card("fixed", "fixed")


def reads(request: Any) -> Any:
    """Read everything, and say how much of it there is."""
    newest: dict[str, Any] = {}
    cramps = 0
    for sent in request.prefetch.values():
        if not sent or sent.get("resourceType") != "Bundle":
            continue
        for entry in Bundle.model_validate(sent).entry or []:
            resource: Any = entry.resource
            if type(resource).__name__ == "Observation":
                code = resource.code.coding[0].code
                if code not in newest or resource.effectiveDateTime > newest[code].effectiveDateTime:
                    newest[code] = resource
            elif type(resource).__name__ == "Condition":
                cramps += "cramp" in (resource.code.text or "").lower()
    values = ", ".join(f"{code} {one.valueQuantity.value} {one.valueQuantity.unit}" for code, one in newest.items())
    return _card(f"{cramps} problems with cramp; {len(newest)} kinds of results", values)


def application() -> Any:
    """Both services in one application."""
    app = HealthChainAPI()
    for name, answer in (("framework", framework), ("reads", reads)):
        service = CDSHooksService(CDSHooksConfig(base_path=f"/{name}"))
        service.hook("patient-view", id="muscle-patient-view")(answer)
        app.register_service(service)
    return app


if __name__ == "__main__":
    uvicorn.run(application(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
