"""`auto_memory(agent)`: the same agent, with a memory, for any runner."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeVar, cast

from agents import Agent, AgentHookContext, AgentHooks, Handoff, RunContextWrapper

from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Source
from hippocortex_openai_agents import _events
from hippocortex_openai_agents._compat import with_target
from hippocortex_openai_agents._memory import Memory
from hippocortex_openai_agents._relaying import Relaying
from hippocortex_openai_agents._runs import run_of
from hippocortex_openai_agents._watching import Watcher

TContext = TypeVar("TContext")

if TYPE_CHECKING:
    _AgentHooks = AgentHooks[Any]
else:
    _AgentHooks = AgentHooks

HOOKS = (
    "instructions",
    *("on_start", "on_end", "on_handoff", "on_llm_start", "on_llm_end"),
    *("on_tool_start", "on_tool_end"),
)


class MemoryAgentHooks(Relaying, _AgentHooks):
    """The hooks of an agent that has a memory.

    Args:
        memory: Of the agent, and of all that it hands over to.
        inner: The user's own hooks.
    """

    def __init__(self, memory: Memory, inner: AgentHooks[Any] | None) -> None:
        self._inner: AgentHooks[Any] = inner or AgentHooks()
        self._watcher = Watcher(memory)

    @property
    def attached_hooks(self) -> Collection[str]:
        """What of the agent is used."""
        return HOOKS if self._watcher.memory.active else ()

    def detach(self) -> None:
        """Recall and capture nothing from now on, here and in all agents of this family."""
        self._watcher.memory.detach()

    async def on_start(self, context: AgentHookContext[Any], agent: Any) -> None:
        """What the user said."""
        self._watcher.began(context, agent)
        await self._inner.on_start(context, agent)

    async def on_end(self, context: AgentHookContext[Any], agent: Any, output: Any) -> None:
        """The answer, if it is none of a model."""
        self._watcher.ended(context, agent, output)
        await self._inner.on_end(context, agent, output)

    async def on_handoff(self, context: RunContextWrapper[Any], agent: Any, source: Any) -> None:
        """Who took over."""
        self._watcher.handed_off(context, source, agent)
        await self._inner.on_handoff(context, agent, source)


def auto_memory(
    agent: Agent[TContext],
    api_key: str | None = None,
    base_url: str | None = None,
    session_id: str | None = None,
    *,
    client: Source | None = None,
    user_id_key: str = "user_id",
) -> Agent[TContext]:
    """The agent with a memory: a copy, with copies of all that it hands over to.

    ```python
    agent = auto_memory(Agent("Deployer", instructions="You deploy services.", tools=[deploy]))
    await Runner.run(agent, "Deploy payments")
    ```

    What memory knows about the user's words stands after the agent's own instructions.  What the
    user, the agents and their tools say and do is captured.  Agents that are tools (`as_tool`) stay
    as they are: their calls are captured, and they have a memory if they were given one before.

    Args:
        agent: Not changed.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Where the memory lives; default: `HIPPOCORTEX_BASE_URL`, then the file.
        session_id: Of everything; default: that of the run's `HippocortexSession`, then the
            surrounding `session(...)`, and else one for each run.
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        user_id_key: Where the run's context, an object or a mapping, names the user.
    """
    memory = Memory(
        client, session_id=session_id, user_id_key=user_id_key, api_key=api_key, base_url=base_url
    )
    return cast("Agent[TContext]", _Family(memory).copy_of(agent))


class _Family:
    """Copies of agents, one each, also where they hand over to each other in circles."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._copies: dict[int, tuple[Agent[Any], Agent[Any]]] = {}

    def copy_of(self, agent: Any) -> Any:
        if not isinstance(agent, Agent) or isinstance(agent.hooks, MemoryAgentHooks):
            return cast("Any", agent)
        original = cast("Agent[Any]", agent)
        known = self._copies.get(id(original))
        if known is None:
            made = original.clone(
                instructions=self._remembering(original.instructions),
                hooks=MemoryAgentHooks(self._memory, original.hooks),
            )
            # The original is kept, so that no other agent can get its id.
            self._copies[id(original)] = known = original, made
            made.handoffs = [self._handoff(one) for one in original.handoffs]
        return known[1]

    def _handoff(self, one: Any) -> Any:
        if not isinstance(one, Handoff):
            return self.copy_of(one)
        return with_target(cast("Handoff[Any, Any]", one), self.copy_of)

    def _remembering(self, instructions: Any) -> Any:
        """Instructions that end with what memory knows."""

        async def remembering(context: RunContextWrapper[Any], agent: Agent[Any]) -> str | None:
            own = instructions
            if callable(own):
                own = own(context, agent)
                own = await own if inspect.isawaitable(own) else own
            return await self._filled(cast("str | None", own), context, agent)

        return remembering

    async def _filled(
        self, own: str | None, context: RunContextWrapper[Any], agent: Agent[Any]
    ) -> str | None:
        memory = self._memory
        with fail_open("injecting"):
            if not memory.ready:
                return own
            run = run_of(context.usage)
            question = run.question_of(agent)
            if not question.strip() or _events.holds_memory((), own):
                return own
            scope = memory.whose(run, context.context)
            text = await memory.recall_once(question, scope, run.recalled, id(memory))
            return _events.with_text(own, text) if text else own
        return own
