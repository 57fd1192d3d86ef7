"""Ports on loopback for tests of the real server."""

import socket

import pytest

from tests import ports


@pytest.fixture
def free_port():
    """A port that nothing listens on at the moment."""
    return ports.free_port()


@pytest.fixture
def taken_port():
    """A port that something listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]
