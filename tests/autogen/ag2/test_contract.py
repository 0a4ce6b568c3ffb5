"""Every surface for AG2 1.0 passes the contract of adapters."""

import asyncio
from collections import defaultdict

import pytest
from ag2 import Agent as Ag2Agent
from ag2 import MemoryStream
from ag2.events import ModelMessageChunk, ModelRequest, ModelResponse
from ag2.middleware import BaseMiddleware, RetryMiddleware

from hippocortex_autogen import HippocortexMiddleware, attached_hooks, detach, wrap
from hippocortex_core import session
from hippocortex_core.testing.contract import AdapterContract, Agent, Driver, Outcome


@pytest.fixture(autouse=True)
def _scripted(scripted):
    """The drivers make their models with it."""
    SurfaceAgent.scripted = staticmethod(scripted)


class SurfaceAgent(Agent):
    """A user's program: one agent for everybody, and a stream for every conversation."""

    scripted = None
    plugins = ()

    def __init__(self, script, *, memory):
        super().__init__()
        self.script = script
        self.memory = memory
        self.fails = 0
        self.streams = defaultdict(MemoryStream)
        self.config = self.scripted(self.answer)
        self.own = self.agent = self.build()

    def run(self, said, who, mode):
        raise NotImplementedError

    async def arun(self, said, who, mode):
        stream = self.streams[who]
        with session(who.session_id, user_id=who.user_id):
            if mode == "async":
                reply = await self.agent.ask(said, stream=stream, **self.options())
                return Outcome(reply.body)
            async with self.agent.run(said, stream=stream, **self.options()) as run:
                chunks = []
                run.stream.subscribe(lambda event: chunks.append(_brief(event)))
                reply = await run.result()
        return Outcome(reply.body, [chunk for chunk in chunks if chunk])

    def replay(self, said, who, mode):
        """The model is gone before its last answer, and AG2 asks it again."""
        self.fails = len(self.script.turn_in(said).replies)
        asyncio.run(self.arun(said, who, mode))
        assert not self.fails

    def belongings(self):
        own = self.own
        histories = [asyncio.run(_history(stream)) for stream in self.streams.values()]
        kept = (own.system_prompt, [type(m).__name__ for m in own.middleware], own.variables)
        return histories, [str(kept), [tool.name for tool in own.tools]]

    def attached_hooks(self):
        return attached_hooks(self.agent)

    def detach(self):
        detach(self.agent)

    # --- parts -----------------------------------------------------------------------------------

    def build(self):
        return self.bare()

    def bare(self, **options):
        tools = list(self.script.tools.values())
        return Ag2Agent(
            "deployer", "You deploy services.", config=self.config, tools=tools, **options
        )

    def options(self):
        """Of every call."""
        return {"middleware": [RetryMiddleware(retry_on=(ConnectionError,))]}

    def answer(self, prompt, events):
        last = max(n for n, event in enumerate(events) if isinstance(event, ModelRequest))
        step = sum(isinstance(event, ModelResponse) for event in events[last:])
        if self.fails and step == self.fails - 1:
            self.fails = 0
            raise ConnectionError("the model is gone")
        self.requests.append("\n".join([*prompt, *map(str, events)]))
        found = self.script.answer(events[last].parts[0].content, step)
        return found.calls or found.text


async def _history(stream):
    return [_brief(event) for event in await stream.history.get_events() if _brief(event)]


def _brief(event):
    """An event without ids and times."""
    if isinstance(event, ModelMessageChunk):
        return "chunk", event.content
    if isinstance(event, ModelRequest):
        return "request", [part.content for part in event.parts]
    if isinstance(event, ModelResponse):
        return "response", event.content, [(c.name, c.arguments) for c in event.tool_calls.calls]
    return None


class WrapAgent(SurfaceAgent):
    """The agent stays as it is, and a copy of it remembers."""

    def __init__(self, script, *, memory):
        super().__init__(script, memory=memory)
        if memory:
            self.agent = wrap(self.own)


class PluginAgent(SurfaceAgent):
    """An agent that was built with the plugin."""

    def build(self):
        self.surface = HippocortexMiddleware() if self.memory else None
        return self.bare(plugins=[self.surface.plugin()] if self.memory else ())

    def belongings(self):
        histories, _ = super().belongings()
        return histories, self.own.system_prompt


class CallAgent(SurfaceAgent):
    """An agent without memory, whose every call has one; so has a part of them a second."""

    def build(self):
        self.surface = HippocortexMiddleware() if self.memory else None
        self.second = HippocortexMiddleware() if self.memory else None
        return self.bare()

    def options(self):
        found = super().options()
        if self.memory:
            found["middleware"] += [self.surface, self.second]
        return found

    def attached_hooks(self):
        return self.surface.attached_hooks

    def detach(self):
        self.surface.detach()
        self.second.detach()


class SurfaceDriver(Driver):
    adapter = "hippocortex_autogen"
    brings = ("ag2",)
    modes = ("async", "astream")
    hooks = ("on_turn", "on_llm_call", "on_tool_execution", "on_human_input")
    surface = WrapAgent

    def agent(self, script, *, memory):
        return self.surface(script, memory=memory)

    def touched(self):
        return {name: getattr(BaseMiddleware, name) for name in self.hooks}


class PluginDriver(SurfaceDriver):
    surface = PluginAgent


class CallDriver(SurfaceDriver):
    surface = CallAgent


class TestWrap(AdapterContract):
    driver = SurfaceDriver()


class TestPlugin(AdapterContract):
    driver = PluginDriver()


class TestMiddlewareOfACall(AdapterContract):
    driver = CallDriver()
