"""Wrapped clients in the life of a program: copies, threads, loops, forks, other clients."""

import asyncio
import copy
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hippocortex import wrap
from hippocortex.wrap import unwrap
from hippocortex_core.client import SyncHippocortex
from hippocortex_core.config import resolve
from hippocortex_core.recorder import shared_recorder
from hippocortex_core.testing.llm_server import Answer

TOOL = ("call_1", "deploy", {"env": "staging"})


def _ask(client, messages, **options):
    if hasattr(client, "chat"):
        return client.chat.completions.create(model="m", messages=messages, **options)
    return client.messages.create(model="m", messages=messages, max_tokens=9, **options)


def _user(text):
    return {"role": "user", "content": text}


def test_the_same_client_comes_back_and_its_class_is_untouched(sdk, llm, home, surfaces):
    client, other = surfaces.client(sdk, llm.url), surfaces.client(sdk, llm.url)
    before = type(client).request
    assert wrap(wrap(client)) is client
    assert type(client).request is before
    assert "request" not in vars(other)
    _ask(other, surfaces.MESSAGES)
    assert shared_recorder(resolve()).stats().recorded == 0
    _ask(client, surfaces.MESSAGES)
    assert shared_recorder(resolve()).stats().recorded == 2


def test_unwrapping_leaves_nothing(sdk, llm, home, surfaces):
    client = surfaces.client(sdk, llm.url)
    before = set(vars(client))
    assert unwrap(wrap(client)) is client
    assert set(vars(client)) == before


def test_a_raw_accessor_from_before_wrapping_remembers_too(sdk, llm, captured, surfaces):
    client = surfaces.client(sdk, llm.url)
    resource = client.chat.completions if sdk == "openai" else client.messages
    accessor = resource.with_raw_response
    wrap(client)
    options = {} if sdk == "openai" else {"max_tokens": 9}
    accessor.create(model="m", messages=surfaces.MESSAGES, **options)
    assert len(captured()) == 2


def test_the_callers_list_is_not_changed(sdk, llm, home, surfaces):
    given = [_user(surfaces.QUESTION)]
    before = copy.deepcopy(given)
    _ask(wrap(surfaces.client(sdk, llm.url)), given)
    assert given == before


def test_messages_may_be_a_generator(sdk, llm, captured, surfaces):
    _ask(wrap(surfaces.client(sdk, llm.url)), (m for m in surfaces.MESSAGES))
    assert captured() == [("message", surfaces.QUESTION), ("message", surfaces.ANSWER)]
    assert llm.asked[0].body["messages"][-1] == surfaces.MESSAGES[0]


def test_what_extra_body_overrides_is_what_memory_sees(sdk, llm, captured, surfaces):
    client = wrap(surfaces.client(sdk, llm.url))
    _ask(client, [_user("ignored")], extra_body={"messages": surfaces.MESSAGES, "odd": 1})
    body = llm.asked[0].body
    assert body["odd"] == 1
    assert body["messages"][-1] == surfaces.MESSAGES[0]
    assert "It is blue." in str(body)
    assert captured()[0] == ("message", surfaces.QUESTION)


def test_a_turn_with_a_tool_is_captured_in_order(sdk, llm, captured, surfaces):
    client = wrap(surfaces.client(sdk, llm.url))
    llm.script = lambda asked: Answer("", [TOOL]) if len(llm.asked) == 1 else Answer("Done.")
    first = _ask(client, [_user("Deploy")])
    if sdk == "openai":
        message = first.choices[0].message
        result = {"role": "tool", "tool_call_id": "call_1", "content": "deployed"}
    else:
        message = {"role": "assistant", "content": first.content}
        block = {"type": "tool_result", "tool_use_id": "call_1", "content": "deployed"}
        result = {"role": "user", "content": [block]}
    for _ in range(2):
        _ask(client, [_user("Deploy"), message, result])
    assert captured() == [
        ("message", "Deploy"),
        ("tool_call", "deploy"),
        ("tool_result", "deploy"),
        ("message", "Done."),
        ("message", "Done."),
    ]


def test_a_response_that_follows_another_keeps_its_memory(llm, captured, service, surfaces):
    if "openai" not in surfaces.sdks():
        return
    client = wrap(surfaces.client("openai", llm.url))
    llm.script = lambda asked: Answer("", [TOOL]) if len(llm.asked) == 1 else Answer("Done.")
    first = client.responses.create(model="m", input=surfaces.QUESTION)
    output = {"type": "function_call_output", "call_id": "call_1", "output": "deployed"}
    client.responses.create(model="m", input=[output], previous_response_id=first.id)
    one, two = (asked.body["instructions"] for asked in llm.asked)
    assert one == two
    assert captured()[1:] == [
        ("tool_call", "deploy"),
        ("tool_result", ""),
        ("message", "Done."),
    ]


def test_other_calls_of_the_client_pass(sdk, llm, home, surfaces):
    client = wrap(surfaces.client(sdk, llm.url))
    module = __import__(sdk)
    with pytest.raises(module.NotFoundError):
        client.post("/nonsense", body={"messages": surfaces.MESSAGES}, cast_to=object)
    assert llm.asked[-1].body == {"messages": surfaces.MESSAGES}
    assert shared_recorder(resolve()).stats().recalls == 0


