"""`hippocortex_autogen` under its documented name.

```python
from hippocortex.adapters.autogen import wrap
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocortex.adapters._facade import lazily

if TYPE_CHECKING:
    from hippocortex_autogen import (
        HippocortexMemory,
        HippocortexMiddleware,
        attach,
        attached_hooks,
        detach,
        wrap,
    )

__all__ = [
    "HippocortexMemory",
    "HippocortexMiddleware",
    "attach",
    "attached_hooks",
    "detach",
    "wrap",
]

if not TYPE_CHECKING:
    # Hidden from type checkers: to them any misspelt name would be one of this module's.
    __getattr__ = lazily(
        "hippocortex_autogen",
        __all__,
        extra="autogen",
        framework=("autogen_core", "autogen_agentchat"),
    )
