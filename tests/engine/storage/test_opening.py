"""Opening a database: what is ours, what is not, and what is damaged."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hippocortex_core import CaptureEvent, ConfigurationError, UnavailableError
from hippocortex_engine import open_engine
from hippocortex_engine.storage.database import HEAD_REVISION


def message(text="hello", session="s1", **more):
    return CaptureEvent("message", session, {"role": "user", "content": text}, **more)


def test_a_damaged_file_is_refused_with_a_clear_error_and_left_untouched(path):
    path.write_bytes(b"this is not a database" * 100)
    before = path.read_bytes()
    with pytest.raises(UnavailableError, match="not a database"):
        open_engine(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_database_of_a_newer_version_is_refused_and_left_untouched(open_memory, path):
    open_memory().close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(UnavailableError, match=r"newer Hippocortex.*upgrade"):
        open_engine(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_somebody_elses_database_is_refused_and_left_untouched(path):
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE customers (id INTEGER)")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(UnavailableError, match="database of something else"):
        open_engine(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_folder_is_not_a_database(tmp_path):
    with pytest.raises(UnavailableError, match="is a folder"):
        open_engine(f"sqlite:///{tmp_path}")


def test_a_missing_folder_is_made(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'deep' / 'er' / 'memory.db'}")
    assert engine.health().status == "ok"
    engine.close()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://host/db", "sqlite:///x.db?synchronous=no"]
)
def test_what_is_not_a_database_url_is_a_configuration_error(url):
    with pytest.raises(ConfigurationError):
        open_engine(url)


def test_damage_inside_the_file_is_reported_not_swallowed(open_memory, path):
    engine = open_memory()
    engine.capture_batch([message(f"event number {i} " + "word " * 50) for i in range(500)])
    engine.close()
    data = bytearray(path.read_bytes())
    data[8_192 : len(data) - 4_096] = b"\xff" * (len(data) - 12_288)
    path.write_bytes(bytes(data))
    with pytest.raises(UnavailableError):
        open_memory().synthesize("event number")


def test_a_new_database_is_at_the_newest_schema(open_memory, path):
    open_memory()
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD_REVISION,)
    raw.close()


def test_the_migrations_make_the_declared_schema(open_memory):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from hippocortex_engine.storage.schema import metadata

    engine = open_memory()
    with engine._database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_key_of_a_tenants_data_begins_with_the_tenant():
    from hippocortex_engine.storage.schema import metadata

    for name, table in metadata.tables.items():
        if name == "api_keys":  # a key is looked up before its tenant is known
            continue
        keys = [*table.indexes, *(c for c in table.constraints if hasattr(c, "columns"))]
        for key in keys:
            assert next(iter(key.columns)).name == "tenant_id", (table.name, key)


def test_power_cut_durability_can_be_asked_for(path):
    engine = open_engine(f"sqlite:///{path}?synchronous=full")
    with engine._database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    engine.close()


def test_a_memory_without_a_file_works_and_is_gone_when_closed():
    first = open_engine("sqlite://")
    first.capture(message())
    assert first.list_events().pagination.total == 1
    first.close()
    second = open_engine("sqlite://")
    assert second.list_events().pagination.total == 0
    second.close()


def test_a_closed_memory_says_so(engine):
    engine.close()
    engine.close()
    for call in (engine.health, engine.learn, lambda: engine.capture(message())):
        with pytest.raises(UnavailableError, match="closed"):
            call()


def test_threads_of_one_process_open_new_databases_at_once(tmp_path):
    start = threading.Barrier(6)

    def fill(number):
        start.wait()
        with contextlib.closing(open_engine(f"sqlite:///{tmp_path}/{number}.db")) as engine:
            engine.capture(CaptureEvent("message", "s", {"content": f"number {number}"}))
            return [event.payload["content"] for event in engine.list_events().events]

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(fill, range(6)))
    assert found == [[f"number {number}"] for number in range(6)]
