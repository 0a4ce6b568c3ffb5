"""What the plugin captured live, and what the importer finds of it afterwards, are the same events.

recorded.json holds five turns of OpenClaw 2026.9.6: what it told its plugins, and what it stored. In
them a command exits with 3, a file is missing, a tool behind a wrapper raises, a model's call fails,
and an answer is `NO_REPLY` at first.
"""

import json
from pathlib import Path

import pytest

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))
SETTINGS = {"redact": True, "scope": "conversation", "userId": "owner"}


@pytest.fixture
def live(pure):
    """The events that the plugin makes of what OpenClaw told it."""
    found, began, done = [], {}, {}
    for hook in RECORDED["hooks"]:
        event, context, at = hook["event"], hook["context"], hook["at"]
        run_id = context["runId"]
        tools = done.setdefault(run_id, [])
        if hook["name"] == "before_prompt_build":
            began.setdefault(run_id, at)
        elif hook["name"] == "after_tool_call":
            if pure.call("events", "isCaptured", event["toolName"]):
                name = pure.call("events", "callKey", event["toolCallId"])
                tools += pure.call("events", "toolSteps", event, name, at, SETTINGS)
        else:
            since = began[run_id]
            messages = pure.call("session", "messagesOfRun", event["messages"], since, at)
            failure = pure.call("events", "failureStep", event, messages, at, SETTINGS)
            silent = pure.call("events", "isSilent", messages)
            if silent and not tools and not failure:
                continue
            said = pure.call("events", "messageSteps", messages, SETTINGS)
            steps = [*said, *tools, *([failure] if failure else [])]
            tools.clear()
            conversation = pure.call("conversation", "conversationOf", context, SETTINGS)
            origin = {"conversation": conversation, "runId": run_id}
            origin["sessionKey"] = context["sessionKey"]
            origin["model"] = context["modelId"]
            found += pure.call("events", "eventsOf", steps, origin, at)
    return found


@pytest.fixture
def imported(state):
    talk = state.talk(RECORDED["entries"][0]["id"])
    talk.entries = RECORDED["entries"]
    state.store(talk, "agent:main:k")
    return state.events()


def test_the_importer_finds_what_was_captured_live_and_no_more(live, imported):
    keys = [event["idempotencyKey"] for event in live]
    assert sorted(event.idempotency_key for event in imported) == sorted(keys)
    assert len(set(keys)) == len(keys) >= 20


def test_they_say_the_same_about_the_same(live, imported):
    theirs = {event["idempotencyKey"]: event for event in live}
    for event in imported:
        other = theirs[event.idempotency_key]
        assert (event.type, event.session_id) == (other["type"], other["sessionId"])
        assert event.payload == other["payload"]
        assert event.metadata == other["metadata"]
