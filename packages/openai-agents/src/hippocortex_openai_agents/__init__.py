"""Hippocortex for the OpenAI Agents SDK: agents that learn from what they did.

```python
from hippocortex_openai_agents import HippocortexRunner, auto_memory

result = await HippocortexRunner.run(agent, "Deploy payments", user_id="ann")

agent = auto_memory(agent)  # or an agent with a memory of its own, for any runner
result = await Runner.run(agent, "Deploy payments")
```
"""

from __future__ import annotations

from hippocortex_openai_agents.agent import auto_memory
from hippocortex_openai_agents.config import run_config
from hippocortex_openai_agents.hooks import HippocortexHooks
from hippocortex_openai_agents.runner import HippocortexRunner
from hippocortex_openai_agents.session import HippocortexSession

__all__ = [
    "HippocortexHooks",
    "HippocortexRunner",
    "HippocortexSession",
    "auto_memory",
    "run_config",
]
