"""The operations on what was learned, and on the service itself."""

# ruff: noqa: ARG003, D102 - these methods and their arguments are documented on Operation

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from hippocortex_core.codec import decode, encode
from hippocortex_core.operations.base import Operation, Request, check_options
from hippocortex_core.service import MemoryService
from hippocortex_core.types import (
    Artifact,
    ArtifactListResult,
    ArtifactSort,
    ArtifactStatus,
    ArtifactType,
    HealthResult,
    LearnOptions,
    LearnResult,
    MetricsGranularity,
    MetricsPeriodName,
    MetricsResult,
    SortOrder,
    SynthesizeOptions,
    SynthesizeResult,
)


@dataclass(frozen=True)
class Learn(Operation[LearnResult]):
    """Run the Memory Compiler; on the wire the scope stands beside the other options."""

    name = "learn"
    method = "POST"
    path = "/learn"
    scope = "write"

    options: LearnOptions | None = None

    def apply(self, service: MemoryService) -> LearnResult:
        return service.learn(self.options)

    def parse(self, data: object) -> LearnResult:
        return decode(LearnResult, data, strict=False)

    def request(self) -> Request:
        check_options(self.options, LearnOptions)
        options: dict[str, Any] = encode(self.options or LearnOptions())
        body = {"scope": options.pop("scope", None), "options": options}
        self.from_request({}, {}, body)  # what the service could not read is refused here
        return Request(self.method, self.path, body=body)

    @classmethod
    def from_request(
        cls, params: Mapping[str, str], query: Mapping[str, Sequence[str]], body: object
    ) -> Learn:
        beside = decode(LearnOptions, {} if body is None else body)
        options = cast("dict[str, Any]", body or {}).get("options")
        if options is None:
            return cls(beside)
        return cls(replace(decode(LearnOptions, options, path="options"), scope=beside.scope))


@dataclass(frozen=True)
class Synthesize(Operation[SynthesizeResult]):
    """A context pack for a query."""

    name = "synthesize"
    method = "POST"
    path = "/synthesize"
    scope = "read"

    query: str
    options: SynthesizeOptions | None = None

    def apply(self, service: MemoryService) -> SynthesizeResult:
        return service.synthesize(self.query, self.options)

    def parse(self, data: object) -> SynthesizeResult:
        return decode(SynthesizeResult, data, strict=False)

    def request(self) -> Request:
        check_options(self.options, SynthesizeOptions)
        request = super().request()
        # An extension that is switched off is not mentioned to a service that may not know it.
        if self.options is not None and not self.options.explain and request.body is not None:
            del request.body["options"]["explain"]
        return request


@dataclass(frozen=True)
class ListArtifacts(Operation[ArtifactListResult]):
    """A page of artifacts."""

    name = "list_artifacts"
    method = "GET"
    path = "/artifacts"
    scope = "read"

    type: ArtifactType | None = None
    status: ArtifactStatus | None = None
    sort: ArtifactSort | None = None
    order: SortOrder | None = None
    limit: int | None = None
    cursor: str | None = None

    def apply(self, service: MemoryService) -> ArtifactListResult:
        return service.list_artifacts(**vars(self))

    def parse(self, data: object) -> ArtifactListResult:
        return decode(ArtifactListResult, data, strict=False)


@dataclass(frozen=True)
class GetArtifact(Operation[Artifact]):
    """One artifact with its evidence."""

    name = "get_artifact"
    method = "GET"
    path = "/artifacts/{artifactId}"
    scope = "read"

    artifact_id: str

    def apply(self, service: MemoryService) -> Artifact:
        return service.get_artifact(self.artifact_id)

    def parse(self, data: object) -> Artifact:
        return decode(Artifact, data, strict=False)


@dataclass(frozen=True)
class DeprecateArtifact(Operation[Artifact]):
    """Retire an artifact by hand."""

    name = "deprecate_artifact"
    method = "POST"
    path = "/artifacts/{artifactId}/deprecate"
    scope = "write"
    extension = True

    artifact_id: str

    def apply(self, service: MemoryService) -> Artifact:
        return service.deprecate_artifact(self.artifact_id)

    def parse(self, data: object) -> Artifact:
        return decode(Artifact, data, strict=False)


@dataclass(frozen=True)
class GetMetrics(Operation[MetricsResult]):
    """Usage over a period."""

    name = "get_metrics"
    method = "GET"
    path = "/usage-metrics"
    scope = "read"

    period: MetricsPeriodName | None = None
    granularity: MetricsGranularity | None = None

    def apply(self, service: MemoryService) -> MetricsResult:
        return service.get_metrics(self.period, self.granularity)

    def parse(self, data: object) -> MetricsResult:
        return decode(MetricsResult, data, strict=False)

    def render(self, result: MetricsResult) -> Any:
        # What is unlimited is said, not left out.
        data = encode(result)
        data["quota"] = {"eventsLimit": None, "eventsRemaining": None} | data["quota"]
        return data


@dataclass(frozen=True)
class Health(Operation[HealthResult]):
    """Whether the service can answer."""

    name = "health"
    method = "GET"
    path = "/health"
    scope = "read"
    extension = True

    def apply(self, service: MemoryService) -> HealthResult:
        return service.health()

    def parse(self, data: object) -> HealthResult:
        return decode(HealthResult, data, strict=False)
