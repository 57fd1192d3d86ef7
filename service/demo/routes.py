"""The addresses of the demo under ``/demo``: the page that plays the EHR, and what it and other clients ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import NotFound

from service.demo import fhir_server
from service.demo.orderables import Orderable, all_orderables, search
from service.demo.synthetic import patients
from service.store.report import Line
from terminology.vocabulary import Vocabulary

FHIR_PATH = "/demo/fhir"
LONGEST_NAME = 100
"""Characters of a name that are looked at in a search."""

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

View = Callable[..., Response]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
"""Of every answer below ``/demo``: the page loads nothing from elsewhere, and tells no site where it was linked."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the demo needs of the service.

    ``fhir_server``: the address of our own FHIR server as the service may call it; ``report``: what became of the
    cards.
    """

    today: Callable[[], date]
    fhir_server: str
    vocabulary: Vocabulary
    report: Callable[[], tuple[Line, ...]]


def pages(needs: Needs) -> Blueprint:
    """The page at ``/demo/``, ready requests, a FHIR server, the order pad's search and the report on feedback."""
    blueprint = Blueprint("demo", __name__, url_prefix="/demo")
    blueprint.after_request(_guarded)
    blueprint.add_url_rule("/", "page", lambda: part_of_page("index.html"))
    blueprint.add_url_rule("/static/<name>", "part_of_page", part_of_page)
    orderables = cache(lambda: all_orderables(needs.vocabulary))
    for path, view in _views(needs, orderables).items():
        blueprint.add_url_rule(path, view.__name__, view)
    return blueprint


def _views(needs: Needs, orderables: Callable[[], tuple[Orderable, ...]]) -> dict[str, View]:
    def about() -> Response:
        return _json({"fhirServer": needs.fhir_server, "today": needs.today().isoformat()})

    def one_patient(name: str) -> Response:
        patient = patients().get(name)
        if patient is None:
            raise NotFound
        return _json(patient.on(needs.today()))

    def some_orderables() -> Response:
        found = search(orderables(), request.args.get("q", "")[:LONGEST_NAME])
        return _json({"orderables": [one.as_json() for one in found]})

    def feedback() -> Response:
        return _json({"lines": [msgspec.structs.asdict(line) for line in needs.report()]})

    def metadata() -> Response:
        return _fhir(fhir_server.capabilities(needs.today()))

    def fhir_search(kind: str) -> Response:
        status, body = fhir_server.search(kind, request.args, needs.fhir_server, needs.today())
        return _fhir(body, status)

    def fhir_read(kind: str, one: str) -> Response:
        found = fhir_server.read(kind, one, needs.today())
        if found is None:
            raise NotFound
        return _fhir(found)

    return {
        "/about": about,
        "/patients": all_patients,
        "/patients/<name>": one_patient,
        "/orderables": some_orderables,
        "/feedback": feedback,
        "/fhir/metadata": metadata,
        "/fhir/<kind>": fhir_search,
        "/fhir/<kind>/<one>": fhir_read,
    }


def home() -> Response:
    """To the page, for whoever types the address alone."""
    return Response(status=302, headers={"Location": url_for("demo.page")})


def all_patients() -> Response:
    """Every patient in a line each, with the address of the ready request and the service that answers it."""
    listed = [
        {
            "name": one.name,
            "title": one.title,
            "shows": one.shows,
            "patientId": one.id,
            "request": url_for("demo.one_patient", name=one.name),
            "service": one.service,
        }
        for one in patients().values()
    ]
    return _json({"patients": listed})


def part_of_page(name: str) -> Response:
    """The page itself, or a style, script or picture of it. Nothing that is not in the folder has a name here."""
    if name not in _parts():
        raise NotFound
    return Response(_parts()[name], mimetype=_TYPES[name.rpartition(".")[2]])


@cache
def _parts() -> dict[str, bytes]:
    folder = files(__package__) / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.rpartition(".")[2] in _TYPES}


def _guarded(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


def _json(body: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), mimetype="application/json")


def _fhir(body: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status=status, mimetype="application/fhir+json")
