"""`hippocortex migrate`: bring the database up to date."""

from __future__ import annotations

import typer

from hippocortex.cli.options import AsJson
from hippocortex.cli.output import emit
from hippocortex.cli.stores import Store, require_server, store_url


def migrate(ctx: typer.Context, store: Store = None, as_json: AsJson = False) -> None:
    """Bring a database's schema up to date.

    Makes the tables in an empty one. On a Citus cluster, distributes them by tenant. What is up
    to date stays as it is.
    """
    require_server("migrate")
    from hippocortex_engine.storage.migrating import migrate as run  # noqa: PLC0415

    done = run(store_url(ctx, store))
    if as_json:
        emit({"before": done.before, "after": done.after, "citus": done.citus})
        return
    if done.before == done.after:
        print(f"The schema is up to date ({done.after}).")
    else:
        print(f"The schema is now {done.after}; it was {done.before or 'empty'}.")
    if done.citus:
        print("The tables are distributed by tenant (Citus).")
