"""`hippocortex_langgraph` under its documented name.

```python
from hippocortex.adapters.langgraph import HippocortexMiddleware
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocortex.adapters._facade import lazily

if TYPE_CHECKING:
    from hippocortex_langgraph import (
        HippocortexMiddleware,
        HippocortexSaver,
        HippocortexStore,
        MemoryGraph,
        create_capture_memory_tool,
        create_capture_node,
        create_pre_model_hook,
        create_recall_node,
        create_search_memory_tool,
        with_memory,
        wrap,
    )

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
    __getattr__ = lazily(
        "hippocortex_langgraph",
        __all__,
        extra="langgraph",
        framework=("langgraph", "langchain_core"),
    )
