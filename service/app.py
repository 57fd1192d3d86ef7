"""Where the parts are joined: settings, vocabulary, rules, FHIR and hooks become one application."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

import msgspec
from flask import Flask, Response

from cards.content import Content, load_content
from service import callers, clock, watching
from service.answer import Answer
from service.fhir import write
from service.fhir.bounds import FhirBase
from service.fhir.outgoing import Observe, nobody
from service.fhir.queries import Query, prefetch_templates, queries_for
from service.fhir.retrieve import Retriever
from service.hooks import feedback
from service.hooks.probes import Probes
from service.hooks.request import HookCall
from service.hooks.response import Renderer
from service.hooks.routes import Routes
from service.hooks.services import SERVICES, discovery
from service.hooks.slots import Slots
from service.observe import AccessLog
from service.pipeline import Advisor
from service.readiness import Readiness
from service.settings import Profile, Settings
from service.store import MemoryStore, Store, open_store
from terminology import vocabulary as terms

if TYPE_CHECKING:
    from service.hooks.keys import Keys
    from service.metrics import Metrics

_AT_THE_END = "muscle-cds"  # under which an application keeps what close_app ends
_LOG = "muscle-cds-log"


@dataclass(frozen=True, slots=True)
class Parts:
    """What is loaded once and shared by all workers: it holds no thread and no connection."""

    content: Content
    queries: dict[str, tuple[Query, ...]]  # by service id


class Surroundings(msgspec.Struct, frozen=True):
    """What the process around an application gives it: its metrics, if any, whether it is about to end, and the keys
    of the clients if it keeps them fresh. ``started``: nothing was found against these settings at the start; an audit
    stream that fails later costs events, and no worker that takes the place of another.
    """

    metrics: "Metrics | None" = None
    keys: "Keys | None" = None
    draining: Callable[[], bool] = lambda: False
    started: bool = False


class _Closes(Protocol):
    """What holds threads or connections."""

    def close(self) -> None:
        """Write what waits, and let go."""
        ...


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


def create_store(settings: Settings) -> Store:
    """The store of the settings; in memory in the demo profile. Connects to nothing yet."""
    if settings.profile is Profile.DEMO:
        return MemoryStore(settings.retention_days)
    return open_store(settings.store, settings.retention_days)


def create_renderer(settings: Settings, parts: Parts) -> Renderer:
    """What turns advice into the JSON of CDS Hooks."""
    return Renderer(
        draft=partial(write.draft, vocabulary=parts.content.vocabulary),
        label=parts.content.label,
        canonical_base=settings.canonical_base,
        topic_codes_plain=settings.topic_codes_plain,
    )


def create_advisor(
    settings: Settings, parts: Parts, today: Callable[[], date] | None = None, *, observe: Observe = nobody
) -> Advisor:
    """The pipeline, with the clock of this machine unless it is handed another day.

    ``observe`` is told of every request to a FHIR server, in the thread that made it.
    """
    retriever = Retriever(_fhir_bases(settings), observe=observe)
    return Advisor(
        retriever=retriever,
        by_client=_by_client(settings, retriever),
        queries=parts.queries,
        content=parts.content,
        today=today or partial(clock.today, settings.timezone),
        zone=settings.timezone,
        deadline=settings.deadline_ms / 1000,
    )


def _fhir_bases(settings: Settings) -> Iterator[FhirBase]:
    """The servers for callers who are not told apart; in the demo profile also without a token, as test servers have
    none (F3).
    """
    return _bases(settings, settings.fhir_bases, open_server=settings.profile is Profile.DEMO)


def _by_client(settings: Settings, retriever: Retriever) -> dict[str, Retriever]:
    """What fetches for each client: from its own servers and no other (R4)."""
    return {
        client.name: retriever.for_bases(
            _bases(settings, client.fhir_bases, open_server=client.open_server), client.name
        )
        for client in settings.clients
    }


def _bases(settings: Settings, urls: Iterable[str], *, open_server: bool) -> Iterator[FhirBase]:
    """How servers are called is the same for all: by which authorities, through which proxy (R5)."""
    ca_file = None if settings.fhir_ca_file is None else str(settings.fhir_ca_file)
    for url in urls:
        yield FhirBase(url, open_server=open_server, ca_file=ca_file, proxy=settings.fhir_proxy)


def create_app(
    settings: Settings,
    parts: Parts | None = None,
    *,
    advise: Callable[[HookCall], Answer] | None = None,
    log: AccessLog | None = None,
    store: Store | None = None,
    now: Callable[[], datetime] | None = None,
    around: Surroundings | None = None,
) -> Flask:
    """The application. What is not handed in is made from the settings; ``now`` gives an aware datetime. End it
    with close_app.

    Raises BadSettings in the production profile if it is not known who may call: that is never left open.
    """
    callers.refuse_unproven(settings)
    if settings.profile is Profile.DEMO:
        from service.demo.mount import with_own_patients  # noqa: PLC0415 -- the production profile has no demo

        settings = with_own_patients(settings)
    now = now or clock.now
    store = store or create_store(settings)
    parts = parts or load_parts(settings)
    log = log or watching.access_log(settings.log_level)
    around = around or Surroundings()
    trail = watching.create_audit(settings, check=not around.started)
    closing: list[_Closes] = [store]
    servers: Mapping[str, Retriever] = {}
    if trail is not None:
        closing.append(trail)
    if around.keys is not None:
        closing.append(around.keys)
    if advise is None:
        observe = around.metrics.outgoing if around.metrics else nobody
        advisor = create_advisor(settings, parts, observe=observe)
        advise = advisor.advise
        servers = {"": advisor.retriever, **advisor.by_client}
        closing += servers.values()
    templates = {service: prefetch_templates(queries) for service, queries in parts.queries.items()}
    app = Flask("muscle-cds", static_folder=None)
    Routes(
        services=SERVICES,
        discovery=msgspec.json.encode(discovery(SERVICES, templates)),
        advise=advise,
        renderer=create_renderer(settings, parts),
        log=log,
        content=parts.content.version,
        content_hash=parts.content.hash,
        store=store,
        feedback=feedback.reader(parts.content.override_reasons, comments=settings.store_feedback_comments),
        now=now,
        origins=callers.create_origins(settings),
        caller=callers.create_proof(settings, around.keys, store, now),
        slots=Slots(settings.threads),
        count=watching.counting(around.metrics, servers),
        audit=trail,
    ).register(app)
    Probes(Readiness(store, around.draining, changed=watching.readiness_logged(log))).register(app)
    app.extensions[_AT_THE_END] = (log, closing)
    app.extensions[_LOG] = log
    if settings.profile is Profile.DEMO:
        from service.demo.mount import add_demo  # noqa: PLC0415 -- as above

        add_demo(app, settings, parts.content.vocabulary, store)
    if settings.serve_openapi:
        from service.openapi import openapi  # noqa: PLC0415 -- most sites do not serve it

        document = msgspec.json.encode(openapi(SERVICES, parts.content.version))
        app.add_url_rule("/openapi.json", "openapi", lambda: Response(document, mimetype="application/json"))
    return app


def close_app(app: Flask) -> None:
    """Write what waits, end the threads and let go of connections: for the end of a worker. Takes seconds at most."""
    log, closing = app.extensions.pop(_AT_THE_END)
    log.tell_left_out(all_of_them=True)
    for one in closing:
        one.close()


def log_of(app: Flask) -> AccessLog:
    """Where an application writes its requests: for those that never reach it. It outlasts close_app."""
    log: AccessLog = app.extensions[_LOG]
    return log


def refuse_unusable(settings: Settings) -> None:
    """Raises BadSettings or BadContent for whatever a start would refuse, without a start: nothing is written, no port
    opened and no database asked. Whether the audit file can be written is left to those who will write it.
    """
    close_app(create_app(settings, around=Surroundings(started=True)))
