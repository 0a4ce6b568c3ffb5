"""Every call of the product, declared once: for the clients, the transports and the server."""

from typing import Any

from hippocortex_core.operations.base import Operation, Request, Scope
from hippocortex_core.operations.events import (
    MAX_BATCH,
    Capture,
    CaptureBatch,
    Forget,
    ImportEvents,
    ListEvents,
    merge_batches,
    new_key,
)
from hippocortex_core.operations.knowledge import (
    DeprecateArtifact,
    GetArtifact,
    GetMetrics,
    Health,
    Learn,
    ListArtifacts,
    Synthesize,
)

__all__ = [
    "MAX_BATCH",
    "OPERATIONS",
    "Capture",
    "CaptureBatch",
    "DeprecateArtifact",
    "Forget",
    "GetArtifact",
    "GetMetrics",
    "Health",
    "ImportEvents",
    "Learn",
    "ListArtifacts",
    "ListEvents",
    "Operation",
    "Request",
    "Scope",
    "Synthesize",
    "merge_batches",
    "new_key",
]

OPERATIONS: tuple[type[Operation[Any]], ...] = (
    Capture,
    CaptureBatch,
    Learn,
    Synthesize,
    ListArtifacts,
    GetArtifact,
    DeprecateArtifact,
    GetMetrics,
    ListEvents,
    Forget,
    ImportEvents,
    Health,
)
