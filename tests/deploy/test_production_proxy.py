"""The proxy file of a hospital with real certificates: which TLS, which callers, how much, and what is never let through."""

import http.client
import json
import re
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from tests.deploy.a_proxy import FOLDER, needs_nginx, production_proxy
from tests.ports import free_port
from tests.repository import text_of

CALL = "/cds-services/muscle-patient-view"
SUBJECT = re.search(r'"SUCCESS ([^"]+)"', text_of(FOLDER / "client-certificates.on.conf"))[1]

pytestmark = needs_nginx


class Service(ThreadingHTTPServer):
    """Stands in for the service: it remembers what reached it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.port = self.server_address[1]
        self.seen = []


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        size = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(size)
        self.server.seen.append((self.command, self.path, dict(self.headers), size))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET  # noqa: N815 -- the name http.server calls it by

    def log_message(self, *_):
        pass


@contextmanager
def a_service():
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Site:
    """A certificate authority of the hospital, with what it has issued; and one of somebody else."""

    def __init__(self, folder: Path):
        self.folder, self.authority, self.stranger = folder, trustme.CA(), trustme.CA()
        own = self.authority.issue_cert("localhost", "127.0.0.1")
        own.private_key_pem.write_to_path(str(folder / "tls.key"))
        for part, mode in zip(own.cert_chain_pems, "wa" * 4, strict=False):
            with (folder / "tls.crt").open(f"{mode}b") as file:
                file.write(part.bytes())
        self.authority.cert_pem.write_to_path(str(folder / "clients.crt"))

    def context(self, client=None):
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if client is not None:
            client.configure_cert(context)
        return context

    @staticmethod
    def client(authority, name="ehr.hospital.example"):
        return authority.issue_cert(
            f"{name}", common_name=name, organization_name="Hospital", organization_unit_name="Records"
        )


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def ask(port, context, method="GET", path="/cds-services", body=None):
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def code_of(raw):
    outcome = json.loads(raw)
    assert outcome["resourceType"] == "OperationOutcome"
    return outcome["issue"][0]["code"]


def test_a_call_over_tls_arrives_whole_and_without_what_a_caller_says_about_its_way(site):
    with a_service() as service, production_proxy(site.folder, service.port) as port:
        status, _, raw = ask(port, site.context(), "POST", CALL, b" " * 4 * 1024 * 1024)

    assert (status, raw) == (200, b"ok")
    ((method, path, headers, size),) = service.seen
    assert (method, path, size) == ("POST", CALL, 4 * 1024 * 1024)
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "https"


@pytest.mark.parametrize(("version", "spoken"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_only_tls_1_2_and_1_3_are_spoken(site, version, spoken):
    context = site.context()
    with pytest.warns(DeprecationWarning, match="TLSv1_1") if version == "TLSv1_1" else _nothing():
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    if not spoken:
        context.set_ciphers("ALL:@SECLEVEL=0")  # so that it is the proxy that refuses
    with a_service() as service, production_proxy(site.folder, service.port) as port:
        if spoken:
            assert ask(port, context)[0] == 200
        else:
            with pytest.raises(ssl.SSLError, match="TLSV1_ALERT_PROTOCOL_VERSION"):
                ask(port, context)


@contextmanager
def _nothing():
    yield


def test_plain_http_is_refused_without_an_echo(site):
    with a_service() as service, production_proxy(site.folder, service.port) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/c4n4ry")
        response = connection.getresponse()
        raw = response.read()
        connection.close()

    assert (response.status, code_of(raw)) == (400, "invalid")
    assert b"c4n4ry" not in raw
    assert service.seen == []


@pytest.mark.parametrize("shows_one", [False, True])
def test_with_client_certificates_off_nobody_is_asked_for_one(site, shows_one):
    client = site.client(site.authority) if shows_one else None
    with a_service() as service, production_proxy(site.folder, service.port) as port:
        assert ask(port, site.context(client))[0] == 200


def test_with_client_certificates_on_only_a_listed_subject_of_our_authority_gets_in(site):
    listed, unlisted = site.client(site.authority), site.client(site.authority, "other.hospital.example")
    with a_service() as service, production_proxy(site.folder, service.port, client_certificates=True) as port:
        assert ask(port, site.context(listed))[0] == 200
        assert len(service.seen) == 1

        for refused in (None, unlisted):
            status, headers, raw = ask(port, site.context(refused), "POST", CALL, b"{}")
            assert (status, headers["Content-Type"], code_of(raw)) == (403, "application/fhir+json", "forbidden")
        status, _, raw = ask(port, site.context(site.client(site.stranger)))
        assert (status, code_of(raw)) == (400, "invalid")
        assert len(service.seen) == 1


def test_the_listed_subject_is_the_one_the_example_certificate_has(site):
    certificate = site.client(site.authority)
    cryptography = pytest.importorskip("cryptography.x509")
    loaded = cryptography.load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes())

    assert loaded.subject.rfc4514_string() == SUBJECT


def test_metrics_are_never_let_through(site):
    with a_service() as service, production_proxy(site.folder, service.port) as port:
        for path in ("/metrics", "/metrics?x=1", "//metrics", "/%6Detrics", "/x/../metrics"):
            status, _, raw = ask(port, site.context(), path=path)
            assert (path, status, code_of(raw)) == (path, 404, "not-found")

    assert service.seen == []


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/livez/", "/readyz%2F"])
def test_probes_are_for_those_who_are_listed(site, path):
    with a_service() as service:
        with production_proxy(site.folder, service.port) as port:
            assert ask(port, site.context(), path=path)[0] == 200
        with production_proxy(site.folder, service.port, changes={"allow 127.0.0.1;": "allow 192.0.2.1;"}) as port:
            status, _, raw = ask(port, site.context(), path=path)

    assert (status, code_of(raw)) == (403, "forbidden")
    assert [path for _, path, *_ in service.seen] == [path]


@pytest.mark.parametrize(("size", "status", "code"), [(5 * 1024 * 1024 + 1, 413, "too-long"), (10, 503, "transient")])
def test_what_the_proxy_refuses_by_itself_is_an_operation_outcome(site, size, status, code):
    with production_proxy(site.folder, free_port()) as port:  # no service behind it
        answered, headers, raw = ask(port, site.context(), "POST", CALL, b" " * size)

    assert (answered, headers["Content-Type"], code_of(raw)) == (status, "application/fhir+json", code)
    assert ("Retry-After" in headers) == (status == 503)


def test_a_caller_who_asks_too_much_is_told_so_and_another_is_not(site):
    few = {"rate=50r/s": "rate=1r/m", "burst=100": "burst=2"}
    one, other = site.client(site.authority), site.client(site.authority, "other.hospital.example")
    with (
        a_service() as service,
        production_proxy(site.folder, service.port, client_certificates=True, changes=few) as port,
    ):
        answers = [ask(port, site.context(one), "POST", CALL, b"{}") for _ in range(8)]
        assert ask(port, site.context(other), "POST", CALL, b"{}")[0] == 403  # not 429: it has a count of its own

    assert [answer[0] for answer in answers] == [200] * 3 + [429] * 5
    refused = answers[-1]
    assert (refused[1]["Retry-After"], code_of(refused[2])) == ("1", "throttled")
    assert len(service.seen) == 3


def test_a_copy_that_is_down_costs_no_call(site):
    with a_service() as service, production_proxy(site.folder, free_port(), service.port) as port:
        statuses = {ask(port, site.context(), "POST", CALL, b"{}")[0] for _ in range(6)}

    assert statuses == {200}
    assert len(service.seen) == 6


def test_a_caller_who_sends_its_headers_or_its_body_too_slowly_is_cut_off(site):
    """R16: after 5 s; here after 1 s, so that the test is short. The service never hears of it."""
    short = {
        "client_header_timeout 5s;": "client_header_timeout 1s;",
        "client_body_timeout   5s;": "client_body_timeout 1s;",
    }
    beginnings = (
        b"POST %s HTTP/1.1\r\nHost: a\r\n" % CALL.encode(),
        b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{" % CALL.encode(),
    )
    with a_service() as service, production_proxy(site.folder, service.port, changes=short) as port:
        for beginning in beginnings:
            began = time.monotonic()
            with (
                socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
                site.context().wrap_socket(plain, server_hostname="localhost") as line,
            ):
                line.sendall(beginning)
                while line.recv(65536):
                    pass
            assert time.monotonic() - began < 10

    assert service.seen == []


# --- read, not run ------------------------------------------------------------------------------------------------


def test_the_times_sizes_and_buffers_are_those_that_were_promised():
    text = text_of(FOLDER / "production.conf")
    said = dict(re.findall(r"^\s*(\w+) +([^;{]+);", text, flags=re.MULTILINE))

    assert said["client_header_timeout"] == said["client_body_timeout"] == "5s"
    assert said["client_max_body_size"] == "5m"
    assert said["proxy_request_buffering"] == "on"
    assert "non_idempotent" not in said["proxy_next_upstream"]
    assert set(re.findall(r"\$(\w+)", re.search(r"log_format plain '([^']+)'", text)[1])) == {
        "time_iso8601",
        "request_method",
        "uri",
        "status",
        "request_time",
    }


def test_both_files_refuse_in_the_same_words():
    def refusals(name):
        return dict(re.findall(r"return (\d{3}) '(.+)';", text_of(FOLDER / name)))

    demo, production = refusals("nginx.conf"), refusals("production.conf")
    assert {"400", "413", "503"} <= demo.keys() <= production.keys()
    assert {status: production[status] for status in demo} == demo
