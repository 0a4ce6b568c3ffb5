"""The middleware object: what it recalls, what it captures, and whose that is."""

import asyncio
import copy
import inspect

import pytest

from hippocortex import SyncHippocortex
from hippocortex_core import session
from hippocortex_core.marking import mark
from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.testing.reading import Reading
from hippocortex_openclaw import OpenClawMemoryMiddleware, create_middleware, create_skill

MILK = "I take oat milk"


@pytest.fixture
def reading(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    found = Reading()
    yield found
    found.recorder.close(5)
    close_shared(5)


@pytest.fixture
def memory(reading):
    return create_middleware(session_id="s1", user_id="ann", client=reading.recorder)


def does(*steps):
    """What the calls give, in order."""

    async def go():
        return [await step for step in steps]

    return asyncio.run(go())


def blocks(messages):
    return [one for one in messages if "<hippocortex_memory>" in str(one["content"])]


# --- names ---------------------------------------------------------------------------------------


def test_it_is_called_as_the_reference_calls_it():
    given = inspect.signature(create_middleware).parameters
    names = ("api_key", "base_url", "session_id", "inject_memory", "capture_messages")
    assert tuple(given)[:6] == (*names, "capture_tools")
    assert [given[name].default for name in tuple(given)[:6]] == [
        None,
        None,
        None,
        True,
        True,
        True,
    ]
    methods = {
        "on_message": ("message", "role", "metadata"),
        "get_context": ("query", "max_tokens"),
        "on_response": ("text", "metadata"),
        "on_tool_call": ("name", "input", "metadata"),
        "on_tool_result": ("name", "result", "metadata"),
        "inject_into_messages": ("messages", "query"),
        "close": (),
    }
    for name, parameters in methods.items():
        method = getattr(OpenClawMemoryMiddleware, name)
        assert inspect.iscoroutinefunction(method)
        assert tuple(inspect.signature(method).parameters)[1:] == parameters


def test_a_skill_is_the_middleware_with_a_name(reading):
    skill = create_skill(session_id="s1", client=reading.recorder)
    assert skill["name"] == "hippocortex-memory"
    assert skill["description"]
    assert skill["middleware"].session_id == "s1"


# --- what is captured ----------------------------------------------------------------------------


def test_a_turn_is_captured_in_order(memory, reading):
    does(
        memory.on_message("Deploy payments"),
        memory.on_tool_call("deploy", {"service": "payments"}),
        memory.on_tool_result("deploy", "live"),
        memory.on_response("It is live"),
    )
    assert reading.said == [
        ("user", "Deploy payments"),
        ("call", "deploy", {"service": "payments"}),
        ("result", "deploy", "live"),
        ("assistant", "It is live"),
    ]
    assert {event.session_id for event in reading.events} == {"s1"}
    for event in reading.events:
        assert event.metadata == {"source": "openclaw", "user_id": "ann"}


def test_what_a_host_puts_around_words_is_no_part_of_them(memory, reading):
    said = f"[Sat 2026-11-21 10:00 UTC] {mark('old news')}\n\nhello\n\nRuntime: agent=main | host=x"
    does(memory.on_message(said), memory.on_response("NO_REPLY"))
    assert reading.said == [("user", "hello")]


def test_content_in_parts_is_captured_as_text(memory, reading):
    does(memory.on_message([{"type": "text", "text": "look"}, {"type": "image", "data": "…"}]))
    assert reading.said == [("user", "look\n[image]")]


def test_a_message_of_the_assistant_is_a_response_and_other_roles_are_neither(memory, reading):
    given = does(memory.on_message("Hi", "assistant"), memory.on_message("Be brief", "system"))
    assert given == [None, None]
    assert reading.said == [("assistant", "Hi")]


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (RuntimeError("disk full"), "RuntimeError: disk full"),
        ({"error": "disk full"}, "disk full"),
        ({"error": {"message": "disk full", "code": 7}}, "disk full"),
        ({"isError": True, "content": [{"type": "text", "text": "disk full"}]}, "disk full"),
        ({"exitCode": 3, "stdout": "one\ntwo"}, "exit code 3: one\ntwo"),
        ({"returncode": 1}, "exit code 1"),
        ({"success": False, "message": "disk full"}, "disk full"),
        ("one\n\n(Command exited with code 3)", "exit code 3: one"),
        ({"content": [{"type": "text", "text": "no"}], "details": {"status": "error"}}, "no"),
    ],
)
def test_a_failure_is_seen_in_whatever_shape_it_comes(memory, reading, result, why):
    does(memory.on_tool_result("backup", result))
    assert reading.said == [("failure", "backup", why)]


