"""Learning: from events to digests to artifacts, each step kept so that only news costs.

A session is read in stretches that end where no later event can change what was read (an outcome,
a long silence, or enough events).  Each stretch becomes a digest, a pure function of its events;
the artifacts are a pure function of the set of digests.  So any split of the events into batches,
with learning in between, ends in the same artifacts.

The write lock is held only to store results, so that captures go on while learning computes; two
counters tell when somebody else has changed what a computation started from, and it is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from hippocortex_core.types import ArtifactType, LearnOptions
from hippocortex_engine.checks import ARTIFACT_TYPES
from hippocortex_engine.clock import Clock
from hippocortex_engine.collector import collector_paused
from hippocortex_engine.compiler.compile import mine
from hippocortex_engine.compiler.digest import digest_session, digest_version
from hippocortex_engine.compiler.evidence import MAX_EVENTS
from hippocortex_engine.compiler.version import miner_version
from hippocortex_engine.embeddings.base import Embedder
from hippocortex_engine.identifiers import artifact_id
from hippocortex_engine.merging import Merge, merge, revisions, same
from hippocortex_engine.records import Candidate, EventRecord
from hippocortex_engine.storage import artifacts as artifact_store
from hippocortex_engine.storage import digests as digest_store
from hippocortex_engine.storage import events as event_store
from hippocortex_engine.storage import tenants as tenant_store
from hippocortex_engine.storage.artifacts import ArtifactRecord
from hippocortex_engine.storage.database import Database
from hippocortex_engine.storage.digests import StoredDigest
from hippocortex_engine.storage.events import BEGINNING, EventFilter, Pending
from hippocortex_engine.storage.tenants import TenantState
from hippocortex_engine.strict import swallow

SILENCE = 30 * 60_000
"""Milliseconds without an event after which a session starts anew."""

STRETCH = 400
"""Events after which a stretch ends in any case."""

_TOLD = ("runs", "facts", "rules")
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


@dataclass(frozen=True, slots=True)
class Unlearned:
    """All artifacts as they were before events went, and which of them went with the events."""

    stored: Mapping[str, ArtifactRecord]
    removed: frozenset[str]


UNCHANGED = Unlearned({}, frozenset())


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
        with collector_paused():
            return self._learn(options)

    def _learn(self, options: LearnOptions) -> Learned:
        read = self._read_sessions(options)
        types: tuple[ArtifactType, ...] = tuple(options.artifact_types or ARTIFACT_TYPES)
        least = options.min_pattern_strength or 0.0
        how = f"{digest_version}.{miner_version} {sorted(types)} {least}"
        while True:
            with self._database.read() as connection:
                seen = self._state(connection)
                if (seen.mined_generation, seen.mined_with) == (seen.digest_generation, how):
                    return self._unchanged(connection, types, read)
                stored = digest_store.load(connection, self._tenant_id, digest_version)
                found = [one for one in _mine(stored, types) if one.strength >= least]
            with self._database.write(self._tenant_id) as connection:
                if self._state(connection).digest_generation == seen.digest_generation:
                    tenant_store.set_mined(connection, self._tenant_id, seen.digest_generation, how)
                    return self._store(connection, found, types, read)

    def forget(self, wanted: EventFilter) -> Forgotten:
        """Delete events and all that was learned from them alone.

        The events, and every artifact that rests on them, go in one transaction; what still has
        evidence comes back, without them, in a second.  A crash between the two leaves the next
        `learn` to bring it back.
        """
        with self._database.write(self._tenant_id) as connection:
            doomed = self._doomed(connection, wanted)
            if not doomed:
                return Forgotten(0, 0, 0)
            stored = {
                one.artifact_id: one for one in artifact_store.load(connection, self._tenant_id)
            }
            self._remove_events(connection, doomed)
            resting = _resting(stored, doomed)
            artifact_store.remove(connection, self._tenant_id, resting)
            tenant_store.artifacts_changed(connection, self._tenant_id)
            tenant_store.set_mined(connection, self._tenant_id, -1, "")
        deleted, updated = self._refresh(Unlearned(stored, frozenset(resting)))
        return Forgotten(len(doomed), deleted, updated)

    def _doomed(self, connection: Connection, wanted: EventFilter) -> list[tuple[int, str]]:
        """(sequence number, session) of what is to be forgotten.

        With a user also what nobody in particular said or did on the user's behalf: without the
        user's words it would pass for nobody's, and be shown to everybody.
        """
        named = event_store.matching(connection, self._tenant_id, wanted)
        if wanted.user_id is None or wanted.event_ids is not None or not named:
            return named
        sessions = sorted({session_id for _, session_id in named})
        others = event_store.matching_unnamed(connection, self._tenant_id, wanted, sessions)
        return sorted([*named, *others])

    def unlearn(self, connection: Connection, event_ids: Sequence[str]) -> Unlearned:
        """Delete events, and the artifacts that rest on them, within the caller's transaction.

        Returns:
            What `revise` wants afterwards; nothing, if nothing was learned from the events.
        """
        doomed = [
            one
            for chunk in event_store.chunks(event_ids)
            for one in event_store.matching(
                connection, self._tenant_id, EventFilter(event_ids=tuple(chunk))
            )
        ]
        if not doomed:
            return UNCHANGED
        sessions = sorted({session_id for _, session_id in doomed})
        if not digest_store.known(connection, self._tenant_id, sessions):
            self._remove_unread(connection, [seq for seq, _ in doomed])
            return UNCHANGED
        stored = {one.artifact_id: one for one in artifact_store.load(connection, self._tenant_id)}
        resting = _resting(stored, doomed)
        before = self._told(connection, sessions)
        self._remove_events(connection, doomed)
        # What nobody cites may still tell: who took part in a run, or where a stretch ended.
        if not resting and self._told(connection, sessions) == before:
            return UNCHANGED
        artifact_store.remove(connection, self._tenant_id, resting)
        tenant_store.artifacts_changed(connection, self._tenant_id)
        tenant_store.set_mined(connection, self._tenant_id, -1, "")
        return Unlearned(stored, frozenset(resting))

    def revise(self, unlearned: Unlearned) -> None:
        """After `unlearn`, in transactions of its own: what still has evidence comes back."""
        self._refresh(unlearned)

    def _told(self, connection: Connection, sessions: Sequence[str]) -> dict[str, list[list[Any]]]:
        """What miners read of those of the sessions that tell them anything."""
        found = digest_store.of_sessions(connection, self._tenant_id, sessions, digest_version)
        return {
            session_id: [[digest[name] for name in (*_TOLD, "users")] for digest in made]
            for session_id, made in found.items()
            if any(digest[name] for digest in made for name in _TOLD)
        }

    def _remove_unread(self, connection: Connection, sequence: Sequence[int]) -> None:
        """Delete events of sessions that were never compiled: no artifact changes."""
        before = self._state(connection)
        self._delete(connection, sequence)
        tenant_store.events_changed(connection, self._tenant_id)
        if before.mined_generation == before.digest_generation:
            after = self._state(connection).digest_generation
            tenant_store.set_mined(connection, self._tenant_id, after, before.mined_with)

    def _remove_events(self, connection: Connection, doomed: Sequence[tuple[int, str]]) -> None:
        head = self._state(connection).head
        sessions = sorted({session_id for _, session_id in doomed})
        compiled = digest_store.newest(connection, self._tenant_id, sessions, digest_version)
        self._delete(connection, [seq for seq, _ in doomed])
        tenant_store.events_changed(connection, self._tenant_id)
        for session_id, newest in sorted(compiled.items()):
            made = self._digests(connection, session_id, BEGINNING, min(newest, head))
            self._replace(connection, session_id, BEGINNING, made)

    def _delete(self, connection: Connection, sequence: Sequence[int]) -> None:
        if (archive := self._database.backend.archive) is not None:
            archive.remove(connection, self._tenant_id, sequence)
        event_store.remove(connection, self._tenant_id, sequence)

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
            self._read_some(pending[start : start + _SESSIONS_AT_ONCE])
        if wanted.is_empty and state.compiled_head < state.head:
            with self._database.write(self._tenant_id) as connection:
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

    def _read_some(self, pending: Sequence[Pending]) -> None:
        while True:
            with self._database.read() as connection:
                # Up to what is there now: another process may have read further meanwhile, and
                # its digests must not be replaced by shorter ones.
                seen = self._state(connection)
                made = [
                    (
                        one.session_id,
                        start,
                        self._digests(connection, one.session_id, start, seen.head),
                    )
                    for one in pending
                    for start in (
                        digest_store.stretch_start(
                            connection, self._tenant_id, one.session_id, one.place
                        ),
                    )
                ]
            with self._database.write(self._tenant_id) as connection:
                if self._state(connection).digest_generation == seen.digest_generation:
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

    def _refresh(self, unlearned: Unlearned) -> tuple[int, int]:
        """After events went: revise what still has evidence, delete what has none."""
        stored = unlearned.stored
        while stored:
            with self._database.read() as connection, collector_paused():
                seen = self._state(connection)
                digests = digest_store.load(connection, self._tenant_id, digest_version)
            found = {
                artifact_id(self._tenant_id, one.type, one.key): one
                for one in _mine(digests, ARTIFACT_TYPES)
            }
            # What a threshold has put out of use stays so.
            kept = {
                name: replace(found[name], status="deprecated")
                if one.candidate.status == "deprecated"
                else found[name]
                for name, one in stored.items()
                if name in found
            }
            revised = {
                name: one
                for name, one in kept.items()
                if name in unlearned.removed or not same(stored[name], one)
            }
            gone = [name for name in stored if name not in kept]
            with self._database.write(self._tenant_id) as connection:
                if self._state(connection).digest_generation != seen.digest_generation:
                    continue
                artifact_store.remove(connection, self._tenant_id, gone)
                records = revisions(revised, stored, self._embedder, self._clock())
                artifact_store.save(connection, self._tenant_id, records)
                tenant_store.artifacts_changed(connection, self._tenant_id)
                return len(gone), len(revised)
        return 0, 0

    def _state(self, connection: Connection) -> TenantState:
        return tenant_store.state(connection, self._tenant_id) or TenantState.nobody()


def _resting(stored: Mapping[str, ArtifactRecord], doomed: Sequence[tuple[int, str]]) -> list[str]:
    """The artifacts that events stand behind.

    One with as much evidence as is kept may rest on older events too, if of its sessions.
    """
    lost, sessions = {seq for seq, _ in doomed}, {session_id for _, session_id in doomed}
    return [
        name
        for name, one in stored.items()
        if lost.intersection(one.evidence)
        or (len(one.evidence) >= MAX_EVENTS and sessions.intersection(one.candidate.sessions))
    ]


def _ends(current: list[EventRecord], event: EventRecord) -> bool:
    return (
        len(current) >= STRETCH
        or current[-1].type == "outcome"
        or event.occurred_at - current[-1].occurred_at >= SILENCE
    )


def _digest(session_id: str, stretch: list[EventRecord]) -> StoredDigest:
    try:
        made = digest_session(stretch)
    except Exception as fault:  # noqa: BLE001 - one event must never stop all learning
        swallow(fault)
        made = digest_session([])
    return StoredDigest(
        session_id=session_id,
        start_at=stretch[0].occurred_at,
        start_seq=stretch[0].seq,
        compiled_seq=max(event.seq for event in stretch),
        digest=made,
    )


def _mine(stored: Sequence[StoredDigest], types: Sequence[ArtifactType]) -> list[Candidate]:
    return mine([(one.session_id, one.digest) for one in stored], types)
