"""What the compiler read out of sessions, kept so that learning costs only what is new."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_

from hippocortex_engine.storage.events import chunks
from hippocortex_engine.storage.prepared import Prepared
from hippocortex_engine.storage.schema import digests


@dataclass(frozen=True, slots=True)
class StoredDigest:
    """The digest of one stretch of a session."""

    session_id: str
    start_at: int
    start_seq: int
    compiled_seq: int
    digest: dict[str, Any]

    @property
    def start(self) -> tuple[int, int]:
        """The place of its first event in the session's order."""
        return (self.start_at, self.start_seq)


def load(connection: Connection, tenant_id: str, version: int) -> list[StoredDigest]:
    """All digests of the current version, in a fixed order."""
    rows = connection.execute(
        select(
            digests.c.session_id,
            digests.c.start_at,
            digests.c.start_seq,
            digests.c.compiled_seq,
            digests.c.digest,
        )
        .where(digests.c.tenant_id == tenant_id, digests.c.digest_version == version)
        .order_by(digests.c.session_id, digests.c.start_at, digests.c.start_seq)
    )
    stored = rows.fetchall()
    parsed = json.loads("[" + ",".join([row[4] for row in stored]) + "]")
    return [StoredDigest(*row[:4], digest) for row, digest in zip(stored, parsed, strict=True)]


def of_sessions(
    connection: Connection, tenant_id: str, sessions: Sequence[str], version: int
) -> dict[str, list[dict[str, Any]]]:
    """The digests of some sessions, the stretches of each in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for chunk in chunks(sessions):
        rows = connection.execute(
            select(digests.c.session_id, digests.c.digest)
            .where(
                digests.c.tenant_id == tenant_id,
                digests.c.session_id.in_(chunk),
                digests.c.digest_version == version,
            )
            .order_by(digests.c.session_id, digests.c.start_at, digests.c.start_seq)
        )
        for session_id, digest in rows:
            found.setdefault(session_id, []).append(json.loads(digest))
    return found


def outdated(connection: Connection, tenant_id: str, version: int) -> bool:
    """Whether digests of another version are stored: everything must be read again."""
    row = connection.execute(
        select(digests.c.session_id)
        .where(digests.c.tenant_id == tenant_id, digests.c.digest_version != version)
        .limit(1)
    ).first()
    return row is not None


def known(connection: Connection, tenant_id: str, sessions: Sequence[str]) -> bool:
    """Whether anything of the sessions was ever compiled, by whatever version."""
    return any(
        connection.execute(
            select(digests.c.session_id)
            .where(digests.c.tenant_id == tenant_id, digests.c.session_id.in_(chunk))
            .limit(1)
        ).first()
        for chunk in chunks(sessions)
    )


def newest(
    connection: Connection, tenant_id: str, sessions: Sequence[str], version: int
) -> dict[str, int]:
    """The newest compiled event of each session."""
    return {
        row[0]: int(row[1])
        for chunk in chunks(sessions)
        for row in connection.execute(
            select(digests.c.session_id, func.max(digests.c.compiled_seq))
            .where(
                digests.c.tenant_id == tenant_id,
                digests.c.session_id.in_(chunk),
                digests.c.digest_version == version,
            )
            .group_by(digests.c.session_id)
        )
    }


_STARTS_BY = Prepared(
    select(digests.c.start_at, digests.c.start_seq)
    .where(
        digests.c.tenant_id == bindparam("tenant"),
        digests.c.session_id == bindparam("session"),
        tuple_(digests.c.start_at, digests.c.start_seq)
        <= tuple_(bindparam("at"), bindparam("seq")),
    )
    .order_by(digests.c.start_at.desc(), digests.c.start_seq.desc())
    .limit(1)
)
_REMOVE_FROM = Prepared(
    delete(digests).where(
        digests.c.tenant_id == bindparam("tenant"),
        digests.c.session_id == bindparam("session"),
        tuple_(digests.c.start_at, digests.c.start_seq)
        >= tuple_(bindparam("at"), bindparam("seq")),
    )
)
_INSERT = Prepared(insert(digests))


def stretch_start(
    connection: Connection, tenant_id: str, session_id: str, place: tuple[int, int]
) -> tuple[int, int]:
    """Where the stretch that holds a place of the session begins; the place itself, if none."""
    row: Any = _STARTS_BY.run(connection, _at(tenant_id, session_id, place)).first()
    return place if row is None else (int(row[0]), int(row[1]))


def replace(
    connection: Connection,
    tenant_id: str,
    session_id: str,
    start: tuple[int, int],
    made: Sequence[StoredDigest],
    version: int,
) -> None:
    """Put new digests in place of a session's from a place on."""
    _REMOVE_FROM.run(connection, _at(tenant_id, session_id, start))
    _INSERT.run_many(
        connection,
        [
            {
                "tenant_id": tenant_id,
                "session_id": session_id,
                "start_at": one.start_at,
                "start_seq": one.start_seq,
                "compiled_seq": one.compiled_seq,
                "digest_version": version,
                "digest": json.dumps(one.digest, ensure_ascii=False, separators=(",", ":")),
            }
            for one in made
        ],
    )


def _at(tenant_id: str, session_id: str, place: tuple[int, int]) -> dict[str, Any]:
    return {"tenant": tenant_id, "session": session_id, "at": place[0], "seq": place[1]}
