"""What is captured of runs of agents, and what their models are given."""

import asyncio
import json

import pytest
from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    Content,
    ContextProvider,
    FunctionInvocationLayer,
    InMemoryHistoryProvider,
    Message,
)

import hippocortex_agent_framework
from hippocortex.adapters import agent_framework as facade
from hippocortex_agent_framework import HippocortexContextProvider
from hippocortex_core import guard, session
from hippocortex_core.scope import current

BLOCK = "<hippocortex_memory>"
WORKED = [
    ("user", "Deploy payments"),
    ("call", "deploy", {"service": "payments"}),
    ("result", "deploy", "payments is live"),
    ("assistant", "It is live."),
]


def deploy(service: str) -> str:
    """Deploy a service."""
    if service == "broken":
        raise RuntimeError("pending migrations")
    return f"{service} is live"


def call(service, name="deploy"):
    return [("c1", name, {"service": service})]


@pytest.fixture
def assistant(scripted, reading):
    """Makes an agent whose model gives these answers, its client, and its provider."""

    def make(*answers, tools=(deploy,), **options):
        client = scripted(*answers)
        provider = HippocortexContextProvider(reading.recorder, **options)
        agent = Agent(
            client=client,
            name="deployer",
            instructions="You deploy services.",
            tools=list(tools),
            context_providers=[InMemoryHistoryProvider(), provider],
        )
        return agent, client, provider

    return make


@pytest.mark.parametrize("streams", [False, True])
def test_a_run_is_captured_in_order(reading, assistant, streams):
    agent, _, _ = assistant(call("payments"), "It is live.")

    async def run():
        if not streams:
            await agent.run("Deploy payments")
            return
        async for _ in agent.run("Deploy payments", stream=True):
            pass

    asyncio.run(run())
    said = [tuple(s.strip() if isinstance(s, str) else s for s in one) for one in reading.said]
    assert said == WORKED


def test_memory_stands_in_the_instructions_of_the_run_and_in_nothing_that_is_stored(
    reading, assistant
):
    reading.knows("Deploy payments: run make")
    agent, client, _ = assistant(call("payments"), "It is live.", "Fine.")
    conversation = agent.create_session()

    async def talk():
        await agent.run("Deploy payments", session=conversation)
        await agent.run("Thanks", session=conversation)

    asyncio.run(talk())
    instructions = [given for given, _ in client.asked]
    assert [text.count(BLOCK) for text in instructions] == [1, 1, 0]
    assert all(text.startswith("You deploy services.") for text in instructions)
    assert BLOCK not in json.dumps(conversation.to_dict(), default=str)
    assert [query for query, _ in reading.queries] == ["Deploy payments", "Thanks"]
    assert {event.session_id for event in reading.events} == {conversation.session_id}


def test_runs_without_a_session_are_sessions_of_their_own(reading, assistant):
    agent, _, _ = assistant("One.", "Two.")

    async def talk():
        await agent.run("First")
        await agent.run("Second")

    asyncio.run(talk())
    assert len({event.session_id for event in reading.events}) == 2


def test_what_is_said_around_a_run_comes_before_what_agent_framework_says(reading, assistant):
    agent, _, _ = assistant("One.", "Two.")

    async def talk():
        with session("ticket-42", user_id="ann"):
            await agent.run("First", session=agent.create_session())

    asyncio.run(talk())
    assert {(e.session_id, e.metadata["user_id"]) for e in reading.events} == {("ticket-42", "ann")}


def test_a_failing_tool_says_why(reading, assistant):
    agent, _, _ = assistant(call("broken"), "It did not work.")
    asyncio.run(agent.run("Deploy it"))
    (failure,) = [one for one in reading.said if one[0] == "failure"]
    assert failure[1] == "deploy"
    assert "pending migrations" in failure[2]


def test_a_model_that_is_gone_is_a_failure_and_the_exception_is_unchanged(reading, assistant):
    agent, _, _ = assistant(call("payments"), ConnectionError("the model is gone"))
    with pytest.raises(ConnectionError, match="the model is gone"):
        asyncio.run(agent.run("Deploy payments"))
    assert reading.said == [
        *WORKED[:3],
        ("observation", "model failed: ConnectionError: the model is gone"),
    ]


