"""Requirements that only a running service can show: A1, every address over TLS, and M1, an answer in good time."""

import http.client
import json
import os
import shutil
import ssl
import statistics
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from tests.contract.cds_hooks import faults
from tests.faults.production import a_call, a_call_with_cards, access, in_production, token
from tests.fhir_stub import running
from tests.ports import free_port
from tests.repository import text_of
from tests.service.hooks.tokens import CALL, FEEDBACK, bearer

HALF_A_SECOND = 0.5
needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here")


@pytest.fixture(scope="module")
def stub():
    with running() as fhir:
        fhir.put({"resourceType": "Patient", "id": "pat-1", "birthDate": "1970-01-01"})
        yield fhir


@pytest.fixture(scope="module")
def service(stub):
    site = {"accept_risk": ["http-fhir-base"]}
    with in_production({"fhir_bases": [stub.base]}, **site) as started:
        yield started


@contextmanager
def with_tls(folder, service_port, authority):
    """nginx with the shipped file, which ends TLS here with a certificate of this authority."""
    port, own = free_port(), authority.issue_cert("localhost", "127.0.0.1")
    own.private_key_pem.write_to_path(str(folder / "tls.key"))
    own.cert_chain_pems[0].write_to_path(str(folder / "tls.crt"))
    conf = text_of(Path("deploy/nginx/nginx.conf"))
    certificate = f"ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key;"
    for shipped, here in (
        ("listen 8080;", f"listen 127.0.0.1:{port} ssl; {certificate}"),
        ("server 127.0.0.1:5000;", f"server 127.0.0.1:{service_port};"),
        ("/tmp/nginx", f"{folder}/nginx"),
    ):
        assert shipped in conf
        conf = conf.replace(shipped, here)
    (folder / "nginx.conf").write_text(conf, encoding="utf-8")
    command = ["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off;" + (" user root;" if os.geteuid() == 0 else "")]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as nginx:
        try:
            yield port
        finally:
            nginx.terminate()
            nginx.wait(20)


def ask(port, context, method, path, raw=None):
    """Status and JSON of a call over TLS, with a token of its own; waits for the proxy to listen."""
    for attempt in range(200):
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
        try:
            connection.request(method, path, raw, bearer(token(path)))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except ConnectionRefusedError:
            assert attempt < 199
            time.sleep(0.05)
        finally:
            connection.close()
    return None


@needs_nginx
def test_a1_every_address_answers_over_tls(service, tmp_path):
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with with_tls(tmp_path, service.port, authority) as port:
        status, discovery = ask(port, context, "GET", "/cds-services")
        assert (status, faults("discovery", discovery)) == (200, [])
        status, answer = ask(port, context, "POST", CALL, a_call_with_cards())
        assert (status, faults("response", answer)) == (200, [])
        report = {"feedback": [{"card": answer["cards"][0]["uuid"], "outcome": "accepted"}]}
        status, kept = ask(port, context, "POST", FEEDBACK, json.dumps(report).encode())
        assert (status, kept["recorded"]) == (200, 1)

        with pytest.raises(ssl.SSLCertVerificationError):
            ask(port, ssl.create_default_context(), "GET", "/cds-services")
        in_clear = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        in_clear.request("GET", "/cds-services", headers=bearer(token("/cds-services")))
        assert in_clear.getresponse().status == 400
        in_clear.close()


def seconds(service, raw, times=15):
    """How long the middle one of some answers took."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        assert service.status(raw) == 200
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


@pytest.mark.alone
def test_m1_an_answer_from_what_was_sent_takes_less_than_half_a_second(service):
    assert seconds(service, a_call_with_cards()) < HALF_A_SECOND


@pytest.mark.alone
def test_m1_so_does_one_that_is_fetched_from_a_server_that_takes_100_ms(service, stub):
    stub.delay = 0.1
    calls = len(stub.calls)

    assert seconds(service, a_call(prefetch=None, **access(stub.base))) < HALF_A_SECOND
    assert len(stub.calls) - calls > 15 * 5
