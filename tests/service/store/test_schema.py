"""The tables: made by the migrations, as the code states them, without a column for a patient."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from service.errors import BadSettings, StoreUnavailable
from service.store import open_store, schema
from service.store.engine import connect
from service.store.revision import WANTED
from service.store.sqlite import file_of
from service.store.tables import METADATA
from tests.repository import ROOT
from tests.service.store.conftest import emptied
from tests.service.store.rows import NOON


def test_the_migrations_make_the_tables_the_code_states(url):
    engine = connect(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_the_columns_are_these_and_no_other(url):
    engine = connect(url)
    seen = inspect(engine)
    columns = {name: {column["name"] for column in seen.get_columns(name)} for name in seen.get_table_names()}
    engine.dispose()

    columns.pop("alembic_version")
    assert columns == {
        "seen_token": {"token", "expires"},
        "card_shown": {"card", "topic", "rules", "content_version", "content_hash", "client", "hook", "at"},
        "feedback": {"report", "card", "client", "outcome", "reason", "suggestions", "at", "at_receipt", "received", "comment"},
    }  # fmt: skip


def test_the_revision_the_code_wants_is_the_newest_migration():
    assert ScriptDirectory.from_config(schema._config()).get_current_head() == WANTED


def test_upgrading_again_changes_nothing(url):
    store = open_store(url)
    assert store.claim("https://ehr.example", "n1", NOON)

    assert schema.upgrade(url) == WANTED
    assert not store.claim("https://ehr.example", "n1", NOON)
    store.close()


def test_a_store_without_tables_is_not_ready_and_recovers_alone(bare_url):
    store = open_store(bare_url)
    assert not store.ready()
    with pytest.raises(StoreUnavailable, match="db upgrade"):
        store.claim("https://ehr.example", "n1", NOON)

    schema.upgrade(bare_url)
    assert store.ready()
    assert store.claim("https://ehr.example", "n1", NOON)
    store.close()


def test_tables_of_another_version_are_not_ready(url):
    store = open_store(url)
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    engine.dispose()

    assert not store.ready()
    store.close()


def test_tables_of_a_release_that_is_not_known_are_left_alone_and_it_is_said_what_to_do(url):
    """Somebody went back a release without putting the copy of the database back."""
    engine = connect(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match="newer release"):
        schema.upgrade(url)

    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    engine.dispose()


def test_a_database_that_cannot_be_made_is_told_with_what_to_look_at(tmp_path):
    with pytest.raises(StoreUnavailable, match="is the folder there and writable"):
        schema.upgrade(f"sqlite:///{tmp_path}/no/such/folder/state.sqlite")


def test_a_new_file_is_not_for_everyone_on_the_machine(tmp_path):
    """It may hold the free text of feedback, where a site keeps that."""
    umask = os.umask(0o002)
    try:
        schema.upgrade(f"sqlite:///{tmp_path}/state.sqlite")
        store = open_store(f"sqlite:///{tmp_path}/state.sqlite")
        assert store.claim("https://ehr.example", "n1", NOON)
        modes = {stat.S_IMODE(part.stat().st_mode) for part in tmp_path.glob("state.sqlite*")}
        store.close()
    finally:
        os.umask(umask)

    assert modes == {0o660}


def test_an_upgrade_that_fails_leaves_nothing_behind(bare_url):
    engine = connect(bare_url, create=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE feedback (x INTEGER)"))  # the third table cannot be made
    with pytest.raises(StoreUnavailable):
        schema.upgrade(bare_url)

    assert set(inspect(engine).get_table_names()) == {"feedback"}
    engine.dispose()


def test_options_in_the_address_of_a_server_count_beside_ours(server):
    engine = connect(emptied(server))
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA own"))
    url = f"{server.url}?options=-csearch_path%3Down"
    schema.upgrade(url)
    store = open_store(url)
    assert store.ready()
    store.close()
    own = set(inspect(engine).get_table_names(schema="own"))
    engine.dispose()

    assert own == {"alembic_version", "seen_token", "card_shown", "feedback"}


def test_sqlite_is_in_wal_mode(tmp_path):
    schema.upgrade(f"sqlite:///{tmp_path}/state.sqlite")
    engine = connect(f"sqlite:///{tmp_path}/state.sqlite")
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["", "x", "sqlite://", "sqlite:///:memory:", "mysql://u:canary@h/d", "postgresql://u:canary@h/d", "memory"]
)
def test_an_address_of_another_kind_is_refused_and_not_repeated(url):
    with pytest.raises(BadSettings, match="sqlite:///FILE") as refused:
        open_store(url)

    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////var/lib/state.sqlite", "/var/lib/state.sqlite"),
        ("sqlite:///state.sqlite", Path.cwd() / "state.sqlite"),
        ("sqlite:////tmp/with a blank.sqlite?mode=memory", "/tmp/with a blank.sqlite"),
        ("sqlite:///:memory:", None),
        ("sqlite://", None),
        ("SQLITE:////state.sqlite", None),
        ("postgresql+psycopg://m@127.0.0.1/m", None),
    ],
)
def test_an_address_names_its_file(url, file):
    assert file_of(url) == (None if file is None else Path(file))


def test_an_installed_package_carries_its_migrations():
    code = (
        "from setuptools import find_packages; import sys; "
        "print(*find_packages(include=['service*', 'cards*', 'terminology*']))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert {"service.store.migrations", "service.store.migrations.versions"} <= set(found.stdout.split())


def test_without_the_driver_the_package_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BadSettings, match=r"muscle-cds\[postgres\]"):
        open_store("postgresql+psycopg://muscle@127.0.0.1/muscle")
