"""Where the parts are joined: settings, vocabulary, rules, FHIR and hooks become one application."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from flask import Flask, Response

from cards.content import Content, load_content
from service import audit
from service.answer import Answer
from service.clients import Client
from service.errors import BadSettings
from service.fhir import write
from service.fhir.bounds import FhirBase
from service.fhir.outgoing import Observe, nobody
from service.fhir.queries import Query, prefetch_templates, queries_for
from service.fhir.retrieve import Retriever
from service.hooks import feedback
from service.hooks.cors import Origins
from service.hooks.probes import Probes
from service.hooks.request import HookCall, hook_named, parse
from service.hooks.response import Renderer
from service.hooks.routes import Routes
from service.hooks.services import SERVICES, discovery
from service.hooks.slots import Slots
from service.observe import AccessLog, Record
from service.pipeline import Advisor
from service.readiness import Readiness
from service.settings import Audit, Profile, Settings, dangers_here
from service.store import MemoryStore, Store, open_store
from terminology import vocabulary as terms

if TYPE_CHECKING:
    from service.demo.seed import Seeded
    from service.hooks.keys import Keys
    from service.metrics import Metrics


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
    store: Store | None = None,
    now: Callable[[], datetime] | None = None,
    around: Surroundings | None = None,
) -> Flask:
    """The application. What is not handed in is made from the settings; ``now`` gives an aware datetime. End it
    with close_app.

    Raises BadSettings in the production profile if it is not known who may call: that is never left open.
    """
    refuse_unproven(settings)
    settings = _with_own_patients(settings)
    now = now or _now
    store = store or create_store(settings)
    parts = parts or load_parts(settings)
    log = log or access_log(settings.log_level)
    around = around or Surroundings()
    trail = create_audit(settings, check=not around.started)
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
        origins=_origins(settings),
        caller=_caller(settings, around.keys, store, now),
        slots=Slots(settings.threads),
        count=partial(_count, around.metrics, servers) if around.metrics else lambda _record: None,
        audit=trail,
    ).register(app)
    Probes(Readiness(store, around.draining, changed=partial(_log_readiness, log))).register(app)
    app.extensions[_AT_THE_END] = (log, closing)
    if settings.profile is Profile.DEMO:
        _add_demo(app, settings, parts, store)
    if settings.serve_openapi:
        from service.openapi import openapi  # noqa: PLC0415 -- most sites do not serve it

        document = msgspec.json.encode(openapi(SERVICES, parts.content.version))
        app.add_url_rule("/openapi.json", "openapi", lambda: Response(document, mimetype="application/json"))
    return app


def _with_own_patients(settings: Settings) -> Settings:
    """In the demo profile the FHIR server of the demo may be called too: this very process, on loopback."""
    if settings.profile is Profile.PRODUCTION:
        return settings
    return replace(settings, fhir_bases=tuple(dict.fromkeys((*settings.fhir_bases, _demo_fhir(settings)))))


def _demo_fhir(settings: Settings) -> str:
    from service.demo import FHIR_PATH  # noqa: PLC0415 -- the production profile has no demo

    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}{FHIR_PATH}"


def _add_demo(app: Flask, settings: Settings, parts: Parts, store: Store) -> None:
    from service import demo  # noqa: PLC0415 -- as above

    around = demo.Surroundings(
        today=partial(_today, settings),
        fhir_server=_demo_fhir(settings),
        vocabulary=parts.content.vocabulary,
        report=store.report if isinstance(store, MemoryStore) else tuple,
    )
    app.register_blueprint(demo.pages(around))
    app.add_url_rule("/", "home", demo.home)


_AT_THE_END = "muscle-cds"


class _Closes(Protocol):
    """What holds threads or connections."""

    def close(self) -> None:
        """Write what waits, and let go."""
        ...


def close_app(app: Flask) -> None:
    """Write what waits, end the threads and let go of connections: for the end of a worker. Takes seconds at most."""
    log, closing = app.extensions.pop(_AT_THE_END)
    log.tell_left_out(all_of_them=True)
    for one in closing:
        one.close()


def create_audit(settings: Settings, *, check: bool = True) -> audit.AuditTrail | None:
    """The audit stream, None if it is off. ``check``: raises BadSettings if its file cannot be written now."""
    if settings.audit is Audit.OFF or settings.audit_file is None:
        return None
    address = settings.public_url or f"http://{settings.host}:{settings.port}"
    append = audit.appender(settings.audit_file, check=check)
    return audit.AuditTrail(append, full=settings.audit is Audit.FULL, address=address)


def new_metrics_folder() -> Path:
    """A new folder, in memory where the temporary folder is: every process forked from here on counts into its files.

    Comes before anything of the library is loaded, since that looks once.
    """
    folder = Path(tempfile.mkdtemp(prefix="muscle-cds-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # noqa: TID251 -- the library takes it from nowhere else
    return folder


def create_metrics(settings: Settings, parts: Parts) -> "Metrics":
    """What counts the requests of one worker, into the folder of new_metrics_folder. For a worker alone.

    Raises OSError if there is no room for its numbers.
    """
    from service.metrics import Metrics  # noqa: PLC0415 -- a service without metrics does without their library

    try:
        own = version("muscle-cds")
    except PackageNotFoundError:
        own = "not installed"
    return Metrics(
        rules={kind.rule for topic in parts.content.topics for kind in topic.sheet.kinds.values()},
        clients={client.name for client in settings.clients},
        queries={query.key for queries in parts.queries.values() for query in queries},
        version=own,
        content=parts.content.version,
        content_hash=parts.content.hash,
    )


def create_store(settings: Settings) -> Store:
    """The store of the settings; in memory in the demo profile. Connects to nothing yet."""
    if settings.profile is Profile.DEMO:
        return MemoryStore(settings.retention_days)
    return open_store(settings.store, settings.retention_days)


def refuse_unproven(settings: Settings) -> None:
    """Raises BadSettings unless it is clear who may call, and how their tokens are to be read."""
    if not _callers_are_proven(settings):
        return
    if not settings.clients:
        raise BadSettings(
            "The production profile needs client authentication: there is no [[client]] in the file that "
            "MUSCLE_CDS_CONFIG names. To try the service on this machine with synthetic patients, set "
            "MUSCLE_CDS_PROFILE=demo."
        )
    if settings.public_url is None and not all(client.audiences for client in settings.clients):
        raise BadSettings(
            "public_url (MUSCLE_CDS_PUBLIC_URL) must be set: tokens are meant for an address, and it is not taken from "
            "what a caller says. Only where each [[client]] has audiences can it be left out."
        )
    if settings.fhir_bases:
        raise BadSettings(
            "fhir_bases (MUSCLE_CDS_FHIR_BASES) has no effect where callers are proven: name the FHIR servers in "
            "fhir_bases of each [[client]]."
        )


def refuse_unusable(settings: Settings) -> None:
    """Raises BadSettings or BadContent for whatever a start would refuse, without a start: nothing is written, no port
    opened and no database asked. Whether the audit file can be written is left to those who will write it.
    """
    close_app(create_app(settings, around=Surroundings(started=True)))


def log_store(settings: Settings, log: AccessLog) -> None:
    """Say at the start if the store is not ready. The start goes on: hooks can be answered, and it may come (F28)."""
    store = create_store(settings)
    if not store.ready():
        log.process("error", "The store is not ready: is it there, and was 'muscle-cds db upgrade' run?")
    store.close()  # no connection may be inherited by a worker


def log_accepted_risks(settings: Settings, log: AccessLog) -> None:
    """R18: what a site has taken on is said at every start, at a level that no setting hides."""
    if settings.profile is Profile.PRODUCTION:
        for danger in dangers_here(settings):
            if danger.risk in settings.accept_risk:
                log.process("error", "Accepted risk", risk=danger.risk)


def _count(metrics: "Metrics", servers: Mapping[str, Retriever], record: Record) -> None:
    """After a request: count it; after a hook call, look which FHIR servers are left alone. ``servers``: by client."""
    metrics.request(record)
    if record.hook:
        for client, retriever in servers.items():
            metrics.circuit(client, is_open=retriever.circuit_open)


def _log_readiness(log: AccessLog, ready: bool) -> None:  # noqa: FBT001 -- the one thing it is told
    log.process("warning", "The store can be used again." if ready else "The store cannot be used: not ready.")


def _callers_are_proven(settings: Settings) -> bool:
    return settings.profile is Profile.PRODUCTION and settings.authentication


def create_keys(settings: Settings) -> "Keys | None":
    """The keys of the clients; None where callers are not proven. Fetches nothing yet.

    Raises BadSettings if the key file of a client holds no usable key.
    """
    if not _callers_are_proven(settings):
        return None
    from service.hooks.keys import Keys  # noqa: PLC0415 -- who proves no callers needs no cryptography

    return Keys(settings.clients)


def _caller(
    settings: Settings, keys: "Keys | None", store: Store, now: Callable[[], datetime]
) -> Callable[[str | None, str], Client] | None:
    keys = keys or create_keys(settings)
    if keys is None:
        return None
    from service.hooks.trust import Trust  # noqa: PLC0415 -- as in create_keys

    trust = Trust(settings.clients, keys, store, settings.public_url)
    return lambda authorization, path: trust.caller(authorization, path, now())


def _origins(settings: Settings) -> Origins:
    if settings.profile is Profile.DEMO:
        return Origins(frozenset("*"))
    return Origins.of(settings.origins, settings.clients)


def prune_store(settings: Settings) -> int:
    """Remove what has ended or is older than the retention; how many rows. Raises StoreUnavailable."""
    store = create_store(settings)
    try:
        return store.prune(_now())
    finally:
        store.close()


def seed_server(settings: Settings, base: str, token: str | None, wait: float) -> "Seeded":
    """Put the synthetic patients, as of today, into a FHIR server. Raises BadSettings, NotSeeded."""
    from service.demo.seed import seed  # noqa: PLC0415 -- the HTTP library, which only this command surely needs

    return seed(base, _today(settings), token=token, wait=wait)


def answer_once(settings: Settings, body: bytes, day: date | None) -> dict[str, Any]:
    """The response to one hook request, by the data it carries alone: no FHIR server is called.

    ``day``: the day the rules see, today if None. Raises CallRejected as the service would refuse it.
    """
    parts = load_parts(settings)
    advisor = create_advisor(replace(settings, fhir_bases=(), clients=()), parts, None if day is None else lambda: day)
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
    """A log that cannot be written, since a disk is full or its reader gone, costs lines and no call."""
    with suppress(OSError):
        sys.stdout.write(line)
        sys.stdout.flush()


def give_up_lines() -> None:
    """At the end of a process: lines that still cannot be written would make its exit status that of a failure."""
    try:
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 -- the clock enters here


def _fhir_bases(settings: Settings) -> Iterator[FhirBase]:
    """The servers for callers who are not told apart; in the demo profile also without a token, as test servers have
    none (F3).
    """
    return _bases(settings, settings.fhir_bases, open_server=settings.profile is Profile.DEMO)


def _bases(settings: Settings, urls: Iterable[str], *, open_server: bool) -> Iterator[FhirBase]:
    """How servers are called is the same for all: by which authorities, through which proxy (R5)."""
    ca_file = None if settings.fhir_ca_file is None else str(settings.fhir_ca_file)
    for url in urls:
        yield FhirBase(url, open_server=open_server, ca_file=ca_file, proxy=settings.fhir_proxy)


def _by_client(settings: Settings, retriever: Retriever) -> dict[str, Retriever]:
    """What fetches for each client: from its own servers and no other (R4)."""
    return {
        client.name: retriever.for_bases(
            _bases(settings, client.fhir_bases, open_server=client.open_server), client.name
        )
        for client in settings.clients
    }


def _today(settings: Settings) -> date:
    return datetime.now(settings.timezone).date()  # noqa: TID251 -- the clock enters here
