"""Checks of what is recalled, for whom, and how often."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

from hippocortex_core.render import TAG
from hippocortex_core.scope import Scope
from hippocortex_core.testing.contract.bench import ANN, Bench, is_async
from hippocortex_core.testing.contract.capturing import TURN
from hippocortex_core.testing.contract.driver import Agent, Mode
from hippocortex_core.testing.contract.script import DEPLOY, TALK, Turn, numbered
from hippocortex_core.testing.contract.world import World

USERS = 6
_BLOCK = f"<{TAG}>"


class RecallChecks:
    """What the memory knows reaches the model: for the right user, once."""

    def test_recall_injected_once(self, bench: Bench, world: World, mode: Mode) -> None:
        """Also in a turn with several requests, and in the turn after it."""
        for turn in (TALK, DEPLOY):
            world.knows(f"{turn.user} Remember the word {_word(turn)}.", ANN.user_id)
        agent = bench.agent(DEPLOY, TALK)
        for number, turn in enumerate((DEPLOY, TALK), start=1):
            seen = len(agent.requests)
            bench.run(agent, turn, mode)
            requests = agent.requests[seen:]
            assert len(requests) == len(turn.replies)
            assert [text.count(_BLOCK) for text in requests] == [1] * len(requests)
            assert all(_word(turn) in text for text in requests)
            assert world.recalls == number

    def test_users_do_not_mix(self, bench: Bench, world: World, mode: Mode) -> None:
        """Everybody runs at once, in threads or in tasks of one loop, on one agent."""
        turns = [numbered(number) for number in range(USERS)]
        people = [Scope(f"conversation-{n}", f"user-{n}") for n in range(USERS)]
        for turn, who in zip(turns, people, strict=True):
            world.knows(f"{turn.user} {_secret(who)}", who.user_id)
        agent = bench.agent(*turns)
        _at_once(agent, turns, people, mode)
        for number, (turn, who) in enumerate(zip(turns, people, strict=True)):
            mine = _events_about(world, number)
            assert len(mine) >= len(TURN)
            assert {user for user, _ in mine} == {who.user_id}
            assert len({session for _, session in mine}) == 1
            for text in (text for text in agent.requests if turn.user in text):
                assert {w.user_id for w in people if _secret(w) in text} <= {who.user_id}
        assert len({session for _, session in _events_about(world, None)}) == USERS


def _at_once(agent: Agent, turns: list[Turn], people: list[Scope], mode: Mode) -> None:
    pairs = list(zip(turns, people, strict=True))

    async def everybody() -> None:
        await asyncio.gather(*(agent.arun(turn.user, who, mode) for turn, who in pairs))

    if is_async(mode):
        asyncio.run(everybody())
        return
    with ThreadPoolExecutor(USERS) as pool:
        for future in [pool.submit(agent.run, turn.user, who, mode) for turn, who in pairs]:
            future.result()


def _events_about(world: World, number: int | None) -> list[tuple[str | None, str]]:
    """User and session of the events that name this number's service."""
    name = "service-" if number is None else f"service-{number:03}"
    return [
        ((event.metadata or {}).get("user_id"), event.session_id)
        for event in world.events
        if name in json.dumps(event.payload)
    ]


def _word(turn: Turn) -> str:
    return f"token-{len(turn.user)}-{len(turn.replies)}"


def _secret(who: Scope) -> str:
    return f"The door code of {who.user_id} is 47-{who.user_id}-11."
