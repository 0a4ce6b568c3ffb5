"""Compiled artifacts in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, tuple_, update

from hippocortex_engine.records import Candidate
from hippocortex_engine.storage.events import chunks
from hippocortex_engine.storage.schema import artifacts

SORTS = {
    "createdAt": artifacts.c.created_at,
    "updatedAt": artifacts.c.updated_at,
    "confidence": artifacts.c.confidence,
    "evidenceCount": artifacts.c.evidence_count,
}

_JSON = ("content", "evidence", "sessions", "users", "agents", "entities")


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """An artifact as stored.

    `evidence` holds the sequence numbers of the events behind it; the candidate's own list stays
    empty, because ids are looked up only when somebody asks.
    """

    artifact_id: str
    candidate: Candidate
    retired: bool
    evidence: tuple[int, ...]
    created_at: int
    updated_at: int
    version: int
    vector: bytes
    terms: bytes

    @property
    def status(self) -> str:
        """What the compiler says, unless the artifact was retired by hand."""
        return "deprecated" if self.retired else self.candidate.status


def record(row: Any) -> ArtifactRecord:
    """A row as a record."""
    # One call instead of six: thousands of artifacts are read at every learn.
    texts = ",".join([getattr(row, name) for name in _JSON])
    values: dict[str, Any] = dict(zip(_JSON, json.loads(f"[{texts}]"), strict=True))
    return ArtifactRecord(
        artifact_id=row.artifact_id,
        candidate=Candidate(
            type=row.type,
            key=row.key,
            title=row.title,
            content=values["content"],
            text=row.text,
            index_text=row.index_text,
            confidence=row.confidence,
            strength=row.strength,
            evidence=(),
            sessions=tuple(values["sessions"]),
            users=tuple(values["users"]),
            agents=tuple(values["agents"]),
            entities=tuple(values["entities"]),
            first_at=row.first_at,
            last_at=row.last_at,
            salience=row.salience,
            status=row.status,
            personal=bool(row.personal),
            owner=row.owner,
        ),
        retired=bool(row.retired),
        evidence=tuple(values["evidence"]),
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        vector=row.vector,
        terms=row.terms,
    )


def row_of(tenant_id: str, one: ArtifactRecord) -> dict[str, Any]:
    """A record as the values of a row."""
    found = one.candidate
    return {
        "tenant_id": tenant_id,
        "artifact_id": one.artifact_id,
        "type": found.type,
        "key": found.key,
        "status": found.status,
        "retired": int(one.retired),
        "title": found.title,
        "content": _dump(found.content),
        "text": found.text,
        "index_text": found.index_text,
        "confidence": found.confidence,
        "strength": found.strength,
        "salience": found.salience,
        "evidence_count": len(one.evidence),
        "evidence": _dump(one.evidence),
        "sessions": _dump(found.sessions),
        "users": _dump(found.users),
        "agents": _dump(found.agents),
        "entities": _dump(found.entities),
        "personal": int(found.personal),
        "owner": found.owner,
        "first_at": found.first_at,
        "last_at": found.last_at,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "version": one.version,
        "vector": one.vector,
        "terms": one.terms,
    }


def load(connection: Connection, tenant_id: str) -> list[ArtifactRecord]:
    """Every artifact of the tenant, in a fixed order."""
    rows = connection.execute(
        select(artifacts)
        .where(artifacts.c.tenant_id == tenant_id)
        .order_by(artifacts.c.type, artifacts.c.key)
    )
    return [record(row) for row in rows]


def get(connection: Connection, tenant_id: str, artifact_id: str) -> ArtifactRecord | None:
    """One artifact."""
    row = connection.execute(
        select(artifacts).where(
            artifacts.c.tenant_id == tenant_id, artifacts.c.artifact_id == artifact_id
        )
    ).first()
    return None if row is None else record(row)


def save(connection: Connection, tenant_id: str, changed: Sequence[ArtifactRecord]) -> None:
    """Put records in place of those with their ids."""
    remove(connection, tenant_id, [one.artifact_id for one in changed])
    if changed:
        connection.execute(insert(artifacts), [row_of(tenant_id, one) for one in changed])


def remove(connection: Connection, tenant_id: str, ids: Sequence[str]) -> None:
    """Delete artifacts."""
    for chunk in chunks(ids):
        connection.execute(
            delete(artifacts).where(
                artifacts.c.tenant_id == tenant_id, artifacts.c.artifact_id.in_(chunk)
            )
        )


def retire(connection: Connection, tenant_id: str, artifact_id: str, now: int) -> None:
    """Take an artifact out of use by hand."""
    connection.execute(
        update(artifacts)
        .where(artifacts.c.tenant_id == tenant_id, artifacts.c.artifact_id == artifact_id)
        .values(retired=1, updated_at=now, version=artifacts.c.version + 1)
    )


def count_active(connection: Connection, tenant_id: str) -> dict[str, int]:
    """How many artifacts of each type are in use."""
    rows = connection.execute(
        select(artifacts.c.type, func.count())
        .where(
            artifacts.c.tenant_id == tenant_id,
            artifacts.c.status == "active",
            artifacts.c.retired == 0,
        )
        .group_by(artifacts.c.type)
    )
    return {row[0]: int(row[1]) for row in rows}


def count_kept(connection: Connection, tenant_id: str, types: Sequence[str]) -> int:
    """How many artifacts of some types the evidence supports, in use or superseded."""
    return int(
        connection.execute(
            select(func.count())
            .select_from(artifacts)
            .where(
                artifacts.c.tenant_id == tenant_id,
                artifacts.c.type.in_(list(types)),
                artifacts.c.status != "deprecated",
            )
        ).scalar_one()
    )


def page(
    connection: Connection,
    tenant_id: str,
    *,
    artifact_type: str | None,
    status: str | None,
    sort: str,
    descending: bool,
    after: tuple[float, str] | None,
    limit: int,
) -> tuple[list[ArtifactRecord], int]:
    """One page, and how many artifacts match in all."""
    conditions = [artifacts.c.tenant_id == tenant_id]
    if artifact_type is not None:
        conditions.append(artifacts.c.type == artifact_type)
    if status == "deprecated":
        conditions.append((artifacts.c.retired == 1) | (artifacts.c.status == status))
    elif status is not None:
        conditions += [artifacts.c.retired == 0, artifacts.c.status == status]
    total = connection.execute(select(func.count()).select_from(artifacts).where(*conditions))
    column = SORTS[sort]
    place = tuple_(column, artifacts.c.artifact_id)
    if after is not None:
        conditions.append(place < after if descending else place > after)
    ordering = (column, artifacts.c.artifact_id)
    rows = connection.execute(
        select(artifacts)
        .where(*conditions)
        .order_by(*(part.desc() if descending else part for part in ordering))
        .limit(limit)
    )
    return [record(row) for row in rows], int(total.scalar_one())


def _dump(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
