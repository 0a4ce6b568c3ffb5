"""Every surface for the OpenAI Agents SDK passes the contract of adapters."""

import asyncio
import contextlib
import json
from collections import defaultdict
from types import MappingProxyType

import agents
import pytest
from agents import Agent as SdkAgent
from agents import MaxTurnsExceeded, RunConfig, Runner, SQLiteSession, function_tool

from hippocortex_core import session
from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.testing.contract import AdapterContract, Agent, Driver, Outcome
from hippocortex_openai_agents import (
    HippocortexHooks,
    HippocortexRunner,
    HippocortexSession,
    auto_memory,
    run_config,
)

HAS_STATES = hasattr(agents, "RunState")
"""Runs that can be stored and resumed; younger than the oldest version."""


@pytest.fixture(autouse=True)
def _scripted(scripted):
    """The drivers make their models with it."""
    SurfaceAgent.scripted = staticmethod(scripted)


def excuse(context, error):
    """What the model is told of a tool that raised."""
    return f"Error: {error}"


class SurfaceAgent(Agent):
    """A user's program: an agent with tools, and conversations."""

    scripted = None
    options = MappingProxyType({})

    def __init__(self, script, *, memory):
        super().__init__()
        self.script = script
        self.memory = memory
        self.histories = defaultdict(list)
        self.own = self.sdk_agent()
        self.agent = self.remembering(self.own) if memory else self.own

    def sdk_agent(self, **options):
        return SdkAgent(
            "Deployer",
            instructions="You deploy services.",
            model=self.scripted(self.answer),
            tools=[function_tool(tool, **options) for tool in self.script.tools.values()],
        )

    def answer(self, instructions, items):
        said = [item for item in items if item.get("role") == "user"][-1]["content"]
        last = max(n for n, item in enumerate(items) if item.get("role") == "user")
        done = [i.get("type") for i in items[last:]].count("function_call_output")
        self.requests.append(f"system: {instructions}\n{json.dumps(items, sort_keys=True)}")
        found = self.script.answer(said, done)
        return [*found.calls, *([found.text] if found.text else [])]

    # --- what a surface is ---

    def remembering(self, agent):
        return agent

    def given(self, said, who):
        """The conversation so far, which goes on."""
        return [*self.histories[who.session_id], {"role": "user", "content": said}]

    def kept(self, result, who):
        self.histories[who.session_id] = result.to_input_list()

    def around(self, who):
        return session(who.session_id, user_id=who.user_id)

    def runs(self, who):
        """The runner, and what it is given."""
        return Runner, {}

    # --- running ---

    def run(self, said, who, mode):
        runner, options = self.runs(who)
        with self.around(who), loop():
            result = runner.run_sync(self.agent, self.given(said, who), **options)
        self.kept(result, who)
        return Outcome(result.final_output)

    async def arun(self, said, who, mode):
        runner, options = self.runs(who)
        with self.around(who):
            if mode == "async":
                result = await runner.run(self.agent, self.given(said, who), **options)
                self.kept(result, who)
                return Outcome(result.final_output)
            result = runner.run_streamed(self.agent, self.given(said, who), **options)
        chunks = [piece(event) async for event in result.stream_events()]
        self.kept(result, who)
        return Outcome(result.final_output, chunks)

    def replay(self, said, who, mode):
        """A person must approve, in a new process; or there were too few turns at first."""
        asyncio.run(self._approved(said, who) if HAS_STATES else self._continued(said, who))

    async def _approved(self, said, who):
        agent = self.sdk_agent(needs_approval=True)
        agent = self.remembering(agent) if self.memory else agent
        runner, options = self.runs(who)
        with self.around(who):
            result = await runner.run(agent, self.given(said, who), **options)
        stored = result.to_state().to_json()
        close_shared(5)
        state = await agents.RunState.from_json(agent, stored)
        for interruption in state.get_interruptions():
            state.approve(interruption)
        runner, options = self.runs(who)
        with self.around(who):
            result = await runner.run(agent, state, **options)
        assert result.final_output == self.script.turn_in(said).final

    async def _continued(self, said, who):
        runner, options = self.runs(who)
        with self.around(who):
            try:
                await runner.run(self.agent, self.given(said, who), max_turns=1, **options)
            except MaxTurnsExceeded as error:
                data = error.run_data
            close_shared(5)
            runner, options = self.runs(who)
            if "session" in options:
                given = []
                config = RunConfig(session_input_callback=lambda before, new: [*before, *new])
                options = {**options, "run_config": config}
            else:
                done = [item.to_input_item() for item in data.new_items]
                given = [*self.given(said, who), *done]
            await runner.run(self.agent, given, **options)

    def belongings(self):
        own = self.own
        tools = [tool.name for tool in own.tools]
        histories = {name: [brief(i) for i in items] for name, items in self.histories.items()}
        return own.name, own.instructions, own.hooks, own.handoffs, tools, histories

    def attached_hooks(self):
        return [hook for one in self.parts() for hook in one.attached_hooks]

    def detach(self):
        for one in self.parts():
            one.detach()

    def parts(self):
        return []


