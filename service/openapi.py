"""The addresses of the service as OpenAPI 3.1, made from the table of services; ``/openapi.json`` if a site serves it.

It says what this service takes and gives. What CDS Hooks allows besides (fields we never send) is not repeated here:
the specification has the whole of it. A request is described as the least that is served (requirement C2).
"""

from collections.abc import Iterable
from typing import Any

from cards.moment import Moment
from service.hooks.services import SPECIFICATION_VERSION, Service

Json = dict[str, Any]

_JSON = "application/json"
_UUID: Json = {"type": "string", "format": "uuid"}
_TEXT: Json = {"type": "string", "minLength": 1}

# R1, by address; 405 is for methods that are not described, and so is 404 for addresses that are not
_PROBES = {
    "/livez": ("live", "Whether the process answers", "Live"),
    "/readyz": ("ready", "Whether calls may be sent here: rules, settings and store; not the FHIR servers", "Ready"),
}
_PROBE = {"live": (500,), "ready": (500, 503)}
_DISCOVERY = (401, 403, 500, 503)
_CALL = (400, 401, 403, 412, 413, 415, 500, 503)
_FEEDBACK = (400, 401, 403, 413, 415, 500, 503)
_SAYS = {
    400: "Not a hook request or feedback, or not one for this service",
    401: "The caller is not proven; why is never said",
    403: "The caller is proven, but not allowed here",
    412: "Nothing can be said, because none of the needed data was sent or could be fetched",
    413: "The body is larger than the limit: 4 MiB for a call, 64 KiB for feedback",
    415: "The body is compressed or otherwise encoded",
    500: "A defect of the service",
    503: "For now the service cannot take the call, check the caller or keep what was sent, or is about to end; "
    "Retry-After says when to try again",
}


def openapi(services: Iterable[Service], version: str) -> Json:
    """The document for these services; ``version`` is that of the content."""
    paths: Json = {
        "/cds-services": {
            "get": {
                "operationId": "discovery",
                "summary": "What is offered: the services, and the prefetch templates of each",
                "responses": _responses("Discovery", "The services", _DISCOVERY),
            }
        }
    }
    for path, (name, words, schema) in _PROBES.items():
        responses = _responses(schema, "Yes", _PROBE[name])
        paths[path] = {"get": {"operationId": name, "summary": words, "security": [], "responses": responses}}
    for service in services:
        paths[f"/cds-services/{service.id}"] = {"post": _call(service)}
        paths[f"/cds-services/{service.id}/feedback"] = {"post": _feedback(service)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "muscle-cds",
            "version": version,
            "summary": f"CDS Hooks {SPECIFICATION_VERSION}: short advisory cards on muscle twitches and cramps",
            "description": (
                "For evaluation and integration testing only: not placed on the market as a medical device, no UKCA "
                "or CE mark. The content type of a request is not looked at; unknown members are ignored."
            ),
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"client": []}, {}],  # {}: the demo profile takes calls without a token
        "paths": paths,
        "components": {
            "securitySchemes": {
                "client": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Signed by the client as CDS Hooks says, meant for the address that is called",
                }
            },
            "schemas": _SCHEMAS,
        },
    }


def _call(service: Service) -> Json:
    context: Json = {"patientId": {"type": "string", "pattern": r"^[A-Za-z0-9_\-][A-Za-z0-9_\-.]{0,255}$"}}
    if service.moment is Moment.ORDER:
        bundle: Json = {
            "type": "object",
            "required": ["resourceType"],
            "properties": {
                "resourceType": {"const": "Bundle"},
                "entry": {"type": "array", "items": {"type": "object"}},
            },
        }
        context |= {"draftOrders": bundle}
    request = {
        "type": "object",
        "required": ["hook", "hookInstance", "context"],
        "properties": {
            "hook": {"const": service.hook},
            "hookInstance": _UUID,
            "context": {
                "type": "object",
                "required": sorted(context),
                "properties": context
                | {
                    "userId": {"type": "string"},
                    "encounterId": {"type": "string"},
                    "selections": {"type": "array", "items": {"type": "string"}},
                },
            },
            "prefetch": {"type": "object", "description": "By the keys of discovery"},
            "fhirServer": {"type": "string", "description": "Called only if the settings list it"},
            "fhirAuthorization": {"$ref": "#/components/schemas/FhirAuthorization"},
        },
    }
    return {
        "operationId": service.id,
        "summary": service.title,
        "description": service.description,
        "requestBody": {"required": True, "content": {_JSON: {"schema": request}}},
        "responses": _responses("Cards", "The cards, perhaps none", _CALL),
    }


