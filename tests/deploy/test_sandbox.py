"""The compose profile "sandbox" as plain processes: the proxy, the demo service and a FHIR server behind one address, which
a browser on the host and the service itself both use.
"""

import http.client
import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from service.demo.seed import records
from tests.contract.cds_hooks import faults
from tests.deploy.a_proxy import demo_proxy, needs_nginx
from tests.fhir_stub import running
from tests.ports import free_port
from tests.service.stand_ins import a_request
from tests.service.test_cli import run
from tests.service.test_seed import taking
from tests.service.test_server import CALL, server

PATIENT = "low-potassium-on-indapamide"

pytestmark = needs_nginx


def ask(port, method, path, raw=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, raw, {"Origin": "https://sandbox.cds-hooks.org"})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_records_are_put_through_the_proxy(tmp_path):
    with taking() as fhir:
        port = urlsplit(fhir.base).port
        with demo_proxy(tmp_path, free_port(), fhir_port=port) as proxy:
            done = run("seed", f"http://127.0.0.1:{proxy}/fhir", "--wait", "10", MUSCLE_CDS_PROFILE="demo")

    assert done.exit_code == 0, done.output
    assert f"Patient/demo-{PATIENT}" in fhir.kept


@pytest.mark.parametrize("up", [True, False])
def test_a_hook_that_names_the_fhir_server_of_the_profile_is_answered_with_it_and_without_it(tmp_path, up):
    proxy_port = free_port()
    base = f"http://127.0.0.1:{proxy_port}/fhir"
    environment = {
        "MUSCLE_CDS_PUBLIC_URL": f"http://127.0.0.1:{proxy_port}",
        "MUSCLE_CDS_FHIR_BASES": base,
        "MUSCLE_CDS_DEADLINE_MS": "8000",
        "MUSCLE_CDS_DRAIN_SECONDS": "0",
    }
    own = records(datetime.now(UTC).date())[PATIENT]
    context = {"userId": "Practitioner/gp-1", "patientId": f"demo-{PATIENT}"}
    call = json.dumps(a_request(context=context, prefetch=None, fhirServer=base)).encode()
    with running(token=None) as fhir, server("demo", **environment) as service:
        fhir.put(*own)
        fhir_port = urlsplit(fhir.base).port if up else free_port()
        with demo_proxy(tmp_path, service.port, fhir_port=fhir_port, port=proxy_port):
            status, headers, raw = ask(proxy_port, "POST", CALL, call)
            listed = ask(proxy_port, "GET", "/fhir/Condition?patient=" + context["patientId"])[0]
        code, out, _ = service.stop()

    assert headers["Access-Control-Allow-Origin"] == "*"
    if up:
        assert (status, listed) == (200, 200)
        answer = json.loads(raw)
        assert faults("response", answer) == []
        assert {"biochemistry", "medicines"} <= {card["source"]["topic"]["code"] for card in answer["cards"]}
    else:
        assert (status, listed) == (412, 503)
        assert json.loads(raw)["resourceType"] == "OperationOutcome"
    assert code == 0
    assert f"http://127.0.0.1:{proxy_port}" in out  # the address that is printed is the one to open