@pytest.mark.parametrize(
    "result", ["Error handling is fine", {"exitCode": 0}, {"error": None}, {"ok": True}, None, 0]
)
def test_what_is_no_failure_is_none(memory, reading, result):
    does(memory.on_tool_result("backup", result))
    assert reading.said == [("result", "backup", result)]


def test_calls_and_results_belong_together_without_ids(memory, reading):
    does(
        memory.on_tool_call("read", {"n": 1}),
        memory.on_tool_call("read", {"n": 2}),
        memory.on_tool_result("read", "one"),
        memory.on_tool_result("read", "two"),
    )
    first, second, one, two = (event.payload["call_id"] for event in reading.events)
    assert (first, second) == (one, two)
    assert first != second


def test_what_is_delivered_twice_under_one_id_is_captured_once(memory, reading):
    for _ in range(2):
        does(
            memory.on_message("Deploy", metadata={"message_id": "m1"}),
            memory.on_tool_call("deploy", {}, {"tool_call_id": "c1"}),
            memory.on_tool_result("deploy", "live", {"tool_call_id": "c1"}),
        )
    assert len(reading.said) == 3


def test_messages_and_tools_can_be_left_out(reading):
    options = {"session_id": "s1", "client": reading.recorder}
    silent = create_middleware(capture_messages=False, **options)
    toolless = create_middleware(capture_tools=False, inject_memory=False, **options)
    for memory in (silent, toolless):
        does(
            memory.on_message("hello"),
            memory.on_tool_call("deploy", {}),
            memory.on_tool_result("deploy", "live"),
            memory.on_response("hi"),
        )
    assert [kind for kind, *_ in reading.said] == ["call", "result", "user", "assistant"]
    assert len(reading.queries) == 1


# --- whose ---------------------------------------------------------------------------------------


def test_metadata_says_whose_it_is(reading):
    memory = create_middleware(session_id="s1", client=reading.recorder)
    reading.knows(f"{MILK} (Bob)", "bob")
    known = does(memory.on_message(MILK, metadata={"user_id": "bob", "agentId": "ops"}))
    (event,) = reading.events
    assert (event.metadata["user_id"], event.metadata["agent_id"]) == ("bob", "ops")
    assert reading.queries[0][1].user_id == "bob"
    assert "channel" not in event.metadata
    assert known


def test_a_surrounding_session_says_whose_it_is(reading):
    memory = create_middleware(client=reading.recorder)
    with session("s7", user_id="cem"):
        assert memory.session_id == "s7"
        does(memory.on_message("hello"))
    (event,) = reading.events
    assert (event.session_id, event.metadata["user_id"]) == ("s7", "cem")


def test_without_a_session_there_is_one_that_stays(reading):
    memory = create_middleware(client=reading.recorder)
    assert memory.session_id == memory.session_id != ""
    assert memory.session_id != create_middleware(client=reading.recorder).session_id


# --- what is recalled ----------------------------------------------------------------------------


def test_the_users_message_brings_what_memory_knows(memory, reading):
    reading.knows(MILK, "ann")
    (context,) = does(memory.on_message("oat milk"))
    assert context.startswith("<hippocortex_memory>")
    assert "oat milk" in context


def test_nothing_known_is_none(memory):
    assert does(memory.on_message("oat milk"), memory.get_context("wine")) == [None] * 2


def test_what_is_said_is_not_recalled_to_itself(memory, reading, monkeypatch):
    record = reading.recorder.record

    def at_once(*given):
        record(*given)
        assert reading.recorder.flush(5)

    monkeypatch.setattr(reading.recorder, "record", at_once)
    assert does(memory.on_message("oat milk")) == [None]
    assert [event.payload["content"] for event in reading.service.events] == ["oat milk"]


