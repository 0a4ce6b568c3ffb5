"""The right to learn for a tenant: one process at a time has it, and it lapses if that one dies."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, update

from hippocortex_engine.clock import Clock
from hippocortex_engine.storage.database import Database
from hippocortex_engine.storage.schema import tenants

LEASE = 60_000
"""Milliseconds for which the right is given; renewed while learning goes on."""


class Lease:
    """A tenant's lease.

    What the row holds while the lease is taken, the moment of its end, is how its owner knows it
    again: somebody else's ends at another moment.

    Args:
        database: where the tenant is kept.
        tenant_id: whose lease.
        clock: milliseconds since the epoch; processes that share a database share the time.

    Raises:
        UnavailableError: from every method, when the database cannot answer.
    """

    def __init__(self, database: Database, tenant_id: str, clock: Clock) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._clock = clock
        self._until = 0

    def take(self) -> bool:
        """Take the lease if nobody has it."""
        now = self._clock()
        return self._set(now + LEASE, tenants.c.learning_until <= now)

    def renew(self) -> bool:
        """Keep it for longer; False if it has lapsed and somebody else took it."""
        return self._set(self._clock() + LEASE, tenants.c.learning_until == self._until)

    def release(self) -> None:
        """Give it back."""
        self._set(0, tenants.c.learning_until == self._until)

    def _set(self, until: int, condition: ColumnElement[bool]) -> bool:
        changed = update(tenants).where(tenants.c.tenant_id == self._tenant_id)
        with self._database.write() as connection:
            done = connection.execute(changed.where(condition).values(learning_until=until))
        if done.rowcount:
            self._until = until
        return bool(done.rowcount)


def holder_until(database: Database, tenant_id: str) -> int:
    """Until when somebody has the lease; 0: nobody."""
    wanted = select(tenants.c.learning_until).where(tenants.c.tenant_id == tenant_id)
    with database.read() as connection:
        return int(connection.execute(wanted).scalar() or 0)
