"""Where the parts are joined: settings, vocabulary, rules, FHIR and hooks become one application."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import msgspec
from flask import Flask

from cards.content import Content, load_content
from service import demo
from service.answer import Answer
from service.errors import BadSettings
from service.fhir import write
from service.fhir.client import FhirBase
from service.fhir.queries import Query, prefetch_templates, queries_for
from service.fhir.retrieve import Retriever
from service.hooks.request import HookCall, hook_named, parse
from service.hooks.response import Renderer
from service.hooks.routes import Routes
from service.hooks.services import SERVICES, discovery
from service.observe import AccessLog
from service.pipeline import Advisor
from service.settings import Profile, Settings
from terminology import vocabulary as terms


@dataclass(frozen=True, slots=True)
class Parts:
    """What is loaded once and shared by all workers: it holds no thread and no connection."""

    content: Content
    queries: dict[str, tuple[Query, ...]]  # by service id


def load_parts(settings: Settings) -> Parts:
    """Read all tables and sheets. Raises BadContent, naming file and line, if one cannot be trusted."""
    vocabulary = terms.load(without_licences=settings.without_licences, overlay=settings.overlay)
    content = load_content(
        vocabulary,
        beyond=settings.beyond_fact_sheet,
        removal=settings.suggest_removal,
        critical_as_warning=settings.critical_as_warning,
    )
    return Parts(content, {one.id: queries_for(one.id, vocabulary) for one in SERVICES})


def create_advisor(settings: Settings, parts: Parts, today: Callable[[], date] | None = None) -> Advisor:
    """The pipeline, with the clock of this machine unless it is handed another day."""
    return Advisor(
        retriever=Retriever(_fhir_bases(settings)),
        queries=parts.queries,
        content=parts.content,
        today=today or partial(_today, settings),
        zone=settings.timezone,
        deadline=settings.deadline_ms / 1000,
    )


def create_renderer(settings: Settings, parts: Parts) -> Renderer:
    """What turns advice into the JSON of CDS Hooks."""
    return Renderer(
        draft=partial(write.draft, vocabulary=parts.content.vocabulary),
        label=parts.content.label,
        canonical_base=settings.canonical_base,
        topic_codes_plain=settings.topic_codes_plain,
    )


def create_app(
    settings: Settings,
    parts: Parts | None = None,
    *,
    advise: Callable[[HookCall], Answer] | None = None,
    log: AccessLog | None = None,
) -> Flask:
    """The application. ``parts``, ``advise`` and ``log`` may be handed in; what is not is made from the settings.

    Raises BadSettings in the production profile: callers cannot be proven yet, and who is asking is never left open.
    """
    if settings.profile is Profile.PRODUCTION:
        raise BadSettings(
            "The production profile needs client authentication, which this version does not have. To try the service "
            "on this machine with synthetic patients, set MUSCLE_CDS_PROFILE=demo."
        )
    parts = parts or load_parts(settings)
    templates = {service: prefetch_templates(queries) for service, queries in parts.queries.items()}
    app = Flask("muscle-cds", static_folder=None)
    Routes(
        services=SERVICES,
        discovery=msgspec.json.encode(discovery(SERVICES, templates)),
        advise=advise or create_advisor(settings, parts).advise,
        renderer=create_renderer(settings, parts),
        log=log or access_log(settings.log_level),
        content=parts.content.version,
        any_origin=settings.profile is Profile.DEMO,
    ).register(app)
    if settings.profile is Profile.DEMO:
        app.register_blueprint(demo.pages(partial(_today, settings)))
    return app


def answer_once(settings: Settings, body: bytes, day: date | None) -> dict[str, Any]:
    """The response to one hook request, by the data it carries alone: no FHIR server is called.

    ``day``: the day the rules see, today if None. Raises CallRejected as the service would refuse it.
    """
    parts = load_parts(settings)
    advisor = create_advisor(replace(settings, fhir_bases=()), parts, None if day is None else lambda: day)
    hook = hook_named(body)
    service = next((one for one in SERVICES if one.hook == hook), SERVICES[0])
    return create_renderer(settings, parts).body(advisor.advise(parse(body, service)))


def warn_of_overdue_content(settings: Settings, parts: Parts, log: AccessLog, day: date | None = None) -> None:
    """One line in the log if the clinical content is past its review date (HZ23): it still speaks, and says so too."""
    review_by = parts.content.frame.review_by
    if (day or _today(settings)) > review_by:
        said = "The clinical content is past its review date: ask whoever maintains it for a reviewed version."
        log.process("warning", said, content=parts.content.version, review_by=review_by.isoformat())


def access_log(least: str) -> AccessLog:
    """A log to standard output, with the clock of this machine."""
    return AccessLog(_write_line, _now, least)


def _write_line(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 -- the clock enters here


def _fhir_bases(settings: Settings) -> Iterator[FhirBase]:
    """The servers that may be called. In the demo profile also without a token: test servers have none (F3)."""
    for base in settings.fhir_bases:
        yield FhirBase(base, open_server=settings.profile is Profile.DEMO)


def _today(settings: Settings) -> date:
    return datetime.now(settings.timezone).date()  # noqa: TID251 -- the clock enters here
