"""How well something known before a run predicts the tools that the run called."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol

from trajectories import Trajectory

from hippocortex_engine.text import terms

START, LONGEST = "start", 3


class Predictor(Protocol):
    """`plan` is the whole sequence expected, `next_tool` the call expected after some."""

    def plan(self, run: Trajectory) -> Sequence[str]: ...

    def next_tool(self, run: Trajectory, at: int) -> str | None: ...


class Nearest:
    """Baseline: the successful trajectory whose request is nearest by BM25, to the letter."""

    def __init__(self, runs: Sequence[Trajectory]) -> None:
        self._runs = [run for run in runs if run.passed and run.tools]
        self._texts = [Counter(terms(run.request)) for run in self._runs]
        self._average = sum(text.total() for text in self._texts) / len(self._texts)
        self._holding = Counter(term for text in self._texts for term in text)

    def plan(self, run: Trajectory) -> Sequence[str]:
        wanted = dict.fromkeys(terms(run.request))
        best = max(range(len(self._runs)), key=lambda at: (self._score(wanted, at), -at))
        return self._runs[best].tools

    def next_tool(self, run: Trajectory, at: int) -> str | None:
        plan = self.plan(run)
        return plan[at] if at < len(plan) else None

    def _score(self, wanted: Mapping[str, None], at: int) -> float:
        text, size = self._texts[at], len(self._runs)
        length = 1.5 * (0.25 + 0.75 * text.total() / self._average)
        return sum(
            math.log1p((size - self._holding[term] + 0.5) / (self._holding[term] + 0.5))
            * text[term] * 2.5 / (text[term] + length)
            for term in wanted
        )  # fmt: skip


class Follower:
    """Baseline: the most frequent follower of the last tool in the trajectories given.

    With `turns` it is counted apart where the user has spoken since: what a procedure may know.
    """

    def __init__(self, runs: Sequence[Trajectory], turns: bool = False) -> None:
        self._turns = turns
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for run in runs:
            for at, after in enumerate(run.tools):
                counts[self._last(run, at)][after] += 1
        self._next = {
            before: min(found, key=lambda tool: (-found[tool], tool))
            for before, found in counts.items()
        }

    def plan(self, run: Trajectory) -> Sequence[str]:  # noqa: ARG002 - the same for all
        tools: dict[str, None] = {}
        tool = self._next.get(START)
        while tool is not None and tool not in tools:
            tools[tool] = None
            tool = self._next.get(tool)
        return list(tools)

    def next_tool(self, run: Trajectory, at: int) -> str | None:
        return self._next.get(self._last(run, at))

    def _last(self, run: Trajectory, at: int) -> str:
        last = run.tools[at - 1] if at else START
        return f"{last} > reply" if self._turns and at and run.spoke[at] else last


class Procedure:
    """What the content of a task_schema says, read to the letter.

    Nothing else enters but the tools called so far and, with `turns`, whether the user has
    spoken since the last of them.
    """

    def __init__(self, content: Mapping | None, turns: bool = False) -> None:
        self._content = content or {"steps": [], "next": {}, "after_reply": {}}
        self._turns = turns

    def plan(self, run: Trajectory) -> Sequence[str]:  # noqa: ARG002 - content says it all
        return [
            step["tool"] for step in self._content["steps"] for _ in range(step.get("times", 1))
        ]

    def next_tool(self, run: Trajectory, at: int) -> str | None:
        before = (START, *run.tools[:at])
        tables = [self._content["next"], self._content["after_reply"]]
        if self._turns and run.spoke[at]:
            tables.reverse()
        for known in tables:
            for size in range(min(LONGEST, len(before)), 0, -1):
                if found := known.get(" > ".join(before[-size:])):
                    return found[0]
        return None


def order_f1(plan: Sequence[str], tools: Sequence[str]) -> float:
    """F1 of the longest common subsequence; 1 where nothing was to be done and nothing planned."""
    if not plan or not tools:
        return float(not plan and not tools)
    lengths = [0] * (len(tools) + 1)
    for planned in plan:
        before = 0
        for at, tool in enumerate(tools, 1):
            before, lengths[at] = (
                lengths[at],
                (before + 1 if planned == tool else max(lengths[at], lengths[at - 1])),
            )
    return 2 * lengths[-1] / (len(plan) + len(tools))
