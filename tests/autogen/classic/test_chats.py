"""What is captured of chats of classic agents, and what their models are given."""

import asyncio
import inspect

import pytest
from autogen import ConversableAgent, GroupChat, GroupChatManager

from hippocortex_autogen import attach, attached_hooks, detach, wrap
from hippocortex_core import session

BLOCK = "<hippocortex_memory>"
HOOKS = ["process_all_messages_before_reply", "process_message_before_send"]


def deploy(service: str) -> str:
    """Deploy a service."""
    if service == "broken":
        raise RuntimeError("pending migrations")
    return f"{service} is live"


def call(service, call_id="c1"):
    return [(call_id, "deploy", {"service": service})]


def chat(user, assistant, said, **options):
    return user.initiate_chat(assistant, message=said, silent=True, **options)


def memories(asked):
    return [message["content"] for message in asked if BLOCK in str(message.get("content"))]


WORKED = [
    ("user", "user", "Deploy payments"),
    ("call", "deploy", {"service": "payments"}),
    ("result", "deploy", "payments is live"),
    ("assistant", "assistant", "It is live."),
]


@pytest.fixture
def pair(scripted):
    """A user that runs tools, and an assistant whose model gives these answers."""

    def make(*answers, **options):
        user = scripted.user(tools=[deploy])
        return user, scripted.agent(*answers, tools=[deploy], **options)

    return make


@pytest.mark.parametrize("attached", ["assistant", "user", "both"])
def test_whoever_is_attached_a_chat_is_captured_once(reading, pair, attached):
    user, assistant = pair(call("payments"), "It is live.")
    for one in (user, assistant):
        if attached in {one.name, "both"}:
            attach(one, reading.recorder, session_id="s1")
    chat(user, assistant, "Deploy payments")
    assert reading.said == WORKED


def test_what_is_recalled_stands_before_what_was_said_and_stays_out_of_the_history(reading, pair):
    reading.knows("Deploy payments: run make migrate-7f3")
    user, assistant = pair(call("payments"), "It is live.", system_message="You deploy.")
    wrap(assistant, client=reading.recorder)
    chat(user, assistant, "Deploy payments")
    for asked in assistant.asked:
        (block,) = memories(asked)
        assert "make migrate-7f3" in block
        place = next(n for n, m in enumerate(asked) if m["content"] == block)
        assert asked[place + 1]["content"] == "Deploy payments"
        assert [m["role"] for m in asked].count("system") == 1
    assert len(reading.queries) == 1
    assert BLOCK not in str(list(assistant.chat_messages.values()))
    assert BLOCK not in str(list(user.chat_messages.values()))


def test_each_thing_that_is_said_is_asked_about_once_also_if_it_is_the_same_again(reading, pair):
    user, assistant = pair("One.", "Two.", "Three.")
    wrap(assistant, client=reading.recorder)
    chat(user, assistant, "Deploy")
    chat(user, assistant, "Deploy", clear_history=False)
    chat(user, assistant, "Deploy")
    assert [query for query, _ in reading.queries] == ["Deploy"] * 3
    assert [one for one in reading.said if one[0] == "user"] == [("user", "user", "Deploy")] * 3


def test_inject_memory_false_captures_only(reading, pair):
    reading.knows("Deploy payments: run make")
    user, assistant = pair("Done.")
    wrap(assistant, client=reading.recorder, inject_memory=False)
    chat(user, assistant, "Deploy payments")
    assert not memories(assistant.asked[0])
    assert reading.queries == []
    assert len(reading.events) == 2


def test_a_failing_tool_says_why(reading, pair):
    user, assistant = pair(call("broken"), "It did not work.")
    attach(assistant, reading.recorder)
    chat(user, assistant, "Deploy it")
    assert reading.said[2] == ("failure", "deploy", "Error: pending migrations")


def test_code_that_is_run_is_a_tool(reading, scripted):
    code = "```python\nprint(boom)\n```"
    assistant = scripted.agent(code, "It did not work.")
    attach(assistant, reading.recorder)
    user = ConversableAgent("user", llm_config=False, human_input_mode="NEVER")
    answers = iter(["exitcode: 1 (execution failed)\nCode output: NameError: boom", None])
    user.register_reply([ConversableAgent], lambda *_, **__: (True, next(answers)))
    chat(user, assistant, "Run it")
    assert reading.said[1] == ("assistant", "assistant", code)
    assert reading.said[2] == ("failure", "code_executor", "NameError: boom")


@pytest.mark.parametrize("whole", [True, False])
def test_a_group_chat_is_captured_once(reading, scripted, whole):
    user = scripted.user(tools=[deploy])
    planner = scripted.agent("Deploy it now", name="planner")
    deployer = scripted.agent(call("payments"), "It is live.", name="deployer", tools=[deploy])
    order = [user, planner, deployer, user, deployer]
    left = iter(order[1:])
    group = GroupChat(
        [user, planner, deployer],
        messages=[],
        max_round=5,
        speaker_selection_method=lambda *_: next(left),
    )
    manager = GroupChatManager(group)
    if whole:
        wrap(manager, client=reading.recorder)
    else:
        for agent in (planner, deployer):
            attach(agent, reading.recorder, session_id="s1")
    chat(user, manager, "Deploy payments")
    expected = [
        ("user", "user", "Deploy payments"),
        ("assistant", "planner", "Deploy it now"),
        ("call", "deploy", {"service": "payments"}),
        ("result", "deploy", "payments is live"),
        ("assistant", "deployer", "It is live."),
    ]
    assert reading.said == expected
    assert len({event.session_id for event in reading.events}) == 1


