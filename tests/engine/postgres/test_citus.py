"""Ready for Citus: what a cluster by tenant asks of the schema and of every statement.

Citus itself cannot be installed here.  So: its functions are stood in for by functions that write
down how they were called, in a real PostgreSQL; and every statement of a whole scenario is looked
at for what Citus needs in order to send it to one node.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from sqlalchemy import event

from hippocortex_core import CaptureEvent, LearnOptions, SynthesizeOptions
from hippocortex_engine import Database, Engine, open_engine
from hippocortex_engine.storage.archive import postgresql_metadata
from hippocortex_engine.storage.migrating import migrate
from hippocortex_engine.storage.schema import metadata

CITUS = """
SET allow_system_table_mods = on;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
  SELECT 99999, 'citus', extowner, extnamespace, false, '13.0' FROM pg_extension LIMIT 1;
CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod "char", partkey text);
CREATE TABLE calls (place serial, function text, relation text, by text, together text);
CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS $$
  INSERT INTO calls (function, relation) VALUES ('reference', table_name::text);
  INSERT INTO pg_dist_partition VALUES (table_name, 'n', NULL);
$$;
CREATE FUNCTION create_distributed_table(
  table_name regclass, distribution_column text, colocate_with text DEFAULT 'default'
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO calls (function, relation, by, together)
    VALUES ('distributed', table_name::text, distribution_column, colocate_with);
  INSERT INTO pg_dist_partition VALUES (table_name, 'h', distribution_column);
$$;
"""
TABLES = {**metadata.tables, **postgresql_metadata.tables}
OF_TENANTS = {name for name in TABLES if name != "api_keys"}


@pytest.fixture
def cluster(new_postgres_url):
    """A database that looks like the coordinator of a Citus cluster."""
    url = new_postgres_url(migrated=False)
    with psycopg.connect(url) as connection:
        connection.execute(CITUS)
    return url


def calls(url):
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT function, relation, by, together FROM calls ORDER BY place"
        )
        return rows.fetchall()


def test_migrating_distributes_every_table_of_tenants_together_by_tenant(cluster):
    assert migrate(cluster).citus
    (reference, first, *others) = calls(cluster)
    assert reference == ("reference", "api_keys", None, None)
    assert first == ("distributed", "tenants", "tenant_id", "default")
    assert {one[1] for one in others} == OF_TENANTS - {"tenants"}
    assert {one[2:] for one in others} == {("tenant_id", "tenants")}


def test_migrating_again_distributes_nothing_twice(cluster):
    migrate(cluster)
    before = calls(cluster)
    assert migrate(cluster).citus
    assert calls(cluster) == before


def test_opening_an_empty_cluster_distributes_it_too(cluster):
    engine = open_engine(cluster)
    assert len(calls(cluster)) == len(TABLES)
    engine.capture(CaptureEvent("message", "s", {"content": "hello"}))
    assert engine.synthesize("hello").entries
    engine.close()


def test_without_citus_nothing_is_distributed(new_postgres_url):
    assert not migrate(new_postgres_url(migrated=False)).citus


def test_every_key_holds_the_tenant_and_no_table_refers_to_another():
    for name in OF_TENANTS:
        table = TABLES[name]
        keys = [*table.indexes, *(one for one in table.constraints if hasattr(one, "columns"))]
        for key in keys:
            if key.name == "ix_search_events_terms":  # its words hold the tenant
                continue
            assert next(iter(key.columns)).name == "tenant_id", (name, key)
        assert not table.foreign_keys
        # A default that is drawn from a sequence differs from node to node.
        assert not any(column.identity or column.default for column in table.columns)


def scenario(url):
    """Everything a memory does, once."""
    start = datetime(2026, 3, 1, tzinfo=timezone.utc)
    database = Database(f"{url}&index_limit=5")
    statements = []
    event.listen(
        database.backend.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_rest: statements.append(statement),
    )
    engine = Engine(database, tenant_id="t")
    events = [
        CaptureEvent(
            kind,
            f"s{session}",
            {"tool": "deploy", "content": "I prefer tea.", "args": {"n": session}, "call_id": "1"},
            {"user_id": "ann", "agent_id": "bot"},
            f"{session}-{kind}" if session % 2 else None,
            start + timedelta(hours=session),
        )
        for session in range(6)
        for kind in ("message", "tool_call", "tool_result", "outcome")
    ]
    for one in events[:3]:
        engine.capture(one)
    engine.capture_batch(events)
    engine.capture_batch(events)
    engine.learn()
    engine.learn(LearnOptions(scope="full", session_id="s1"))
    engine.synthesize("how is it deployed")
    engine._archivist.catch_up()
    engine.synthesize("how is it deployed")
    engine.synthesize("tea", SynthesizeOptions(user_id="ann", session_id="s1", agent_id="bot"))
    exported = engine.list_events(limit=100, type="message", user_id="ann").events
    engine.list_events(event_ids=[exported[0].id], order="asc")
    artifacts = engine.list_artifacts(status="active", type="fact", sort="confidence").artifacts
    engine.list_artifacts(limit=1, cursor=engine.list_artifacts(limit=1).pagination.cursor)
    engine.get_artifact(artifacts[0].id)
    engine.deprecate_artifact(artifacts[0].id)
    engine.forget(session_id="s2", user_id="ann")
    engine.import_events(exported)
    engine.put_document(["a", "b"], "k", {"text": "tea"}, user_id="ann", ttl=5)
    engine.put_document(["a", "b"], "k", {"text": "more tea"}, user_id="ann", ttl=5)
    engine.put_document(["a"], "l", {"text": "coffee"})
    engine.get_document(["a", "b"], "k")
    engine.search_documents(["a"], query="tea")
    engine.search_documents(["a"], limit=1, offset=1)
    engine.list_namespaces()
    engine.delete_document(["a"], "l")
    engine.sweep_documents()
    engine.forget(user_id="ann")
    engine.get_metrics()
    engine.health()
    engine.close()
    other = open_engine(url, tenant_id="t", embedder=Tiny())
    event.listen(
        other._database.backend.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_rest: statements.append(statement),
    )
    other.synthesize("tea")
    other.close()
    return statements


class Tiny:
    """Another model, so that everything is embedded again."""

    name, dimensions = "tiny/1", 8

    def embed(self, texts):
        import numpy as np

        return np.ones((len(texts), 8), np.float32) / np.sqrt(np.float32(8))


@pytest.mark.parametrize("is_cluster", [False, True])
def test_every_statement_names_the_tenant_wherever_it_touches_a_table(
    is_cluster, postgres_url, cluster
):
    statements = scenario(cluster if is_cluster else postgres_url)
    touching = [one for one in statements if _tables(one)]
    assert {table for one in touching for table in _tables(one)} >= {
        *OF_TENANTS - {"document_tombstones"}
    }
    for statement in touching:
        assert _names_tenant(statement), statement
    # On a cluster, no statement reads one table and writes another.
    assert any("WITH taken" in one for one in statements) != is_cluster


def _tables(statement):
    """The tables of tenants that a statement touches, once for each time."""
    return [
        name
        for name in re.findall(r"\b(?:FROM|INTO|UPDATE|JOIN)\s+(\w+)", statement)
        if name in OF_TENANTS
    ]


def _names_tenant(statement):
    if statement.lstrip().startswith("INSERT"):
        _, _, columns = statement.partition("(")
        conflict = re.search(r"ON CONFLICT \(([^)]*)\)", statement)
        return columns.startswith("tenant_id,") and (
            conflict is None or "tenant_id" in conflict[1].split(", ")
        )
    conditions = re.findall(r"tenant_id = %\(\w+\)s", statement)
    inserted = statement.count("INSERT INTO events (tenant_id,")
    return len(conditions) + inserted >= len(_tables(statement))
