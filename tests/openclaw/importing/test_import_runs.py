"""What a transcript says, as events: words, calls, results, failures, and their keys."""

import pytest


def keys(events):
    return [event.idempotency_key for event in events]


def test_a_turn_becomes_events_in_order(state):
    talk = state.talk().user("Deploy payments").agent("On it", ("call_1", "exec", {"command": "x"}))
    talk.result("call_1", "exec", "done", exitCode=0, status="completed").agent("It is live")
    state.store(talk)
    events = state.events()
    assert [event.payload for event in events] == [
        {"role": "user", "content": "Deploy payments"},
        {"role": "assistant", "content": "On it"},
        {"tool": "exec", "args": {"command": "x"}, "call_id": "call1"},
        {"tool": "exec", "result": "done", "exit_code": 0, "call_id": "call1"},
        {"role": "assistant", "content": "It is live"},
    ]
    assert {event.session_id for event in events} == {"s1"}
    assert events[0].metadata == {
        "source": "openclaw",
        "user_id": "owner",
        "agent_id": "main",
        "session_key": "agent:main:main",
        "run_id": "r1",
        "model": "mock-1",
    }


def test_keys_are_those_of_the_plugin(state, start):
    talk = state.talk().user("Go").agent("", ("call_1", "exec", {}), ("call_2", "tool_call", {}))
    talk.result("call_1", "exec", "ok").nested("call_2", "deploy", 1, {}, "ok")
    talk.result("call_2", "tool_call", "{}").agent("Done")
    state.store(talk)
    events = state.events()
    assert keys(events) == [
        "oc:r1:user",
        "oc:r1:call1:call",
        "oc:r1:call1:result",
        "oc:r1:call2.1:call",
        "oc:r1:call2.1:result",
        f"oc:r1:assistant:{start + 6_000}",
    ]
    assert [event.occurred_at[-10:] for event in events[:2]] == ["01:40.000Z", "01:41.000Z"]
    assert events[3].payload["call_id"] == events[4].payload["call_id"] == "call2.1"


def test_a_long_key_is_its_hash(state):
    state.store(state.talk().turn("Hi", "Hello", run="r" * 300))
    assert all(key.startswith("sha256-") and len(key) == 71 for key in keys(state.events()))


@pytest.mark.parametrize(
    ("text", "more", "why"),
    [
        ("one\ntwo\n\n(Command exited with code 3)", {"exitCode": 3}, "exit code 3: one\ntwo"),
        ("one\n\n(Command exited with code 3)", {}, "exit code 3: one"),
        ("a\nb\nc\nd", {"exitCode": 1}, "exit code 1: b\nc\nd"),
        ("", {"exitCode": 2}, "exit code 2"),
        ("cut off", {"exitCode": None, "exitSignal": "SIGKILL"}, "ended by SIGKILL: cut off"),
        ("{}", {"status": "error", "error": "File not found"}, "File not found"),
        ("it broke", {"failed": True}, "it broke"),
        ("", {"failed": True}, "failed"),
    ],
)
def test_a_failure_says_why(state, text, more, why):
    talk = state.talk().user("Go").agent("", ("c1", "exec", {})).result("c1", "exec", text, **more)
    state.store(talk)
    assert state.said()[-1] == ("failure", "exec", why)


def test_a_call_through_a_wrapper_is_captured_once_as_itself(state):
    wrapped = {"id": "openclaw:probe:deploy", "args": {"service": "pay"}}
    talk = state.talk().user("Go").agent("", ("c0", "tool_search", {"query": "deploy"}))
    talk.result("c0", "tool_search", "[]").agent("", ("c1", "tool_call", wrapped))
    talk.nested("c1", "deploy", 1, {"service": "pay"}, "too old", failed=True)
    talk.result("c1", "tool_call", '{"status": "error"}', failed=True)
    state.store(talk)
    assert state.said()[1:] == [
        ("call", "deploy", {"service": "pay"}),
        ("failure", "deploy", "too old"),
    ]


def test_a_wrapper_without_a_record_of_what_it_called_is_unwrapped(state):
    wrapped = {"id": "openclaw:probe:deploy", "args": {"service": "pay"}}
    inside = '{"result": {"content": [{"type": "text", "text": "live"}], "details": {}}}'
    talk = state.talk().user("Go").agent("", ("c1", "tool_call", wrapped))
    state.store(talk.result("c1", "tool_call", inside))
    assert state.said()[1:] == [
        ("call", "deploy", {"service": "pay"}),
        ("result", "deploy", "live"),
    ]
    assert keys(state.events())[1:] == ["oc:r1:c1.1:call", "oc:r1:c1.1:result"]


def test_its_own_tool_is_left_out_also_behind_a_wrapper(state):
    talk = state.talk().user("Go").agent("", ("c1", "hippocortex_search", {"query": "x"}))
    talk.result("c1", "hippocortex_search", "[]").agent("", ("c2", "tool_call", {}))
    talk.nested("c2", "hippocortex_search", 1, {}, "[]").agent("Nothing")
    state.store(talk)
    assert state.said() == [("user", "Go"), ("assistant", "Nothing")]


def test_an_id_that_a_provider_gives_twice_is_two_calls(state):
    talk = state.talk().user("Go")
    for text in ("one", "two"):
        talk.agent("", ("call_0", "exec", {"n": text})).result("call_0", "exec", text)
    state.store(talk)
    assert keys(state.events())[1:] == [
        *("oc:r1:call0:call", "oc:r1:call0:result"),
        *("oc:r1:call0#1:call", "oc:r1:call0#1:result"),
    ]