def test_memory_is_asked_once_for_what_was_said_once(memory, reading):
    reading.knows(MILK, "ann")
    asked = [{"role": "user", "content": "oat milk"}]
    context, first, again = does(
        memory.on_message("oat milk"),
        memory.inject_into_messages(asked, "oat milk"),
        memory.inject_into_messages(asked),
    )
    assert first == again == [{"role": "system", "content": context}, *asked]
    assert len(reading.queries) == 1
    does(memory.on_response("Oat"), memory.on_message("oat milk"))
    assert len(reading.queries) == 2


def test_injecting_takes_out_what_was_injected_and_changes_nothing_of_the_hosts(memory, reading):
    reading.knows(MILK, "ann")
    old = mark("what an earlier turn was given")
    given = [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": old},
        {"role": "user", "content": f"{old}\n\nhello"},
        {"role": "user", "content": [{"type": "text", "text": old}, {"type": "image", "url": "x"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": "oat milk"},
    ]
    before = copy.deepcopy(given)
    (found,) = does(memory.inject_into_messages(given))
    assert given == before
    assert [one["role"] for one in found] == [
        "system",
        "system",
        *["user"] * 2,
        "assistant",
        "user",
    ]
    assert blocks(found) == [found[1]]
    assert found[2]["content"] == "hello"
    assert found[3]["content"] == [{"type": "image", "url": "x"}]
    assert found[4] is given[4]


def test_get_context_takes_a_budget(memory, reading):
    does(memory.get_context("milk", 77))
    assert reading.queries[0][1].max_tokens == 77


def test_without_recall_the_messages_stay_as_they_are(reading):
    memory = create_middleware(inject_memory=False, client=reading.recorder)
    given = [{"role": "user", "content": "hello"}]
    assert does(memory.inject_into_messages(given)) == [given]
    assert reading.queries == []


# --- failing, leaving ----------------------------------------------------------------------------


def test_a_memory_out_of_reach_is_as_none(monkeypatch):
    monkeypatch.delenv("HIPPOCORTEX_STRICT", raising=False)
    memory = create_middleware(base_url="http://127.0.0.1:1/v1", api_key="hx_test_nobody")
    given = [{"role": "user", "content": "hello"}]
    found = does(
        memory.on_message("hello"),
        memory.inject_into_messages(given),
        memory.on_tool_result("x", object()),
        memory.on_response("hi"),
        memory.close(),
    )
    assert found == [None, given, None, None, None]
    close_shared(0.1)


def test_detached_it_does_nothing(memory, reading):
    memory.detach()
    reading.knows(MILK, "ann")
    assert does(memory.on_message("milk"), memory.get_context("milk")) == [None, None]
    assert memory.attached_hooks == ()
    assert reading.said == []


def test_many_conversations_do_not_pile_up(reading):
    memory = create_middleware(client=reading.recorder, inject_memory=False)
    for number in range(1_100):
        does(memory.on_tool_call("never answered", {}, {"user_id": f"user-{number}"}))
    assert len(memory._turns) <= 1_024


def test_closing_delivers_to_a_real_memory(monkeypatch, tmp_path):
    """In the home that is used when nothing is configured: a file in this folder."""
    monkeypatch.setenv("HIPPOCORTEX_SILENT", "1")

    async def turn():
        async with create_middleware(session_id="s1", user_id="ann") as memory:
            await memory.on_message(MILK)
            await memory.on_response("Noted")

    asyncio.run(turn())
    close_shared(5)
    with SyncHippocortex() as home:
        events = home.list_events(order="asc").events
        assert [event.payload["content"] for event in events] == [MILK, "Noted"]
        assert (tmp_path / ".hippocortex" / "memory.db").exists()

    async def next_turn():
        async with create_middleware(session_id="s2", user_id="ann") as memory:
            return await memory.on_message("Which milk do I take?")

    assert MILK in asyncio.run(next_turn())
    close_shared(5)
