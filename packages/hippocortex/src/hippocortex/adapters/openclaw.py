"""`hippocortex_openclaw` under its documented name.

```python
from hippocortex.adapters.openclaw import create_middleware
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocortex.adapters._facade import lazily

if TYPE_CHECKING:
    from hippocortex_openclaw import OpenClawMemoryMiddleware, create_middleware, create_skill

__all__ = ["OpenClawMemoryMiddleware", "create_middleware", "create_skill"]

if not TYPE_CHECKING:
    # Hidden from type checkers: to them any misspelt name would be one of this module's.
    __getattr__ = lazily("hippocortex_openclaw", __all__, extra="openclaw", framework=())
