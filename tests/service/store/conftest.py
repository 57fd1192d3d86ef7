import pytest
from sqlalchemy import create_engine, text

from service.store import open_store, schema
from tests.service.store.a_postgres import PostgresMissingError, postgres


@pytest.fixture(scope="session")
def server():
    """A running PostgreSQL; tests that need one are skipped, with the reason, where none can be started."""
    try:
        with postgres() as running:
            yield running
    except PostgresMissingError as why:
        pytest.skip(f"no PostgreSQL: {why}")


def sqlite_url(folder):
    return f"sqlite:///{folder}/state.sqlite"


def emptied(server):
    engine = create_engine(server.url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request, tmp_path):
    """The address of an empty database, without tables."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return emptied(request.getfixturevalue("server"))


@pytest.fixture
def url(bare_url):
    schema.upgrade(bare_url)
    return bare_url


@pytest.fixture
def store(url):
    opened = open_store(url, retention_days=90)
    yield opened
    opened.close()
