"""Checks of what is captured."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hippocortex_core.marking import mark
from hippocortex_core.scope import Scope
from hippocortex_core.testing.contract.bench import ANN, Bench
from hippocortex_core.testing.contract.driver import Mode
from hippocortex_core.testing.contract.script import (
    BACKUP,
    DEPLOY,
    TALK,
    ToolFailed,
    Turn,
    numbered,
)
from hippocortex_core.testing.contract.world import World
from hippocortex_core.testing.llm_server import Answer
from hippocortex_core.types import Event

OPENAI_KEY = "sk-proj-Zx81kLmq93vBn27sTtYw56Pa"
AWS_KEY = "AKIAQ3EGZT5M7WXK2PLD"
PASSWORD = "k0rrekt-h0rse-battery"  # noqa: S105 - that is the point
TURN = ("user", "tool_call", "tool_result", "assistant")
"""What a turn with a tool is made of."""
PROCEDURE = "run make migrate-7f3 before it"


class CaptureChecks:
    """What the user, the agent and its tools say and do reaches the memory: once, and no more."""

    def test_user_message_captured(self, bench: Bench, world: World, mode: Mode) -> None:
        """One message of the user holds their words."""
        bench.ran(mode, TALK)
        said = world.messages("user")
        assert [TALK.user in text for text in said] == [True], said

    def test_assistant_message_captured(self, bench: Bench, world: World, mode: Mode) -> None:
        """One message of the assistant holds the answer."""
        bench.ran(mode, TALK)
        said = world.messages("assistant")
        assert [TALK.final in text for text in said] == [True], said

    def test_tool_call_captured(self, bench: Bench, world: World, mode: Mode) -> None:
        """The call has the arguments that the tool got, and the result what it gave."""
        bench.ran(mode, DEPLOY)
        (call,) = world.of_type("tool_call")
        (result,) = world.of_type("tool_result")
        assert (call["tool"], call["args"]) == (
            "deploy",
            {"service": "payments", "env": "staging"},
        )
        assert result["tool"] == "deploy"
        assert call["call_id"] == result["call_id"]
        assert "build 4711" in json.dumps(result["result"])
        assert "error" not in result

    def test_tool_failure_captured(self, bench: Bench, world: World, mode: Mode) -> None:
        """A tool raises; whether that ends the run is the framework's business."""
        agent = bench.agent(BACKUP)
        try:
            bench.run(agent, BACKUP, mode)
        except Exception as error:
            if not _is_scripted(error):
                raise
        (call,) = world.of_type("tool_call")
        (result,) = world.of_type("tool_result")
        assert call["args"] == {"volume": "vol-7"}
        assert call["call_id"] == result["call_id"]
        told = result.get("error" if bench.driver.flags_failures else "result")
        assert "disk quota exceeded" in str(told), result

    def test_memory_never_captured_back(self, bench: Bench, world: World, mode: Mode) -> None:
        """Neither what was injected, nor where the model repeats it."""
        quoting = Answer(f"As recalled:\n{mark(f'- {DEPLOY.user}: {PROCEDURE}')}\nSo I did that.")
        turn = Turn(DEPLOY.user, (DEPLOY.replies[0], quoting))
        world.knows(f"{turn.user}: {PROCEDURE}", ANN.user_id)
        agent = bench.ran(mode, turn)
        captured = json.dumps([event.payload for event in world.events])
        assert "migrate-7f3" not in captured
        assert "hippocortex_memory" not in captured
        assert "So I did that." in captured
        assert "assistant" in captured
        assert agent.requests

    def test_session_stable(self, bench: Bench, world: World, mode: Mode) -> None:
        """Two turns of one conversation, one of another."""
        agent = bench.ran(mode, TALK, DEPLOY)
        first = world.events
        assert len({event.session_id for event in first}) == 1
        other = bench.agent(BACKUP, TALK)
        bench.run(other, TALK, mode, replace(ANN, session_id="conversation-two"))
        known = {event.id for event in first}
        second = [event for event in world.events if event.id not in known]
        assert second
        assert {event.session_id for event in second}.isdisjoint(e.session_id for e in first)
        assert agent.requests

    def test_replay_without_duplicates(self, bench: Bench, world: World, mode: Mode) -> None:
        """What a run that delivers things twice leaves is what a plain one leaves."""
        agent = bench.agent(DEPLOY)
        agent.replay(DEPLOY.user, Scope("conversation-replayed", "ann"), mode)
        found = world.events
        repeated = [what for what, times in Counter(map(_brief, found)).items() if times > 1]
        assert repeated == []
        assert _kinds(found) == dict.fromkeys(TURN, 1)

    def test_flush_delivers(self, bench: Bench, world: World, mode: Mode) -> None:
        """Ten turns in a row, then one flush."""
        turns = [numbered(number) for number in range(10)]
        agent = bench.agent(*turns)
        for number, turn in enumerate(turns):
            bench.run(agent, turn, mode, Scope(f"conversation-{number}", "ann"))
        assert _kinds(world.events) == dict.fromkeys(TURN, len(turns))

    def test_secrets_redacted(self, bench: Bench, world: World, mode: Mode) -> None:
        """In words, arguments and results."""
        args = {"service": "payments", "env": f"password={PASSWORD}"}
        turn = Turn(
            f"Deploy with the key {OPENAI_KEY} please",
            (
                Answer(calls=(("call_secret_1", "deploy", args),)),
                Answer(f"Done, with {AWS_KEY}."),
            ),
        )
        bench.ran(mode, turn)
        stored = json.dumps([event.payload for event in world.events])
        assert [one for one in (OPENAI_KEY, AWS_KEY, PASSWORD) if one in stored] == []
        assert stored.count("[redacted:") >= len(TURN), "message, arguments, result and answer"


def _kinds(events: Sequence[Event]) -> dict[str, int]:
    """How many of each of `TURN` there are; a framework may tell of more, such as an outcome."""
    counts = Counter(kind for kind, _ in map(_brief, events))
    return {kind: counts[kind] for kind in TURN}


def _brief(event: Event) -> tuple[str, str]:
    """What an event is, and what it says."""
    kind = event.payload["role"] if event.type == "message" else event.type
    return kind, json.dumps(_timeless(event.payload), sort_keys=True)


def _timeless(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name != "call_id"}


def _is_scripted(error: BaseException | None) -> bool:
    """Whether the exception is, or tells of, the one that the tool raised."""
    while error is not None:
        if isinstance(error, ToolFailed) or "disk quota exceeded" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
