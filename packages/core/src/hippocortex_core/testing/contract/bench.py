"""What a check works with: agents that are closed in the end, and how to run them."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from hippocortex_core.scope import Scope
from hippocortex_core.testing.contract.driver import Agent, Driver, Mode, Outcome
from hippocortex_core.testing.contract.script import Turn, script

ANN = Scope("conversation-ann", "ann")


class Bench:
    """Builds and runs agents.

    Args:
        driver: Of the adapter.
        closing: Where to register what must be closed.
    """

    def __init__(self, driver: Driver, closing: ExitStack) -> None:
        self.driver = driver
        self.closing = closing

    def agent(self, *turns: Turn, memory: bool = True) -> Agent:
        """An agent of the framework for these turns."""
        made = self.driver.agent(script(*turns), memory=memory)
        self.closing.callback(made.close)
        return made

    def run(self, agent: Agent, turn: Turn, mode: Mode, who: Scope = ANN) -> Outcome:
        """Let the user say the turn's words; an async run has an event loop of its own."""
        if is_async(mode):
            return asyncio.run(agent.arun(turn.user, who, mode))
        return agent.run(turn.user, who, mode)

    def ran(self, mode: Mode, *turns: Turn) -> Agent:
        """An agent with memory after these turns."""
        agent = self.agent(*turns)
        for turn in turns:
            self.run(agent, turn, mode)
        return agent


def is_async(mode: Mode) -> bool:
    """Whether such a run is awaited."""
    return mode in {"async", "astream"}


def is_stream(mode: Mode) -> bool:
    """Whether such a run gives pieces."""
    return mode in {"stream", "astream"}
