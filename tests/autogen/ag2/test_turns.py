"""What is captured of turns of AG2 agents, and what their models are given."""

import asyncio

import pytest
from ag2 import Agent, MemoryStream
from ag2.events import HumanMessage

from hippocortex_autogen import HippocortexMiddleware, attach, attached_hooks, detach, wrap
from hippocortex_core import guard, session
from hippocortex_core.scope import current

BLOCK = "<hippocortex_memory>"


def deploy(service: str) -> str:
    """Deploy a service."""
    if service == "broken":
        raise RuntimeError("pending migrations")
    return f"{service} is live"


def call(service, name="deploy"):
    return [("c1", name, {"service": service})]


WORKED = [
    ("user", None, "Deploy payments"),
    ("call", "deploy", {"service": "payments"}),
    ("result", "deploy", "payments is live"),
    ("assistant", None, "It is live."),
]


def test_a_turn_is_captured_in_order(reading, assistant):
    agent, _ = assistant(call("payments"), "It is live.", tools=[deploy])
    asyncio.run(wrap(agent, client=reading.recorder).ask("Deploy payments"))
    assert reading.said == WORKED


def test_memory_stands_in_the_prompt_of_every_request_and_of_nothing_else(reading, assistant):
    reading.knows("Deploy payments: run make")
    agent, config = assistant(call("payments"), "It is live.", "Fine.", tools=[deploy])
    remembering = wrap(agent, client=reading.recorder)
    reply = asyncio.run(remembering.ask("Deploy payments"))
    for prompt, messages in config.asked:
        assert prompt[0] == "You deploy services."
        assert [BLOCK in text for text in prompt] == [False, True]
        assert BLOCK not in str(messages)
    assert reply.context.prompt == ["You deploy services."]
    assert len(reading.queries) == 1
    asyncio.run(reply.ask("Thanks"))
    assert [query for query, _ in reading.queries] == ["Deploy payments", "Thanks"]
    assert len({event.session_id for event in reading.events}) == 1


def test_a_stream_is_a_session(reading, assistant):
    agent, _ = assistant(*(["Yes."] * 3))
    remembering, stream = wrap(agent, client=reading.recorder), MemoryStream()

    async def talk():
        await remembering.ask("One", stream=stream)
        await remembering.ask("Two", stream=stream)
        await remembering.ask("Three")

    asyncio.run(talk())
    sessions = [event.session_id for event in reading.events if event.payload["role"] == "user"]
    assert sessions[0] == sessions[1] == f"stream-{stream.id}"
    assert sessions[2] != sessions[0]


def test_the_agent_that_is_wrapped_stays_as_it_is(reading, assistant):
    agent, _ = assistant("Yes.", "No.")
    before = dict(vars(agent))
    remembering = wrap(agent, client=reading.recorder)
    assert isinstance(remembering, Agent)
    assert vars(agent) == before
    asyncio.run(agent.ask("Unheard"))
    assert reading.events == []
    assert attached_hooks(agent) == []
    assert attached_hooks(remembering)
    detach(remembering)
    asyncio.run(remembering.ask("Unheard, too"))
    assert reading.events == []
    assert attached_hooks(remembering) == []


def test_a_call_may_have_a_memory_of_its_own(reading, assistant):
    reading.knows("Deploy payments: run make")
    agent, config = assistant("Yes.", "No.")
    mine = HippocortexMiddleware(reading.recorder, user_id="ann")
    asyncio.run(agent.ask("Deploy payments", middleware=[mine]))
    asyncio.run(agent.ask("Deploy payments"))
    assert [len(prompt) for prompt, _ in config.asked] == [2, 1]
    assert {event.metadata["user_id"] for event in reading.events} == {"ann"}


