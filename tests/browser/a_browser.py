"""The demo as a user starts it, and a Chromium to look at it: for the tests and for the picture on the README."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from tests.ports import free_port
from tests.repository import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome")
SCREENSHOTS = ROOT / "tests" / "browser" / "screenshots"

QUIET = """() => new Promise((done) => {
  let quiet = 0;
  const look = () => {
    quiet = document.documentElement.dataset.asking === "0" ? quiet + 1 : 0;
    if (quiet > 2) done(); else requestAnimationFrame(look);
  };
  look();
})"""
"""Waits until no answer is awaited, three frames running."""


def chromium() -> str | None:
    """Where the Chromium of this machine is, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """``muscle-cds demo`` on a free port: its address. What it prints goes into a file, since a full pipe would stop it."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUSCLE_CDS_") and name != "ENV"}
    command = [sys.executable, "-m", "service", "demo", "--port", str(port)]
    with (folder / "demo.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=kept | {"MUSCLE_CDS_DRAIN_SECONDS": "0"}, stdout=log, stderr=log
        )
        try:
            for _ in range(200):
                try:
                    ask(address, "/demo/about")
                    break
                except URLError:
                    assert process.poll() is None, (folder / "demo.log").read_text()
                    time.sleep(0.05)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def a_browser(path: str) -> Iterator[Browser]:
    """Chromium without a window; without its sandbox only where it would refuse to run for the user root."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            browser.close()


def ask(address: str, path: str, body: Any = None) -> Any:
    """What the service answers to a GET, or to a POST of a body."""
    sent = None if body is None else json.dumps(body).encode()
    with urlopen(Request(address + path, sent, {"Content-Type": "application/json"}), timeout=10) as response:
        return json.load(response)


def settled(page: Page) -> Page:
    """Wait until the page has its cards and asks for nothing more."""
    page.wait_for_selector("#record-cards[aria-busy=false]")
    page.evaluate(QUIET)
    return page
