"""A FHIR server for the benchmark, in a process of its own: answers made beforehand, each after the same wait.

Under ``/fhir`` it answers plainly; under ``/pages`` Observations come in four pages; under ``/hang`` a search for
MedicationStatements is never answered. It is no model of FHIR search: a type's answer is always the same.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from bench import payloads

PAGES: Final = 4
RESULTS: Final = 40
HANGS: Final = "MedicationStatement"
BASES: Final = ("fhir", "pages", "hang")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """A caller that hung up is no news."""


def answers(address: str, day: str) -> dict[str, bytes]:
    """Answers by the path asked for, with ``?2`` for a second page; ``""`` is that of a type of which there is none."""
    from datetime import date  # noqa: PLC0415 -- the process starts before it knows the day

    record = payloads.record(RESULTS, day=date.fromisoformat(day))
    found = {"": msgspec.json.encode(_page([], None))}
    for base in BASES:
        found[f"/{base}/Patient/{payloads.PATIENT}"] = msgspec.json.encode(record["Patient"][0])
        for kind in ("Condition", "Observation", "MedicationStatement"):
            found[f"/{base}/{kind}"] = msgspec.json.encode(_page(record[kind], None))
    size = RESULTS // PAGES
    for number in range(PAGES):
        following = f"{address}/pages/Observation?_page={number + 2}" if number + 1 < PAGES else None
        page = _page(record["Observation"][number * size :][:size], following)
        found[f"/pages/Observation{f'?{number + 1}' if number else ''}"] = msgspec.json.encode(page)
    return found


def _page(resources: list[Any], following: str | None) -> dict[str, Any]:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    return made if following is None else made | {"link": [{"relation": "next", "url": following}]}


def serve(port: int, wait: float, day: str) -> None:
    """Answer until the process is ended. ``wait``: seconds before every answer; ``day``: of the record, YYYY-MM-DD."""
    ready = answers(f"http://127.0.0.1:{port}", day)
    never = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            """One read or search."""
            asked = urlsplit(self.path)
            if asked.path == f"/hang/{HANGS}":
                never.wait()
            page = parse_qs(asked.query).get("_page", [""])[0]
            body = ready.get(asked.path + (f"?{page}" if page else ""), ready[""])
            if asked.path != "/up":
                never.wait(wait)
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    _Server(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
