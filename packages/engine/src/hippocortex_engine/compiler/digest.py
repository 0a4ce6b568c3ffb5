"""Map: the events of one session to its digest, the little that the miners need of them.

A digest is JSON: ids of events once in a list, everything else by position; long values are
dropped.  It is a pure function of the session's events, so it is made again when there are
new ones and never updated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hippocortex_engine.compiler import episodes
from hippocortex_engine.compiler.labels import STEP_TYPES
from hippocortex_engine.compiler.language import keywords
from hippocortex_engine.compiler.rules import rules_of
from hippocortex_engine.compiler.statements import Dialogue
from hippocortex_engine.compiler.storable import storable
from hippocortex_engine.compiler.trace import Trace
from hippocortex_engine.payloads import (
    is_kept_document,
    message_text,
    role,
    speaker,
    succeeded,
)
from hippocortex_engine.records import EventRecord

digest_version: int = 6
"""Digests of another version must be made again."""

_MAX_KEYWORDS = 24
_ENOUGH_KEYWORDS = 6


class _Index:
    """Positions of the events that the digest refers to."""

    def __init__(self) -> None:
        self.positions: dict[int, int] = {}
        self.events: list[EventRecord] = []

    def of(self, event: EventRecord) -> int:
        known = self.positions.get(id(event))
        if known is None:
            known = self.positions[id(event)] = len(self.events)
            self.events.append(event)
        return known


def digest_session(events: Sequence[EventRecord]) -> dict[str, Any]:
    """The digest of a session.

    Args:
        events: all events of one session, sorted by time.

    Returns:
        A JSON-serialisable dict, read back by `model.read`.
    """
    index = _Index()
    outcomes = _outcomes(events)
    users = _distinct([event.user_id for event in events])
    runs = [
        [*run, _users(events[a:b], users)]
        for a, b in episodes.split(events)
        if (run := _run(events[a:b], index, outcomes[b - 1]))
    ]
    facts, rules = _said(events, index)
    start = events[0].occurred_at if events else 0
    return {
        "version": digest_version,
        "start": start,
        "users": users,
        "agents": _distinct([event.agent_id for event in events]),
        **storable({"runs": runs, "facts": facts, "rules": rules}),
        "events": [event.event_id for event in index.events],
        "times": [event.occurred_at - start for event in index.events],
        "salience": [round(event.salience, 3) for event in index.events],
    }


def _distinct(ids: list[str | None]) -> list[str | None]:
    return sorted(set(ids), key=lambda value: (value is not None, value or ""))


def _users(events: Sequence[EventRecord], known: list[str | None]) -> list[int]:
    """The places of those whose events a run holds: who judges it has no part in it."""
    users = {event.user_id for event in events if event.type != "outcome" and event.user_id}
    return [place for place, user in enumerate(known) if user in users]


def _outcomes(events: Sequence[EventRecord]) -> list[EventRecord | None]:
    """For each event the outcome that judges it: the next one in the session."""
    judged: list[EventRecord | None] = []
    verdict: EventRecord | None = None
    for event in reversed(events):
        if event.type == "outcome":
            verdict = event
        judged.append(verdict)
    return judged[::-1]


def _run(
    events: Sequence[EventRecord], index: _Index, outcome: EventRecord | None
) -> list[Any] | None:
    trace = Trace(index.of)
    words: dict[str, None] = {}
    request: EventRecord | None = None
    for event in events:
        if event.type in STEP_TYPES:
            trace.step(event)
        elif event.type == "message" and role(event.payload) == "user":
            text = message_text(event.payload)
            trace.user_said(text)
            if len(words) < _ENOUGH_KEYWORDS:
                keywords(text[:2_000], _MAX_KEYWORDS, words)
            request = request or event
    if not trace.steps:
        return None
    verdict = None if outcome is None else succeeded(outcome.payload)
    judged = -1 if outcome is None else index.of(outcome)
    asked = -1 if request is None else index.of(request)
    return [asked, " ".join(words), verdict, judged, trace.rows()]


def _several_people(events: Sequence[EventRecord]) -> bool:
    """Whether people talk to each other here: what they demand then is not for an agent."""
    names = {
        speaker(event.payload)
        for event in events
        if event.type == "message" and role(event.payload) == "user"
    }
    return len(names - {None}) > 1


def _said(events: Sequence[EventRecord], index: _Index) -> tuple[list[list[Any]], list[list[Any]]]:
    dialogue = Dialogue()
    talk = _several_people(events)
    rules: list[list[Any]] = []
    for event in events:
        if event.type != "message" and not is_kept_document(event.type, event.payload):
            continue
        for fact in dialogue.facts_of(event):
            dialogue.keep(fact._replace(position=index.of(event)))
        if not talk and role(event.payload) == "user":
            text = message_text(event.payload)
            rules += [
                list(rule._replace(position=index.of(event), user=event.user_id or None))
                for rule in rules_of(text)
            ]
    return [list(fact) for fact in dialogue.kept], rules
