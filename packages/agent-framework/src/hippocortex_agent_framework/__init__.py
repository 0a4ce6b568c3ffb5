"""Hippocortex for Microsoft Agent Framework: agents that learn from what they did.

```python
from hippocortex_agent_framework import HippocortexContextProvider

agent = Agent(client, tools=[deploy], context_providers=[HippocortexContextProvider()])
await agent.run("Deploy payments to staging", session=agent.create_session())
```
"""

from __future__ import annotations

from hippocortex_agent_framework.provider import HippocortexContextProvider

__all__ = ["HippocortexContextProvider"]
