"""Hippocortex for LangGraph: agents and graphs that learn from what they did.

```python
from hippocortex_langgraph import HippocortexMiddleware

agent = create_agent(model, tools, middleware=[HippocortexMiddleware()])
agent.invoke(inputs, {"configurable": {"thread_id": "42", "user_id": "ann"}})
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocortex_langgraph._prompts import with_memory
from hippocortex_langgraph.graph import MemoryGraph, wrap
from hippocortex_langgraph.nodes import (
    create_capture_node,
    create_pre_model_hook,
    create_recall_node,
)
from hippocortex_langgraph.saver import HippocortexSaver
from hippocortex_langgraph.store import HippocortexStore
from hippocortex_langgraph.tools import create_capture_memory_tool, create_search_memory_tool

if TYPE_CHECKING:
    from hippocortex_langgraph.middleware import HippocortexMiddleware

__all__ = [
    "HippocortexMiddleware",
    "HippocortexSaver",
    "HippocortexStore",
    "MemoryGraph",
    "create_capture_memory_tool",
    "create_capture_node",
    "create_pre_model_hook",
    "create_recall_node",
    "create_search_memory_tool",
    "with_memory",
    "wrap",
]


if not TYPE_CHECKING:
    # Hidden from type checkers: to them any misspelt name would be one of this module's.
    def __getattr__(name: str) -> object:
        """The middleware is loaded when it is asked for: only it needs LangChain."""
        if name != "HippocortexMiddleware":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            from hippocortex_langgraph.middleware import HippocortexMiddleware  # noqa: PLC0415
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "langchain":
                raise
            from hippocortex_core.errors import MissingExtraError  # noqa: PLC0415

            raise MissingExtraError(
                "HippocortexMiddleware needs LangChain 1.0: pip install 'hippocortex[langgraph]'"
            ) from error
        return HippocortexMiddleware
