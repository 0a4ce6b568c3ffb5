"""The contract of adapters: what each must do, checked on the real framework.

Needs pytest, which nothing else in this package does.  See docs/adapters/writing-an-adapter.md.
"""

from hippocortex_core.testing.contract.driver import Agent, Driver, Mode, Outcome
from hippocortex_core.testing.contract.requirements import REQUIREMENTS
from hippocortex_core.testing.contract.script import Script, ToolFailed, Turn
from hippocortex_core.testing.contract.suite import AdapterContract

__all__ = [
    "REQUIREMENTS",
    "AdapterContract",
    "Agent",
    "Driver",
    "Mode",
    "Outcome",
    "Script",
    "ToolFailed",
    "Turn",
]
