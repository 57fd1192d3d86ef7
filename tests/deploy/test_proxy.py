"""The nginx file: read everywhere, and run where nginx is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

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


def test_nginx_accepts_the_file():
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed here")
    tried = subprocess.run(
        [nginx, "-t", "-c", str(ROOT / CONF)], capture_output=True, text=True, check=False, timeout=20
    )

    assert tried.returncode == 0, tried.stderr
