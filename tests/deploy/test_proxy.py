"""The nginx file: read everywhere, and run where nginx is there."""

import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.deploy.a_proxy import accepted, demo_proxy, needs_nginx
from tests.ports import free_port
from tests.repository import ROOT, text_of

CONF = Path("deploy/nginx/nginx.conf")
DIRECTIVES = dict(re.findall(r"^\s*(\w+) +([^;{]+);", text_of(CONF), flags=re.MULTILINE))


def test_the_proxy_takes_a_request_in_whole():
    assert DIRECTIVES["proxy_request_buffering"] == "on"


def test_the_proxy_lets_a_little_more_through_than_the_service_takes():
    assert DIRECTIVES["client_max_body_size"] == "5m"


def test_a_slow_caller_is_cut_off():
    assert DIRECTIVES["client_header_timeout"] == DIRECTIVES["client_body_timeout"] == "5s"


def test_a_hook_is_never_sent_twice():
    assert DIRECTIVES["proxy_next_upstream"] == "off"


def test_the_access_log_holds_nothing_a_caller_wrote_but_the_path():
    line = re.search(r"log_format plain '([^']+)'", text_of(CONF))[1]

    assert set(re.findall(r"\$(\w+)", line)) == {"time_iso8601", "request_method", "uri", "status", "request_time"}


@needs_nginx
def test_nginx_accepts_the_file():
    tried = accepted(ROOT / CONF)

    assert tried.returncode == 0, tried.stderr


class Echo(BaseHTTPRequestHandler):
    """Stands in for the service: answers with the length of what it was sent."""

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(len(sent)).encode())

    def log_message(self, *_):
        pass


@contextmanager
def a_service(port: int) -> Iterator[None]:
    with HTTPServer(("127.0.0.1", port), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


the_proxy = demo_proxy


def post(port: int, size: int) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", "/cds-services/muscle-patient-view", b" " * size)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


@needs_nginx
def test_a_call_of_the_largest_size_the_service_takes_goes_through(tmp_path):
    service_port = free_port()
    with a_service(service_port), the_proxy(tmp_path, service_port) as port:
        status, _, body = post(port, 4 * 1024 * 1024)

    assert (status, body) == (200, b"4194304")


@needs_nginx
@pytest.mark.parametrize(("size", "status", "code"), [(5 * 1024 * 1024 + 1, 413, "too-long"), (10, 503, "transient")])
def test_what_the_proxy_refuses_by_itself_is_an_operation_outcome(tmp_path, size, status, code):
    with the_proxy(tmp_path, free_port()) as port:  # no service behind it
        answered, headers, body = post(port, size)

    assert answered == status
    assert headers["Content-Type"] == "application/fhir+json"
    assert json.loads(body)["resourceType"] == "OperationOutcome"
    assert json.loads(body)["issue"][0]["code"] == code
    assert ("Retry-After" in headers) == (status == 503)


@needs_nginx
@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nLong: " + b"x" * 40_000 + b"\r\n\r\n"]
)
def test_what_is_no_request_is_refused_in_json_without_an_echo(tmp_path, sent):
    with the_proxy(tmp_path, free_port()) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(sent)
        answer = b""
        while piece := line.recv(65536):
            answer += piece

    assert b'"resourceType":"OperationOutcome"' in answer
    assert b"<html" not in answer
    assert sent[:8] not in answer


@needs_nginx
@pytest.mark.parametrize(
    ("path", "status", "code"), [("/metrics", 404, "not-found"), ("/fhir/Patient", 503, "transient")]
)
def test_metrics_are_not_here_and_a_fhir_server_that_is_not_up_is_named_as_such(tmp_path, path, status, code):
    service_port = free_port()
    with a_service(service_port), the_proxy(tmp_path, service_port) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()

    assert (response.status, answer["issue"][0]["code"]) == (status, code)
