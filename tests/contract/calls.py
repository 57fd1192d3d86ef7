"""Calls as a conformant client makes them, with the synthetic patients of the demo as their records."""

import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

from flask.testing import FlaskClient

from service.app import Parts, create_advisor, create_app, load_parts
from service.demo import patients
from service.observe import AccessLog
from service.settings import Settings, load
from service.watching import access_log

Json = dict[str, Any]
TODAY = date(2026, 6, 15)
HOOKS = {
    "patient-view": "muscle-patient-view",
    "order-select": "muscle-order-select",
    "order-sign": "muscle-order-sign",
}
LOW_POTASSIUM = "low-potassium-on-indapamide"
AN_ORDER = "order-quinine-with-digoxin"


@cache
def all_parts() -> Parts:
    """The whole content, loaded once."""
    return load_parts(load({"MUSCLE_CDS_PROFILE": "demo"}))


def demo_settings(**given: object) -> Settings:
    """The demo profile with further settings, written as in a file."""
    return load({"MUSCLE_CDS_PROFILE": "demo"}, **given)


def service(settings: Settings, log: AccessLog | None = None) -> FlaskClient:
    """The real service on TODAY with these settings."""
    advisor = create_advisor(settings, all_parts(), today=lambda: TODAY)
    return create_app(settings, all_parts(), advise=advisor.advise, log=log or access_log("error")).test_client()


def request_of(name: str = LOW_POTASSIUM, **changed: Any) -> Json:
    """The request of a demo patient; a member that is None is left out."""
    request = patients()[name].on(TODAY) | changed
    return {key: value for key, value in request.items() if value is not None}


def to_sign(name: str = AN_ORDER) -> Json:
    """An order of a demo patient, to be signed instead of selected."""
    request = request_of(name, hook="order-sign")
    request["context"].pop("selections", None)
    return request


def one_of_each_hook() -> tuple[Json, ...]:
    """A request with cards for each hook."""
    return request_of(), request_of(AN_ORDER), to_sign()


def address_of(request: Json) -> str:
    """Where the request is posted."""
    return f"/cds-services/{HOOKS[request['hook']]}"


def cards_of(client: FlaskClient, request: Json) -> list[Json]:
    """The cards, after a 200."""
    response = client.post(address_of(request), data=json.dumps(request))
    assert response.status_code == 200, response.text
    cards: list[Json] = response.get_json()["cards"]
    return cards


def every_card(client: FlaskClient) -> list[Json]:
    """The cards of every demo patient, as the record is opened, as an order is selected and as it is signed."""
    found = []
    for name, patient in patients().items():
        found += cards_of(client, request_of(name))
        if patient.request["hook"] == "order-select":
            found += cards_of(client, to_sign(name))
    return found


def without_uuids(value: Any) -> Any:
    """The same without what is random by design."""
    match value:
        case dict():
            return {name: without_uuids(member) for name, member in value.items() if name != "uuid"}
        case list():
            return [without_uuids(member) for member in value]
        case _:
            return value


def topics(cards: list[Json]) -> list[str]:
    """The topics of the cards in their order."""
    return [card["source"]["topic"]["code"] for card in cards]


def members_named(value: Any, name: str) -> Iterator[Any]:
    """Every member of that name, at any depth."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key == name:
                yield member
            yield from members_named(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from members_named(member, name)


def records_of(request: Json) -> list[Json]:
    """Every resource that a request prefetches, for a FHIR server to hold instead."""
    found = []
    for value in request["prefetch"].values():
        if isinstance(value, dict):
            found += [entry["resource"] for entry in value.get("entry", [])] if "entry" in value else [value]
    return [one for one in found if one["resourceType"] != "Bundle"]
