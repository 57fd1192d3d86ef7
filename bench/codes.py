"""Codes for made-up records, all of them rows of the project's own terminology tables."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from terminology import tables, vocabulary
from terminology.analytes import Analyte
from terminology.tables import Row

Json = dict[str, Any]

ANALYTES = ("potassium", "sodium", "calcium-adjusted", "calcium-total", "magnesium", "albumin", "ck-total", "tsh")
LONG_TERM = ("hypertension", "diabetes-mellitus", "atrial-fibrillation", "hypothyroidism", "anxiety")
CLASSES = (
    "thiazide-diuretic",
    "statin",
    "ppi",
    "loop-diuretic",
    "ssri",
    "beta-blocker",
    "laba",
    "ace-inhibitor",
    "glucose-lowering",
    "thyroid-hormone",
)


@dataclass(frozen=True)
class Codes:
    """What records are made of.

    ``results``: per analyte the analyte and its codings, several of which one Observation carries. ``medicines`` and
    ``problems``: one coding each. ``orders`` and ``complaint``: by concept.
    """

    results: tuple[tuple[Analyte, tuple[Json, ...]], ...]
    medicines: tuple[Json, ...]
    problems: tuple[Json, ...]
    orders: dict[str, Json]
    complaint: Json
    quinine: Json


@cache
def codes() -> Codes:
    """The codes, read once from the tables as they stand. Raises BadContent if these cannot be read."""
    read = tables.read()
    analytes = vocabulary.load().analytes
    systems = {row["id"]: row["uri"] for row in read.systems}

    def coding(row: Row) -> Json:
        return {"system": systems[row["system"]], "code": row["code"], "display": row["display"]}

    def exact(rows: tuple[Row, ...], concept: str, system: str = "snomed") -> tuple[Json, ...]:
        return tuple(
            coding(row)
            for row in rows
            if row["concept"] == concept and row["kind"] == "exact" and row["system"] == system
        )

    def products(group: str) -> tuple[Json, ...]:
        named = (row for row in read.medicines if row.group == group and row["assigned_by"] == "ingredient-in-name")
        return tuple(coding(row) for row in named if row["system"] == "dmd")

    return Codes(
        results=tuple(
            (analytes[name], (*exact(read.results, name, "loinc")[:1], *exact(read.results, name)[:1]))
            for name in ANALYTES
        ),
        medicines=tuple(one for group in CLASSES for one in products(group)[:12]),
        problems=tuple(exact(read.problems, name)[0] for name in LONG_TERM),
        orders={name: exact(read.orders, name)[0] for name in ("order-ck", "refer-neurology")},
        complaint=exact(read.problems, "muscle-cramp")[0],
        quinine=next(one for one in products("cramp-treatment") if one["display"].startswith("Quinine")),
    )
