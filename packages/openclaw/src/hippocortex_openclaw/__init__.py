"""Hippocortex for OpenClaw: agents that learn from what they did.

Inside OpenClaw it is a plugin, which one command installs:

```bash
hippocortex openclaw install
```

For a loop of your own there is an object with the same memory:

```python
from hippocortex_openclaw import create_middleware

memory = create_middleware(session_id="ticket-42", user_id="ann")
context = await memory.on_message("Deploy payments")
...  # give it to the model; tell on_tool_call, on_tool_result and on_response what happens
await memory.close()
```

`hippocortex_openclaw.transcripts` reads what OpenClaw remembers of past sessions.
"""

from __future__ import annotations

from hippocortex_openclaw.middleware import (
    OpenClawMemoryMiddleware,
    create_middleware,
    create_skill,
)

__all__ = ["OpenClawMemoryMiddleware", "create_middleware", "create_skill"]
