"""Texts that try to become more than words, and calls that carry one in every place where FHIR text can stand (F23)."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.contract.calls import request_of

Json = Any
Place = tuple[str | int, ...]

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '<a href="javascript:alert(1)">potassium</a>',
    "</p><iframe src=//evil.example></iframe>",
    "<style>*{display:none}</style>",
    "<details open ontoggle=alert(1)>",
    "<!-- the rest of the card",
    "<b>bold</b><h1>high</h1>",
    "<p onclick=alert(1)>text</p>",
    "<table><tr><td>1</td></tr></table>",
    "<form action=//evil.example><input></form>",
    "[results](javascript:alert(1))",
    "[results](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example/a?b=c",
    "http://evil.example",
    "ftp://evil.example",
    "www.evil.example",
    "WWW.EVIL.EXAMPLE",
    "evil.example/path",
    "//evil.example",
    "someone@evil.example",
    "mailto:someone@evil.example",
    "xmpp:someone@evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "[1]: https://evil.example",
    "[potassium][1]\n\n[1]: https://evil.example",
    "[^1]\n\n[^1]: note",
    "# heading",
    "###### heading",
    "heading\n===",
    "heading\n---",
    "***",
    "---",
    "___",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "> quoted",
    "```\ncode\n```",
    "~~~\ncode\n~~~",
    "\n\n    code",
    "`code`",
    "``code``",
    "~~struck~~",
    "- [ ] task",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "1) item",
    "line\n\nnew paragraph\n\n- and a list",
    "**Found**\n\n- Potassium normal",
    "two spaces  \nand a line",
    "backslash\\\nline",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "\\<b\\>\\[x\\]\\(y\\)",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "\uff57\uff57\uff57\uff0eevil\uff0eexample",
    "www\u3002evil\u3002example",
    "w\u200bww.evil.example",
    "www.\u2060evil.example",
    "ht\u00adtps://evil.example",
    "\u202edetaler ton\u202c",
    "\u2066hidden\u2069 \u200fright\u200e",
    "\u2028# heading\u2029- item",
    "\x0b# heading\x0c- item",
    "\r\n\r\n# heading\r\n",
    "nul \x00 and escape \x1b[31m",
    "\ufeffwww.evil.example",
    "a\u0301\u0301\u0301\u0301 \u0e01\u0e33 \u0645\u062d\u0645\u062f",
    "{{constructor.constructor('alert(1)')()}}",
    "${7*7} <%= 7*7 %> {% x %}",
    "'\"><script>alert(1)</script>",
    "x" * 5000,
    "<" * 400,
    "[" * 400,
)
#: How a record may hold such a text: alone, after a name, in a paragraph of its own, twice.
FRAMES = ("{}", "Potassium {}", "Aspirin\n\n{}\n\nend", "({}) - {} 75 mg")

HOSTILE = tuple(frame.replace("{}", payload) for payload in PAYLOADS for frame in FRAMES)

#: Members that hold words for people in the resources that are read; nothing is decided by them save a medicine's name.
_WORDS = ("text", "display", "description", "comment", "comments", "title", "diagnostics", "details")


def requests() -> Iterator[Json]:
    """Calls of both kinds that have something to say, with every resource that can print a text of its own."""
    for name in ("low-potassium-on-indapamide", "haemolysed-potassium", "raised-ck-on-a-statin"):
        yield _richer(request_of(name))
    for name in ("twitching-with-hand-weakness", "order-quinine-with-digoxin", "order-referral-for-isolated-twitching"):
        yield _richer(request_of(name))
    refused = _richer(request_of("low-potassium-on-indapamide"))
    refused["prefetch"]["medicationStatements"] = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "exception", "diagnostics": "down", "details": {"text": "down"}}],
    }
    yield refused


def _richer(request: Json) -> Json:
    """The request with what demo patients lack: names without codes, values that cannot be used, relatives, notes."""
    patient = {"reference": f"Patient/{request['context']['patientId']}"}
    cramp = {"system": "http://snomed.info/sct", "code": "55300003", "display": "Cramp"}
    potassium = {"system": "http://loinc.org", "code": "2823-3", "display": "Potassium"}
    prefetch = request["prefetch"]
    _add(
        prefetch,
        "results",
        {"code": {"coding": [potassium], "text": "K"}, "valueString": "see note"},
        {"code": {"coding": [potassium]}, "valueQuantity": {"value": 3.1, "unit": "drops", "code": "drops"}},
        {"code": {"coding": [potassium]}, "dataAbsentReason": {"text": "lost"}},
        {"code": {"coding": [potassium]}, "component": [{"code": {"coding": [potassium]}, "valueString": "three"}]},
        resource={
            "resourceType": "Observation",
            "status": "final",
            "subject": patient,
            "effectiveDateTime": "2026-06-10",
        },
    )
    _add(
        prefetch,
        "medicationStatements",
        {"medicationCodeableConcept": {"text": "furosemide 40 mg"}},
        {"medicationCodeableConcept": {"text": "digoxin"}, "dosage": [{"text": "as before"}]},
        {"medicationReference": {"reference": "#m", "display": "bumetanide"}, "contained": [_medication("bumetanide")]},
        resource={"resourceType": "MedicationStatement", "status": "active", "subject": patient},
    )
    _add(
        prefetch,
        "problems",
        {"code": {"coding": [cramp], "text": "cramp"}, "recordedDate": "about 2026"},
        {"code": {"coding": [cramp]}, "severity": {"text": "severe"}, "onsetString": "long ago"},
        resource={"resourceType": "Condition", "subject": patient},
    )
    return request


def _add(prefetch: Json, key: str, *made: Json, resource: Json) -> None:
    bundle = prefetch.get(key) or {"resourceType": "Bundle", "type": "searchset", "entry": []}
    prefetch[key] = bundle
    for number, more in enumerate(made):
        bundle.setdefault("entry", []).append(
            {"resource": {**resource, "id": f"{key}-{number}", **copy.deepcopy(more)}}
        )
    bundle.pop("total", None)


def _medication(name: str) -> Json:
    return {"resourceType": "Medication", "id": "m", "code": {"text": name}}


def everywhere(request: Json, text: str, *, before: bool) -> Json:
    """The request with the text in every place for words, also where there were none.

    A medicine that only its name tells has to stay one to be shown at all: the text stands ``before`` or after the name.
    """
    changed = copy.deepcopy(request)
    for part in (changed["prefetch"], changed["context"].get("draftOrders")):
        _fill(part, text, before=before)
    return changed


def _fill(node: Json, text: str, *, before: bool) -> None:
    if isinstance(node, list):
        for item in node:
            _fill(item, text, before=before)
    if not isinstance(node, dict):
        return
    for key, value in list(node.items()):
        if key in _WORDS and isinstance(value, str):
            joined = f"{text} {value}" if before else f"{value} {text}"
            node[key] = joined if key == "text" else text
        else:
            _fill(value, text, before=before)
    if "coding" in node:
        node.setdefault("text", text)
        for coding in node["coding"]:
            coding["display"] = text
    if "resourceType" in node and node["resourceType"] != "Bundle":
        node["text"] = {"status": "generated", "div": text}
        node["note"] = [{"text": text, "authorString": text}]
        node["comment"] = text


def places(request: Json) -> Iterator[Place]:
    """Every place of the record that holds a string: words, and also codes, units, dates, statuses and identities."""
    roots = [("prefetch",), ("context", "draftOrders")] if "draftOrders" in request["context"] else [("prefetch",)]
    for root in roots:
        yield from _strings(at(request, root), root)


def _strings(node: Json, place: Place) -> Iterator[Place]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if isinstance(value, str):
            yield (*place, key)
        else:
            yield from _strings(value, (*place, key))


def at(node: Json, place: Place) -> Json:
    """What stands at a place."""
    for step in place:
        node = node[step]
    return node


def put(request: Json, place: Place, make: Callable[[str], str]) -> Json:
    """The request with one string changed."""
    changed = json.loads(json.dumps(request))
    parent = at(changed, place[:-1])
    parent[place[-1]] = make(parent[place[-1]])
    return changed
