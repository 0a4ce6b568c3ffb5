"""Learning: from events to digests to artifacts, each step kept so that only news costs.

A session is read in stretches that end where no later event can change what was read (an outcome,
a long silence, or enough events).  Each stretch becomes a digest, a pure function of its events;
the artifacts are a pure function of the set of digests.  So any split of the events into batches,
with learning in between, ends in the same artifacts.

The write lock is held only to store results, so that captures go on while learning computes; two
counters tell when somebody else has changed what a computation started from, and it is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hippocortex_core.types import ArtifactType, LearnOptions
from hippocortex_engine.checks import ARTIFACT_TYPES
from hippocortex_engine.clock import Clock
from hippocortex_engine.collector import collector_paused
from hippocortex_engine.compiler.compile import mine
from hippocortex_engine.compiler.digest import digest_session, digest_version
from hippocortex_engine.embeddings.base import Embedder
from hippocortex_engine.identifiers import artifact_id
from hippocortex_engine.merging import Merge, merge, revisions, same
from hippocortex_engine.records import Candidate, EventRecord
from hippocortex_engine.storage import artifacts as artifact_store
from hippocortex_engine.storage import digests as digest_store
from hippocortex_engine.storage import events as event_store
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage.database import Database
from hippocortex_engine.storage.digests import StoredDigest
from hippocortex_engine.storage.events import BEGINNING, EventFilter, Pending
from hippocortex_engine.storage.tenants import TenantState

SILENCE = 30 * 60_000
"""Milliseconds without an event after which a session starts anew."""

STRETCH = 400
"""Events after which a stretch ends in any case."""

_SESSIONS_AT_ONCE = 100  # sessions digested between two short write transactions


@dataclass(frozen=True, slots=True)
class Learned:
    """What a run read, found and changed."""

    events: int
    patterns: int
    merge: Merge
    by_type: dict[str, int]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What forgetting removed."""

    events: int
    artifacts_deleted: int
    artifacts_updated: int


def stretches(events: Sequence[EventRecord]) -> Iterator[list[EventRecord]]:
    """Cut a session where what follows cannot change what went before."""
    current: list[EventRecord] = []
    for event in events:
        # A verdict belongs to what it judges, however late it comes.
        if current and event.type != "outcome" and _ends(current, event):
            yield current
            current = []
        current.append(event)
    if current:
        yield current