@contextlib.contextmanager
def loop():
    """The event loop of a thread, which `run_sync` would leave open."""
    asyncio.set_event_loop(made := asyncio.new_event_loop())
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        made.close()


def piece(event):
    """A piece of a stream without ids."""
    if event.type == "raw_response_event":
        return event.data.type, getattr(event.data, "delta", None)
    if event.type == "run_item_stream_event":
        return event.name, brief(event.item.to_input_item())
    return event.type, event.new_agent.name


def brief(item):
    return {name: value for name, value in item.items() if name != "id"}


class AgentsDriver(Driver):
    adapter = "hippocortex_openai_agents"
    brings = ("agents", "openai")
    modes = ("sync", "async", "astream")
    made = SurfaceAgent

    def agent(self, script, *, memory):
        return self.made(script, memory=memory)

    def touched(self):
        methods = ("run", "run_sync", "run_streamed")
        return {f"Runner.{name}": vars(Runner)[name] for name in methods}


# --- auto_memory ---------------------------------------------------------------------------------


class AutoAgent(SurfaceAgent):
    def remembering(self, agent):
        return auto_memory(agent)

    def parts(self):
        return [self.agent.hooks]


class AutoDriver(AgentsDriver):
    hooks = (
        *("instructions", "on_start", "on_end", "on_handoff", "on_llm_start", "on_llm_end"),
        *("on_tool_start", "on_tool_end"),
    )
    made = AutoAgent


class TestAutoMemory(AdapterContract):
    driver = AutoDriver()


# --- run_config and hooks ------------------------------------------------------------------------

RUN_HOOKS = (
    *("on_agent_start", "on_agent_end", "on_handoff", "on_llm_start", "on_llm_end"),
    *("on_tool_start", "on_tool_end"),
)


class HookedAgent(SurfaceAgent):
    def __init__(self, script, *, memory):
        super().__init__(script, memory=memory)
        self.config = run_config() if memory else None
        self.hooked = HippocortexHooks() if memory else None

    def runs(self, who):
        return Runner, {"run_config": self.config, "hooks": self.hooked} if self.memory else {}

    def parts(self):
        return [self.hooked, self.config.call_model_input_filter]


class HookedDriver(AgentsDriver):
    hooks = (*RUN_HOOKS, "call_model_input_filter")
    made = HookedAgent


class TestHooks(AdapterContract):
    driver = HookedDriver()


# --- HippocortexRunner ---------------------------------------------------------------------------


class RunnerAgent(SurfaceAgent):
    """In one line, beside a session of the SDK."""

    def __init__(self, script, *, memory):
        super().__init__(script, memory=memory)
        self.sessions = {}

    def runs(self, who):
        own = self.sessions.get(who.session_id)
        if own is None:
            own = self.sessions[who.session_id] = SQLiteSession(who.session_id)
        if not self.memory:
            return Runner, {"session": own}
        return HippocortexRunner, {"session": own, "user_id": who.user_id}

    def given(self, said, who):
        return said

    def around(self, who):
        return contextlib.nullcontext()

    def parts(self):
        return []

    def attached_hooks(self):
        return ("run", "run_sync", "run_streamed") if self.memory else ()

    def detach(self):
        self.memory = False

    def close(self):
        for one in self.sessions.values():
            one.close()


class RunnerDriver(AgentsDriver):
    hooks = ("run", "run_sync", "run_streamed")
    made = RunnerAgent


class TestRunner(AdapterContract):
    driver = RunnerDriver()


# --- HippocortexSession --------------------------------------------------------------------------


class SessionAgent(SurfaceAgent):
    """A plain runner with a session of ours."""

    def __init__(self, script, *, memory):
        super().__init__(script, memory=memory)
        self.sessions = {}
        self.attached = True

    def sdk_agent(self, **options):
        return super().sdk_agent(failure_error_function=excuse, **options)

    def runs(self, who):
        known = self.sessions.get(who)
        if known is None:
            known = self.sessions[who] = self.session(who)
        if self.memory and not self.attached:
            known.detach()
        return Runner, {"session": known}

    def session(self, who):
        if self.memory:
            return HippocortexSession(who.session_id, user_id=who.user_id)
        return SQLiteSession(who.session_id)

    def given(self, said, who):
        return said

    def kept(self, result, who):
        self.histories[who.session_id] += [item.to_input_item() for item in result.new_items]

    def close(self):
        for one in self.sessions.values():
            if isinstance(one, SQLiteSession):
                one.close()

    def parts(self):
        return list(self.sessions.values()) or [HippocortexSession("none")]

    def detach(self):
        self.attached = False
        super().detach()


class SessionDriver(AgentsDriver):
    hooks = ("add_items",)
    flags_failures = False
    made = SessionAgent


class TestSession(AdapterContract):
    driver = SessionDriver()
    not_applicable = MappingProxyType(
        {"recall-injected-once": "a session keeps what was said, and asks no model"}
    )
