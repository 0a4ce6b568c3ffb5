"""What a digest holds, as rows: the evidence of a session after the events are gone.

Every row is a NamedTuple whose JSON is an array, so a digest is read back without a parser.
Events appear as positions in the session's own list of ids.  Times are milliseconds, UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hippocortex_engine.compiler.ownership import NOBODY, Users

_MIN_ID = 5
_ID = re.compile(r"(?=.*\d)(?=.*[A-Za-z_#])[\w#\-]+\Z|\d{5,}\Z")

USER = "user"  # an argument's origin: the user said it


class Step(NamedTuple):
    """One action and what came of it.

    `error` is the template of its failure, "" when it went well, None when nobody said.
    `args` holds short values ("" stands for one that is long); `origins` says who had mentioned
    a value before: `USER`, or the action whose result it was in.  `features` are facts about the
    result, such as `status=open` or `empty`.  `ends_turn` is 1 when the user spoke next.
    """

    action: str
    call: int
    result: int
    error: str | None
    args: dict[str, str]
    origins: dict[str, str]
    features: list[str]
    ends_turn: int
    effect: int


class Stated(NamedTuple):
    """A fact as somebody stated it; `kind` is `is`, `not` (a retraction) or `memory` (verbatim)."""

    position: int
    user: str | None
    subject: str
    attribute: str
    value: str
    multiple: int
    kind: str
    statement: str


class Rule(NamedTuple):
    """An explicit instruction; `kind` is `do`, `avoid` or `withdraw`."""

    position: int
    user: str | None
    kind: str
    condition: str
    action: str
    statement: str


@dataclass(slots=True)
class Session:
    """A digest read back: a session, or one stretch of it.

    `part` numbers the stretches of a session; counting sessions means counting ids.
    `case` is the same for sessions about the same thing (one order, one customer), so that
    several attempts at one case do not pass for independent evidence.
    """

    id: str
    users: list[str | None]
    agents: list[str | None]
    events: list[str]
    times: list[int]
    salience: list[float]
    part: int = 0
    case: str = ""
    runs: list[Run] = field(default_factory=list["Run"])
    facts: list[Stated] = field(default_factory=list[Stated])
    rules: list[Rule] = field(default_factory=list[Rule])

    @property
    def place(self) -> tuple[str, int]:
        """Which stretch of which session: what positions are relative to."""
        return (self.id, self.part)


@dataclass(slots=True, eq=False)
class Run:
    """An episode: a request and the steps it took.  `success` is None for an unlabelled one.

    `users` are those whose events it holds, the verdict apart; where it names none, those of the
    whole session.  `firsts` tells where each action occurs first.
    """

    session: Session
    request: int
    words: list[str]
    success: bool | None
    outcome: int
    steps: list[Step]
    users: Users = NOBODY
    ended_at: int = 0
    firsts: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        """When it ended: at the verdict, else at what its last step came to."""
        last = max(self.outcome, self.steps[-1].call, self.steps[-1].result)
        self.ended_at = self.session.times[last]
        for at, step in enumerate(self.steps):
            self.firsts.setdefault(step.action, at)

    def rename(self, steps: list[Step]) -> None:
        """The same steps under other names."""
        self.steps = steps
        self.firsts = {}
        for at, step in enumerate(steps):
            self.firsts.setdefault(step.action, at)

    def positions(self) -> list[int]:
        """The events it rests on, in order."""
        found = {self.request, self.outcome}
        for step in self.steps:
            found.add(step.call)
            found.add(step.result)
        return sorted(at for at in found if at >= 0)


def read(session_id: str, digest: Mapping[str, Any], part: int = 0) -> Session:
    """The session of a digest made by `digest.digest_session`."""
    start: int = digest["start"]
    session = Session(
        session_id,
        digest["users"],
        digest["agents"],
        digest["events"],
        [start + offset for offset in digest["times"]],
        digest["salience"],
        part,
    )
    session.facts = [Stated._make(row) for row in digest["facts"]]
    session.rules = [Rule._make(row) for row in digest["rules"]]
    session.runs = [
        Run(
            session,
            request,
            words.split(),
            success,
            outcome,
            [Step._make(row) for row in rows],
            _users(session, users),
        )
        for request, words, success, outcome, rows, users in digest["runs"]
    ]
    session.case = _case(session)
    return session


def _users(session: Session, places: list[int]) -> Users:
    return frozenset(user for place in places if (user := session.users[place]))


def _case(session: Session) -> str:
    """The first identifier that the user named and a call used; else the session itself."""
    for run in session.runs:
        for step in run.steps:
            for name, origin in step.origins.items():
                value = step.args[name]
                if origin == USER and len(value) >= _MIN_ID and _ID.search(value):
                    return value
    return session.id
