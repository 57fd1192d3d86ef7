"""Every alert has its section in the runbook, and every number it looks at is one that is measured."""

import re
from pathlib import Path

import pytest
import yaml

from service.errors import WHY_NOT_TRUSTED
from tests.repository import text_of

RUNBOOK = text_of(Path("docs/runbook.md"))
ALERTS = [
    rule for group in yaml.safe_load(text_of(Path("deploy/prometheus/alerts.yml")))["groups"] for rule in group["rules"]
]
TABLED = set(re.findall(r"^\| `((?:muscle_cds|http)_\w+)` \|", RUNBOOK, flags=re.MULTILINE))
ROUTES = {"/cds-services", "/cds-services/<service_id>"}


def metrics_in(expression):
    names = re.findall(r"\b((?:muscle_cds|http)_[a-z_]+)(?:\{|\)|\[| |$)", expression)
    return {name.removesuffix("_bucket") for name in names} - {"http_route"}


@pytest.mark.parametrize("alert", ALERTS, ids=[one["alert"] for one in ALERTS])
def test_an_alert_is_explained_and_looks_at_what_is_measured(alert):
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"]
    assert metrics_in(alert["expr"])
    assert metrics_in(alert["expr"]) <= TABLED
    assert set(re.findall(r'http_route="([^"]+)"', alert["expr"])) <= ROUTES
    assert alert["expr"].count("(") == alert["expr"].count(")")


def test_the_runbook_has_a_section_for_every_alert_and_for_no_other():
    sections = re.findall(r"^### (MuscleCds\w+)$", RUNBOOK, flags=re.MULTILINE)

    assert sections == [alert["alert"] for alert in ALERTS]


def test_the_runbook_knows_every_metric_of_ours():
    assert len(TABLED) == 10
    source = text_of(Path("service/metrics.py"))
    told = set(re.findall(r'"((?:muscle_cds|http)_[a-z_]+)"', source)) - {"http_request_method", "http_route"}
    told -= {"http_response_status_code"}
    assert {name.removesuffix("_total") for name in TABLED} == told


def test_every_reason_for_a_refusal_is_in_the_runbook():
    assert {reason for reason in WHY_NOT_TRUSTED if f"`{reason}`" not in RUNBOOK} == set()
