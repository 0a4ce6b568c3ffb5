"""The context provider passes the contract of adapters."""

import asyncio

import pytest
from agent_framework import Agent as MafAgent
from agent_framework import (
    AgentMiddleware,
    AgentSession,
    ContextProvider,
    InMemoryHistoryProvider,
)

from hippocortex_agent_framework import HippocortexContextProvider
from hippocortex_core import session
from hippocortex_core.testing.contract import AdapterContract, Agent, Driver, Outcome


@pytest.fixture(autouse=True)
def _scripted(scripted):
    """The drivers make their models with it."""
    ProviderAgent.scripted = staticmethod(scripted)


class Again(AgentMiddleware):
    """Runs the agent once more when its model was gone."""

    async def process(self, context, call_next):
        try:
            await call_next()
        except ConnectionError:
            await call_next()


class ProviderAgent(Agent):
    """A user's program: one agent, and a session for every conversation."""

    scripted = None
    providers = 1

    def __init__(self, script, *, memory):
        super().__init__()
        self.script = script
        self.fails = 0
        self.sessions = {}
        self.hippocortex = [HippocortexContextProvider() for _ in range(memory * self.providers)]
        self.agent = MafAgent(
            client=self.scripted(self.answer),
            name="deployer",
            instructions="You deploy services.",
            tools=list(script.tools.values()),
            # Of itself, Agent Framework 1.0 keeps no history where there is any provider.
            context_providers=[InMemoryHistoryProvider(), *self.hippocortex],
            middleware=[Again()],
        )

    def run(self, said, who, mode):
        raise NotImplementedError

    async def arun(self, said, who, mode):
        conversation = self.sessions.setdefault(who, AgentSession(session_id=who.session_id))
        with session(user_id=who.user_id):
            if mode == "async":
                return Outcome((await self.agent.run(said, session=conversation)).text)
            chunks = []
            stream = self.agent.run(said, session=conversation, stream=True)
            async for update in stream:
                chunks.extend(_brief(content) for content in update.contents)
            return Outcome((await stream.get_final_response()).text.strip(), chunks)

    def replay(self, said, who, mode):
        """The model is gone at first; a middleware of the user's runs the agent once more."""
        self.fails = 1
        asyncio.run(self.arun(said, who, "async"))  # a stream fails where no middleware is any more
        assert not self.fails

    def belongings(self):
        """What would be stored of the sessions, and what the agent was made of."""
        states = [
            [
                (message.role, [_brief(content) for content in message.contents])
                for state in one.state.values()
                for message in state.get("messages", ())
            ]
            for one in self.sessions.values()
        ]
        return states, self.agent.default_options["instructions"], list(self.script.tools.values())

    def attached_hooks(self):
        return self.hippocortex[0].attached_hooks

    def detach(self):
        for provider in self.hippocortex:
            provider.detach()

    def answer(self, instructions, messages):
        if self.fails:
            self.fails -= 1
            raise ConnectionError("the model is gone")
        texts = [f"{m.role}: {[_brief(content) for content in m.contents]}" for m in messages]
        self.requests.append("\n".join([instructions, *texts]))
        last = max(n for n, message in enumerate(messages) if message.role == "user")
        step = sum(message.role == "assistant" for message in messages[last:])
        found = self.script.answer(messages[last].text, step)
        return found.calls or found.text


def _brief(content):
    return (
        content.type,
        content.text or "",
        content.name if content.type == "function_call" else "",
        str(content.arguments if content.type == "function_call" else content.result),
    )


class TwiceAgent(ProviderAgent):
    """Somebody has given the agent two of them."""

    providers = 2


class ProviderDriver(Driver):
    adapter = "hippocortex_agent_framework"
    brings = ("agent_framework",)
    modes = ("async", "astream")
    hooks = ("before_run", "after_run", "chat_middleware")
    surface = ProviderAgent

    def agent(self, script, *, memory):
        return self.surface(script, memory=memory)

    def touched(self):
        return {name: getattr(ContextProvider, name) for name in ("before_run", "after_run")}


class TwiceDriver(ProviderDriver):
    surface = TwiceAgent


class TestProvider(AdapterContract):
    driver = ProviderDriver()


class TestTwoProviders(AdapterContract):
    driver = TwiceDriver()
