"""Opening a PostgreSQL database: URLs, what is ours and what is not, failures in plain words."""

from __future__ import annotations

import sys
import traceback

import psycopg
import pytest
from sqlalchemy import text

from hippocortex_core import CaptureEvent, ConfigurationError, SyncHippocortex, UnavailableError
from hippocortex_core.errors import MissingExtraError
from hippocortex_engine import Database, open_engine
from hippocortex_engine.storage.migrating import Migrated, migrate
from hippocortex_engine.storage.revision import HEAD_REVISION

EVENT = CaptureEvent("message", "s1", {"role": "user", "content": "hello"})


def test_the_client_keeps_its_memory_in_postgresql_when_the_url_says_so(postgres_url, monkeypatch):
    with SyncHippocortex(base_url=postgres_url) as memory:
        assert memory.capture(EVENT).status == "ingested"
        assert memory.health().store == "postgresql"
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", postgres_url.replace("postgresql:", "postgres:"))
    with SyncHippocortex() as memory:
        assert memory.list_events().pagination.total == 1


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "PostgreSQL"])
def test_the_scheme_has_several_spellings(postgres_url, scheme):
    database = Database(postgres_url.replace("postgresql", scheme, 1))
    assert database.kind == "postgresql"
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@host:port/db",
        "postgresql://u:hunter2@host:99999/db",
        "postgresql://u:hun]ter2@[host/db",
        "postgresql://u:hunter2@host/db?colour=blue",
        "postgresql://u:hunter2@host/db?pool_size=none",
        "postgresql://u:hunter2@host/db?pool_size=0",
    ],
)
def test_a_url_that_cannot_be_read_is_a_configuration_error_without_the_password(url):
    with pytest.raises(ConfigurationError) as caught:
        open_engine(url)
    shown = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in str(caught.value)
    assert "ter2" not in shown.replace(url, "")


def test_an_unknown_parameter_is_named():
    with pytest.raises(ConfigurationError, match="'colour'"):
        open_engine("postgresql://host/db?colour=blue")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: "postgresql://u:hunter2@127.0.0.1:9/db", "does not answer"),
        (lambda url: "postgresql:///db?host=/nowhere/at/all", "does not answer"),
        (lambda url: url.replace("/test_", "/nosuch_"), "createdb"),
        (lambda url: url.replace("postgres:@", "nobody:hunter2@"), "does not know the user"),
        (lambda url: "postgresql://u:hunter2@host.invalid/db", "host of PostgreSQL"),
    ],
)
def test_a_database_that_does_not_answer_says_why_in_one_line(postgres_url, change, said):
    with pytest.raises(UnavailableError, match=said) as caught:
        open_engine(change(postgres_url))
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).startswith("postgresql://")


def test_without_the_driver_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'hippocortex-engine\[postgresql\]'"):
        open_engine("postgresql://host/db")


def test_opening_brings_an_empty_database_to_the_newest_schema(new_postgres_url):
    url = new_postgres_url(migrated=False)
    open_engine(url).close()
    assert migrate(url) == Migrated(before=HEAD_REVISION, after=HEAD_REVISION, citus=False)


def test_migrating_says_from_where_to_where(new_postgres_url, tmp_path):
    for url in (new_postgres_url(migrated=False), f"sqlite:///{tmp_path}/memory.db"):
        assert migrate(url) == Migrated(before=None, after=HEAD_REVISION, citus=False)
        assert migrate(url).before == HEAD_REVISION


def test_the_migrations_make_the_declared_schema(postgres_url):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import MetaData

    from hippocortex_engine.storage.archive import postgresql_metadata
    from hippocortex_engine.storage.schema import metadata

    declared = MetaData()
    for table in (*metadata.tables.values(), *postgresql_metadata.tables.values()):
        table.to_metadata(declared)
    database = Database(postgres_url)
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), declared)
    database.close()
    # The one index that pgvector has to be there for.
    assert [(what, one.name) for what, one in differences] == [
        ("remove_index", "ix_search_events_code")
    ]


def test_all_text_is_sorted_by_its_characters_numbers(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type IN ('text', 'character varying')"
            " AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'alembic_version'"
        ).fetchall()
    assert rows == []


def test_a_database_of_a_newer_version_is_refused(postgres_url):
    open_engine(postgres_url).close()
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for opening in (open_engine, migrate):
        with pytest.raises(UnavailableError, match=r"newer Hippocortex.*upgrade"):
            opening(postgres_url)


def test_tables_of_something_else_are_left_alone_and_a_schema_helps(new_postgres_url):
    url = new_postgres_url(migrated=False)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE events (id integer)")
        connection.execute("CREATE SCHEMA hippocortex")
    with pytest.raises(UnavailableError, match="tables of something else") as caught:
        open_engine(url)
    hint = str(caught.value).rpartition("?")[2]
    engine = open_engine(f"{url}&{hint}")
    assert engine.capture(EVENT).status == "ingested"
    engine.close()


def test_an_encoding_that_cannot_hold_all_text_is_refused(postgres_server, new_postgres_url):
    other = new_postgres_url().replace("test_", "ascii_")
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
        name = other.partition("?")[0].rpartition("/")[2]
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII'"
            " LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        try:
            with pytest.raises(UnavailableError, match="encoding is SQL_ASCII"):
                open_engine(other)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_pool_holds_as_many_connections_as_the_url_says(postgres_url, monkeypatch):
    monkeypatch.setattr("hippocortex_engine.storage.postgresql.POOL_PATIENCE", 0.05)
    database = Database(postgres_url + "&pool_size=2")
    refused = pytest.raises(UnavailableError, match="pool_size")
    with database.read(), database.read(), refused, database.read():
        pass
    with database.read():
        pass
    database.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT 1 / 0", "SQLSTATE 22012"),
        ("SELECT 'sesame' FROM cave", "hippocortex migrate"),
        ("SET LOCAL statement_timeout = 1; SELECT pg_sleep(5)", "took too long"),
        ("SET TRANSACTION READ ONLY; DELETE FROM events", "read-only"),
        ("SELECT 'sesame'::integer", "SQLSTATE 22P02"),
    ],
)
def test_a_failing_statement_is_told_without_what_was_in_it(postgres_url, statement, said):
    database = Database(postgres_url)
    with pytest.raises(UnavailableError, match=said) as caught, database.write() as connection:
        connection.execute(text(statement))
    assert "sesame" not in str(caught.value)
    assert "SELECT" not in str(caught.value)
    with database.write() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    database.close()


def test_a_user_without_rights_is_told_so(postgres_url):
    open_engine(postgres_url).close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(UnavailableError, match="does not permit"):
        open_engine(postgres_url.replace("postgres:@", "guest:@"))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE guest")


def test_reading_sees_one_state_whatever_others_write_meanwhile(postgres_url):
    engine = open_engine(postgres_url)
    engine.capture(EVENT)
    with engine._database.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM events")).scalar()
        engine.capture(EVENT)
        assert connection.execute(text("SELECT count(*) FROM events")).scalar() == before
    engine.close()


def test_a_closed_memory_says_so(postgres_url):
    engine = open_engine(postgres_url)
    engine.close()
    engine.close()
    with pytest.raises(UnavailableError, match="closed"):
        engine.health()
