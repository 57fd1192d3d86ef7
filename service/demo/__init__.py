"""Synthetic patients to try the service with, in the demo profile only. No person is behind any of them.

Each file under ``patients/`` is a hook request with all of its data in ``prefetch``. Dates are written relative to
the day they are asked for (``@-12d``: twelve days before), so that what is recent stays recent. The page that plays
the record system will be one more route of :func:`pages`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from flask import Blueprint, Response, url_for
from werkzeug.exceptions import NotFound

from service.hooks.services import SERVICES

_RELATIVE = re.compile(r'"@-([0-9]{1,5})d"')


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """One patient: the file's name, what it shows in a sentence, and the request with relative dates."""

    name: str
    shows: str
    request: Mapping[str, Any]

    @property
    def service(self) -> str:
        """The id of the service that answers it: a record that is opened, or an order that is selected."""
        return next(one.id for one in SERVICES if one.hook == self.request["hook"])

    def on(self, today: date) -> dict[str, Any]:
        """The request, with its dates counted back from a day. Times of the day are not part of the data."""

        def moved(match: re.Match[str]) -> str:
            return f'"{(today - timedelta(days=int(match[1]))).isoformat()}"'

        request: dict[str, Any] = json.loads(_RELATIVE.sub(moved, json.dumps(self.request)))
        return request


@cache
def patients() -> Mapping[str, DemoPatient]:
    """All synthetic patients by name, in alphabetical order."""
    found = {}
    for file in sorted((files(__package__) / "patients").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            name = file.name.removesuffix(".json")
            content = json.loads(file.read_text(encoding="utf-8"))
            found[name] = DemoPatient(name, content["shows"], content["request"])
    return found


def pages(today: Callable[[], date]) -> Blueprint:
    """``GET /demo/patients`` and ``GET /demo/patients/NAME``, a request that is ready to post."""
    blueprint = Blueprint("demo", __name__, url_prefix="/demo")

    @blueprint.get("/patients")
    def all_patients() -> Response:
        listed = [
            {
                "name": one.name,
                "shows": one.shows,
                "request": url_for("demo.one_patient", name=one.name),
                "service": one.service,
            }
            for one in patients().values()
        ]
        return Response(msgspec.json.encode({"patients": listed}), mimetype="application/json")

    @blueprint.get("/patients/<name>")
    def one_patient(name: str) -> Response:
        patient = patients().get(name)
        if patient is None:
            raise NotFound
        return Response(msgspec.json.encode(patient.on(today())), mimetype="application/json")

    return blueprint


def what_to_try(address: str) -> str:
    """What is printed when the demo starts: the address, the patients, and commands that show cards."""
    width = max(len(name) for name in patients())
    listed = "\n".join(f"  {one.name:<{width}}  {one.shows}" for one in patients().values())
    return (
        f"muscle-cds is answering at {address}/cds-services (synthetic patients, this machine only).\n"
        "For evaluation and integration testing only: not a medical device, not for care.\n\n"
        f"Patients, each a ready hook request at {address}/demo/patients/NAME:\n{listed}\n\n"
        f"See cards as a record is opened:\n{_command(address, 'low-potassium-on-indapamide')}\n"
        "and as an order is selected:\n"
        f"{_command(address, 'order-quinine-with-digoxin')}\n"
    )


def _command(address: str, name: str) -> str:
    return (
        f"  curl -s {address}/demo/patients/{name} | "
        f"curl -s -H 'Content-Type: application/json' -d @- {address}/cds-services/{patients()[name].service}"
    )
