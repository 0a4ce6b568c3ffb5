"""Every surface for AgentChat passes the contract of adapters."""

import asyncio
import contextlib

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import TextMessageTermination
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat

from hippocortex_autogen import HippocortexMemory, attach, attached_hooks, detach, wrap
from hippocortex_core import session
from hippocortex_core.scope import Scope
from hippocortex_core.testing.contract import AdapterContract, Agent, Driver, Outcome

HOOKS = ("on_messages", "on_messages_stream", "memory")


@pytest.fixture(autouse=True)
def _scripted(scripted):
    """The drivers make their models with it."""
    SurfaceAgent.scripted = staticmethod(scripted)


class SurfaceAgent(Agent):
    """A user's program: an agent for every conversation, since agents keep theirs."""

    scripted = None

    def __init__(self, script, *, memory):
        super().__init__()
        self.script = script
        self.memory = memory
        self.fails = 0
        self.conversations = {}
        self.detached = False

    def run(self, said, who, mode):
        raise NotImplementedError

    async def arun(self, said, who, mode):
        runner = self.runner(who)
        with session(who.session_id, user_id=who.user_id):
            if mode == "async":
                return _outcome(await runner.run(task=self.task(said)))
            return await _streamed(runner.run_stream(task=self.task(said)))

    def replay(self, said, who, mode):
        """The model is gone at first; the user tries again with the same message."""
        task = TextMessage(content=said, source="user")
        self.task = lambda _: task
        self.fails = 1
        with contextlib.suppress(Exception):
            asyncio.run(self.arun(said, who, mode))
        assert not self.fails
        asyncio.run(self.arun(said, who, mode))

    def belongings(self):
        """What agents would write to disk, and what they were made of."""
        states = [asyncio.run(one.save_state()) for one in self.agents()]
        return states, list(self.script.tools.values())

    def attached_hooks(self):
        return attached_hooks(self.runner(Scope("conversation-ann", "ann")))

    def detach(self):
        self.detached = True
        for runner in self.conversations.values():
            detach(runner)

    # --- parts -----------------------------------------------------------------------------------

    def task(self, said):
        return said

    def runner(self, who):
        if who not in self.conversations:
            self.conversations[who] = self.build()
        return self.conversations[who]

    def agents(self):
        return list(self.conversations.values())

    def build(self):
        agent = self.agent()
        return wrap(agent) if self.memory else agent

    def agent(self, **options):
        return AssistantAgent(
            "deployer",
            self.scripted(self.answer),
            tools=list(self.script.tools.values()),
            system_message="You deploy services.",
            reflect_on_tool_use=True,
            model_client_stream=True,
            **options,
        )

    def answer(self, messages):
        if self.fails:
            self.fails -= 1
            raise ConnectionError("the model is gone")
        self.requests.append("\n".join(f"{m.type}: {m.content}" for m in messages))
        last = max(n for n, m in enumerate(messages) if m.type == "UserMessage")
        step = sum(m.type == "AssistantMessage" for m in messages[last:])
        found = self.script.answer(messages[last].content, step)
        return found.calls or found.text


def _outcome(result):
    return Outcome(result.messages[-1].to_text())


async def _streamed(stream):
    chunks, text = [], ""
    async for item in stream:
        if isinstance(item, TaskResult):
            text = _outcome(item).text
        else:
            chunks.append((item.type, item.source, _without_ids(item)))
    return Outcome(text, chunks)


def _without_ids(item):
    return item.to_text() if isinstance(item.content, str) else str(item.content)


class AttachedAgent(SurfaceAgent):
    """A memory that all agents share, and each attached; they are capturing as one."""

    def __init__(self, script, *, memory):
        super().__init__(script, memory=memory)
        self.shared = HippocortexMemory() if memory else None

    def build(self):
        agent = self.agent(memory=[self.shared] if self.memory else None)
        return attach(agent) if self.memory else agent

    def detach(self):
        super().detach()
        self.shared.detach()


class TeamAgent(SurfaceAgent):
    """A team that works until its agent has said something in words.

    A team belongs to one event loop: programs store its state, and go on with another team.
    """

    def __init__(self, script, *, memory):
        super().__init__(script, memory=memory)
        self.states = {}

    async def arun(self, said, who, mode):
        team = self.conversations[who] = self.build()
        if self.detached:
            detach(team)
        if who in self.states:
            await team.load_state(self.states[who])
        found = await super().arun(said, who, mode)
        self.states[who] = await team.save_state()
        return found

    def belongings(self):
        messages = [
            agent["agent_state"]["llm_context"]
            for state in self.states.values()
            for name, agent in state["agent_states"].items()
            if name == "deployer"
        ]
        return messages, list(self.script.tools.values())

    def build(self):
        over = TextMessageTermination("deployer")
        team = RoundRobinGroupChat([self.agent()], termination_condition=over)
        return wrap(team) if self.memory else team


class SurfaceDriver(Driver):
    adapter = "hippocortex_autogen"
    brings = ("autogen_core", "autogen_agentchat")
    modes = ("async", "astream")
    hooks = HOOKS
    surface = SurfaceAgent

    def agent(self, script, *, memory):
        return self.surface(script, memory=memory)

    def touched(self):
        names = ("on_messages", "on_messages_stream", "run", "run_stream")
        return {name: getattr(AssistantAgent, name) for name in names}


class AttachedDriver(SurfaceDriver):
    hooks = ("on_messages", "on_messages_stream")
    surface = AttachedAgent


class TeamDriver(SurfaceDriver):
    surface = TeamAgent


class TestWrap(AdapterContract):
    driver = SurfaceDriver()


class TestAttachWithMemory(AdapterContract):
    driver = AttachedDriver()


class TestTeam(AdapterContract):
    driver = TeamDriver()
