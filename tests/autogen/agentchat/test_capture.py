"""`attach` and `wrap`: what agents and teams of AgentChat are told, say and do."""

import asyncio
import json
from types import MappingProxyType

import pytest
from autogen_agentchat.agents import (
    AssistantAgent,
    BaseChatAgent,
    CodeExecutorAgent,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.messages import MultiModalMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat, Swarm
from autogen_core import Image
from autogen_core.code_executor import CodeResult

from hippocortex import wrap as wrap_client
from hippocortex_autogen import HippocortexMemory, attach, attached_hooks, detach, wrap
from hippocortex_core import guard, session
from hippocortex_core.scope import current


def deploy(service: str) -> str:
    """Deploy a service."""
    if service == "broken":
        raise RuntimeError("pending migrations")
    return f"{service} is live"


CALL = [("c1", "deploy", {"service": "payments"})]
BROKEN = [("c2", "deploy", {"service": "broken"})]
TEAM = [
    ("user", None, "Deploy payments"),
    ("assistant", "planner", "Deploy it now"),
    ("call", "deploy", {"service": "payments"}),
    ("result", "deploy", "payments is live"),
    ("assistant", "deployer", "payments is live"),
    ("assistant", "planner", "DONE"),
]


@pytest.fixture
def planner(assistant):
    return assistant("Deploy it now", "DONE", name="planner", description="plans")


@pytest.fixture
def deployer(assistant):
    return assistant(CALL, name="deployer", tools=[deploy], description="deploys")


TRANSFERRED = "Transferred to deployer, adopting the role of deployer immediately."
OVER = TextMentionTermination("DONE", sources=["planner"])


def selector(names):
    """A model that selects the next speaker, in this order."""
    left = iter(names)
    return lambda messages: next(left)


TEAMS = {
    "round robin": lambda scripted, *agents: RoundRobinGroupChat(
        list(agents), termination_condition=OVER
    ),
    "selector": lambda scripted, *agents: SelectorGroupChat(
        list(agents),
        scripted(selector(["planner", "deployer", "planner"])),
        termination_condition=OVER,
        allow_repeated_speaker=True,
    ),
}


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("kind", TEAMS)
def test_a_team_is_captured_once_as_one_conversation(
    reading, scripted, planner, deployer, kind, streams
):
    team = wrap(TEAMS[kind](scripted, planner, deployer), client=reading.recorder)

    async def work():
        if not streams:
            await team.run(task="Deploy payments")
            return
        async for _ in team.run_stream(task="Deploy payments"):
            pass

    asyncio.run(work())
    assert reading.said == TEAM
    assert len({event.session_id for event in reading.events}) == 1


def test_agents_that_are_attached_one_by_one_share_the_conversation_they_are_in(
    reading, planner, deployer
):
    for agent in (planner, deployer):
        attach(agent, reading.recorder)
    team = RoundRobinGroupChat([planner, deployer], termination_condition=OVER)
    asyncio.run(team.run(task="Deploy payments"))
    assert reading.said == TEAM
    assert len({event.session_id for event in reading.events}) == 1


def test_two_runs_of_agents_that_start_anew_are_one_session_of_the_agent(reading, assistant):
    agent = attach(assistant("One.", "Two."), reading.recorder)
    asyncio.run(agent.run(task="First"))
    asyncio.run(agent.run(task="Second"))
    assert len({event.session_id for event in reading.events}) == 1
    other = attach(assistant("Three."), reading.recorder)
    asyncio.run(other.run(task="Third"))
    assert len({event.session_id for event in reading.events}) == 2


def test_a_swarm_tells_of_its_handovers(reading, assistant):
    first = assistant([("h1", "transfer_to_deployer", {})], name="planner", handoffs=["deployer"])
    second = assistant("DONE", name="deployer")
    over = TextMentionTermination("DONE")
    team = wrap(Swarm([first, second], termination_condition=over), client=reading.recorder)
    asyncio.run(team.run(task="Deploy payments"))
    assert reading.said == [
        ("user", None, "Deploy payments"),
        ("call", "transfer_to_deployer", {}),
        ("result", "transfer_to_deployer", TRANSFERRED),
        (
            "observation",
            f"planner handed over to deployer: {TRANSFERRED}",
        ),
        ("assistant", "deployer", "DONE"),
    ]


def test_a_society_of_mind_is_captured_inside_and_out(reading, scripted, planner, deployer):
    team = RoundRobinGroupChat([planner, deployer], termination_condition=OVER)
    agent = wrap(
        SocietyOfMindAgent("society", team, scripted("All done.")), client=reading.recorder
    )
    asyncio.run(agent.run(task="Deploy payments"))
    assert [one for one in reading.said if one in TEAM] == TEAM
    assert reading.said[-1] == ("assistant", "society", "All done.")
    assert len({event.session_id for event in reading.events}) == 1


def test_a_failing_tool_says_why(reading, assistant):
    agent = attach(assistant(BROKEN, tools=[deploy]), reading.recorder)
    asyncio.run(agent.run(task="Deploy it"))
    failures = [one for one in reading.said if one[0] == "failure"]
    assert [(tool, "pending migrations" in error) for _, tool, error in failures] == [
        ("deploy", True)
    ]


def test_a_model_that_is_gone_is_a_failure_once_and_the_exception_is_unchanged(reading, assistant):
    agent = attach(assistant(ConnectionError("the model is gone")), reading.recorder)
    with pytest.raises(ConnectionError, match="the model is gone"):
        asyncio.run(agent.run(task="Deploy it"))
    assert reading.said[1:] == [
        ("observation", "deployer failed: ConnectionError: the model is gone")
    ]


def test_what_a_person_says_in_a_team_is_the_users(reading, assistant):
    person = UserProxyAgent("ann", input_func=lambda prompt: "Then deploy payments")
    agent = assistant("Deploying.", name="deployer")
    over = MaxMessageTermination(3)
    team = wrap(
        RoundRobinGroupChat([person, agent], termination_condition=over), client=reading.recorder
    )
    asyncio.run(team.run(task="What now?"))
    assert reading.said == [
        ("user", None, "What now?"),
        ("user", "ann", "Then deploy payments"),
        ("assistant", "deployer", "Deploying."),
    ]


def test_an_agent_that_only_answers_is_captured_in_run_too(reading):
    class Echo(BaseChatAgent):
        produced_message_types = (TextMessage,)

        async def on_messages(self, messages, cancellation_token):
            said = TextMessage(content=messages[-1].content.upper(), source=self.name)
            return Response(chat_message=said)

        async def on_reset(self, cancellation_token):
            """There is nothing to reset."""

    agent = wrap(Echo("echo", "repeats"), client=reading.recorder)
    asyncio.run(agent.run(task="hello"))

    async def stream():
        return [item async for item in agent.run_stream(task="again")]

    asyncio.run(stream())
    assert reading.said == [
        ("user", None, "hello"),
        ("assistant", "echo", "HELLO"),
        ("user", None, "again"),
        ("assistant", "echo", "AGAIN"),
    ]
    assert attached_hooks(agent) == ["on_messages", "on_messages_stream"]


@pytest.mark.filterwarnings("ignore:No approval function set")
def test_code_that_is_run_is_a_tool(reading, scripted):
    class Executor:
        component_type = "code_executor"

        async def execute_code_blocks(self, blocks, cancellation_token):
            failed = "boom" in blocks[0].code
            return CodeResult(exit_code=int(failed), output="NameError: boom" if failed else "4")

    class Agent(CodeExecutorAgent):
        """AutoGen warns of executors that run code on this machine; this one runs none."""

    code = "```python\nprint(2 + 2)\n```"
    agent = attach(
        Agent("coder", Executor(), model_client=scripted(code, "It is 4.")), reading.recorder
    )
    asyncio.run(agent.run(task="Add two and two"))
    kinds = [one[0] for one in reading.said]
    assert kinds == ["user", "call", "result", "assistant"]
    assert reading.said[1][2]["code"].strip() == "print(2 + 2)"
    assert reading.said[2] == ("result", "code_executor", "4")


def test_pictures_are_remembered_as_pictures(reading, assistant):
    picture = Image.from_base64(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    agent = attach(assistant("A dot."), reading.recorder)
    task = MultiModalMessage(content=["What is it?", picture], source="user")
    asyncio.run(agent.run(task=task))
    assert reading.said[0] == ("user", None, "What is it?\n[image]")


def test_a_person_who_leaves_a_stream_closes_the_agents_own(reading, assistant):
    agent = attach(assistant("Done.", model_client_stream=True), reading.recorder)

    async def leave():
        stream = agent.on_messages_stream([TextMessage(content="Hi", source="user")], None)
        async for _ in stream:
            break
        await stream.aclose()

    asyncio.run(leave())
    assert reading.said == [("user", None, "Hi")]


def test_nothing_of_the_turn_shows_to_who_reads_a_stream(reading, assistant):
    agent = wrap(assistant("Done.", model_client_stream=True), client=reading.recorder)
    seen = []

    async def read():
        async for _ in agent.run_stream(task="Hi"):
            scope = current()
            seen.append((scope.session_id, guard.inside.get(), guard.captured_as()))

    asyncio.run(read())
    assert set(seen) == {(None, False, None)}


def test_tools_belong_to_the_conversation_of_the_agent(reading, assistant):
    seen = []

    async def look() -> str:
        """Look around."""
        seen.append((current(), guard.inside.get()))
        return "nothing"

    agent = assistant([("c1", "look", {})], tools=[look])
    wrap(agent, client=reading.recorder, session_id="s1", user_id="ann")
    asyncio.run(agent.run(task="Hi"))
    ((scope, inside),) = seen
    assert (scope.session_id, scope.user_id, inside) == ("s1", "ann", True)


def test_an_agent_that_is_only_captured_leaves_recalling_to_a_wrapped_client(reading, assistant):
    seen = []

    async def look() -> str:
        """Look around."""
        seen.append((guard.inside.get(), guard.captured_as()))
        return "nothing"

    agent = attach(assistant([("c1", "look", {})], tools=[look]), reading.recorder)
    asyncio.run(agent.run(task="Hi"))
    ((inside, elsewhere),) = seen
    assert not inside
    assert elsewhere.session_id == reading.events[0].session_id
    assert wrap_client is not wrap


def test_wrap_gives_a_memory_back_when_it_is_detached(reading, assistant):
    own = HippocortexMemory(reading.recorder)
    bare, equipped, listed = assistant(), assistant(memory=[own]), assistant(memory=[])
    before = [(dict(vars(agent)), agent._memory) for agent in (bare, equipped, listed)]
    for agent in (bare, equipped, listed):
        assert wrap(agent, client=reading.recorder) is agent
    assert [len(agent._memory) for agent in (bare, equipped, listed)] == [1, 1, 1]
    assert equipped._memory[0] is own
    assert attached_hooks(bare) == ["on_messages", "on_messages_stream", "memory"]
    for agent, (state, memory) in zip((bare, equipped, listed), before, strict=True):
        detach(agent)
        assert vars(agent) == state
        assert agent._memory is memory
        assert attached_hooks(agent) == []


def test_attaching_again_replaces(reading, assistant):
    agent = assistant("Done.")
    for session_id in ("s1", "s2"):
        wrap(agent, client=reading.recorder, session_id=session_id)
    asyncio.run(agent.run(task="Hi"))
    assert {event.session_id for event in reading.events} == {"s2"}
    assert len(reading.events) == 2
    detach(agent)
    assert not {"on_messages", "on_messages_stream"} & set(vars(agent))


def test_one_of_a_team_can_be_detached(reading, planner, deployer):
    team = wrap(
        RoundRobinGroupChat([planner, deployer], termination_condition=OVER),
        client=reading.recorder,
    )
    detach(deployer)
    asyncio.run(team.run(task="Deploy payments"))
    assert [one for one in TEAM if one[0] in {"call", "result"}] == TEAM[2:4]
    assert reading.said == [one for one in TEAM if one[0] not in {"call", "result"}]


def test_a_wrapped_agent_dumps_and_loads_without_secrets(reading, assistant):
    agent = AssistantAgent("deployer", Dumpable(), memory=None)
    wrap(agent, api_key="hx_live_secret", base_url="sqlite://", session_id="s1")
    dumped = agent.dump_component().model_dump_json()
    assert "secret" not in dumped
    assert json.loads(dumped)["config"]["memory"][0]["config"]["session_id"] == "s1"


class Dumpable:
    """A model that only needs to be there."""

    model_info = MappingProxyType({"function_calling": True, "vision": False})

    def dump_component(self):
        from autogen_core import ComponentModel

        return ComponentModel(provider="x.Y", config={})


def test_a_session_around_the_run_is_the_session(reading, assistant):
    agent = wrap(assistant("Done."), client=reading.recorder)

    async def work():
        with session("ticket-42", user_id="ann"):
            await agent.run(task="Hi")

    asyncio.run(work())
    assert {(e.session_id, e.metadata["user_id"]) for e in reading.events} == {("ticket-42", "ann")}
