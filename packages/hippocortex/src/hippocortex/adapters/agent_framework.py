"""`hippocortex_agent_framework` under its documented name.

```python
from hippocortex.adapters.agent_framework import HippocortexContextProvider
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocortex.adapters._facade import lazily

if TYPE_CHECKING:
    from hippocortex_agent_framework import HippocortexContextProvider

__all__ = ["HippocortexContextProvider"]

if not TYPE_CHECKING:
    # Hidden from type checkers: to them any misspelt name would be one of this module's.
    __getattr__ = lazily(
        "hippocortex_agent_framework",
        __all__,
        extra="agent-framework",
        framework=("agent_framework",),
    )
