"""F25: what is planted in tokens, headers, bodies and FHIR answers is in no log, refusal, metric, store or file.

Here a service as a hospital runs it, with metrics and audit on, is given the words of the canary in every place there
is. What every other module of the suite made its servers say is looked through by the same fixture (canary.py).
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults import canary, server, story
from tests.faults.canary import STEM, WORDS, hand_in, leaks
from tests.faults.server import Ehr, FaultyServer
from tests.ports import free_port
from tests.service.hooks.tokens import BASE, CALL, FEEDBACK, ISSUER, a_client, claims, headers, signed
from tests.service.test_cli import run
from tests.service.test_server import Running
from tests.service.test_server import server as started

PATIENT_ID = f"{STEM}-patient"
PLANTED = {
    **story.PATIENT,
    "id": PATIENT_ID,
    "name": [{"text": WORDS["name"], "family": WORDS["name"].split()[1]}],
    "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": WORDS["nhs"]}],
}
FAULTS = {
    "right": server.ok(),
    "an error that quotes": server.status(
        500, body=json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception",
        "diagnostics": f"no {WORDS['name']} {WORDS['nhs']} {WORDS['token']}"}]}).encode()
    ),
    "a page that quotes": server.html(f"<html>{WORDS['name']} {WORDS['nhs']} {WORDS['result']}</html>"),
    "elsewhere": server.redirect(302, f"http://127.0.0.1:1/{WORDS['nhs']}?name={STEM}"),
    "a forged header": server.ok(headers={"X-Odd": f"{STEM}", "Set-Cookie": f"name={WORDS['token']}"}),
    "cut": server.cut(),
    "no JSON": server.status(200, body=f'{{"resourceType": {WORDS["name"]}'.encode()),
    "reset": server.reset(),
    "slow": server.drip_body(0.05),
    "not permitted": server.status(403, body=WORDS["name"].encode(), kind="text/plain"),
}  # fmt: skip


def planted_record() -> list[dict[str, Any]]:
    """The patient of the suite with the canary in every text there is."""
    whole = [
        PLANTED,
        story.problem("c1", "55300003"),
        story.result(f"{STEM}-observation", "2823-3", float(WORDS["result"]), "mmol/L", (3.5, 5.3)),
        story.medicine("m1", "317972000", f"{WORDS['drug']} 1mg tablets"),
        story.medicine("m2", "0", f"{WORDS['drug']} {WORDS['name']}"),
    ]
    for one in whole[1:]:
        one["subject"] = {"reference": f"Patient/{PATIENT_ID}", "display": WORDS["name"]}
        one["note"] = [{"text": WORDS["comment"]}]
        one["text"] = {"status": "generated", "div": f"<div>{WORDS['name']} {WORDS['nhs']}</div>"}
    return whole


def planted_call(ehr: Ehr | None = None, **more: Any) -> bytes:
    call = {
        "hook": "patient-view",
        "hookInstance": f"{STEM}-instance",
        "context": {
            "userId": f"Practitioner/{WORDS['user']}", "patientId": PATIENT_ID, "encounterId": f"{STEM}-encounter",
        },
        "extension": {"https://example.org/note": WORDS["comment"]},
        f"{STEM}\r\nkey": WORDS["name"],
    }  # fmt: skip
    if ehr is not None:
        call |= {
            "fhirServer": ehr.base,
            "fhirAuthorization": {
                "access_token": WORDS["token"], "token_type": "Bearer", "expires_in": 300, "scope": STEM, "subject": STEM,
            },
        }  # fmt: skip
    return json.dumps(call | more).encode()


@contextmanager
def a_hospital(folder: Path, fhir: FaultyServer, ehrs: list[Ehr]) -> Iterator[tuple[Running, int]]:
    """Two workers with store, metrics and a redacted audit stream; and the port of the metrics."""
    port = free_port()
    (folder / "muscle-cds.toml").write_text(
        f'public_url = "{BASE}"\nworkers = 2\nstore = "sqlite:///{folder}/state.sqlite"\n'
        f'audit = "redacted"\naudit_file = "{folder}/audit.ndjson"\nmetrics_address = "127.0.0.1:{port}"\n'
        f'deadline_ms = 500\naccept_risk = ["http-fhir-base"]\n'
        f'[[client]]\nname = "ehr"\nissuer = "{ISSUER}"\njwks_file = "{a_client(folder).jwks_file}"\n'
        f"fhir_bases = {json.dumps([one.base for one in ehrs])}\n"
    )
    assert fhir.port
    environment = {"MUSCLE_CDS_CONFIG": str(folder / "muscle-cds.toml"), "TMPDIR": str(folder)}
    assert run("db", "upgrade", **environment).exit_code == 0
    with started("serve", **environment) as up:
        yield up, port


def scraped(port: int) -> bytes:
    """What the metrics say now."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        said: bytes = answer.read()
        return said


