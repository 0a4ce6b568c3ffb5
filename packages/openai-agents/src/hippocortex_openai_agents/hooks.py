"""Hooks of a run: everything that the SDK tells about it is captured."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from agents import AgentHookContext, RunContextWrapper, RunHooks

from hippocortex_core.recorder import Source
from hippocortex_openai_agents._memory import Memory
from hippocortex_openai_agents._relaying import Relaying
from hippocortex_openai_agents._watching import Watcher

if TYPE_CHECKING:
    _RunHooks = RunHooks[Any]
else:
    _RunHooks = RunHooks

HOOKS = (
    *("on_agent_start", "on_agent_end", "on_handoff", "on_llm_start", "on_llm_end"),
    *("on_tool_start", "on_tool_end"),
)


class HippocortexHooks(Relaying, _RunHooks):
    """Captures what a user, the agents and their tools say and do.

    ```python
    await Runner.run(agent, "Deploy payments", hooks=HippocortexHooks())
    ```

    May be shared by any number of runs.  To recall as well, add `run_config=run_config()`, or use
    `HippocortexRunner`, which does both.

    Args:
        inner: Hooks of your own, called as if this were not here.
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_id: Of everything; default: that of the run's `HippocortexSession`, then the
            surrounding `session(...)`, and else one for each run.
        user_id_key: Where the run's context, an object or a mapping, names the user.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.
    """

    def __init__(
        self,
        inner: RunHooks[Any] | None = None,
        *,
        client: Source | None = None,
        session_id: str | None = None,
        user_id_key: str = "user_id",
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        memory = Memory(
            client,
            session_id=session_id,
            user_id_key=user_id_key,
            api_key=api_key,
            base_url=base_url,
        )
        self._use(Watcher(memory), inner)

    def _use(self, watcher: Watcher, inner: RunHooks[Any] | None) -> None:
        self._inner: RunHooks[Any] = inner or RunHooks()
        self._watcher = watcher

    @property
    def attached_hooks(self) -> Collection[str]:
        """The hooks that are used."""
        return HOOKS if self._watcher.memory.active else ()

    def detach(self) -> None:
        """Capture nothing from now on; the inner hooks go on."""
        self._watcher.memory.detach()

    async def on_agent_start(self, context: AgentHookContext[Any], agent: Any) -> None:
        """What the user said."""
        self._watcher.began(context, agent)
        await self._inner.on_agent_start(context, agent)

    async def on_agent_end(self, context: AgentHookContext[Any], agent: Any, output: Any) -> None:
        """The answer, if it is none of a model."""
        self._watcher.ended(context, agent, output)
        await self._inner.on_agent_end(context, agent, output)

    async def on_handoff(
        self, context: RunContextWrapper[Any], from_agent: Any, to_agent: Any
    ) -> None:
        """Who took over."""
        self._watcher.handed_off(context, from_agent, to_agent)
        await self._inner.on_handoff(context, from_agent, to_agent)
