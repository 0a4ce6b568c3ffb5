"""Spreading the tables over the nodes of a Citus cluster, by tenant.

Every key begins with the tenant and every statement names it, so whatever one tenant needs lies
on one node, and a statement goes to that node as it stands.
"""

from __future__ import annotations

from sqlalchemy import Connection, Table

from hippocortex_engine.storage.archive import postgresql_metadata
from hippocortex_engine.storage.schema import api_keys, metadata, tenants

_REFERENCE = (api_keys,)
"""Small tables that every node has: a key is looked up before its tenant is known."""


def is_present(connection: Connection) -> bool:
    """Whether the database is the coordinator of a Citus cluster."""
    found = connection.exec_driver_sql("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
    return found.first() is not None


def distribute(connection: Connection) -> bool:
    """Distribute the tables that are not distributed yet; whether this is a cluster at all.

    Tables of tenants are hashed by `tenant_id` and co-located, so that the rows of a tenant in
    all of them share a node.
    """
    if not is_present(connection):
        return False
    known = _distributed(connection)
    for table in _REFERENCE:
        if table.name not in known:
            connection.exec_driver_sql(f"SELECT create_reference_table('{table.name}')")
    for table in _by_tenant():
        if table.name not in known:
            together = "default" if table is tenants else tenants.name
            connection.exec_driver_sql(
                f"SELECT create_distributed_table('{table.name}', 'tenant_id',"
                f" colocate_with => '{together}')"
            )
    return True


def _by_tenant() -> list[Table]:
    """The tables of tenants, the one that the others are co-located with first."""
    every = [*metadata.sorted_tables, *postgresql_metadata.sorted_tables]
    return [tenants, *(one for one in every if one is not tenants and one not in _REFERENCE)]


def _distributed(connection: Connection) -> set[str]:
    rows = connection.exec_driver_sql(
        "SELECT relname FROM pg_dist_partition JOIN pg_class ON pg_class.oid = logicalrelid"
        " WHERE pg_table_is_visible(pg_class.oid)"
    )
    return {str(row[0]) for row in rows}
