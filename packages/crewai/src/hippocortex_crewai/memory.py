"""Memory for crews, agents and flows: a unified `Memory` of CrewAI that learns."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from crewai.memory.types import MemoryMatch, MemoryRecord, ScopeInfo
from crewai.memory.unified_memory import Memory
from pydantic import PrivateAttr

from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Opener, Source
from hippocortex_core.steps import Observation
from hippocortex_core.types import ReasoningSection
from hippocortex_crewai import _runs
from hippocortex_crewai._activity import querying, saving
from hippocortex_crewai._capture import Capture, Whose
from hippocortex_crewai._events import VIA, is_summary
from hippocortex_crewai._owners import place_in
from hippocortex_crewai._recalling import Question, RecallOptions, recalled
from hippocortex_crewai._records import Records, new_record
from hippocortex_crewai._scopes import joined, labels
from hippocortex_crewai._tap import tap