class Learner:
    """Learns from, and unlearns, one tenant's events."""

    def __init__(
        self, database: Database, tenant_id: str, embedder: Embedder, clock: Clock
    ) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._embedder = embedder
        self._clock = clock

    def learn(self, options: LearnOptions) -> Learned:
        """Digest what is new, mine all digests, store what changed."""
        read = self._read_sessions(options)
        types: tuple[ArtifactType, ...] = tuple(options.artifact_types or ARTIFACT_TYPES)
        least = options.min_pattern_strength or 0.0
        how = f"{digest_version} {sorted(types)} {least}"
        while True:
            with self._database.read() as connection, collector_paused():
                seen = self._state(connection)
                if (seen.mined_generation, seen.mined_with) == (seen.digest_generation, how):
                    return self._unchanged(connection, types, read)
                stored = digest_store.load(connection, self._tenant_id, digest_version)
                found = [one for one in _mine(stored, types) if one.strength >= least]
            with self._database.write() as connection:
                if self._state(connection).digest_generation == seen.digest_generation:
                    tenant_store.set_mined(connection, self._tenant_id, seen.digest_generation, how)
                    return self._store(connection, found, types, read)

    def forget(self, wanted: EventFilter) -> Forgotten:
        """Delete events and all that was learned from them alone."""
        with self._database.write() as connection:
            doomed = event_store.matching(connection, self._tenant_id, wanted)
            if not doomed:
                return Forgotten(0, 0, 0)
            sequence = [seq for seq, _ in doomed]
            head = self._state(connection).head
            compiled = digest_store.newest(
                connection, self._tenant_id, sorted({s for _, s in doomed}), digest_version
            )
            event_store.remove(connection, self._tenant_id, sequence)
            tenant_store.events_changed(connection, self._tenant_id)
            for session_id, newest in sorted(compiled.items()):
                made = self._digests(connection, session_id, BEGINNING, min(newest, head))
                self._replace(connection, session_id, BEGINNING, made)
            deleted, updated = self._refresh(connection, set(sequence))
            return Forgotten(len(sequence), deleted, updated)

    def _read_sessions(self, options: LearnOptions) -> int:
        wanted = EventFilter(
            session_id=options.session_id, agent_id=options.agent_id, user_id=options.user_id
        )
        with self._database.read() as connection:
            state = self._state(connection)
            outdated = digest_store.outdated(connection, self._tenant_id, digest_version)
            full = options.scope == "full" or outdated
            pending = self._pending(connection, state, wanted, full=full)
        for start in range(0, len(pending), _SESSIONS_AT_ONCE):
            self._read_some(pending[start : start + _SESSIONS_AT_ONCE], state.head)
        if wanted.is_empty and state.compiled_head < state.head:
            with self._database.write() as connection:
                tenant_store.set_compiled(connection, self._tenant_id, state.head)
        return sum(one.count for one in pending)

    def _pending(
        self, connection: Connection, state: TenantState, wanted: EventFilter, *, full: bool
    ) -> list[Pending]:
        after = 0 if full else state.compiled_head
        found = event_store.pending(connection, self._tenant_id, after, wanted)
        if full:
            return [one.from_the_start() for one in found]
        # Above the watermark there may still be sessions that a filtered run has read.
        known = digest_store.newest(
            connection, self._tenant_id, [one.session_id for one in found], digest_version
        )
        return [one for one in found if known.get(one.session_id, 0) < one.last_seq]

    def _read_some(self, pending: Sequence[Pending], head: int) -> None:
        while True:
            with self._database.read() as connection:
                seen = self._state(connection).generation
                made = [
                    (one.session_id, start, self._digests(connection, one.session_id, start, head))
                    for one in pending
                    for start in (
                        digest_store.stretch_start(
                            connection, self._tenant_id, one.session_id, one.place
                        ),
                    )
                ]
            with self._database.write() as connection:
                if self._state(connection).generation == seen:
                    for session_id, start, digests in made:
                        self._replace(connection, session_id, start, digests)
                    tenant_store.digests_changed(connection, self._tenant_id)
                    return

    def _digests(
        self, connection: Connection, session_id: str, start: tuple[int, int], head: int
    ) -> list[StoredDigest]:
        events = event_store.session_events(connection, self._tenant_id, session_id, start, head)
        return [_digest(session_id, stretch) for stretch in stretches(events)]

    def _replace(
        self,
        connection: Connection,
        session_id: str,
        start: tuple[int, int],
        made: Sequence[StoredDigest],
    ) -> None:
        digest_store.replace(connection, self._tenant_id, session_id, start, made, digest_version)

    def _store(
        self,
        connection: Connection,
        found: Sequence[Candidate],
        types: Sequence[ArtifactType],
        read: int,
    ) -> Learned:
        stored = artifact_store.load(connection, self._tenant_id)
        merged = merge(self._tenant_id, found, stored, types, self._embedder, self._clock())
        if merged.records:
            artifact_store.save(connection, self._tenant_id, merged.records)
            tenant_store.artifacts_changed(connection, self._tenant_id)
        return Learned(
            events=read, patterns=len(found), merge=merged, by_type=self._by_type(connection)
        )

    def _unchanged(
        self, connection: Connection, types: Sequence[ArtifactType], read: int
    ) -> Learned:
        kept = artifact_store.count_kept(connection, self._tenant_id, types)
        return Learned(
            events=read,
            patterns=kept,
            merge=Merge((), created=0, updated=0, unchanged=kept),
            by_type=self._by_type(connection),
        )

    def _by_type(self, connection: Connection) -> dict[str, int]:
        counted = artifact_store.count_active(connection, self._tenant_id)
        return {name: counted.get(name, 0) for name in ARTIFACT_TYPES}

    def _refresh(self, connection: Connection, lost: set[int]) -> tuple[int, int]:
        """Revise what still has evidence, delete what rested on the lost events alone."""
        stored = {one.artifact_id: one for one in artifact_store.load(connection, self._tenant_id)}
        if not stored:
            return 0, 0
        digests = digest_store.load(connection, self._tenant_id, digest_version)
        fresh = {
            name: one
            for one in _mine(digests, ARTIFACT_TYPES)
            if (name := artifact_id(self._tenant_id, one.type, one.key)) in stored
        }
        gone = [
            name
            for name, one in stored.items()
            if name not in fresh and lost.intersection(one.evidence)
        ]
        # Evidence lists are capped, so every artifact is compared, not only those that cite
        # what was lost.
        revised = {name: one for name, one in fresh.items() if not same(stored[name], one)}
        artifact_store.remove(connection, self._tenant_id, gone)
        records = revisions(revised, stored, self._embedder, self._clock())
        artifact_store.save(connection, self._tenant_id, records)
        tenant_store.artifacts_changed(connection, self._tenant_id)
        return len(gone), len(revised)

    def _state(self, connection: Connection) -> TenantState:
        return tenant_store.state(connection, self._tenant_id) or TenantState.nobody()


def _ends(current: list[EventRecord], event: EventRecord) -> bool:
    return (
        len(current) >= STRETCH
        or current[-1].type == "outcome"
        or event.occurred_at - current[-1].occurred_at >= SILENCE
    )


def _digest(session_id: str, stretch: list[EventRecord]) -> StoredDigest:
    return StoredDigest(
        session_id=session_id,
        start_at=stretch[0].occurred_at,
        start_seq=stretch[0].seq,
        compiled_seq=max(event.seq for event in stretch),
        digest=digest_session(stretch),
    )


def _mine(stored: Sequence[StoredDigest], types: Sequence[ArtifactType]) -> list[Candidate]:
    return mine([(one.session_id, one.digest) for one in stored], types)
