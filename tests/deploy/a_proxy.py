"""nginx with a shipped file, as a process of this machine; only what a machine decides differs from what is shipped."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.repository import ROOT, text_of

FOLDER = Path("deploy/nginx")

needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here")


def written(folder: Path, name: str, shipped_as: Path, changes: Mapping[str, str]) -> Path:
    """A shipped file under ``name`` in a folder, with each piece of text changed; every piece has to be in it."""
    text = text_of(shipped_as)
    for shipped, here in changes.items():
        assert shipped in text, f"{shipped_as} does not hold {shipped!r}"
        text = text.replace(shipped, here)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@contextmanager
def nginx(conf: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """nginx with this file, from the moment it listens on ``port`` until the block ends."""
    command = ["nginx", "-c", str(conf), "-g", "daemon off;" + (" user root;" if os.geteuid() == 0 else "")]
    with (conf.parent / "said").open("ab") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
        try:
            for _ in range(200):
                with socket.socket() as knock:
                    if knock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, (conf.parent / "said").read_text()
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def demo_proxy(folder: Path, service_port: int, fhir_port: int | None = None, port: int | None = None) -> Iterator[int]:
    """The file to try it with, in front of a service on ``service_port``; its own port.

    ``fhir_port``: a FHIR server on this machine in place of the one of the compose file. ``port``: where to listen.
    """
    port = port or free_port()
    changes = {
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "server 127.0.0.1:5000;": f"server 127.0.0.1:{service_port};",
        "/tmp/nginx": f"{folder}/nginx",
    } | ({} if fhir_port is None else {"$fhir_server fhir:8080;": f"$fhir_server 127.0.0.1:{fhir_port};"})
    with nginx(written(folder, "nginx.conf", FOLDER / "nginx.conf", changes), port):
        yield port


@contextmanager
def production_proxy(
    folder: Path, *service_ports: int, client_certificates: bool = False, changes: Mapping[str, str] | None = None
) -> Iterator[int]:
    """The file of a hospital, in front of services on ``service_ports``; its own port.

    ``folder`` holds what a site brings: tls.crt, tls.key and, where client certificates are on, clients.crt.
    ``changes``: more pieces of text to change in production.conf.
    """
    port, health = free_port(), free_port()
    own = {
        "listen 8443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen 127.0.0.1:8081;": f"listen 127.0.0.1:{health};",
        "/tmp/nginx": f"{folder}/nginx",
        "worker_processes 2;": "worker_processes 1;",
    }
    servers = " ".join(f"server 127.0.0.1:{one};" for one in service_ports)
    written(folder, "upstream.conf", FOLDER / "upstream.conf", {"server 127.0.0.1:5000;": servers})
    asked = "on" if client_certificates else "off"
    written(folder, "client-certificates.conf", FOLDER / f"client-certificates.{asked}.conf", {})
    with nginx(written(folder, "nginx.conf", FOLDER / "production.conf", own | dict(changes or {})), port):
        yield port


def accepted(conf: Path) -> subprocess.CompletedProcess[str]:
    """What nginx says of a file when asked whether it is fit."""
    return subprocess.run(["nginx", "-t", "-c", str(conf)], capture_output=True, text=True, check=False, timeout=20)


def shipped(name: str) -> Path:
    return ROOT / FOLDER / name
