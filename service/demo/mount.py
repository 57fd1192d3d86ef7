"""How the demo is added to an application: its pages, and its own FHIR server as one that may be called."""

from dataclasses import replace
from functools import partial

from flask import Flask

from service import clock
from service.demo.routes import FHIR_PATH, Needs, home, pages
from service.settings import Settings
from service.store import MemoryStore, Store
from terminology.vocabulary import Vocabulary


def with_own_patients(settings: Settings) -> Settings:
    """The settings, with the FHIR server of the demo among those that may be called: this very process, on loopback."""
    return replace(settings, fhir_bases=tuple(dict.fromkeys((*settings.fhir_bases, _own_fhir_server(settings)))))


def add_demo(app: Flask, settings: Settings, vocabulary: Vocabulary, store: Store) -> None:
    """Put the pages of the demo into an application, and lead there whoever types the address alone."""
    needs = Needs(
        today=partial(clock.today, settings.timezone),
        fhir_server=_own_fhir_server(settings),
        vocabulary=vocabulary,
        report=store.report if isinstance(store, MemoryStore) else tuple,
    )
    app.register_blueprint(pages(needs))
    app.add_url_rule("/", "home", home)


def _own_fhir_server(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}{FHIR_PATH}"
