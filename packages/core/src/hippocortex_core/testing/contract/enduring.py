"""Checks of what a run is like with a memory that fails, and without one again."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from hippocortex_core.render import TAG
from hippocortex_core.testing.contract.bench import Bench
from hippocortex_core.testing.contract.driver import Driver, Mode, Outcome
from hippocortex_core.testing.contract.script import DEPLOY, TALK
from hippocortex_core.testing.contract.world import RAISING, World, down, slow

Configure = Callable[[str], None]
"""Makes a URL the home of what is built from now on."""
Replace = Callable[[ModuleType, str, object], None]
"""Sets a name of a module until the check is over."""

HANGS_FOR = 10.0
"""Seconds that a run may take when memory hangs: a recall's deadline, and a busy machine."""

FRAMEWORKS = (
    *("langgraph", "langchain", "langchain_core", "crewai", "autogen", "autogen_agentchat"),
    *("autogen_core", "autogen_ext", "ag2", "agents", "agent_framework", "openai", "anthropic"),
    *("llama_index", "semantic_kernel", "google.adk", "pydantic_ai", "smolagents"),
    *("hippocortex_engine", "hippocortex_server", "hippocortex_langgraph", "hippocortex_crewai"),
    *("hippocortex_autogen", "hippocortex_openai_agents", "hippocortex_agent_framework"),
    *("hippocortex_openclaw", "sqlalchemy", "typer", "pytest"),
)
"""What an adapter must not load, unless it is its own framework's."""


