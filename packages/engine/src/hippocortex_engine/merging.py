"""Merging: what miners found against what is stored.  Pure functions.

A pattern keeps its artifact (same type and key), whose version grows when anything about it
changes; a pattern that is not found any more is deprecated, not deleted, so that its history
stays visible.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from hippocortex_core.types import ArtifactType
from hippocortex_engine.embeddings.base import Embedder, quantize
from hippocortex_engine.identifiers import artifact_id
from hippocortex_engine.records import Candidate
from hippocortex_engine.storage.artifacts import ArtifactRecord
from hippocortex_engine.text import pack_terms, terms


@dataclass(frozen=True, slots=True)
class Merge:
    """What is to be written, and what it amounts to."""

    records: tuple[ArtifactRecord, ...]
    created: int
    updated: int
    unchanged: int


def merge(
    tenant_id: str,
    found: Sequence[Candidate],
    stored: Sequence[ArtifactRecord],
    types: Collection[ArtifactType],
    embedder: Embedder,
    now: int,
) -> Merge:
    """Bring the stored artifacts of some types in line with what was found."""
    before = {one.artifact_id: one for one in stored if one.candidate.type in types}
    fresh = {artifact_id(tenant_id, one.type, one.key): one for one in found}
    changed = {
        name: one
        for name, one in fresh.items()
        if name not in before or not same(before[name], one)
    }
    gone = [
        _deprecated(one, now)
        for name, one in before.items()
        if name not in fresh and one.candidate.status != "deprecated"
    ]
    created = sum(name not in before for name in changed)
    return Merge(
        records=(*revisions(changed, before, embedder, now), *gone),
        created=created,
        updated=len(changed) - created + len(gone),
        unchanged=len(fresh) - len(changed),
    )


def revisions(
    changed: Mapping[str, Candidate],
    before: Mapping[str, ArtifactRecord],
    embedder: Embedder,
    now: int,
) -> list[ArtifactRecord]:
    """New versions of artifacts, by id."""
    if not changed:
        return []
    vectors = quantize(embedder.embed([one.index_text for one in changed.values()]))
    return [
        _revision(name, one, before.get(name), vector.tobytes(), now)
        for (name, one), vector in zip(changed.items(), vectors, strict=True)
    ]


def same(stored: ArtifactRecord, found: Candidate) -> bool:
    """Whether what was found is what is stored, to the last field."""
    if stored.evidence != _evidence(found):
        return False
    bare = replace(found, evidence=())
    return stored.candidate == bare or stored.candidate == replace(
        bare, content=json.loads(json.dumps(found.content))
    )


def _revision(
    name: str, found: Candidate, before: ArtifactRecord | None, vector: bytes, now: int
) -> ArtifactRecord:
    return ArtifactRecord(
        artifact_id=name,
        candidate=replace(found, evidence=()),
        retired=before is not None and before.retired,
        evidence=_evidence(found),
        created_at=now if before is None else before.created_at,
        updated_at=now,
        version=1 if before is None else before.version + 1,
        vector=vector,
        terms=pack_terms(terms(found.index_text)),
    )


def _deprecated(one: ArtifactRecord, now: int) -> ArtifactRecord:
    return replace(
        one,
        candidate=replace(one.candidate, status="deprecated"),
        updated_at=now,
        version=one.version + 1,
    )


def _evidence(found: Candidate) -> tuple[int, ...]:
    return tuple(int(seq) for seq in found.evidence)
