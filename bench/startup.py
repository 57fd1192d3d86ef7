"""P11: seconds to the first answer and memory after it, ours and a bare Flask application under the same server."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from bench import servers
from bench.processes import Running
from bench.site import Site

TURNS: Final = 7
SERVERS: Final = ("flask", "ours", "ours, jwt", "ours, jwt, FHIR server")


def run(folder: Path, turns: int = TURNS) -> dict[str, Any]:
    """``{server: {"seconds": [...], "memory": [...]}}``, started in turn. Where there are several turns, one more goes
    before them that is not counted: it reads the files from the disk. The FHIR server of the last is not called.
    """
    sites = {name: Site.made_in(folder / name, jwt=name != "open") for name in ("open", "jwt")}
    sites["fhir"] = Site.made_in(folder / "fhir", jwt=True, fhir_bases=("http://127.0.0.1:9/fhir",))
    reply = folder / "reply.json"
    reply.write_bytes(b'{"cards": []}')
    found: dict[str, Any] = {name: {"seconds": [], "memory": []} for name in SERVERS}
    for turn in range(turns + (turns > 1)):
        starts: dict[str, AbstractContextManager[Running]] = {
            "flask": servers.echo(reply),
            "ours": servers.ours(sites["open"]),
            "ours, jwt": servers.ours(sites["jwt"]),
            "ours, jwt, FHIR server": servers.ours(sites["fhir"]),
        }
        for name, start in starts.items():
            with start as one:
                if turn or turns == 1:
                    found[name]["seconds"].append(one.began)
                    found[name]["memory"].append(one.memory())
    return found
