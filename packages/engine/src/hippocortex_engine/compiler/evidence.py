"""The events behind a pattern, and the fields of a candidate that follow from them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hippocortex_engine.compiler.model import Run, Session
from hippocortex_engine.compiler.ownership import NOBODY, Users, audience

MAX_EVENTS = 200

_Place = tuple[tuple[str, int], int]
_Row = tuple[int, tuple[str, int], int, float, str]
"""When, in which stretch of which session, at which position, its salience and id."""


class Part(NamedTuple):
    """A part of a session: when, where, at which positions (all of a run's), and whose."""

    at: int
    session: Session
    positions: Sequence[int] | Run
    users: Users = NOBODY

    def where(self) -> Sequence[int]:
        """Its positions."""
        return self.positions.positions() if isinstance(self.positions, Run) else self.positions


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a pattern rests on.

    `own_sessions` counts the sessions that speak for it and `times` are those of its parts:
    confidence follows from them.
    """

    events: tuple[str, ...]
    sessions: tuple[str, ...]
    users: tuple[str | None, ...]
    agents: tuple[str | None, ...]
    first_at: int
    last_at: int
    salience: float
    own_sessions: int
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


def of_runs(runs: Iterable[Run], others: Iterable[Run] = ()) -> Evidence:
    """Evidence of whole runs; `others` as in `of_parts`."""
    return of_parts([_whole(run) for run in runs], [_whole(run) for run in others])


def _whole(run: Run) -> Part:
    return Part(run.ended_at, run.session, run, run.users)


def of_parts(parts: Sequence[Part], others: Sequence[Part] = ()) -> Evidence:
    """Evidence of parts of sessions; the newest 200 events are kept, in the order they happened.

    Args:
        parts: what speaks for the pattern; at least one.
        others: what is shown or counted beside it.  It has its place in the evidence as far as
            there is room, but its times and salience do not count.
    """
    if len(parts) == 1 and not others and not isinstance(parts[0].positions, Run):
        return _of_one(parts[0], parts[0].positions)
    own = _newest(parts, MAX_EVENTS, {})
    shown = {**own, **_newest(others, MAX_EVENTS - len(own), own)}
    sessions = {part.session.place: part.session for part in (*parts, *others)}
    times = tuple(part.at for part in parts)
    return Evidence(
        events=tuple(row[-1] for row in sorted(shown.values())),
        sessions=tuple(sorted({session_id for session_id, _ in sessions})),
        users=audience(part.users for part in (*parts, *others)),
        agents=_distinct(agent for session in sessions.values() for agent in session.agents),
        first_at=min(*times, *(row[0] for row in own.values())),
        last_at=max(times),
        salience=round(sum(row[3] for row in sorted(own.values())) / len(own), 6),
        own_sessions=len({part.session.id for part in parts}),
        times=times,
    )


def _newest(parts: Sequence[Part], room: int, taken: dict[_Place, _Row]) -> dict[_Place, _Row]:
    kept: dict[_Place, _Row] = {}
    order = range(len(parts))
    for index in heapq.nlargest(
        room, order, key=lambda i: (parts[i].at, parts[i].session.place, i)
    ):
        session = parts[index].session
        for at in parts[index].where():
            place = session.place, at
            if place not in taken:
                kept[place] = (session.times[at], *place, session.salience[at], session.events[at])
        if len(kept) >= room:
            break
    last = sorted(kept.values())[-room:] if room else []
    return {(row[1], row[2]): row for row in last}


def _of_one(part: Part, positions: Sequence[int]) -> Evidence:
    """The shortcut for statements, of which there are many."""
    session = part.session
    first, last = session.times[positions[0]], session.times[positions[-1]]
    return Evidence(
        events=tuple(session.events[position] for position in positions),
        sessions=(session.id,),
        users=audience([part.users]),
        agents=tuple(session.agents),
        first_at=first,
        last_at=max(part.at, last),
        salience=round(sum(session.salience[n] for n in positions) / len(positions), 6),
        own_sessions=1,
        times=(part.at,),
    )


def _distinct(values: Iterable[str | None]) -> tuple[str | None, ...]:
    return tuple(sorted(set(values), key=lambda value: (value is not None, value or "")))
