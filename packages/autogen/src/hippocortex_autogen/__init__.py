"""Hippocortex for AutoGen in all its generations: agents that learn from what they did.

```python
from hippocortex_autogen import wrap

agent = wrap(AssistantAgent("deployer", model_client, tools=[deploy]))
await agent.run(task="Deploy payments to staging")
```

AgentChat, classic `ConversableAgent` and AG2 1.0 are told apart by the agent's class.  None of
them is imported before it is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from hippocortex_autogen._surfaces import attach, attached_hooks, detach, wrap

if TYPE_CHECKING:
    from hippocortex_autogen.ag2 import HippocortexMiddleware
    from hippocortex_autogen.agentchat import HippocortexMemory

__all__ = [
    "HippocortexMemory",
    "HippocortexMiddleware",
    "attach",
    "attached_hooks",
    "detach",
    "wrap",
]

_LATER = {
    "HippocortexMemory": ("agentchat", "autogen_core", "pip install 'hippocortex[autogen]'"),
    "HippocortexMiddleware": ("ag2", "ag2", "pip install 'ag2>=1.0.6'"),
}
"""What is loaded when it is asked for: its module, the framework it needs, and how to get that."""


if not TYPE_CHECKING:
    # Hidden from type checkers: to them any misspelt name would be one of this module's.
    def __getattr__(name: str) -> object:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, framework, fix = _LATER[name]
        try:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != framework:
                raise
            from hippocortex_core.errors import MissingExtraError  # noqa: PLC0415

            raise MissingExtraError(f"{name} needs {framework!r}: {fix}") from error
