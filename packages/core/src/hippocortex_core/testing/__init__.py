"""What tests of Hippocortex, and of code that uses it, need: a small memory, and a real HTTP home.

Standard library only.
"""

from hippocortex_core.testing.blocking import Blocking
from hippocortex_core.testing.fakes import InMemoryService
from hippocortex_core.testing.http_home import (
    Fault,
    HttpHome,
    Received,
    answer,
    cut_off,
    lose_answer,
    reset,
    stall,
)

__all__ = [
    "Blocking",
    "Fault",
    "HttpHome",
    "InMemoryService",
    "Received",
    "answer",
    "cut_off",
    "lose_answer",
    "reset",
    "stall",
]