def _feedback(service: Service) -> Json:
    return {
        "operationId": f"{service.id}-feedback",
        "summary": f"What became of cards: {service.title}",
        "requestBody": {
            "required": True,
            "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Feedback"}}},
        },
        "responses": _responses("FeedbackKept", "What was recorded, in numbers", _FEEDBACK),
    }


def _responses(schema: str, words: str, refusals: Iterable[int]) -> Json:
    made = {"200": _response(schema, words)}
    return made | {str(status): _response("OperationOutcome", _SAYS[status]) for status in refusals}


def _response(schema: str, words: str) -> Json:
    return {
        "description": words,
        "headers": {"X-Correlation-ID": {"schema": {"type": "string"}, "description": "The same as in the log"}},
        "content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _object(required: Json, optional: Json | None = None) -> Json:
    """An object of exactly these members."""
    members = required | (optional or {})
    return {"type": "object", "required": list(required), "properties": members, "additionalProperties": False}


def _list(schema: str) -> Json:
    return {"type": "array", "minItems": 1, "items": {"$ref": f"#/components/schemas/{schema}"}}


_CODING = _object({"system": {"type": "string", "format": "uri"}, "code": _TEXT, "display": _TEXT})
_COUNT: Json = {"type": "integer", "minimum": 0}
_SCHEMAS: Json = {
    "Discovery": _object({"services": {"type": "array", "items": {"$ref": "#/components/schemas/Service"}}}),
    "Live": _object({"status": {"const": "live"}}),
    "Ready": _object({"status": {"const": "ready"}}),
    "Service": _object(
        {
            "hook": _TEXT,
            "id": _TEXT,
            "title": _TEXT,
            "description": _TEXT,
            "usageRequirements": _TEXT,
            "version": _TEXT,
        },
        {"prefetch": {"type": "object", "minProperties": 1, "additionalProperties": _TEXT}},
    ),
    "Cards": _object({"cards": {"type": "array", "items": {"$ref": "#/components/schemas/Card"}}}),
    "Card": _object(
        {
            "uuid": _UUID,
            "summary": {"type": "string", "minLength": 1, "maxLength": 139},
            "indicator": {"enum": ["info", "warning", "critical"]},
            "source": _object({"label": _TEXT, "topic": _CODING}),
        },
        {
            "detail": _TEXT | {"description": "GitHub Flavored Markdown without HTML"},
            "suggestions": _list("Suggestion"),
            "selectionBehavior": {"const": "any"},
            "overrideReasons": {"type": "array", "minItems": 1, "items": _CODING},
            "links": _list("Link"),
        },
    ),
    "Suggestion": _object(
        {
            "uuid": _UUID,
            "label": _TEXT,
            "actions": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "items": {"$ref": "#/components/schemas/Action"},
            },
        }
    ),
    "Action": {
        "oneOf": [
            _object({"type": {"const": "create"}, "description": _TEXT, "resource": {"type": "object"}}),
            _object({"type": {"const": "delete"}, "description": _TEXT, "resourceId": _TEXT}),
        ]
    },
    "Link": _object({"label": _TEXT, "url": {"type": "string", "format": "uri"}, "type": {"const": "absolute"}}),
    "FhirAuthorization": {
        "type": "object",
        "description": "Used for fhirServer alone, for the life of the call, and never logged",
        "properties": {"access_token": {"type": "string"}, "token_type": {"type": "string"}},
    },
    "Feedback": {
        "type": "object",
        "required": ["feedback"],
        "properties": {
            "feedback": {
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "items": {
                    "type": "object",
                    "required": ["card", "outcome"],
                    "properties": {
                        "card": _TEXT | {"description": "uuid of the card"},
                        "outcome": {"enum": ["accepted", "overridden"]},
                        "outcomeTimestamp": {"type": "string", "format": "date-time"},
                        "acceptedSuggestions": {"type": "array", "items": {"type": "object"}},
                        "overrideReason": {"type": "object"},
                    },
                },
            }
        },
    },
    "FeedbackKept": _object({"recorded": _COUNT, "repeated": _COUNT, "unmatched": _COUNT, "timedAtReceipt": _COUNT}),
    "OperationOutcome": _object(
        {
            "resourceType": {"const": "OperationOutcome"},
            "id": _TEXT | {"description": "The correlation id"},
            "issue": {
                "type": "array",
                "minItems": 1,
                "items": _object({"severity": {"const": "error"}, "code": _TEXT, "diagnostics": _TEXT}),
            },
        }
    ),
}
