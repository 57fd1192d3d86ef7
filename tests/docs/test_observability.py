"""The page on log, metrics, audit and probes says what there is, all of it, and nothing else."""

import re
from dataclasses import fields
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from service.line_limit import MOST
from service.metrics import OUTCOMES, Metrics
from service.observe import Record
from tests.repository import text_of

PAGE = text_of(Path("docs/observability.md"))


def table_under(heading):
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip() for cell in row.strip("|").split(" | ")] for row in part.splitlines() if row.startswith("| ")
    ][1:]


def named(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_every_field_of_the_log_is_on_the_page_and_no_other():
    shown = [name for row in table_under("The log") for name in named(row[0])]

    assert sorted(shown) == sorted({row.name for row in fields(Record)} | {"time", "level", "event"})


def test_every_metric_is_on_the_page_with_its_labels_and_no_other():
    registry = CollectorRegistry()
    made = Metrics(rules=(), clients=(), queries=(), version="", content="", content_hash="", registry=registry)
    real = {
        f"{metric._name}_total" if metric._type == "counter" else metric._name: set(metric._labelnames)
        for metric in vars(made).values()
        if hasattr(metric, "_labelnames")
    }
    real["muscle_cds_build_info"] = {"version", "content", "content_hash"}
    shown = {named(row[0])[0]: set(named(row[1])) for row in table_under("Metrics")}

    assert shown == real
    assert b"muscle_cds_build_info" in generate_latest(registry)


def test_every_outcome_of_a_call_is_on_the_page():
    (row,) = [row for row in table_under("Metrics") if "muscle_cds_hooks_total" in row[0]]

    assert set(named(row[2])) == {"cards", "no-cards", "refused", *OUTCOMES.values()}


def test_the_number_of_lines_a_minute_is_the_real_one():
    assert f"are written {MOST} times a minute" in " ".join(PAGE.split())
