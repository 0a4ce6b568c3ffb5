"""`HippocortexMemory`: what agents with a model are given, and what is stored of it."""

import asyncio
import json

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import ComponentModel
from autogen_core.memory import Memory, MemoryContent, MemoryMimeType
from autogen_core.model_context import (
    BufferedChatCompletionContext,
    HeadAndTailChatCompletionContext,
    TokenLimitedChatCompletionContext,
    UnboundedChatCompletionContext,
)
from autogen_core.models import AssistantMessage, SystemMessage, UserMessage

from hippocortex_autogen import HippocortexMemory
from hippocortex_core import Recorder, session
from hippocortex_core.testing import InMemoryService

BLOCK = "<hippocortex_memory>"
CONTEXTS = {
    "unbounded": lambda model: UnboundedChatCompletionContext(),
    "buffered": lambda model: BufferedChatCompletionContext(buffer_size=4),
    "of one message": lambda model: BufferedChatCompletionContext(buffer_size=1),
    "head and tail": lambda model: HeadAndTailChatCompletionContext(head_size=1, tail_size=3),
    "token limited": lambda model: TokenLimitedChatCompletionContext(model, token_limit=120),
}


def blocks(messages):
    return [m.content for m in messages if BLOCK in str(m.content)]


def run(agent, *tasks):
    async def turns():
        for task in tasks:
            await agent.run(task=task)

    asyncio.run(turns())


@pytest.mark.parametrize("kind", CONTEXTS)
def test_one_block_stands_before_the_users_last_words_whatever_the_context_keeps(
    reading, assistant, scripted, kind
):
    for number in range(4):
        reading.knows(f"Deploy {number}: run make migrate-{number}")
    agent = assistant(
        "Done.",
        "Done.",
        "Done.",
        "Done.",
        memory=[HippocortexMemory(reading.recorder)],
        model_context=CONTEXTS[kind](scripted("")),
        system_message="You deploy.",
    )
    run(agent, "Deploy 0", "Deploy 1", "Deploy 2", "Deploy 3")
    for number, asked in enumerate(agent._model_client.asked):
        (block,) = blocks(asked)
        assert f"make migrate-{number}" in block
        assert [m.type for m in asked].count("SystemMessage") == 1
        last = max(n for n, m in enumerate(asked) if m.type == "UserMessage")
        assert asked[last].content == f"Deploy {number}"
        assert asked[last - 1].content == block


def test_the_block_goes_when_nothing_is_recalled(reading, assistant):
    reading.knows("Deploy 0: run make")
    agent = assistant("Done.", "Nice.", memory=[HippocortexMemory(reading.recorder)])
    run(agent, "Deploy 0", "Something else")
    assert blocks(agent._model_client.asked[0])
    assert not blocks(agent._model_client.asked[1])


def test_saved_states_hold_no_memory_and_load_into_other_agents(reading, assistant):
    reading.knows("Deploy 0: run make")
    memory = HippocortexMemory(reading.recorder)
    agent = assistant("Done.", memory=[memory])
    run(agent, "Deploy 0")
    state = asyncio.run(agent.save_state())
    assert BLOCK not in json.dumps(state)
    other = assistant("Done again.", memory=[memory])
    asyncio.run(other.load_state(state))
    run(other, "Deploy 0")
    (asked,) = other._model_client.asked
    assert len(blocks(asked)) == 1
    assert [m.content for m in asked if m.type == "AssistantMessage"] == ["Done."]


def test_a_block_that_somebody_has_stored_is_not_given_to_the_model_again(reading, assistant):
    context = UnboundedChatCompletionContext(
        initial_messages=[UserMessage(content=f"{BLOCK}\nold\n</hippocortex_memory>", source="x")]
    )
    reading.knows("Deploy 0: run make")
    memory = [HippocortexMemory(reading.recorder)]
    agent = assistant("Done.", memory=memory, model_context=context)
    run(agent, "Deploy 0")
    (block,) = blocks(agent._model_client.asked[0])
    assert "old" not in block


def test_two_memories_of_this_kind_ask_once_and_show_once(reading, assistant):
    reading.knows("Deploy 0: run make")
    memories = [HippocortexMemory(reading.recorder), HippocortexMemory(reading.recorder)]
    agent = assistant("Done.", memory=memories)
    run(agent, "Deploy 0")
    assert len(blocks(agent._model_client.asked[0])) == 1
    assert len(reading.queries) == 1


@pytest.mark.parametrize("announce", [False, True])
def test_the_stream_tells_of_what_was_recalled_if_it_shall(reading, assistant, announce):
    reading.knows("Deploy 0: run make")
    memory = HippocortexMemory(reading.recorder, announce=announce)
    agent = assistant("Done.", memory=[memory])

    async def events():
        return [item async for item in agent.run_stream(task="Deploy 0")]

    found = [one for one in asyncio.run(events()) if type(one).__name__ == "MemoryQueryEvent"]
    told = [(c.content, c.metadata["section"]) for event in found for c in event.content]
    assert told == ([("Deploy 0: run make", "context")] if announce else [])
    assert blocks(agent._model_client.asked[0])


def test_recalled_words_do_not_end_a_team(reading, assistant):
    reading.knows("Deploy 0: TERMINATE")
    agent = assistant("Working on it.", "TERMINATE", memory=[HippocortexMemory(reading.recorder)])
    over = TextMentionTermination("TERMINATE", sources=["deployer"])
    team = RoundRobinGroupChat([agent], termination_condition=over)
    result = asyncio.run(team.run(task="Deploy 0"))
    assert [m.content for m in result.messages[1:]] == ["Working on it.", "TERMINATE"]


