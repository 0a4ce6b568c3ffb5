"""Installing the plugin into an OpenClaw on this machine, looking after it, taking it out again.

Nothing is printed here: every step is a `Step`, told as soon as it is done.

```python
plan = prepare(Wanted(base_url="http://127.0.0.1:8377/v1"))
plan.commands  # what is going to be run; nothing is done yet
failed = [step for step in install(plan) if step.status == "fail"]
```
"""

from __future__ import annotations

from hippocortex_openclaw._install.cli import DEFAULT_TIMEOUT, OpenClawError
from hippocortex_openclaw._install.installing import (
    Plan,
    install,
    place_by_hand,
    prepare,
)
from hippocortex_openclaw._install.places import openclaw_state, packaged_version
from hippocortex_openclaw._install.server import Server, probe
from hippocortex_openclaw._install.settings import (
    DEFAULT_URL,
    Scope,
    Wanted,
    server_url,
)
from hippocortex_openclaw._install.status import Status, look
from hippocortex_openclaw._install.steps import Step
from hippocortex_openclaw._install.uninstalling import uninstall
from hippocortex_openclaw._install.wording import ByHand, by_hand, explanation, patch_script

__all__ = [
    "DEFAULT_TIMEOUT",
    "DEFAULT_URL",
    "ByHand",
    "OpenClawError",
    "Plan",
    "Scope",
    "Server",
    "Status",
    "Step",
    "Wanted",
    "by_hand",
    "explanation",
    "install",
    "look",
    "openclaw_state",
    "packaged_version",
    "patch_script",
    "place_by_hand",
    "prepare",
    "probe",
    "server_url",
    "uninstall",
]
