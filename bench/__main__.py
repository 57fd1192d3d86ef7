"""The command line of the benchmark, ``python -m bench``.

Exit status: 0 done; 1 a gate was missed; 3 the machine was too noisy to judge.
"""

import sys
import tempfile
from pathlib import Path

import click

from bench import goals, inprocess, payloads
from bench.samples import is_noisy, spread

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
    """P1 to P3: one process, no network."""
    with tempfile.TemporaryDirectory() as folder:
        timed = inprocess.run(Path(folder), only or inprocess.MEASURED, rounds)
    click.echo(f"{'microseconds a call (least, median)':36}" + "".join(f"{who:>22}" for who in timed[next(iter(timed))]))
    for name, at in timed.items():
        columns = (f"{min(s) * 1e6:>11,.0f} {sorted(s)[len(s) // 2] * 1e6:>10,.0f}" for s in at.values())
        click.echo(f"{name:36}" + "".join(columns))
    verdicts = list(goals.in_process(timed))
    for line in goals.table(verdicts):
        click.echo(line)
    controls = {name: at["json.loads"] for name, at in timed.items()}
    click.echo("control, quartiles: " + ", ".join(f"{name} {spread(one):.2f}" for name, one in controls.items()))
    if is_noisy(controls):
        click.echo("noisy: the control spreads too widely, so nothing is judged")
        sys.exit(EXIT_NOISY)
    sys.exit(EXIT_MISSED if any(one.gate and not one.met for one in verdicts) else 0)


if __name__ == "__main__":
    main()
