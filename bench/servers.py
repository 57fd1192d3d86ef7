"""The servers that are compared: the real command of ours, and bare Flask applications under the same gunicorn."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.processes import Running, as_environment, free_port, running
from bench.site import Site

THREADS: Final = 16  # of a worker, as our default
_DISCOVERY: Final = "/cds-services"


@contextmanager
def ours(site: Site) -> Iterator[Running]:
    """``muscle-cds serve`` with the settings of a site."""
    port = free_port()
    command = ["-m", "service", "serve", "--port", str(port)]
    with running(command, port, _DISCOVERY, **as_environment(site.file)) as one:
        yield one


@contextmanager
def echo(reply: Path, workers: int = 1) -> Iterator[Running]:
    """Flask that reads the body and answers with the bytes of a file."""
    port = free_port()
    with running(_gunicorn(f"bench.echo:of_file('{reply}')", port, workers), port, _DISCOVERY) as one:
        yield one


def _gunicorn(application: str, port: int, workers: int) -> list[str]:
    options = {"worker-class": "gthread", "threads": THREADS, "workers": workers, "bind": f"127.0.0.1:{port}"}
    told = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return ["-m", "gunicorn", "--no-control-socket", *told, application]