class EndureChecks:
    """An agent never breaks, waits or changes because of its memory."""

    driver: Driver

    def test_memory_down(
        self, bench: Bench, home_at: Configure, mode: Mode, tmp_path: Path
    ) -> None:
        """Connections are refused."""
        with down(tmp_path) as url:
            home_at(url)
            assert _lived_through(bench, mode) == _without_memory(bench, mode)

    def test_memory_slow(
        self, bench: Bench, home_at: Configure, mode: Mode, tmp_path: Path
    ) -> None:
        """Requests are taken and never answered."""
        with slow(tmp_path) as url:
            home_at(url)
            begin = time.perf_counter()
            found = _lived_through(bench, mode)
            took = time.perf_counter() - begin
            assert found == _without_memory(bench, mode)
            assert took < HANGS_FOR

    def test_memory_raising(
        self, bench: Bench, home_at: Configure, mode: Mode, tmp_path: Path, fault: str
    ) -> None:
        """Requests are answered with errors or nonsense, or the embedded home is damaged."""
        with RAISING[fault](tmp_path) as url:
            home_at(url)
            assert _lived_through(bench, mode) == _without_memory(bench, mode)

    def test_own_faults(
        self,
        bench: Bench,
        world: World,
        home_at: Configure,
        mode: Mode,
        replace_in: Replace,
    ) -> None:
        """Every function that translates the framework's objects raises."""
        world.knows(f"{DEPLOY.user}? It is done with make.", "ann")
        home_at(world.url)
        plain, _ = _without_memory(bench, mode)
        bench.agent(DEPLOY)  # loads what the adapter loads late
        broken = _break_functions(self.driver, replace_in)
        found, _ = _lived_through(bench, mode)
        assert broken, "nothing of it was used"
        assert found == plain

    def test_streaming_unchanged(self, bench: Bench, world: World, stream_mode: Mode) -> None:
        """Every piece, in order."""
        world.knows(f"{DEPLOY.user}? It is done with make.", "ann")
        found = bench.run(bench.agent(DEPLOY), DEPLOY, stream_mode)
        plain = bench.run(bench.agent(DEPLOY, memory=False), DEPLOY, stream_mode)
        assert found.chunks
        assert found.chunks == plain.chunks
        assert found.text == plain.text == DEPLOY.final

    def test_two_event_loops(self, bench: Bench, world: World, async_mode: Mode) -> None:
        """The second `asyncio.run` is like the first."""
        world.knows(f"{TALK.user} It moved lately.", "ann")
        agent = bench.agent(DEPLOY, TALK)
        # Not `turn`: frameworks that read the locals of their callers (fast-depends) crash
        # CPython 3.13.0 where the variable of a comprehension is a cell of the function.
        answers = [bench.run(agent, one, async_mode).text for one in (DEPLOY, TALK)]
        assert answers == [DEPLOY.final, TALK.final]
        for turn in (DEPLOY, TALK):
            assert sum(turn.user in text for text in world.messages("user")) == 1
        asyncio.run(asyncio.sleep(0))  # nothing was left behind that disturbs a third one

    def test_detach_restores(self, bench: Bench, world: World, mode: Mode) -> None:
        """What was replaced is back; what is said afterwards stays unknown."""
        before = dict(self.driver.touched())
        agent = bench.agent(DEPLOY, TALK)
        bench.run(agent, DEPLOY, mode)
        events, recalls = len(world.events), world.recalls
        agent.detach()
        after = self.driver.touched()
        assert [name for name, thing in before.items() if after[name] is not thing] == []
        world.knows(f"{TALK.user} It moved lately.", "ann")
        assert bench.run(agent, TALK, mode).text == TALK.final
        assert (len(world.events), world.recalls) == (events, recalls)
        assert TAG not in agent.requests[-1]

    def test_own_objects_unchanged(self, bench: Bench, world: World, mode: Mode) -> None:
        """As after the same run without memory."""
        world.knows(f"{DEPLOY.user}? It is done with make.", "ann")
        found, plain = bench.agent(DEPLOY), bench.agent(DEPLOY, memory=False)
        for agent in (found, plain):
            bench.run(agent, DEPLOY, mode)
        assert plain.belongings(), "the driver says what belongs to the user"
        assert found.belongings() == plain.belongings()

    def test_imports_no_other_framework(self) -> None:
        """In a process of its own."""
        code = f"import sys, json, {self.driver.adapter}; print(json.dumps(sorted(sys.modules)))"
        done = subprocess.run(  # noqa: S603 - the code is ours
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        loaded = set(json.loads(done.stdout))
        allowed = {self.driver.adapter, *self.driver.brings}
        assert [name for name in FRAMEWORKS if name in loaded - allowed] == []

    def test_hooks_as_expected(self, bench: Bench, world: World) -> None:
        """None is missing after a change upstream, and none is new."""
        agent = bench.agent(TALK)
        assert set(agent.attached_hooks()) == set(self.driver.hooks)
        assert (agent.requests, world.events) == ([], [])


def _break_functions(driver: Driver, replace_in: Replace) -> list[str]:
    """Let each function of the translating modules raise; returns the names of those called."""
    package = driver.adapter.partition(".")[0]
    within = [m for name, m in sys.modules.items() if name.partition(".")[0] == package]
    called: list[str] = []

    def breaking(name: str) -> Callable[..., NoReturn]:
        def broken(*_: object, **__: object) -> NoReturn:
            called.append(name)
            raise Unreadable(name)

        return broken

    for module in within:
        for name, thing in list(vars(module).items()):
            home = getattr(thing, "__module__", "")
            if inspect.isfunction(thing) and home.endswith(tuple(driver.translates)):
                replace_in(module, name, breaking(name))
    return called


class Unreadable(RuntimeError):  # noqa: N818 - it reads like what happened
    """What a broken translation raises."""


Lived = tuple[Outcome, list[str]]


def _lived_through(bench: Bench, mode: Mode) -> Lived:
    agent = bench.agent(DEPLOY)
    outcome = bench.run(agent, DEPLOY, mode)
    assert len(agent.requests) == len(DEPLOY.replies), "the driver notes every request"
    return outcome, agent.requests


def _without_memory(bench: Bench, mode: Mode) -> Lived:
    agent = bench.agent(DEPLOY, memory=False)
    return bench.run(agent, DEPLOY, mode), agent.requests
