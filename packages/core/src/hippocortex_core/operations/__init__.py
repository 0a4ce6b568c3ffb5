"""Every call of the product, declared once: for the clients, the transports and the server."""

from typing import Any

from hippocortex_core.operations.base import Operation, Request, Scope
from hippocortex_core.operations.documents import (
    BatchDocuments,
    DeleteDocument,
    DocumentOperation,
    DocumentOutcome,
    GetDocument,
    ListNamespaces,
    PutDocument,
    SearchDocuments,
    SweepDocuments,
)
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
    "BatchDocuments",
    "Capture",
    "CaptureBatch",
    "DeleteDocument",
    "DeprecateArtifact",
    "DocumentOperation",
    "DocumentOutcome",
    "Forget",
    "GetArtifact",
    "GetDocument",
    "GetMetrics",
    "Health",
    "ImportEvents",
    "Learn",
    "ListArtifacts",
    "ListEvents",
    "ListNamespaces",
    "Operation",
    "PutDocument",
    "Request",
    "Scope",
    "SearchDocuments",
    "SweepDocuments",
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
    PutDocument,
    GetDocument,
    DeleteDocument,
    SearchDocuments,
    ListNamespaces,
    BatchDocuments,
    SweepDocuments,
    Health,
)
