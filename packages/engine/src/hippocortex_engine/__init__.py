"""The embedded engine of Hippocortex: storage, Memory Compiler and synthesizer.

from hippocortex_engine import open_engine

memory = open_engine("sqlite:///memory.db")
"""

from __future__ import annotations

from hippocortex_engine.clock import Clock, system_clock
from hippocortex_engine.embeddings.base import Embedder
from hippocortex_engine.engine import Engine
from hippocortex_engine.storage.database import Database
from hippocortex_engine.tenancy import Tenants

__all__ = ["Clock", "Database", "Embedder", "Engine", "Tenants", "open_engine", "system_clock"]


def open_engine(
    url: str,
    *,
    tenant_id: str = "default",
    embedder: Embedder | None = None,
    clock: Clock = system_clock,
) -> Engine:
    """Open a memory, making the database if there is none.

    Args:
        url: `sqlite:///path` (relative), `sqlite:////path` (absolute) or `sqlite://` (in memory,
            gone when closed); `?synchronous=full` survives a power cut too.  Or
            `postgresql://user:password@host:5432/database`.
        tenant_id: whose memory in it.
        embedder: what makes vectors; default WordLlama's static ones.
        clock: milliseconds since the epoch.

    Raises:
        ConfigurationError: the URL is not one.
        UnavailableError: the database is damaged, of a newer version or not ours; it is left
            untouched.
    """
    return Engine(Database(url), tenant_id=tenant_id, embedder=embedder, clock=clock)
