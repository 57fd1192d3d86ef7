"""A client, the trust that is put in it, and calls with its tokens."""

import pytest

from service.errors import NotTrusted
from service.hooks.keys import Keys
from service.hooks.trust import Trust
from service.store import MemoryStore
from tests.service.hooks.tokens import (
    BASE,
    CALL,
    NOW,
    a_client,
    bearer,
)
from tests.service.stand_ins import body

SECONDS = int(NOW.timestamp())
KEY_URL = "https://ehr.example/jwks"


@pytest.fixture
def client(tmp_path):
    return a_client(tmp_path)


@pytest.fixture
def trust(client):
    return trusting(client)


def trusting(client, store=None):
    return Trust([client], Keys([client]), store or MemoryStore(), BASE)


def post(app, token=None, path=CALL, **more):
    given = {**(bearer(token) if token else {}), **more}
    return app.test_client().post(path, data=body(), headers={"X-Correlation-ID": "same"} | given)


def refused(trust, token, path=CALL, now=NOW):
    with pytest.raises(NotTrusted) as why:
        trust.caller(f"Bearer {token}", path, now)
    return why.value.because
