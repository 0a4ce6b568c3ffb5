"""What is said and done reaches the memory, once, and nothing that must not."""

import json

import pytest

from hippocortex_core.testing.llm_server import Answer

pytestmark = pytest.mark.timeout(600)


def call(name, **args):
    return Answer(calls=[("call_1", name, args)])


def test_a_turn_is_captured_step_by_step(openclaw, memory, brief):
    session = "agent:main:steps"
    words = "Check the build, please."
    failing = {"command": "echo the disk is full; exit 3"}
    turn = openclaw.says(
        words,
        call("exec", **failing),
        call("read", path="missing.txt"),
        call("tool_search", query="the status of this session"),
        call("tool_call", id="session_status", args={}),
        Answer("I looked.", calls=[("call_9", "exec", {"command": "echo fine"})]),
        "The disk was full.",
        session=session,
    )
    assert turn.reply.endswith("The disk was full.")
    events = memory.captured(session, 11)
    steps = [brief(event) for event in events]
    assert steps == [
        ("user", words),
        ("call", "exec", failing),
        ("result", "exec", "exit code 3: the disk is full"),
        ("call", "read", {"path": "missing.txt"}),
        ("result", "read", steps[4][2]),
        ("call", "session_status", {}),
        ("result", "session_status", None),
        ("assistant", "I looked."),
        ("call", "exec", {"command": "echo fine"}),
        ("result", "exec", None),
        ("assistant", "The disk was full."),
    ]
    assert "missing.txt" in steps[4][2]
    results = [event.payload for event in events if event.type == "tool_result"]
    assert [result.get("exit_code") for result in results] == [3, None, None, 0]


def test_every_event_says_whose_it_is(openclaw, memory):
    session = "agent:ops:discord:channel:42:thread:7"
    openclaw.says("Who are we?", "A channel.", session=session, agent="ops")
    said, answered = memory.captured(session, 2)
    run = said.metadata.pop("run_id")
    assert said.metadata.pop("channel") == "webchat"
    assert said.metadata == {
        "source": "openclaw",
        "user_id": "discord:channel:42",
        "agent_id": "ops",
        "session_key": session,
        "model": "model",
    }
    assert answered.metadata["run_id"] == run
    assert answered.session_id == said.session_id
    assert said.idempotency_key == f"oc:{run}:user"


def test_secrets_do_not_leave_openclaw(openclaw, memory):
    session = "agent:main:secrets"
    secret = "ghp_" + "a1B2" * 9
    words = f"Log in with {secret}."
    echo = call("exec", command=f"echo {secret}; exit 1")
    openclaw.says(words, echo, f"{secret} was refused.", session=session)
    said, called, returned, answered = (str(one) for one in memory.captured(session, 4))
    assert secret not in said + called + returned + answered
    # What a tool returned, the host has masked in its own way already.
    assert all("[redacted:" in one for one in (said, called, answered))


def test_a_model_that_fails_is_an_outcome(openclaw, memory, brief):
    session = "agent:main:failing"
    turn = openclaw.says("Say something.", Answer(status=400), session=session)
    assert turn.reply is None
    said, outcome = memory.captured(session, 2)
    assert brief(said) == ("user", "Say something.")
    assert outcome.type == "outcome"
    assert outcome.payload["success"] is False
    assert "scripted 400" in outcome.payload["summary"]


def test_heartbeats_are_not_captured(openclaw, memory, model, eventually):
    before = len(model.requests)
    model.steps = [Answer("The moon is full tonight.")]
    openclaw.openclaw("system", "event", "--text", "Look at the moon.", "--mode", "now")
    eventually(lambda: len(model.requests) > before, "a heartbeat")
    # Turns are delivered in order: once this one is there, the heartbeat would be, too.
    openclaw.says("What now?", "Nothing.", session="agent:main:main")
    memory.captured("agent:main:main", 2)
    assert "moon" not in str([event.payload for event in memory.events()])


def test_a_subagent_of_a_group_has_the_memory_of_the_group(openclaw, memory, model, eventually):
    memory.knows("The bicycle is locked with 4711.")
    group = "agent:main:telegram:group:-200"

    def model_of_both(messages):
        said = json.dumps(messages)
        if "[Subagent Task]" in said:
            return Answer("It stands in the cellar.")
        if '"tool_call_id"' in said:
            return Answer("It looks.")
        return call("tool_call", id="sessions_spawn", args={"task": "Find my bicycle."})

    before = len(model.requests)
    openclaw.says("Have my bicycle looked for.", model_of_both, session=group)

    def announced():
        """The group's agent is told at last, in a run of its own."""
        runs = {event.metadata["run_id"] for event in memory.events(group)}
        return any(run.startswith("announce:") for run in runs)

    eventually(announced, "the end of the subagent")
    asked = [json.dumps(request) for request in model.requests[before:]]
    assert any("[Subagent Task]" in one for one in asked)
    assert not any("4711" in one for one in asked)
    events = [one for one in memory.events() if ":subagent:" in one.metadata["session_key"]]
    assert [one.payload["content"] for one in events] == [
        "Find my bicycle.",
        "It stands in the cellar.",
    ]
    assert {one.metadata["user_id"] for one in events} == {"telegram:group:-200"}
