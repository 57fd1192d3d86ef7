"""The command a container's health check runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from service import health


@contextmanager
def a_server(status: int) -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


def test_a_service_that_answers_is_healthy(capsys):
    with a_server(200) as (port, asked):
        assert health.main([str(port)]) == 0

    assert asked == ["/livez"]
    assert capsys.readouterr().err == ""


def test_a_service_that_answers_with_an_error_is_not(capsys):
    with a_server(503) as (port, _):
        assert health.main([str(port)]) == 1

    assert "HTTP status 503" in capsys.readouterr().err


def test_a_service_that_is_not_there_is_not(capsys):
    with a_server(200) as (port, _):
        pass

    assert health.main([str(port)]) == 1
    assert "ConnectionRefusedError" in capsys.readouterr().err
