"""What the hooks of a run and those of an agent have in common."""

from __future__ import annotations

from typing import Any

from agents import RunContextWrapper
from agents.items import ModelResponse

from hippocortex_openai_agents._watching import Watcher


class Relaying:
    """Tells a watcher of models and tools, and then the user's own hooks."""

    _watcher: Watcher
    _inner: Any

    async def on_llm_start(
        self,
        context: RunContextWrapper[Any],
        agent: Any,
        system_prompt: str | None,
        input_items: list[Any],
    ) -> None:
        """Nothing: the input was captured where it was said."""
        self._watcher.asking(context)
        await self._inner.on_llm_start(context, agent, system_prompt, input_items)

    async def on_llm_end(
        self, context: RunContextWrapper[Any], agent: Any, response: ModelResponse
    ) -> None:
        """What the model said and called."""
        self._watcher.answered(context, agent, response)
        await self._inner.on_llm_end(context, agent, response)

    async def on_tool_start(self, context: RunContextWrapper[Any], agent: Any, tool: Any) -> None:
        """Which call it is."""
        self._watcher.tool_began(context, tool)
        await self._inner.on_tool_start(context, agent, tool)

    async def on_tool_end(
        self, context: RunContextWrapper[Any], agent: Any, tool: Any, result: Any
    ) -> None:
        """The result, or the failure."""
        self._watcher.tool_ended(context, agent, tool, result)
        await self._inner.on_tool_end(context, agent, tool, result)