class Tokens:
    """Good tokens, each used once, all with a word of the canary in them."""

    made = 0

    def __call__(self, path: str = CALL, **changed: Any) -> dict[str, str]:
        self.made += 1
        now = int(time.time())
        said = {"iat": now, "exp": now + 300, "jti": f"{WORDS['claim']}-{self.made}", "sub": WORDS["name"]}
        token = signed(claims(path, **said) | changed, headers())
        return {"Authorization": f"Bearer {token}"}


def test_nothing_that_is_planted_in_a_hospital_comes_out_but_on_a_card(tmp_path: Path, fhir: FaultyServer) -> None:
    ehrs = [fhir.ehr(f"canary{number}") for number in range(len(FAULTS))]
    tokens = Tokens()
    tokens_used: list[str] = []
    statuses: list[int] = []

    with a_hospital(tmp_path, fhir, ehrs) as (service, metrics_port):

        def ask(raw: bytes, path: str = CALL, **more: str) -> tuple[int, bytes]:
            sent = tokens(path.partition("?")[0]) | more
            tokens_used.append(sent["Authorization"].removeprefix("Bearer "))
            status, _, answer = service.ask("POST", path, raw, **sent)
            statuses.append(status)
            return status, answer

        for ehr, fault in zip(ehrs, FAULTS.values(), strict=True):  # what FHIR servers say
            ehr.put(*planted_record())
            ehr.answers("*", fault)
            ask(planted_call(ehr))
        status, answer = ask(planted_call(ehrs[0]))
        assert status == 200
        prefetch = {"patient": PLANTED, "results": {"resourceType": "Bundle", "entry": [{"resource": WORDS["name"]}]}}
        ask(planted_call(prefetch=prefetch))
        ask(planted_call(prefetch={"patient": {**PLANTED, "id": STEM}}))  # somebody else: refused
        ask(planted_call(fhirServer=f"http://{STEM}.example/{WORDS['nhs']}"))
        for raw in (b"[]", WORDS["name"].encode(), b"\xff" + planted_call(), planted_call()[:-20], b"{" * 70_000):
            assert ask(raw)[0] == 400
        odd = {
            "X-Correlation-ID": f"{STEM} {WORDS['header']}",
            "traceparent": f"00-{STEM}",
            "User-Agent": STEM,
            "Origin": f"https://{STEM}.example",
        }
        ask(planted_call(), f"{CALL}?name={WORDS['name'].replace(' ', '+')}", **odd)
        ask(planted_call(), f"/cds-services/{STEM}")
        ask(planted_call(), CALL, **{"Content-Encoding": STEM})

        comment = {"userComment": WORDS["comment"], "reason": {"code": STEM, "display": WORDS["name"]}}
        told = {"card": STEM, "outcome": "overridden", "overrideReason": comment, "acceptedSuggestions": [{"id": STEM}]}
        cards = [card["uuid"] for card in json.loads(answer)["cards"]]
        items = [told | {"card": one} for one in (*cards, STEM, WORDS["name"])]
        assert ask(json.dumps({"feedback": items}).encode(), FEEDBACK)[0] == 200
        assert ask(json.dumps({"feedback": [STEM, WORDS["name"]]}).encode(), FEEDBACK)[0] == 400

        not_proven = [
            {"iss": f'https://{STEM}.example\r\n{{"event": "forged"}}'}, {"aud": STEM}, {"jti": f"a\r\n{STEM}"},
            {"exp": WORDS["name"]}, {"iat": 1},
        ]  # fmt: skip
        odd_headers = [f"Bearer {WORDS['token']}", f"Basic {STEM}", f"Bearer a.{WORDS['signature']}.b", STEM]
        callers = [tokens(**said) for said in not_proven] + [{"Authorization": one} for one in odd_headers]
        statuses += [service.ask("POST", CALL, planted_call(), **caller)[0] for caller in callers]
        for raw in (  # what hardly is HTTP
            f"POST /{STEM} HTTP/1.1\r\nHost: {STEM}\r\nX-{STEM}: a\r\n {WORDS['header']}\r\n\r\n",
            f"POST {CALL} HTTP/1.1\r\nHost: x\r\nX-Correlation-ID: a\rb{STEM}\r\n\r\n",
            f"POST {CALL} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {WORDS['token']}\nX: y\r\n\r\n",
            f"{STEM} {WORDS['name']}\r\n\r\n",
            f"GET http://{STEM}@{STEM}.example/{WORDS['nhs']} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            f"POST {CALL} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{STEM}\r\n",
        ):
            hand_in("refusal", service.send(raw.encode()))
        metrics = scraped(metrics_port)
        code, out, _ = service.stop()

    assert code == 0
    assert {200, 400, 401, 404, 415} <= set(statuses)
    assert 500 not in statuses
    assert b'muscle_cds_hooks_total{hook="patient-view",outcome="cards"}' in metrics
    hand_in("metrics", metrics)
    written = [file for file in tmp_path.iterdir() if file.name.startswith(("state", "audit"))]
    assert {"state.sqlite", "audit.ndjson"} <= {file.name for file in written}
    for file in written:
        hand_in(file.name, file.read_bytes())

    everything = [("stdout", out.encode()), ("metrics", metrics), *((one.name, one.read_bytes()) for one in written)]
    assert [leak for kind, raw in everything for leak in leaks(kind, raw)] == []
    assert not any(part in out for token in tokens_used for part in (token, token.split(".")[2]))
    assert all(json.loads(line)["resourceType"] for line in (tmp_path / "audit.ndjson").read_text().splitlines())


