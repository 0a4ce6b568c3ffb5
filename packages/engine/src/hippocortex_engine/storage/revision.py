"""Which schema this code reads and writes."""

from __future__ import annotations

HEAD_REVISION = "0004"
"""The newest migration."""


def newer(where: str, revision: str) -> str:
    """What to say of a database that a later version has migrated."""
    return (
        f"{where}: was written by a newer Hippocortex (schema {revision}, this one knows "
        f"{HEAD_REVISION}); upgrade with: pip install --upgrade hippocortex-engine"
    )