def test_the_same_group_chat_again_is_captured_again(reading, scripted):
    user = scripted.user()
    helpers = [scripted.agent("Yes.", "Yes.", name=name) for name in ("one", "two")]
    group = GroupChat(
        [user, *helpers], messages=[], max_round=3, speaker_selection_method="round_robin"
    )
    for helper in helpers:
        attach(helper, reading.recorder, session_id="s1")
    manager = GroupChatManager(group)
    for _ in range(2):
        chat(user, manager, "Ready?")
    turn = [("user", "user", "Ready?"), ("assistant", "one", "Yes."), ("assistant", "two", "Yes.")]
    assert reading.said == turn * 2


def test_nested_chats_are_captured_with_the_chat_around_them(reading, scripted):
    user = scripted.user()
    writer = scripted.agent("A draft.", name="writer")
    critic = scripted.agent("Too short.", name="critic")
    writer.register_nested_chats(
        [{"recipient": critic, "max_turns": 1, "summary_method": "last_msg"}],
        trigger=lambda sender: sender is user,
    )
    wrap(writer, client=reading.recorder)
    chat(user, writer, "Write it", max_turns=1)
    assert reading.said == [
        ("user", "user", "Write it"),
        ("assistant", "writer", "Write it"),
        ("assistant", "critic", "Too short."),
        ("assistant", "writer", "Too short."),
    ]
    assert len({event.session_id for event in reading.events}) == 1


def test_other_hooks_may_shorten_what_the_model_is_given(reading, pair):
    user, assistant = pair("One.", "Two.", "Three.")
    assistant.register_hook("process_all_messages_before_reply", lambda found: list(found[-1:]))
    wrap(assistant, client=reading.recorder)
    for said in ("First", "Second", "Third"):
        chat(user, assistant, said, clear_history=False)
    assert [one[2] for one in reading.said] == [
        "First",
        "One.",
        "Second",
        "Two.",
        "Third",
        "Three.",
    ]
    assert [query for query, _ in reading.queries] == ["First", "Second", "Third"]


def test_messages_without_a_chat_are_captured_once(reading, scripted):
    assistant = wrap(scripted.agent("One.", "Two."), client=reading.recorder, session_id="s1")
    messages = [{"role": "user", "content": "First"}]
    answer = assistant.generate_reply(messages=messages)
    said = answer if isinstance(answer, str) else answer["content"]
    messages += [{"role": "assistant", "content": said}, {"role": "user", "content": "Second"}]
    assistant.generate_reply(messages=messages)
    assert [(role, text) for role, _, text in reading.said] == [
        ("user", "First"),
        ("assistant", "One."),
        ("user", "Second"),
    ]
    assert messages[0] == {"role": "user", "content": "First"}


def test_several_users_of_one_assistant_at_once_keep_apart(reading, scripted):
    answer = lambda messages: f"You said {messages[-1]['content']}"  # noqa: E731
    assistant = wrap(scripted.agent(answer), client=reading.recorder)

    async def talk(name):
        user = scripted.user(name)
        with session(f"s-{name}", user_id=name):
            await user.a_initiate_chat(assistant, message=f"I am {name}", silent=True)

    async def everybody():
        await asyncio.gather(*(talk(f"user{number}") for number in range(5)))

    asyncio.run(everybody())
    for number in range(5):
        name = f"user{number}"
        mine = [e for e in reading.events if e.metadata["user_id"] == name]
        assert [e.payload["content"] for e in mine] == [f"I am {name}", f"You said I am {name}"]
        assert {e.session_id for e in mine} == {f"s-{name}"}


def test_what_was_said_before_is_not_captured(reading, pair):
    user, assistant = pair("One.", "Two.")
    chat(user, assistant, "Before")
    wrap(assistant, client=reading.recorder)
    chat(user, assistant, "Now", clear_history=False)
    assert [one[2] for one in reading.said] == ["Now", "Two."]


def test_hooks_are_given_back(reading, pair):
    user, assistant = pair("One.", "Two.")
    before = {name: list(hooks) for name, hooks in assistant.hook_lists.items()}
    wrap(assistant, client=reading.recorder)
    wrap(assistant, client=reading.recorder, session_id="s2")
    known = [name for name in assistant.hook_lists if name.removeprefix("a_") in HOOKS]
    assert sorted(attached_hooks(assistant)) == sorted(known)
    asynchronous = [name for name in known if name.startswith("a_")]
    assert all(inspect.iscoroutinefunction(assistant.hook_lists[n][0]) for n in asynchronous)
    chat(user, assistant, "Hi")
    assert {event.session_id for event in reading.events} == {"s2"}
    detach(assistant)
    assert assistant.hook_lists == before
    assert attached_hooks(assistant) == []


def test_pictures_are_remembered_as_pictures(reading, scripted):
    assistant = attach(scripted.agent("A dot."), reading.recorder)
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]
    chat(scripted.user(), assistant, {"content": parts})
    assert reading.said[0] == ("user", "user", "What is it?\n[image]")


def test_old_function_calls_are_captured(reading, scripted):
    assistant = attach(scripted.agent("Done."), reading.recorder)
    user = scripted.user()
    called = {
        "content": None,
        "function_call": {"name": "deploy", "arguments": '{"service": "payments"}'},
    }
    assistant.send(called, user, request_reply=False, silent=True)
    answer = {"role": "function", "name": "deploy", "content": "payments is live"}
    user.send(answer, assistant, request_reply=True, silent=True)
    assert reading.said == [
        ("call", "deploy", {"service": "payments"}),
        ("result", "deploy", "payments is live"),
        ("assistant", "assistant", "Done."),
    ]
