"""Crews and agents with a memory pass the contract of adapters."""

import asyncio
import json
from contextlib import contextmanager
from types import MappingProxyType

import crewai.events
from crewai import Agent as CrewAgent
from crewai import BaseLLM, Crew, Task
from crewai.events import crewai_event_bus
from crewai.events.event_bus import CrewAIEventsBus
from crewai.tools import tool

from hippocortex_core import session
from hippocortex_core.testing.contract import AdapterContract, Agent, Driver, Outcome
from hippocortex_crewai import HippocortexCrewListener, HippocortexMemory

EVENTS = (
    *("CrewKickoffStartedEvent", "CrewKickoffCompletedEvent", "CrewKickoffFailedEvent"),
    *("TaskStartedEvent", "TaskCompletedEvent", "TaskFailedEvent", "AgentExecutionErrorEvent"),
    *("LiteAgentExecutionStartedEvent", "LiteAgentExecutionCompletedEvent"),
    *("LiteAgentExecutionErrorEvent", "ToolUsageStartedEvent", "ToolUsageFinishedEvent"),
    *("ToolUsageErrorEvent", "ToolSelectionErrorEvent", "ToolValidateInputErrorEvent"),
    "LLMGuardrailCompletedEvent",
)


class ScriptedModel(BaseLLM):
    """Answers as the script says; what it is asked is noted."""

    def follow(self, script, requests):
        # As attributes of its own: fields of a subclass are not possible in all versions.
        object.__setattr__(self, "_script", script)
        object.__setattr__(self, "_requests", requests)
        object.__setattr__(self, "_fails", [])
        return self

    def call(self, messages, *args, **options):
        asked = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
        text = "\n".join(
            f"{m['role']}: {m.get('content')} {m.get('tool_calls') or ''}" for m in asked
        )
        self._requests.append(text)
        if self._fails:
            raise self._fails.pop()
        answer = self._script.answer(text, sum(m["role"] == "tool" for m in asked))
        calls = [
            {"id": i, "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
            for i, name, args in answer.calls
        ]
        return calls or answer.text

    async def acall(self, *args, **options):
        return self.call(*args, **options)

    def supports_function_calling(self):
        return True

    def __deepcopy__(self, memo):
        return self


@contextmanager
def heard():
    """What an ordinary handler of the bus is told meanwhile."""
    events = []

    def note(source, event):
        events.append((source, event))

    kinds = [getattr(crewai.events, name) for name in EVENTS]
    for kind in kinds:
        crewai_event_bus.on(kind)(note)
    try:
        yield events
    finally:
        assert crewai_event_bus.flush()
        for kind in kinds:
            crewai_event_bus.off(kind, note)


class ScriptedAgent(Agent):
    """What crews and single agents have in common."""

    tries_again = True

    def __init__(self, script, *, memory):
        super().__init__()
        self.model = ScriptedModel(model="scripted").follow(script, self.requests)
        self.tools = [tool(one) for one in script.tools.values()]
        self.memory = HippocortexMemory() if memory else None
        self.inputs = []

    def run(self, said, who, mode):
        with session(who.session_id, user_id=who.user_id):
            return Outcome(self.enter(said).raw)

    async def arun(self, said, who, mode):
        async with session(who.session_id, user_id=who.user_id):
            return Outcome((await self.aenter(said)).raw)

    def replay(self, said, who, mode):
        """The model fails at first, so the agent tries again; two more listen; all is replayed."""
        listeners = [HippocortexCrewListener(), HippocortexCrewListener()]
        if self.tries_again:
            self.model._fails.append(ConnectionError("the model is gone"))
        with heard() as events:
            if mode == "sync":
                self.run(said, who, mode)
            else:
                asyncio.run(self.arun(said, who, mode))
        assert len(events) >= len(("begin", "call", "result", "end"))
        if hasattr(crewai_event_bus, "replay"):  # since CrewAI 1.14, for checkpoints
            with session(who.session_id, user_id=who.user_id):
                for source, event in events:
                    crewai_event_bus.replay(source, event)
            assert crewai_event_bus.flush()
        for one in listeners:
            one.detach()

    def agent(self, **options):
        return CrewAgent(
            role="deployer",
            goal="deploy services",
            backstory="You deploy services.",
            llm=self.model,
            tools=self.tools,
            **options,
        )

    def attached_hooks(self):
        return self.memory.attached_hooks

    def detach(self):
        self.memory.detach()

    def close(self):
        if self.memory is not None:
            self.memory.detach()

    def belongings(self):
        return self.inputs, [one.name for one in self.tools]


class ScriptedCrew(ScriptedAgent):
    """A crew of one agent with one task."""

    def __init__(self, script, *, memory):
        super().__init__(script, memory=memory)
        task = Task(description="{said}", expected_output="a report", agent=self.agent())
        self.crew = Crew(agents=[task.agent], tasks=[task], memory=self.memory or False)

    def given(self, said):
        self.inputs.append({"said": said})
        return self.inputs[-1]

    def enter(self, said):
        # CrewAI writes the inputs into the tasks: at once, each run needs a copy.
        return self.crew.copy().kickoff(inputs=self.given(said))

    async def aenter(self, said):
        return await self.crew.copy().akickoff(inputs=self.given(said))

    def belongings(self):
        task = self.crew.tasks[0]
        return (*super().belongings(), task.description, self.crew.agents[0].backstory)


class ThreadedCrew(ScriptedCrew):
    """`kickoff_async` runs the crew in a thread."""

    async def aenter(self, said):
        return await self.crew.copy().kickoff_async(inputs=self.given(said))


class SingleAgent(ScriptedAgent):
    """An agent without a crew, which does not try again."""

    tries_again = False

    def __init__(self, script, *, memory):
        super().__init__(script, memory=memory)
        self.single = self.agent(**({"memory": self.memory} if memory else {}))

    def enter(self, said):
        self.inputs.append(said)
        return self.single.kickoff(said)

    async def aenter(self, said):
        self.inputs.append(said)
        return await self.single.kickoff_async(said)


class CrewDriver(Driver):
    adapter = "hippocortex_crewai"
    brings = ("crewai", "openai", "pydantic")
    modes = ("sync", "async")
    hooks = ("recall", *EVENTS)
    kind = ScriptedCrew

    def agent(self, script, *, memory):
        return self.kind(script, memory=memory)

    def touched(self):
        return {
            "CrewAIEventsBus.emit": CrewAIEventsBus.emit,
            "crewai_event_bus.emit": vars(crewai_event_bus).get("emit"),
        }


class ThreadedDriver(CrewDriver):
    modes = ("async",)
    kind = ThreadedCrew


class SingleDriver(CrewDriver):
    kind = SingleAgent


NO_STREAM = MappingProxyType(
    {"streaming-unchanged": "a crew streams what its model emits, which no memory comes near"}
)


class TestCrew(AdapterContract):
    driver = CrewDriver()
    not_applicable = NO_STREAM


class TestCrewInAThread(AdapterContract):
    driver = ThreadedDriver()
    not_applicable = NO_STREAM


class TestSingleAgent(AdapterContract):
    driver = SingleDriver()
    not_applicable = NO_STREAM
