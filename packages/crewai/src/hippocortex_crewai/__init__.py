"""Hippocortex for CrewAI: crews, agents and flows that learn from what they did.

```python
from hippocortex_crewai import HippocortexMemory

crew = Crew(agents=[deployer], tasks=[deploy], memory=HippocortexMemory())
crew.kickoff(inputs={"service": "payments"})
```
"""

from __future__ import annotations

from hippocortex_crewai.listener import HippocortexCrewListener
from hippocortex_crewai.memory import HippocortexMemory

__all__ = ["HippocortexCrewListener", "HippocortexMemory"]
