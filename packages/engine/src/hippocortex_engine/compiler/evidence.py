"""The events behind a pattern, and the fields of a candidate that follow from them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hippocortex_engine.compiler.model import Run, Session

MAX_EVENTS = 200

Part = tuple[int, Session, Sequence[int]]
"""When it happened, in which session, and at which positions."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a pattern rests on.  `times` are those of its parts, for recency."""

    events: tuple[str, ...]
    sessions: tuple[str, ...]
    users: tuple[str | None, ...]
    agents: tuple[str | None, ...]
    first_at: int
    last_at: int
    salience: float
    times: tuple[int, ...]

    def fields(self) -> dict[str, Any]:
        """As keyword arguments of `Candidate`."""
        return {
            "evidence": self.events,
            "sessions": self.sessions,
            "users": self.users,
            "agents": self.agents,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "salience": self.salience,
        }


def of_runs(runs: Iterable[Run]) -> Evidence:
    """Evidence of whole runs."""
    return of_parts([(run.ended_at, run.session, ()) for run in runs], list(runs))


def of_parts(parts: Sequence[Part], runs: Sequence[Run] = ()) -> Evidence:
    """Evidence of parts of sessions; the newest 200 events are kept, in the order they happened.

    Args:
        parts: at least one.
        runs: where given, parallel to the parts, whose positions are then those of the run.
    """
    if len(parts) == 1 and not runs:
        return _of_one(*parts[0])
    indices = range(len(parts))
    newest = heapq.nlargest(MAX_EVENTS, indices, key=lambda i: (parts[i][0], parts[i][1].place, i))
    kept: dict[tuple[tuple[str, int], int], tuple[int, float, str]] = {}
    for index in newest:
        _, session, positions = parts[index]
        for at in runs[index].positions() if runs else positions:
            kept[session.place, at] = session.times[at], session.salience[at], session.events[at]
        if len(kept) >= MAX_EVENTS:
            break
    ordered = sorted((when, *where, level, event) for where, (when, level, event) in kept.items())
    ordered = ordered[-MAX_EVENTS:]
    sessions = {session.place: session for _, session, _ in parts}
    times = tuple(part[0] for part in parts)
    return Evidence(
        events=tuple(event for *_, event in ordered),
        sessions=tuple(sorted({session_id for session_id, _ in sessions})),
        users=_distinct(user for session in sessions.values() for user in session.users),
        agents=_distinct(agent for session in sessions.values() for agent in session.agents),
        first_at=min(*times, ordered[0][0]),
        last_at=max(times),
        salience=round(sum(row[3] for row in ordered) / len(ordered), 6),
        times=times,
    )


def _of_one(at: int, session: Session, positions: Sequence[int]) -> Evidence:
    """The shortcut for statements, of which there are many."""
    first, last = session.times[positions[0]], session.times[positions[-1]]
    return Evidence(
        events=tuple(session.events[position] for position in positions),
        sessions=(session.id,),
        users=tuple(session.users),
        agents=tuple(session.agents),
        first_at=first,
        last_at=max(at, last),
        salience=round(sum(session.salience[n] for n in positions) / len(positions), 6),
        times=(at,),
    )


def _distinct(values: Iterable[str | None]) -> tuple[str | None, ...]:
    return tuple(sorted(set(values), key=lambda value: (value is not None, value or "")))
