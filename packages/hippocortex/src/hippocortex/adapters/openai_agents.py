"""`hippocortex_openai_agents` under its documented name.

```python
from hippocortex.adapters.openai_agents import auto_memory
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocortex.adapters._facade import lazily

if TYPE_CHECKING:
    from hippocortex_openai_agents import (
        HippocortexHooks,
        HippocortexRunner,
        HippocortexSession,
        auto_memory,
        run_config,
    )

__all__ = [
    "HippocortexHooks",
    "HippocortexRunner",
    "HippocortexSession",
    "auto_memory",
    "run_config",
]

if not TYPE_CHECKING:
    # Hidden from type checkers: to them any misspelt name would be one of this module's.
    __getattr__ = lazily(
        "hippocortex_openai_agents",
        __all__,
        extra="openai",
        framework=("agents",),
    )
