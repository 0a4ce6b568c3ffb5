"""The reference's types: plain dataclasses with its names, fields, defaults and nesting.

Timestamps in results are ISO 8601 strings in UTC; token counts are whole tokens; scores and
confidences lie in 0..1.  On the wire every field is camelCase (`codec`).  Fields marked
*extension* go beyond the reference; a service that lacks them ignores them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

CaptureEventType = Literal[
    "message",
    "tool_call",
    "tool_result",
    "file_edit",
    "file_change",
    "test_run",
    "command_exec",
    "browser_action",
    "api_result",
    "outcome",
    "observation",
]
ArtifactType = Literal[
    "task_schema",
    "failure_playbook",
    "causal_pattern",
    "decision_policy",
    "fact",
]
ArtifactStatus = Literal["active", "superseded", "deprecated"]
ReasoningSection = Literal["procedures", "failures", "decisions", "facts", "causal", "context"]
ArtifactSort = Literal["createdAt", "updatedAt", "confidence", "evidenceCount"]
SortOrder = Literal["asc", "desc"]
MetricsPeriodName = Literal["24h", "7d", "30d"]
MetricsGranularity = Literal["hour", "day"]
DocumentIndex = bool | list[str]
"""*Extension*: what of a document a query searches: nothing, the whole value, or these paths."""


@dataclass
class CaptureEvent:
    """Something that happened to an agent.

    `metadata["agent_id"]` and `metadata["user_id"]` (or their camelCase spellings) say whose
    event it is.  Sending an `idempotency_key` again returns the first event as a duplicate.
    `occurred_at` (*extension*) is when it happened, for imports; a naive datetime is UTC;
    default: when it is captured.
    """

    type: CaptureEventType
    session_id: str
    payload: dict[str, Any]
    metadata: dict[str, Any] | None = None
    idempotency_key: str | None = None
    occurred_at: datetime | str | None = None


@dataclass
class CaptureResult:
    """What became of one event.  In a batch, `status` may also be "error" and `reason` says why."""

    event_id: str
    status: Literal["ingested", "duplicate", "error"]
    salience_score: float | None = None
    trace_id: str | None = None
    reason: str | None = None


@dataclass
class BatchSummary:
    """How many events of a batch were stored, known already, or refused."""

    total: int
    ingested: int
    duplicates: int
    errors: int


@dataclass
class BatchCaptureResult:
    """One result per event, in the order sent, and their sum."""

    results: list[CaptureResult]
    summary: BatchSummary


@dataclass
class LearnOptions:
    """What to compile.

    `min_pattern_strength` (0..1): a pattern weaker than this is not an active artifact after the
    run; default: the compiler's own quorum.  `artifact_types`: only these are compiled; default
    all.  `session_id`, `agent_id`, `user_id` (*extension*): only the events of these.
    """

    scope: Literal["full", "incremental"] = "incremental"
    min_pattern_strength: float | None = None
    artifact_types: list[ArtifactType] | None = None
    session_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None


@dataclass
class ArtifactStats:
    """What a compilation changed; `by_type` counts active artifacts by artifact type."""

    created: int
    updated: int
    unchanged: int
    by_type: dict[str, int]


@dataclass
class CompilationStats:
    """What a compilation read and found, and how many milliseconds it took."""

    memories_processed: int
    patterns_found: int
    compilation_ms: int


@dataclass
class LearnResult:
    """One run of the Memory Compiler."""

    run_id: str
    status: Literal["completed", "partial", "failed"]
    artifacts: ArtifactStats
    stats: CompilationStats


NOBODY = ""
"""As the user of a query: what sessions that name no user hold, and what several users taught."""


@dataclass
class SynthesizeOptions:
    """What a context pack may hold.

    `max_tokens`: the pack as rendered never exceeds it.  `sections`: default all.
    `min_confidence` (0..1): weaker entries are left out.  Extensions: `session_id`, `agent_id`,
    `user_id` restrict the memories looked at, a `user_id` of `NOBODY` to those of no user in
    particular; `active_session_id` is the session the agent is in, whose memories score higher;
    `explain` attaches the eight signals to every entry.
    """

    max_tokens: int = 4000
    sections: list[ReasoningSection] | None = None
    min_confidence: float = 0.3
    include_provenance: bool = True
    session_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    active_session_id: str | None = None
    explain: bool = False


@dataclass
class ProvenanceRef:
    """Where an entry comes from: an artifact or an event."""

    source_type: str
    source_id: str
    artifact_type: ArtifactType | None = None
    evidence_count: int | None = None


@dataclass
class SynthesisEntry:
    """One piece of context.  `signals` (*extension*) holds the eight scores under `explain`."""

    section: ReasoningSection
    content: str
    confidence: float
    provenance: list[ProvenanceRef] | None = None
    signals: dict[str, float] | None = None


@dataclass
class BudgetInfo:
    """How the token budget was spent.

    `compression_ratio`: tokens of the distinct source events behind the pack, per token used.
    """

    limit: int
    used: int
    compression_ratio: float
    entries_included: int
    entries_dropped: int


@dataclass
class SynthesizeResult:
    """A context pack; entries are ordered by confidence, highest first."""

    pack_id: str
    entries: list[SynthesisEntry]
    budget: BudgetInfo


@dataclass
class Artifact:
    """A piece of compiled knowledge.

    `content` is structured by type (docs/compiler.md).  `version` counts its revisions.
    `evidence` (*extension*, only from `get_artifact`) lists the ids of the events behind it.
    """

    id: str
    type: ArtifactType
    status: ArtifactStatus
    title: str
    content: dict[str, Any]
    confidence: float
    evidence_count: int
    created_at: str
    updated_at: str
    version: int = 1
    evidence: list[str] | None = None


@dataclass
class Pagination:
    """Where a listing goes on; `cursor` is None on the last page."""

    has_more: bool
    cursor: str | None
    total: int


@dataclass
class ArtifactListResult:
    """A page of artifacts."""

    artifacts: list[Artifact]
    pagination: Pagination


@dataclass
class MetricsPeriod:
    """The span reported; `granularity` is that of the series."""

    start: str
    end: str
    granularity: str


@dataclass
class EventUsage:
    """Events received in the period: `total` = `ingested` + `duplicates`."""

    total: int
    ingested: int
    duplicates: int


@dataclass
class UsageMetrics:
    """Calls in the period."""

    events: EventUsage
    syntheses: int
    compilations: int


@dataclass
class QuotaInfo:
    """The plan and what is left of it; no limit is None."""

    plan: str
    events_used: int
    events_limit: int | None = None
    events_remaining: int | None = None


@dataclass
class MetricsPoint:
    """One step of the series, from `timestamp` for one granule."""

    timestamp: str
    events: int
    duplicates: int
    syntheses: int
    compilations: int


@dataclass
class MetricsResult:
    """Usage of a tenant."""

    period: MetricsPeriod
    usage: UsageMetrics
    quota: QuotaInfo
    series: list[MetricsPoint] = field(default_factory=list[MetricsPoint])


# --- extensions (beyond the reference) -----------------------------------------------------------


@dataclass
class Event:
    """A stored event, as listed and exported."""

    id: str
    type: CaptureEventType
    session_id: str
    payload: dict[str, Any]
    occurred_at: str
    captured_at: str
    metadata: dict[str, Any] | None = None
    idempotency_key: str | None = None
    salience_score: float | None = None


@dataclass
class EventListResult:
    """A page of events."""

    events: list[Event]
    pagination: Pagination


@dataclass
class ForgetResult:
    """What was removed, and how many artifacts lost evidence."""

    events_deleted: int
    artifacts_deleted: int
    artifacts_updated: int


@dataclass
class HealthResult:
    """Whether the service can answer, and which version it is."""

    status: Literal["ok", "degraded"]
    version: str
    store: str


@dataclass
class Document:
    """A JSON object kept under a namespace and a key.

    `created_at` stays when it is overwritten.  `updated_at` grows with every put of a tenant, so
    that it orders its documents totally; both have microseconds.  `expires_at` is None if it
    never expires.  `score` (0..1; of a caller's own vectors: their cosine) is set by a search with
    a query or a vector, and None for what such a search found but could not rank.
    """

    namespace: list[str]
    key: str
    value: dict[str, Any]
    created_at: str
    updated_at: str
    expires_at: str | None = None
    score: float | None = None


@dataclass
class DocumentSearchResult:
    """The documents found: the best first, or without a query the newest first."""

    documents: list[Document]


@dataclass
class NamespaceListResult:
    """Namespaces, each a list of labels, sorted."""

    namespaces: list[list[str]]


@dataclass
class NamespaceMatch:
    """A condition on namespaces: the labels they begin or end with; `*` stands for any label."""

    kind: Literal["prefix", "suffix"]
    path: list[str]