def test_two_memories_in_one_turn_capture_and_recall_once(reading, assistant):
    reading.knows("Deploy payments: run make")
    agent, config = assistant(call("payments"), "It is live.", tools=[deploy])
    agent = wrap(wrap(agent, client=reading.recorder), client=reading.recorder)
    asyncio.run(agent.ask("Deploy payments"))
    assert reading.said == WORKED
    assert [str(prompt).count(BLOCK) for prompt, _ in config.asked] == [1, 1]
    assert len(reading.queries) == 1


def test_inject_memory_false_captures_only(reading, assistant):
    reading.knows("Deploy payments: run make")
    seen = []

    async def look() -> str:
        """Look around."""
        seen.append((guard.inside.get(), guard.captured_as(), current().session_id))
        return "nothing"

    agent, config = assistant([("c1", "look", {})], "Done.", tools=[look])
    asyncio.run(wrap(agent, client=reading.recorder, inject_memory=False).ask("Deploy payments"))
    assert BLOCK not in str(config.asked)
    ((inside, elsewhere, session_id),) = seen
    assert not inside  # a wrapped client recalls, and leaves capturing to this
    assert elsewhere.session_id == session_id == reading.events[0].session_id


def test_a_failing_tool_says_why(reading, assistant):
    agent, _ = assistant(call("broken"), "It did not work.", tools=[deploy])
    asyncio.run(wrap(agent, client=reading.recorder).ask("Deploy it"))
    assert reading.said[2] == ("failure", "deploy", "RuntimeError: pending migrations")


def test_a_tool_that_is_not_there_is_a_call(reading, assistant):
    agent, _ = assistant(call("x", "undeploy"), "There is no such tool.", tools=[deploy])
    asyncio.run(wrap(agent, client=reading.recorder).ask("Undeploy it"))
    assert [one[0] for one in reading.said] == ["user", "call", "failure", "assistant"]
    assert "undeploy" in reading.said[2][2]


def test_a_model_that_is_gone_is_a_failure_and_the_exception_is_unchanged(reading, assistant):
    agent, _ = assistant(ConnectionError("the model is gone"))
    with pytest.raises(ConnectionError, match="the model is gone"):
        asyncio.run(wrap(agent, client=reading.recorder).ask("Deploy it"))
    assert reading.said[1:] == [("observation", "agent failed: ConnectionError: the model is gone")]


def test_a_tool_that_ends_the_turn_gives_the_answer(reading, assistant):
    from ag2 import ToolResult

    def finish() -> ToolResult:
        """Finish."""
        return ToolResult("All done.", final=True)

    agent, _ = assistant([("c1", "finish", {})], tools=[finish])
    reply = asyncio.run(wrap(agent, client=reading.recorder).ask("Finish"))
    assert reply.body == "All done."
    assert reading.said[-1] == ("assistant", None, "All done.")


def test_what_a_person_is_asked_in_between_is_captured(reading, assistant):
    async def ask(context) -> str:
        """Ask the person."""
        return await context.input("Which service?")

    from ag2 import Context

    ask.__annotations__["context"] = Context

    agent, _ = assistant([("c1", "ask", {})], "Deployed.", tools=[ask])
    remembering = wrap(agent, client=reading.recorder)
    asyncio.run(remembering.ask("Deploy", hitl_hook=lambda event: HumanMessage("Payments")))
    assert ("assistant", None, "Which service?") in reading.said
    assert ("user", None, "Payments") in reading.said


def test_a_session_around_a_turn_is_the_session(reading, assistant):
    agent, _ = assistant("Yes.")

    async def talk():
        with session("ticket-42", user_id="ann"):
            await wrap(agent, client=reading.recorder).ask("Hi")
        return current().session_id

    assert asyncio.run(talk()) is None
    assert {(e.session_id, e.metadata["user_id"]) for e in reading.events} == {("ticket-42", "ann")}


def test_attach_says_what_to_use_instead(assistant):
    agent, _ = assistant("Yes.")
    with pytest.raises(TypeError, match=r"not 'ag2.agent.Agent': use wrap\(\), or give it"):
        attach(agent)