def test_two_event_loops_in_a_row(sdk, llm, captured, surfaces):
    for _ in range(2):

        async def ask():
            async with surfaces.client(sdk, llm.url, is_async=True) as client:
                await _ask(wrap(client), surfaces.MESSAGES)

        asyncio.run(ask())
    assert captured() == [("message", surfaces.QUESTION), ("message", surfaces.ANSWER)] * 2


def test_a_hundred_threads(sdk, llm, captured, surfaces, monkeypatch):
    monkeypatch.delenv("HIPPOCORTEX_STRICT", raising=False)  # a busy machine may miss deadlines
    client = wrap(surfaces.client(sdk, llm.url))
    with ThreadPoolExecutor(100) as pool:
        asked = [[_user(f"{surfaces.QUESTION} {n}")] for n in range(100)]
        list(pool.map(lambda messages: _ask(client, messages), asked))
    said = [text for _, text in captured()]
    assert sorted(said) == sorted(
        [*(messages[0]["content"] for messages in asked), *[surfaces.ANSWER] * 100]
    )


def test_a_hundred_tasks(sdk, llm, captured, surfaces, monkeypatch):
    monkeypatch.delenv("HIPPOCORTEX_STRICT", raising=False)

    async def main():
        async with surfaces.client(sdk, llm.url, is_async=True) as client:
            wrap(client)
            asked = [[_user(f"Task {n}")] for n in range(100)]
            await asyncio.gather(*(_ask(client, messages) for messages in asked))

    asyncio.run(main())
    assert len(captured()) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_remembers_on_its_own(sdk, llm, service, captured, surfaces):
    client = wrap(surfaces.client(sdk, llm.url))
    _ask(client, [_user("In the parent")])
    captured()
    child = os.fork()
    if child == 0:
        try:
            with surfaces.client(sdk, llm.url) as own:
                _ask(wrap(own), [_user("In the child")])
            os._exit(0 if shared_recorder(resolve()).flush(20) else 3)
        finally:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    _ask(client, [_user("In the parent again")])
    captured()
    sessions = {event.payload["content"]: event.session_id for event in service.events}
    assert sessions["In the parent"] == sessions["In the parent again"]
    assert sessions["In the child"] != sessions["In the parent"]


def test_on_the_embedded_engine_a_second_conversation_recalls_the_first(
    sdk, llm, tmp_path, surfaces
):
    home = f"sqlite:///{(tmp_path / 'memory.db').as_posix()}"
    with SyncHippocortex(base_url=home) as memory:
        memory.synthesize("anything")  # a cold start may take longer than a recall's deadline
    llm.script = lambda asked: Answer("The staging password rotates on Mondays.")
    first = wrap(surfaces.client(sdk, llm.url), base_url=home)
    _ask(first, [_user("When does the staging password rotate?")])
    assert shared_recorder(resolve(None, home)).flush(20)
    second = wrap(surfaces.client(sdk, llm.url), base_url=home)
    _ask(second, [_user("Remind me when the staging password rotates")])
    assert "rotates on Mondays" in str(llm.asked[-1].body)
    assert shared_recorder(resolve(None, home)).flush(20)
    with SyncHippocortex(base_url=home) as memory:
        events = memory.list_events(order="asc").events
    assert len({event.session_id for event in events}) == 2
    assert "<hippocortex_memory>" not in str([event.payload for event in events])


def test_threads_that_start_while_the_memory_is_opened(sdk, llm, tmp_path, surfaces, monkeypatch):
    monkeypatch.delenv("HIPPOCORTEX_STRICT", raising=False)
    client = wrap(surfaces.client(sdk, llm.url), base_url=f"sqlite:///{tmp_path / 'memory.db'}")
    ready = threading.Barrier(8)

    def ask(number):
        ready.wait()
        return _ask(client, [_user(f"Question {number}")])

    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(ask, range(8)))) == 8


KIN = {
    "openai": {
        "AzureOpenAI": lambda url: {
            "azure_endpoint": url,
            "api_version": "2026-01-01",
            "api_key": "k",
        },
        "BedrockOpenAI": lambda url: {
            "base_url": url + "/v1",
            "api_key": "k",
            "aws_region": "us-east-1",
        },
    },
    "anthropic": {
        "AnthropicBedrock": lambda url: {
            "base_url": url,
            "api_key": "k",
            "aws_region": "us-east-1",
        },
        "AnthropicFoundry": lambda url: {"base_url": url, "api_key": "k"},
        "AnthropicVertex": lambda url: {
            "base_url": url,
            "region": "r",
            "project_id": "p",
            "access_token": "t",
        },
    },
}


def test_kin_of_the_clients_remember_too(sdk, llm, captured, surfaces):
    module = __import__(sdk)
    asked = 0
    for name, options in KIN[sdk].items():
        if kind := getattr(module, name, None):
            with kind(**options(llm.url)) as client:
                _ask(wrap(client), surfaces.MESSAGES)
            asked += 1
    assert captured() == [("message", surfaces.QUESTION), ("message", surfaces.ANSWER)] * asked
    assert asked
