"""The least a Flask application can do with a hook: read the body, give a fixed reply. What ours is compared with."""

from pathlib import Path

from flask import Flask, Response, request

MOST = 4 * 1024 * 1024  # bytes of a body, as our own limit


def application(reply: bytes) -> Flask:
    """Answers every POST under /cds-services with these bytes, and GET /cds-services with nothing in particular."""
    app = Flask("echo", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST

    @app.post("/cds-services/<_service_id>")
    def call(_service_id: str) -> Response:
        request.get_data(cache=False)
        return Response(reply, mimetype="application/json")

    @app.get("/cds-services")
    def discover() -> Response:
        return Response(b'{"services": []}', mimetype="application/json")

    return app


def of_file(reply: str) -> Flask:
    """As :func:`application`, with the reply in a file: for a server's command line."""
    return application(Path(reply).read_bytes())
