"""The command line, ``muscle-cds``.

Exit status of every command: 0 done; 1 the answer is a refusal, or a check failed; 2 the command was not used as it
should be; 3 a setting, or the clinical content or terminology, cannot be trusted.
"""

import gc
import sys
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TextIO, TypeVar

import click
import msgspec

from service.errors import BadContent, BadSettings, CallRejected, NotSeeded, StoreUnavailable
from service.settings import Profile, Settings, load_here, options, read_here, shown

P = ParamSpec("P")
R = TypeVar("R")

EXIT_REFUSED = 1
EXIT_NOT_TRUSTED = 3


def _trusting(command: Callable[P, R]) -> Callable[P, R]:
    """Say what cannot be trusted in one line, and exit with status 3."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (BadSettings, BadContent) as error:
            click.echo(f"muscle-cds: {error}", err=True)
            sys.exit(EXIT_NOT_TRUSTED)
        except (NotSeeded, StoreUnavailable) as error:
            click.echo(f"muscle-cds: {error}", err=True)
            sys.exit(EXIT_REFUSED)

    return guarded


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="muscle-cds")
def main() -> None:
    """Short advisory cards on muscle twitches and cramps, over CDS Hooks and FHIR.

    For evaluation and integration testing only. Settings come from the TOML file that MUSCLE_CDS_CONFIG names and from
    MUSCLE_CDS_... variables; "muscle-cds config check" lists them.
    """


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


@main.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@_trusting
def serve(host: str | None, port: int | None) -> None:
    """Answer CDS Hooks calls until stopped."""
    _serve(load_here(**_given(host=host, port=port)))


@main.command()
@click.option("--port", type=int, help="Port to listen on.")
@_trusting
def demo(port: int | None) -> None:
    """Serve in the demo profile, on this machine only, and print what to try."""
    from service.demo import what_to_try  # noqa: PLC0415 -- start-up time of the other commands

    settings = load_here(**_given(port=port), profile="demo")
    _serve(settings, what_to_try(settings.public_url or f"http://{settings.host}:{settings.port}"))


@main.command()
@click.argument("base")
@click.option("--wait", type=click.FloatRange(0, 600), default=0.0, help="Seconds to wait for the server to come up.")
@click.option("--token-file", type=click.File("r"), help="File that holds a bearer token for the server.")
@_trusting
def seed(base: str, wait: float, token_file: TextIO | None) -> None:
    """Put the synthetic patients into the test FHIR server at BASE, with dates that are recent today.

    They are written under ids that start with "demo-". Never name the server of a real record system.
    """
    from service.commands import seed_server  # noqa: PLC0415 -- loads all rules, which other commands do without

    token = token_file.read().strip() if token_file else None
    done = seed_server(load_here(), base, token, wait)
    click.echo(f"put {done.resources} resources of {done.patients} synthetic patients into {base}")


def _serve(settings: Settings, greeting: str = "") -> None:
    gc.disable()  # what is loaded at the start stays: to look for garbage in it again and again doubles the time
    try:
        from service.server import Server  # noqa: PLC0415 -- gunicorn is not needed by the other commands

        server = Server(settings, greeting)
        gc.freeze()  # nor is it looked at later, so that the workers go on sharing its memory
    finally:
        gc.enable()
    server.run()


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day the rules see, instead of today.")
@_trusting
def evaluate(file: BinaryIO, as_of: Any) -> None:
    """Answer one hook request (with prefetch) from FILE, or from standard input if FILE is "-".

    No FHIR server is called. Prints the response, or the OperationOutcome of a refusal with exit status 1.
    """
    from service.commands import answer_once  # noqa: PLC0415 -- loads all rules, which other commands do without

    day: date | None = as_of.date() if as_of else None
    try:
        body, refused = answer_once(load_here(), file.read(), day), False
    except CallRejected as error:
        from service.hooks.refusal import rejected  # noqa: PLC0415 -- as above

        body, refused = rejected(error, "evaluate"), True
    click.echo(msgspec.json.format(msgspec.json.encode(body), indent=2))
    if refused:
        sys.exit(EXIT_REFUSED)


@main.command()
@_trusting
def check() -> None:
    """Check the terminology tables, all content and its wording, and run the worked examples on this machine."""
    from cards import examples  # noqa: PLC0415 -- loads all rules, which other commands do without
    from cards.language import load_language  # noqa: PLC0415 -- only this command reads the sheets for their words
    from service.app import load_parts  # noqa: PLC0415 -- as above
    from terminology import build, lookup  # noqa: PLC0415 -- only this command and the build read the tables

    content = load_parts(load_here()).content
    if build.build() != lookup.INDEX.read_bytes():
        raise BadContent("terminology/index.json is not what the tables say: run 'muscle-cds terminology build'.")
    click.echo("ok    terminology tables checked, and the index is what they say")
    click.echo(f"ok    terminology {content.vocabulary.version} ({content.vocabulary.content_hash})")
    click.echo(f"ok    {content.label} ({content.hash})")
    slips = tuple(load_language().slips(content.topics))
    for slip in slips:
        click.echo(f"FAIL  {slip}")
    outcomes = tuple(examples.run(content))
    for outcome in outcomes:
        click.echo(f"{'FAIL' if outcome.problems else 'ok  '}  {outcome.topic}: {outcome.example}")
        for problem in outcome.problems:
            click.echo(f"      {problem}")
    failed = sum(bool(outcome.problems) for outcome in outcomes)
    click.echo(f"{len(outcomes)} worked examples, {failed} failed")
    if slips:
        click.echo(f"{len(slips)} sentences with words that no card says (cards/language.toml)")
    if failed or slips:
        sys.exit(EXIT_REFUSED)


@main.group()
def config() -> None:
    """Look at the settings."""


@config.command("check")
@_trusting
def config_check() -> None:
    """Print every setting in force, passwords masked, and refuse with exit status 3 what a start would refuse."""
    from service.app import refuse_unusable  # noqa: PLC0415 -- start-up time of the other commands

    settings, unsafe = read_here()
    for option in options():
        value = shown(getattr(settings, option.name))
        changed = "" if value == option.default else f"   (default: {option.default or 'none'})"
        click.echo(f"{option.variable} = {value}{changed}")
    for client in settings.clients:
        click.echo(f"client {client.name}:")
        for row in fields(client):
            if row.name != "name":
                click.echo(f"  {row.name} = {shown(getattr(client, row.name))}")
    for risk in sorted(settings.accept_risk):
        click.echo(f"accepted risk: {risk}")
    if unsafe:
        raise BadSettings(" ".join(unsafe))
    refuse_unusable(settings)


@main.group()
def db() -> None:
    """Look after the tables of the store."""


@db.command("upgrade")
@_trusting
def db_upgrade() -> None:
    """Make the tables, or bring them up to date. Doing it again changes nothing."""
    from service.store import schema  # noqa: PLC0415 -- only this command changes tables

    click.echo(f"the tables are at revision {schema.upgrade(_database(load_here()))}")


@main.command()
@_trusting
def prune() -> None:
    """Remove tokens that have ended, and cards shown and feedback older than retention_days. For a daily timer."""
    from service.commands import prune_store  # noqa: PLC0415 -- as for evaluate

    settings = load_here()
    _database(settings)
    click.echo(f"removed {prune_store(settings)} rows")


@main.group()
def feedback() -> None:
    """Look at what became of the cards."""


@feedback.command("report")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@_trusting
def feedback_report(form: str) -> None:
    """Print cards shown, accepted and overridden, by week, topic and reason."""
    from service.store import open_store, report  # noqa: PLC0415 -- only this command reports

    store = open_store(_database(load_here()), patient=True)
    try:
        click.echo(report.FORMATS[form](store.report()), nl=False)
    finally:
        store.close()


def _database(settings: Settings) -> str:
    """The address of the database. Raises BadSettings in the demo profile, which has none."""
    if settings.profile is Profile.DEMO:
        raise BadSettings("The demo profile keeps its state in memory only: there is no database to look after.")
    return settings.store


@main.group()
def terminology() -> None:
    """Build the compact index, or write the value sets out."""


@terminology.command("build")
@_trusting
def terminology_build() -> None:
    """Build the compact index from the reviewable tables, byte for byte the same each time."""
    from terminology import build  # noqa: PLC0415 -- only this command writes

    for path in build.write():
        click.echo(f"wrote {path.name}")


@terminology.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_trusting
def terminology_export(folder: Path) -> None:
    """Write FHIR ValueSets into FOLDER, one file for a concept, without the licences the site does not hold."""
    from terminology import export  # noqa: PLC0415 -- only this command writes

    settings = load_here()
    written = export.write(folder, canonical_base=settings.canonical_base, without_licences=settings.without_licences)
    click.echo(f"wrote {len(written)} value sets")


if __name__ == "__main__":
    main()
