"""The addresses of the demo under ``/demo``: synthetic patients as ready hook requests."""

from collections.abc import Callable
from datetime import date

import msgspec
from flask import Blueprint, Response, url_for
from werkzeug.exceptions import NotFound

from service.demo.synthetic import patients


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
