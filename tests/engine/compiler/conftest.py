"""Small helpers that make real-shaped sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hippocortex_engine.compiler.compile import mine
from hippocortex_engine.compiler.digest import digest_session
from hippocortex_engine.records import Candidate, EventRecord

START = 1_750_000_000_000
HOUR = 3_600_000
TYPES = ("task_schema", "failure_playbook", "causal_pattern", "decision_policy", "fact")


class Session:
    """Builds the events of one session, five seconds apart."""

    def __init__(self, session_id: str, user: str | None = None, at: int = START) -> None:
        self.id = session_id
        self.user = user
        self.now = at
        self.events: list[EventRecord] = []
        self.calls = 0

    def event(self, type_: str, payload: Mapping[str, Any], **fields: Any) -> Session:
        number = len(self.events)
        self.now += 5_000
        self.events.append(
            EventRecord(
                seq=number,
                event_id=f"{self.id}:{number:03d}",
                session_id=self.id,
                type=type_,
                payload=payload,
                occurred_at=self.now,
                captured_at=self.now,
                salience=0.5,
                user_id=self.user,
                **fields,
            )
        )
        return self

    def user_says(self, text: str, **fields: Any) -> Session:
        return self.event("message", {"role": "user", "content": text}, **fields)

    def says(self, speaker: str, text: str) -> Session:
        return self.event("message", {"role": "user", "speaker": speaker, "content": text})

    def agent_says(self, text: str) -> Session:
        return self.event("message", {"role": "assistant", "content": text})

    def calls_tool(self, tool: str, result: Any = "ok", /, **args: Any) -> Session:
        self.calls += 1
        call_id = f"call_{self.calls}"
        self.event("tool_call", {"tool": tool, "args": args, "call_id": call_id})
        return self.event("tool_result", {"tool": tool, "result": result, "call_id": call_id})

    def runs(self, command: str, exit_code: int = 0, output: str = "") -> Session:
        return self.event(
            "command_exec", {"command": command, "exit_code": exit_code, "output": output}
        )

    def ends(self, success: bool | None) -> Session:
        return self.event("outcome", {} if success is None else {"success": success})

    def by(self, user: str | None) -> Session:
        """Whose the events from here on are."""
        self.user = user
        return self

    def later(self, hours: float) -> Session:
        self.now += int(hours * HOUR)
        return self


Learn = Callable[..., list[Candidate]]


@pytest.fixture
def session() -> Callable[..., Session]:
    """Makes sessions a day apart."""
    made: list[Session] = []

    def make(session_id: str | None = None, user: str | None = None) -> Session:
        number = len(made)
        new = Session(session_id or f"s{number:03d}", user, START + number * 24 * HOUR)
        made.append(new)
        return new

    return make


@pytest.fixture
def learn() -> Learn:
    """Compiles sessions; of one type if asked, current artifacts only unless told otherwise."""

    def run(sessions: Any, type_: str | None = None, *, superseded: bool = False) -> Any:
        digests = {one.id: digest_session(one.events) for one in sessions}
        found = mine(digests.items(), [type_] if type_ else TYPES)
        return [one for one in found if superseded or one.status == "active"]

    return run