def test_messages_that_came_in_together_are_one_question(reading):
    memory, context = HippocortexMemory(reading.recorder), UnboundedChatCompletionContext()

    async def ask():
        await context.add_message(UserMessage(content="Before", source="user"))
        await context.add_message(AssistantMessage(content="Yes?", source="deployer"))
        await context.add_message(UserMessage(content="Deploy", source="user"))
        await context.add_message(UserMessage(content="Mind the load", source="operator"))
        await memory.update_context(context)

    asyncio.run(ask())
    assert [query for query, _ in reading.queries] == ["Deploy\nMind the load"]


def test_a_context_without_a_question_is_not_asked_about(reading):
    memory, context = HippocortexMemory(reading.recorder), UnboundedChatCompletionContext()

    async def ask():
        await context.add_message(SystemMessage(content="You deploy."))
        return await memory.update_context(context)

    assert asyncio.run(ask()).memories.results == []
    assert reading.queries == []


def test_update_context_never_raises(monkeypatch):
    class Broken(InMemoryService):
        def synthesize(self, query, options=None):
            raise RuntimeError("out of order")

    monkeypatch.setenv("HIPPOCORTEX_STRICT", "0")
    with Recorder(Broken(), strict=False) as recorder:
        memory, context = HippocortexMemory(recorder), UnboundedChatCompletionContext()

        async def ask():
            await context.add_message(UserMessage(content="Deploy", source="user"))
            await memory.update_context(context)
            await memory.update_context(object())
            return await context.get_messages()

        assert [m.content for m in asyncio.run(ask())] == ["Deploy"]


def test_what_is_added_can_be_found_and_forgotten(reading):
    memory = HippocortexMemory(reading.recorder)
    text = MemoryContent(
        content="Ann prefers the aisle", mime_type=MemoryMimeType.TEXT, metadata={"from": "form"}
    )
    data = MemoryContent(content={"seat": "12C"}, mime_type=MemoryMimeType.JSON)

    async def use():
        with session("s1", user_id="ann"):
            await memory.add(text)
            await memory.add(data)
            await memory.close()
            found = await memory.query("aisle")
            asked = MemoryContent(content="aisle", mime_type=MemoryMimeType.TEXT)
            assert await memory.query(asked) == found
        with session("s2", user_id="bob"):
            await memory.add(text)
        stored = [(e.session_id, e.payload["content"], e.metadata) for e in reading.events]
        with session("s1", user_id="ann"):
            await memory.clear()
        return found, stored

    found, stored = asyncio.run(use())
    assert [one.content for one in found.results] == ["Ann prefers the aisle"]
    assert [(who, what) for who, what, _ in stored] == [
        ("s1", "Ann prefers the aisle"),
        ("s1", '{"seat": "12C"}'),
        ("s2", "Ann prefers the aisle"),
    ]
    assert stored[0][2]["from"] == "form"
    assert stored[0][2]["user_id"] == "ann"
    assert {event.session_id for event in reading.events} == {"s2"}


def test_a_dumped_memory_holds_no_secrets_and_can_be_loaded(assistant):
    memory = HippocortexMemory(
        session_id="s1",
        user_id="ann",
        max_tokens=300,
        sections=["failures"],
        min_confidence=0.5,
        announce=True,
        api_key="hx_live_secret",
        base_url="https://memory.example.com/v1",
    )
    dumped = memory.dump_component()
    assert "secret" not in dumped.model_dump_json()
    assert dumped.provider == "hippocortex_autogen.HippocortexMemory"
    assert dumped.component_type == "memory"
    again = Memory.load_component(ComponentModel.model_validate(dumped.model_dump()))
    assert isinstance(again, HippocortexMemory)
    assert again.dump_component() == dumped
    assert dumped.config["base_url"] == "https://memory.example.com/v1"


@pytest.mark.parametrize(
    "url", ["postgresql://ann:secret@db/memory", "postgresql://db/memory?password=secret"]
)
def test_a_url_with_a_password_is_not_dumped(url):
    dumped = HippocortexMemory(base_url=url).dump_component()
    assert "secret" not in dumped.model_dump_json()
    assert "base_url" not in dumped.config


def test_memory_may_be_given_to_many_agents(reading, assistant):
    reading.knows("Deploy 0: run make", user_id="ann")
    memory = HippocortexMemory(reading.recorder)
    agents = [assistant("Done.", memory=[memory], name=name) for name in ("one", "two")]

    async def everybody():
        with session("s1", user_id="ann"):
            await asyncio.gather(*(agent.run(task="Deploy 0") for agent in agents))

    asyncio.run(everybody())
    assert all(len(blocks(agent._model_client.asked[0])) == 1 for agent in agents)
    assert {options.user_id for _, options in reading.queries} == {"ann"}


def test_detached_contexts_are_as_before(reading, assistant):
    reading.knows("Deploy 0: run make")
    memory = HippocortexMemory(reading.recorder)
    agent = assistant("Done.", "Done.", memory=[memory])
    run(agent, "Deploy 0")
    assert "get_messages" in vars(agent.model_context)
    memory.detach()
    assert "get_messages" not in vars(agent.model_context)
    run(agent, "Deploy 0")
    assert not blocks(agent._model_client.asked[1])


def test_agents_take_it_as_one_of_autogens_memories():
    assert issubclass(HippocortexMemory, Memory)
    with pytest.raises(TypeError):
        AssistantAgent("deployer", None, memory=HippocortexMemory())
