"""Hippocortex: a memory for AI agents that learns from experience.

```python
from hippocortex import CaptureEvent, SyncHippocortex

with SyncHippocortex() as memory:
    memory.capture(CaptureEvent("message", "session-1", {"role": "user", "content": "Hello"}))
    memory.learn()
    pack = memory.synthesize("greet the user")
```
"""

from typing import TYPE_CHECKING

import hippocortex_core
from hippocortex.types import (
    NOBODY,
    Artifact,
    ArtifactListResult,
    ArtifactSort,
    ArtifactStats,
    ArtifactStatus,
    ArtifactType,
    BatchCaptureResult,
    BatchSummary,
    BudgetInfo,
    CaptureEvent,
    CaptureEventType,
    CaptureResult,
    CompilationStats,
    Document,
    DocumentSearchResult,
    Event,
    EventListResult,
    EventUsage,
    ForgetResult,
    HealthResult,
    LearnOptions,
    LearnResult,
    MetricsGranularity,
    MetricsPeriod,
    MetricsPeriodName,
    MetricsPoint,
    MetricsResult,
    NamespaceListResult,
    NamespaceMatch,
    Pagination,
    ProvenanceRef,
    QuotaInfo,
    ReasoningSection,
    SortOrder,
    SynthesisEntry,
    SynthesizeBudget,
    SynthesizeOptions,
    SynthesizeResult,
    UsageMetrics,
)
from hippocortex.wrap import wrap
from hippocortex_core import (
    ERRORS,
    AssistantMessage,
    ConfigurationError,
    ConflictError,
    ErrorDetail,
    Failure,
    ForbiddenError,
    Hippocortex,
    HippocortexError,
    InternalError,
    MemoryService,
    MissingExtraError,
    NetworkError,
    NotFoundError,
    Observation,
    Outcome,
    PayloadTooLargeError,
    QuotaExceededError,
    RateLimitedError,
    Recall,
    Recorder,
    RecorderStats,
    RetryPolicy,
    SyncHippocortex,
    ToolCall,
    ToolResult,
    UnauthorizedError,
    UnavailableError,
    UserMessage,
    ValidationError,
    render_pack,
    session,
    shared_recorder,
)

__all__ = [
    "ERRORS",
    "NOBODY",
    "Artifact",
    "ArtifactListResult",
    "ArtifactSort",
    "ArtifactStats",
    "ArtifactStatus",
    "ArtifactType",
    "AssistantMessage",
    "BatchCaptureResult",
    "BatchSummary",
    "BudgetInfo",
    "CaptureEvent",
    "CaptureEventType",
    "CaptureResult",
    "CompilationStats",
    "ConfigurationError",
    "ConflictError",
    "Document",
    "DocumentSearchResult",
    "ErrorDetail",
    "Event",
    "EventListResult",
    "EventUsage",
    "Failure",
    "ForbiddenError",
    "ForgetResult",
    "HealthResult",
    "Hippocortex",
    "HippocortexError",
    "HippocortexSync",
    "InternalError",
    "LearnOptions",
    "LearnResult",
    "MemoryService",
    "MetricsGranularity",
    "MetricsPeriod",
    "MetricsPeriodName",
    "MetricsPoint",
    "MetricsResult",
    "MissingExtraError",
    "NamespaceListResult",
    "NamespaceMatch",
    "NetworkError",
    "NotFoundError",
    "Observation",
    "Outcome",
    "Pagination",
    "PayloadTooLargeError",
    "ProvenanceRef",
    "QuotaExceededError",
    "QuotaInfo",
    "RateLimitedError",
    "ReasoningSection",
    "Recall",
    "Recorder",
    "RecorderStats",
    "RetryPolicy",
    "SortOrder",
    "SyncHippocortex",
    "SynthesisEntry",
    "SynthesizeBudget",
    "SynthesizeOptions",
    "SynthesizeResult",
    "ToolCall",
    "ToolResult",
    "UnauthorizedError",
    "UnavailableError",
    "UsageMetrics",
    "UserMessage",
    "ValidationError",
    "__version__",
    "render_pack",
    "session",
    "shared_recorder",
    "wrap",
]

HippocortexSync = SyncHippocortex
"""Another name of `SyncHippocortex`."""

for _error in (HippocortexError, *ERRORS.values()):
    _error.__module__ = __name__  # the name that users know, in tracebacks


__version__: str


if not TYPE_CHECKING:
    # Hidden from type checkers: to them any misspelt name would be one of this module's.
    def __getattr__(name: str) -> str:
        if name == "__version__":
            return hippocortex_core.__version__
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
