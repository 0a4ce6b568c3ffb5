"""Hippocortex: a memory for AI agents that learns from experience.

```python
from hippocortex import CaptureEvent, SyncHippocortex

with SyncHippocortex() as memory:
    memory.capture(CaptureEvent("message", "session-1", {"role": "user", "content": "Hello"}))
    memory.learn()
    pack = memory.synthesize("greet the user")
```
"""

import hippocortex_core
from hippocortex.types import (
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
from hippocortex_core import (
    ERRORS,
    ConfigurationError,
    ConflictError,
    ErrorDetail,
    ForbiddenError,
    Hippocortex,
    HippocortexError,
    InternalError,
    MemoryService,
    MissingExtraError,
    NetworkError,
    NotFoundError,
    PayloadTooLargeError,
    QuotaExceededError,
    RateLimitedError,
    RetryPolicy,
    SyncHippocortex,
    UnauthorizedError,
    UnavailableError,
    ValidationError,
    render_pack,
)

__all__ = [
    "ERRORS",
    "Artifact",
    "ArtifactListResult",
    "ArtifactSort",
    "ArtifactStats",
    "ArtifactStatus",
    "ArtifactType",
    "BatchCaptureResult",
    "BatchSummary",
    "BudgetInfo",
    "CaptureEvent",
    "CaptureEventType",
    "CaptureResult",
    "CompilationStats",
    "ConfigurationError",
    "ConflictError",
    "ErrorDetail",
    "Event",
    "EventListResult",
    "EventUsage",
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
    "NetworkError",
    "NotFoundError",
    "Pagination",
    "PayloadTooLargeError",
    "ProvenanceRef",
    "QuotaExceededError",
    "QuotaInfo",
    "RateLimitedError",
    "ReasoningSection",
    "RetryPolicy",
    "SortOrder",
    "SyncHippocortex",
    "SynthesisEntry",
    "SynthesizeBudget",
    "SynthesizeOptions",
    "SynthesizeResult",
    "UnauthorizedError",
    "UnavailableError",
    "UsageMetrics",
    "ValidationError",
    "__version__",
    "render_pack",
]

HippocortexSync = SyncHippocortex
"""Another name of `SyncHippocortex`."""

for _error in (HippocortexError, *ERRORS.values()):
    _error.__module__ = __name__  # the name that users know, in tracebacks


__version__: str


def __getattr__(name: str) -> str:
    if name == "__version__":
        return hippocortex_core.__version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
