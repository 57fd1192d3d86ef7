"""What is sent by the tests that make calls from the OpenAPI document, and how each answer to it is judged."""

from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.hooks.services import SERVICES
from service.openapi import openapi

DOCUMENT = openapi(SERVICES, "1.0.0")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def api():
    """The document as schemathesis reads it; each module has one, and may change it."""
    return from_dict(DOCUMENT)


def examples(count):
    """So many calls for each operation, the same in every run; none is tried again smaller."""
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
