"""`hippocortex_crewai` under its documented name.

```python
from hippocortex.adapters.crewai import HippocortexMemory
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocortex.adapters._facade import lazily

if TYPE_CHECKING:
    from hippocortex_crewai import HippocortexCrewListener, HippocortexMemory

__all__ = ["HippocortexCrewListener", "HippocortexMemory"]

if not TYPE_CHECKING:
    # Hidden from type checkers: to them any misspelt name would be one of this module's.
    __getattr__ = lazily(
        "hippocortex_crewai",
        __all__,
        extra="crewai",
        framework=("crewai",),
    )
