"""The command line of the benchmark, ``python -m bench``.

Exit status: 0 done; 1 a gate was missed; 3 the machine was too noisy to judge.
"""

import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import click
import msgspec

from bench import goals, inprocess, payloads, report, run, tables
from bench.samples import is_noisy

EXIT_MISSED = 1
EXIT_NOISY = 3


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure what a hook costs, beside alternatives in the same run."""


@main.command("payloads")
@click.option("--seed", type=int, default=payloads.SEED, show_default=True)
def list_payloads(seed: int) -> None:
    """Print size and SHA-256 of every body."""
    for name in payloads.SIZES:
        raw = payloads.body(name, seed)
        click.echo(f"{payloads.digest(raw)}  {len(raw):>9,} B  {name}")


@main.command("inprocess")
@click.option("--rounds", type=int, default=inprocess.ROUNDS, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(tuple(payloads.SIZES)), help="Only these bodies.")
def in_process(rounds: int, only: tuple[str, ...]) -> None:
    """P1 to P3 alone: one process, no network."""
    with tempfile.TemporaryDirectory() as folder:
        timed = inprocess.run(Path(folder), only or inprocess.MEASURED, rounds)
    for line in tables.in_process(timed):
        click.echo(line)
    controls = {name: at["json.loads"] for name, at in timed.items()}
    _judge(list(goals.in_process(timed)), noisy=is_noisy(controls))


@main.command("run")
@click.option("--smoke", is_flag=True, help="See whether it works, in seconds; judge nothing.")
@click.option("--into", type=click.Path(dir_okay=False, path_type=Path), default="bench.json", show_default=True)
def whole(*, smoke: bool, into: Path) -> None:
    """Everything: the samples go into a file, the table and the verdicts are printed."""
    result = run.run(_today(), run.SMOKE if smoke else run.WHOLE, lambda said: click.echo(said, err=True))
    into.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    for line in tables.whole(result):
        click.echo(line)
    click.echo(f"raw samples, versions and load: {into}")
    if not smoke:
        _judge(run.verdicts(result), noisy=result["noisy"])


@main.command("report")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--peers", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="From bench.peers.")
def write_report(files: tuple[Path, ...], peers: Path | None) -> None:
    """Write the tables of docs/performance.md anew, from one or more runs; the last one is shown in full."""
    report.write([msgspec.json.decode(file.read_bytes()) for file in files])
    if peers is not None:
        report.write_peers(msgspec.json.decode(peers.read_bytes()))
    click.echo(f"wrote {report.PAGE.name}")


def _judge(verdicts: list[goals.Verdict], *, noisy: bool) -> None:
    """Print the verdicts and end with the status they deserve."""
    for line in goals.table(verdicts):
        click.echo(line)
    if noisy:
        click.echo("noisy: the json.loads control spreads more than 1.5 times between its quartiles; nothing is judged")
        sys.exit(EXIT_NOISY)
    sys.exit(EXIT_MISSED if any(one.gate and not one.met for one in verdicts) else 0)


def _today() -> date:
    return datetime.now(UTC).date()  # noqa: TID251 -- the bodies that a running server gets must be of its own day


if __name__ == "__main__":
    main()