def test_several_calls_at_once_are_told_apart(reading, assistant):
    calls = [(f"c{n}", "deploy", {"service": f"service-{n}"}) for n in range(3)]
    agent, _, _ = assistant(calls, "They are live.")
    asyncio.run(agent.run("Deploy all"))
    made = {event.payload["call_id"]: event.payload for event in reading.events[1:4]}
    given = {event.payload["call_id"]: event.payload for event in reading.events[4:7]}
    assert set(made) == set(given) == {"c0", "c1", "c2"}
    assert all(given[i]["result"] == f"{made[i]['args']['service']} is live" for i in made)


def test_inject_memory_false_captures_only(reading, assistant):
    reading.knows("Deploy payments: run make")
    agent, client, _ = assistant("Done.", inject_memory=False)
    asyncio.run(agent.run("Deploy payments"))
    assert BLOCK not in str(client.asked)
    assert reading.queries == []
    assert len(reading.events) == 2


def test_a_request_belongs_to_the_conversation_and_has_its_memory(reading, assistant):
    seen = []

    def answer(instructions, messages):
        seen.append((current().session_id, guard.inside.get(), guard.captured_as()))
        return "Done."

    agent, _, _ = assistant(answer)
    asyncio.run(agent.run("Hi"))
    ((session_id, inside, elsewhere),) = seen
    assert inside
    assert session_id == elsewhere.session_id == reading.events[0].session_id


def test_several_messages_and_pictures_are_one_question(reading, assistant):
    agent, _, _ = assistant("A dot.")
    picture = Content.from_data(data=b"png", media_type="image/png")
    earlier = Message("assistant", ["What do you want?"])
    messages = [earlier, Message("user", ["What is it?", picture]), Message("user", ["Tell me."])]
    asyncio.run(agent.run(messages))
    assert [query for query, _ in reading.queries] == ["What is it?\nTell me."]
    assert reading.said == [
        ("user", "What is it?\n[image]"),
        ("user", "Tell me."),
        ("assistant", "A dot."),
    ]


def test_a_client_without_middleware_is_captured_when_the_run_is_over(reading):
    class Plain(FunctionInvocationLayer, BaseChatClient):
        answers = iter(
            [
                Content.from_function_call(call_id="c1", name="deploy", arguments={"service": "x"}),
                Content.from_text("It is live."),
            ]
        )

        def _inner_get_response(self, *, messages, stream, options, **kwargs):
            async def answer():
                return ChatResponse(messages=[Message("assistant", [next(self.answers)])])

            return answer()

    provider = HippocortexContextProvider(reading.recorder)
    agent = Agent(client=Plain(), tools=[deploy], context_providers=[provider])
    asyncio.run(agent.run("Deploy x"))
    assert sorted(one[0] for one in reading.said) == ["assistant", "call", "result", "user"]


def test_one_provider_serves_many_agents_and_users_at_once(reading, scripted):
    provider = HippocortexContextProvider(reading.recorder)
    answer = lambda instructions, messages: f"To {messages[-1].text}"  # noqa: E731
    agents = [Agent(client=scripted(answer), context_providers=[provider]) for _ in range(2)]

    async def talk(number):
        with session(user_id=f"user-{number}"):
            await agents[number % 2].run(f"I am {number}")

    async def everybody():
        await asyncio.gather(*(talk(number) for number in range(6)))

    asyncio.run(everybody())
    for number in range(6):
        mine = [e for e in reading.events if e.metadata["user_id"] == f"user-{number}"]
        assert [e.payload["content"] for e in mine] == [f"I am {number}", f"To I am {number}"]
        assert len({e.session_id for e in mine}) == 1
    assert len({e.session_id for e in reading.events}) == 6


def test_a_detached_provider_does_nothing(reading, assistant):
    reading.knows("Deploy payments: run make")
    agent, client, provider = assistant("Done.")
    assert provider.attached_hooks
    provider.detach()
    assert provider.attached_hooks == ()
    asyncio.run(agent.run("Deploy payments"))
    assert reading.events == []
    assert BLOCK not in str(client.asked)


def test_it_is_a_context_provider_and_the_facade_has_it():
    assert issubclass(HippocortexContextProvider, ContextProvider)
    assert facade.__all__ == hippocortex_agent_framework.__all__
    assert facade.HippocortexContextProvider is HippocortexContextProvider
