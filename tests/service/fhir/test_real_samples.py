"""Every resource of many makers is read without an exception, and the decoys are not taken for what they look like.

The samples are not part of the project; the tests are skipped where they are not at hand.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from cards.entries import Medicine, Result, Unread
from service.fhir.assemble import READERS, assemble
from service.fhir.elements import words
from service.fhir.record import Record, source
from service.fhir.references import target, type_and_id
from service.fhir.resource import Resource
from service.fhir.retrieved import Resources
from terminology.vocabulary import Link
from tests.service.fhir.builders import LONDON, resource, vocabulary

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "fhir-samples"
AS_OF = date(2026, 12, 31)  # after the youngest of them

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the FHIR samples are not at hand")


@dataclass(frozen=True)
class Read:
    """What came of one resource; no entries: it is in none of our sets, or of a type that is not read."""

    kind: str
    entries: tuple
    relevant: bool


def resources_in(value) -> Iterator[dict]:
    """Every resource of a file: plain, in Bundles, and in the prefetch and draft orders of CDS Hooks requests."""
    if isinstance(value, list):
        for one in value:
            yield from resources_in(one)
    elif isinstance(value, dict):
        if "resourceType" in value and value["resourceType"] != "Bundle":
            yield value
        else:
            for one in value.values():
                yield from resources_in(one)


def patient_of(one: Resource) -> str:
    return type_and_id(target(one.subject) or target(one.patient))[1] or "nobody"


@cache
def files() -> dict[str, tuple[Resource, ...]]:
    return {
        str(path.relative_to(SAMPLES)): tuple(resource(one) for one in resources_in(json.loads(path.read_bytes())))
        for path in sorted(SAMPLES.glob("*/*.json"))
        if path.parent.name != "licences"
    }


@cache
def everything() -> dict[tuple[str, str, str], Read]:
    """All resources of all files, read one by one with the rest of their file around them."""
    made: dict[tuple[str, str, str], Read] = {}
    for file, found in files().items():
        by_type: dict[type[Resource], list[Resource]] = {}
        for one in found:
            by_type.setdefault(type(one), []).append(one)
        for number, one in enumerate(found):
            record = Record(
                patient_id=patient_of(one),
                as_of=AS_OF,
                zone=LONDON,
                vocabulary=vocabulary(),
                encounter_id=words(one.id),
                resources=by_type,
            )
            read = READERS.get(one.resourceType)
            entries = tuple(read[1](one, record)) if read else ()
            made[file, one.resourceType, words(one.id) or f"#{number}"] = Read(
                one.resourceType, entries, read is not None
            )
    return made


def test_every_resource_of_every_file_is_read_and_accounted_for(capsys):
    count: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for one in everything().values():
        if not one.relevant:
            count["of a type that is not read"] += 1
        elif not one.entries:
            count["about nothing we know"] += 1
        elif any(not isinstance(entry, Unread) for entry in one.entries):
            count["read"] += 1
        else:
            count["unreadable or left out"] += 1
        reasons.update(
            re.sub(r"[\d.-]+ \S+(?= is not a plausible)", "a value", entry.why.partition(": ")[2] or entry.why)
            for entry in one.entries
            if isinstance(entry, Unread)
        )
    lines = [f"{len(files())} files, {sum(map(len, files().values()))} resources"]
    lines += [f"  {number:5} {what}" for what, number in count.most_common()]
    lines += [f"        {number:5} {why}" for why, number in reasons.most_common()]
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201 -- the count is to be seen, not only checked

    assert count["read"]
    assert count["unreadable or left out"]
    assert all(entry.why for one in everything().values() for entry in one.entries if isinstance(entry, Unread))


@pytest.mark.parametrize("file", sorted(files()) if SAMPLES.is_dir() else [])
def test_only_what_is_the_patients_own_is_used_of_a_whole_file(file):
    found = files()[file]
    owner = {source(one): patient_of(one) for one in found}
    for patient in sorted({patient_of(one) for one in found}):
        chart = assemble(
            {"results": Resources(found), "medicationRequests": Resources(found)},
            patient_id=patient, as_of=AS_OF, zone=LONDON, vocabulary=vocabulary(),
        )  # fmt: skip
        used = (*chart.results, *chart.problems, *chart.medicines, *chart.orders, *chart.allergies)
        assert {owner[one.source] for one in used} <= {patient}


# What CONTENTS.tsv lists: by one of its codes, what each must be recognised as.
TESTS = {
    "2823-3": "potassium",
    "6298-4": "potassium",
    "1000651000000109": "potassium",
    "17861-6": "calcium-total",
    "49765-1": "calcium-total",
    "2000-8": "calcium-total",
    "1000691000000101": "calcium-total",
    "935051000000108": "calcium-adjusted",
    "2157-6": "ck-total",
    "11580-8": "tsh",
}
MEDICINES = {
    "317971007": "furosemide",
    "317972000": "furosemide",
    "1719286": "furosemide",
    "197770": "hydrochlorothiazide",
    "316049": "hydrochlorothiazide",  # the code is in no table of ours: by name
    "317935006": "chlortalidone",
    "323358004": "methylphenidate",
    "1091392": "methylphenidate",
    "899439": "dexmethylphenidate",
}
BY_NAME = {"316049"}
# Nystatin, CK-MB, cardiomyopathy, a haemorrhage of the parathyroid, urine and blood cells, paracetamol.
DECOYS = {"324689003", "13969-1", "85898001", "190460008", "30391-7", "13654-9", "1022561000000101", "1006701000000103"}
REFUSED = {  # why a listed result is not used, by file and id
    ("uk-gpconnect-stu3/mold-full-record.json", "1F8BC8CF-CE00-48F0-BCFB-6AC45CC263D6"): "Potassium: it has no value",
    ("hl7-r4-examples/diagnosticreport-ghp.json", "o2"): "Potassium: it has no date",
    ("hl7-r4-examples/diagnosticreport-ghp.json", "o17"): "Calcium (total): it has no date",
    ("r5/Includes-TestResources.json", "observation0"): "Potassium: the value has no unit",
}


@cache
def contents() -> tuple[tuple[dict[str, str], frozenset[str], Read], ...]:
    """The lines of CONTENTS.tsv about resources of their own, their codes, and what came of the resource."""
    with (SAMPLES / "CONTENTS.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    return tuple(
        (row, frozenset(code.partition("|")[2] for code in row["codes"].split(";")), read)
        for row in rows
        if (read := everything().get((row["file"], row["resourceType"], row["id"]))) is not None and read.relevant
    )


def test_every_listed_result_is_recognised_or_refused_for_the_right_reason():
    seen: Counter[str] = Counter()
    for row, codes, read in contents():
        wanted = {TESTS[code] for code in codes if code in TESTS}
        if row["resourceType"] != "Observation" or not wanted:
            continue
        (entry,) = read.entries
        if isinstance(entry, Result):
            assert {entry.analyte} == wanted
            assert (row["file"], row["id"]) not in REFUSED
            assert row["value"] == "" or entry.sent.startswith(row["value"][:6].rstrip("0").rstrip("."))
            seen["read"] += 1
        elif row["unit"] == "mcU/mL":
            assert entry.why.endswith("the unit 'mcU/mL' is not one that can be converted")
            seen["refused"] += 1
        else:
            assert {entry.about} == wanted
            assert entry.why == REFUSED[row["file"], row["id"]]
            seen["refused"] += 1

    assert seen == {"read": 58, "refused": 6}


def test_every_listed_diuretic_and_methylphenidate_is_recognised():
    seen = 0
    for row, codes, read in contents():
        for code in codes & MEDICINES.keys():
            (entry,) = read.entries
            assert isinstance(entry, Medicine)
            assert entry.ingredients == {MEDICINES[code]}
            assert entry.link is (Link.NAME if code in BY_NAME else Link.CODE)
            assert entry.active <= (row["status"] == "active")
            seen += 1

    assert seen == 16


def test_no_decoy_is_taken_for_what_it_looks_like():
    seen = set()
    for _, codes, read in contents():
        if found := codes & DECOYS:
            assert read.entries == ()
            seen |= found

    assert seen == DECOYS


def test_the_sandboxs_default_patient_is_read_as_its_publisher_describes_it():
    found = [one for name, some in files().items() if name.startswith("smart-stu3/1288992") for one in some]
    chart = assemble(
        {"results": Resources(tuple(found))},
        patient_id="smart-1288992", as_of=date(2012, 3, 1), zone=LONDON, vocabulary=vocabulary(),
    )  # fmt: skip

    (potassium,) = chart.latest("potassium").value
    assert (str(potassium.value), str(potassium.when)) == ("3.4", "2012-01-03")
    assert (str(potassium.limits.low), str(potassium.limits.high)) == ("3.5", "5.5")
    assert [one.label for one in chart.taking({"hydrochlorothiazide"})] == ["Hydrochlorothiazide 50 MG Oral Tablet"]