def test_a_failed_run_leaves_its_reason(state):
    talk = state.talk().user("Go").agent("", stopReason="error", errorMessage="400 exploded")
    state.store(talk)
    (_, outcome) = state.events()
    assert outcome.payload == {"success": False, "summary": "400 exploded"}
    assert outcome.idempotency_key == "oc:r1:outcome"


def test_a_run_that_recovered_has_not_failed(state):
    talk = state.talk().user("Go").agent("", stopReason="error", errorMessage="busy").agent("Done")
    state.store(talk)
    assert state.said() == [("user", "Go"), ("assistant", "Done")]


def test_a_run_that_may_go_on_has_not_failed_yet(state):
    talk = state.talk().user("Go").agent("", stopReason="error", errorMessage="busy")
    state.store(talk, status="running")
    assert state.said() == [("user", "Go")]


def test_what_the_user_adds_while_the_agent_works_belongs_to_the_run(state):
    talk = state.talk().user("Go").agent("", ("c1", "exec", {})).user("No, stop").user("No, stop")
    state.store(talk.agent("Stopped"))
    assert [key for key in keys(state.events()) if "user" in key] == ["oc:r1:user", "oc:r1:user:1"]


def test_words_that_nothing_answered_are_a_run_of_their_own(state):
    talk = state.talk().user("One", idempotencyKey="abc:user").user("Two").agent("Two it is")
    state.store(talk.user("Three"))
    assert keys(state.events())[:2] == ["oc:abc:user", "oc:r1:user"]
    assert ("user", "Three") not in state.said()  # it may still be answered


def test_a_turn_in_which_the_agent_only_said_that_there_is_nothing_is_left_out(state):
    talk = state.talk().turn("chatter", "NO_REPLY").turn("Hi", "Hello", run="r2")
    state.store(talk)
    assert state.said() == [("user", "Hi"), ("assistant", "Hello")]


def test_what_only_the_clock_said_is_left_out(state):
    source = {"kind": "internal_system", "sourceTool": "heartbeat"}
    talk = state.talk().user("[OpenClaw heartbeat poll]", provenance=source)
    talk.agent("Cleaned up", ("c1", "exec", {}), run="beat").result("c1", "exec", "ok", run="beat")
    talk.user("[cron:77 nightly] do it").agent("done", run="job").turn("Hi", "Hello", run="r3")
    state.store(talk)
    state.store(state.talk("s2").turn("do it", "done", run="r4"), "agent:main:cron:77:run:8")
    assert state.said() == [("user", "Hi"), ("assistant", "Hello")]


def test_words_of_other_sessions_are_not_the_users(state):
    source = {"kind": "inter_session", "sourceTool": "sessions_send"}
    talk = state.talk().user("the build is red", provenance=source).agent("Noted")
    talk.agent("The subagent says hi", run="announce:v1:agent:main:subagent:1:2")
    state.store(talk)
    assert [kind for kind, _ in state.said()] == ["assistant", "assistant"]


def test_what_the_host_put_around_words_is_no_part_of_them(state):
    block = "<hippocortex_memory>\nRecalled from memory: x\n- y\n</hippocortex_memory>"
    talk = state.talk().turn(f"[Sat 2026-11-21 10:00 UTC] {block}\n\nHi", f"{block}\nHello")
    state.store(talk)
    assert state.said() == [("user", "Hi"), ("assistant", "Hello")]


def test_secrets_do_not_leave(state):
    key = "sk-proj-abcdefghij0123456789abcdef"
    talk = state.talk().user(f"my key is {key}")
    talk.agent(f"{key}!", ("c1", "exec", {"env": f"password={key}", "apiKey": key}))
    talk.result("c1", "exec", f"x {key}\n\n(Command exited with code 1)")
    state.store(talk)
    events = state.events()
    assert key not in str(events)
    assert str(events).count("[redacted:") >= 5


def test_a_long_result_keeps_its_head_and_its_tail(state):
    text = "a " * 2_500 + "b " * 2_500
    talk = state.talk().user("Go").agent("", ("c1", "exec", {"script": text}))
    talk.result("c1", "exec", text * 3 + ".")
    state.store(talk)
    (_, call, result) = state.events()
    for kept in (call.payload["args"]["script"], result.payload["result"]):
        assert len(kept) < 4_100
        assert "characters left out" in kept
    assert result.payload["result"].endswith("b .")


def test_a_huge_call_is_stored_all_the_same(state):
    args = {f"file-{n}": f"{n} " * 3_000 for n in range(400)}
    state.store(state.talk().user("Go").agent("", ("c1", "write", args)))
    call = state.events()[1]
    assert len(str(call.payload)) < 300_000
    assert set(call.payload["args"]) == set(args)


def test_strange_entries_are_passed_over(state):
    talk = state.talk().turn("Hi", "Hello")
    talk.entries += [
        {"type": "compaction", "id": "x1", "summary": "they said hi"},
        {"type": "reset", "id": "x2", "reason": "new"},
        {"type": "message"},
        {"type": "message", "id": "x3", "message": None},
        {"type": "message", "id": "x4", "message": {"role": "user", "content": None}},
        {"type": "message", "id": "x5", "message": {"role": "bashExecution", "command": "ls"}},
        {"type": "message", "id": "x6", "message": {"role": "toolResult", "timestamp": "soon"}},
        {"type": "message", "id": "x7", "message": {"role": "assistant", "content": [None, 7, {}]}},
    ]
    state.store(talk)
    events, problems = state.read()
    assert [event.payload.get("content") for event in events][:2] == ["Hi", "Hello"]
    assert problems == []
