"""One store, two processes: of any number who present a token at once, exactly one is the first."""

import os
import subprocess
import sys

import pytest

from service.store import open_store, schema
from service.store.report import Line
from service.store.revision import WANTED
from tests.repository import ROOT
from tests.uncovered import UNCOVERED

PRESENT = """
import sys
from concurrent.futures import ThreadPoolExecutor
from service.store import open_store
from tests.service.store.rows import NOON, a_shown
store = open_store(sys.argv[1])
print("here", flush=True)
sys.stdin.readline()
for token in range(20):
    with ThreadPoolExecutor(16) as crowd:
        firsts = crowd.map(lambda _: store.claim("https://ehr.example", f"n{token}", NOON), range(16))
        print(token, sum(firsts), flush=True)
store.shown([a_shown(int(sys.argv[2]))])
"""  # ends without close(): what waits is written when the interpreter ends


def test_32_in_two_processes_present_a_token_and_one_is_the_first(url):
    crowds = [
        subprocess.Popen(
            [sys.executable, "-c", PRESENT, url, str(number)],
            cwd=ROOT, env=os.environ | UNCOVERED, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in (1, 2)
    ]  # fmt: skip
    for crowd in crowds:
        assert crowd.stdout.readline() == "here\n"
    for crowd in crowds:
        crowd.stdin.write("go\n")
        crowd.stdin.flush()
    firsts = dict.fromkeys(range(20), 0)
    for crowd in crowds:
        out, err = crowd.communicate(timeout=100)
        assert (crowd.returncode, err) == (0, "")
        for line in out.splitlines():
            token, count = line.split()
            firsts[int(token)] += int(count)

    assert firsts == dict.fromkeys(range(20), 1)
    store = open_store(url)
    assert store.report() == (Line("2026-W25", "quinine", shown=2),)
    store.close()


@pytest.mark.parametrize("_again", range(3))
def test_two_upgrades_at_once_do_no_harm(bare_url, _again):
    both = [
        subprocess.Popen(
            [sys.executable, "-c", "import sys; from service.store import schema; schema.upgrade(sys.argv[1])", bare_url],
            cwd=ROOT, env=os.environ | UNCOVERED, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for one in both:
        one.communicate(timeout=60)

    store = open_store(bare_url)
    assert store.ready()
    assert 0 in [one.returncode for one in both]
    assert schema.upgrade(bare_url) == WANTED
    store.close()