def test_a_full_audit_stream_names_the_patient_and_nothing_else_of_her(tmp_path: Path) -> None:
    file = tmp_path / "audit.ndjson"
    settings = {"MUSCLE_CDS_AUDIT": "full", "MUSCLE_CDS_AUDIT_FILE": str(file), "MUSCLE_CDS_PROFILE": "demo"}
    with started("serve", **settings) as service:
        assert service.ask("POST", CALL, planted_call(prefetch={"patient": PLANTED}))[0] == 200
        service.stop()

    (event,) = file.read_text().splitlines()
    assert f"Patient/{PATIENT_ID}" in event
    assert f"Practitioner/{WORDS['user']}" in event
    for word in ("token", "name", "nhs", "result", "comment", "drug"):
        assert WORDS[word] not in event
    assert f"{STEM}-instance" not in event
    assert f"{STEM}-encounter" not in event


# --- the search itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [*WORDS.values(), *canary.ELSEWHERE, STEM.upper()])
def test_the_search_finds_every_word_wherever_it_stands(word: str) -> None:
    assert len(leaks("metrics", b"x" * 300 + word.encode() + b"y")) >= 1


@pytest.mark.parametrize(
    "line",
    ["no JSON", "[1]", '{"time": "now", "patient": "p"}', '{"event": "request"', "Traceback (most recent call last):"],
)
def test_the_search_finds_a_line_of_the_log_that_is_none(line: str) -> None:
    assert len(leaks("stdout", f'{{"event": "request"}}\n{line}\n'.encode())) == 1


def test_the_search_is_told_of_what_every_server_of_the_suite_prints_and_refuses() -> None:
    heard: list[str] = []
    from tests.service import test_server  # noqa: PLC0415 -- to reach its list of watchers

    test_server.watchers.append(lambda kind, _raw: heard.append(kind))
    try:
        with started("serve", MUSCLE_CDS_PROFILE="demo") as service:
            assert service.ask("POST", CALL, b"[]")[0] == 400
    finally:
        test_server.watchers.pop()

    assert heard == ["refusal", "stdout", "stderr"]
