"""All digests together, read once: what every miner looks at.

Sessions are sorted by id and everything is counted, never sampled, so the result is a function
of the set of digests and not of the order in which they came.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hippocortex_engine.compiler import model
from hippocortex_engine.compiler.model import Run, Session
from hippocortex_engine.compiler.ownership import (
    NOBODY,
    Ledger,
    Users,
    audience,
    owner,
    suspects,
)
from hippocortex_engine.compiler.targets import name_targets
from hippocortex_engine.compiler.templates import generalise, hide_names

FEW = 2
_MOST_VALUES = 8
_PER_VALUE = 6


@dataclass(frozen=True, slots=True)
class Params:
    """Thresholds of the miners.

    `quorum`: distinct sessions behind a pattern.  `min_support`: episodes behind a statistical
    one.  `min_lift`: times the base rate.  `false_discovery`: the share of chance findings
    tolerated among statistical patterns (Benjamini & Hochberg's q).
    """

    quorum: int = 2
    min_support: int = 3
    min_lift: float = 1.5
    false_discovery: float = 0.05
    core_share: float = 0.5
    variation_share: float = 0.2


@dataclass
class Corpus:
    """The sessions, their runs, and whose they are."""

    sessions: list[Session]
    runs: list[Run] = field(default_factory=list[Run])

    @cached_property
    def several_users(self) -> bool:
        """Whether what one user said or did must be kept from another; nobody is no user."""
        return len({user for session in self.sessions for user in session.users if user}) >= FEW

    @cached_property
    def word_counts(self) -> Counter[str]:
        """In how many runs each word of a request occurs."""
        counts: Counter[str] = Counter()
        for run in self.runs:
            counts.update(run.words)
        return counts

    @cached_property
    def words(self) -> Ledger[str]:
        """Who used which word in a request."""
        ledger = Ledger[str]()
        for run in self.runs:
            ledger.note(run.words, run.users)
        return ledger

    @cached_property
    def actions(self) -> Ledger[str]:
        """Who took which action."""
        ledger = Ledger[str]()
        for run in self.runs:
            ledger.note(run.firsts, run.users)
        return ledger

    @cached_property
    def arguments(self) -> Ledger[tuple[str, str]]:
        """Who gave which argument to which action."""
        ledger = Ledger[tuple[str, str]]()
        for run in self.runs:
            ledger.note(
                {(step.action, name) for step in run.steps for name in step.args}, run.users
            )
        return ledger

    @cached_property
    def error_names(self) -> dict[tuple[str, str], str]:
        """What each (action, template) is called: similar ones merged, one user's names hidden."""
        users: defaultdict[tuple[str, str], set[Users]] = defaultdict(set)
        for run in self.runs:
            for step in run.steps:
                if step.error:
                    users[step.action, step.error].add(run.users)
        by_action: defaultdict[str, list[str]] = defaultdict(list)
        for action, line in users:
            by_action[action].append(line)
        merged = {action: generalise(lines) for action, lines in by_action.items()}
        names: dict[tuple[str, str], str] = {}
        for (action, line), known in users.items():
            name = merged[action][line]
            lone = self.several_users and suspects(known) != frozenset() and name == line
            names[action, line] = _without_names(name) if lone else name
        return names

    @cached_property
    def categories(self) -> frozenset[tuple[str, str]]:
        """The (action, feature) pairs of fields that take few values: kinds, not instances.

        A field with many values for its number of results names things (a city, a customer);
        what follows from one of its values is a coincidence of cases, not a rule.
        """
        counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        for run in self.runs:
            for step in run.steps:
                action = step.action
                for feature in step.features:
                    counts[action, feature] += 1
        fields: defaultdict[tuple[str, str], int] = defaultdict(int)
        results: defaultdict[tuple[str, str], int] = defaultdict(int)
        for (action, feature), hits in counts.items():
            field_name = action, feature.partition("=")[0]
            fields[field_name] += 1
            results[field_name] += hits
        return frozenset(
            (action, feature)
            for action, feature in counts
            if few_values(
                fields[action, feature.partition("=")[0]],
                results[action, feature.partition("=")[0]],
            )
        )

    def view(self, runs: Iterable[Run]) -> View:
        """What a pattern that rests on these runs may show."""
        return View(self, audience(run.users for run in runs))


@dataclass(frozen=True, slots=True)
class View:
    """What a pattern of these users may show of what happened elsewhere, or to one of them."""

    corpus: Corpus
    users: tuple[str | None, ...]

    def action(self, label: str) -> bool:
        """Whether the label of an action may be shown."""
        return self.corpus.actions.shows(label, self.users)

    def word(self, word: str) -> bool:
        """Whether a word of a request may be shown."""
        return self.corpus.words.shows(word, self.users)

    def argument(self, action: str, name: str) -> bool:
        """Whether the name of an argument of an action may be shown."""
        return self.corpus.arguments.shows((action, name), self.users)

    def seen_in(self, owners: Iterable[Run]) -> bool:
        """Whether a value seen in these runs, all of them the pattern's own, may be shown."""
        return len(self.users) < FEW or suspects(run.users for run in owners) == NOBODY

    def usual_in(self, owners: Sequence[Run]) -> bool:
        """Whether a value of these runs may be shown and is more than the chance of a session."""
        return len({run.session.id for run in owners}) >= FEW and self.seen_in(owners)


def few_values(values: int, occurrences: int) -> bool:
    """Whether a field with so many distinct values in so many occurrences is a category."""
    return values <= max(FEW, min(_MOST_VALUES, occurrences // _PER_VALUE))


def _without_names(line: str) -> str:
    return hide_names(line, frozenset(word.strip(".,;:!?()") for word in line.split(" ")))


def read(digests: Iterable[tuple[str, Mapping[str, Any]]]) -> Corpus:
    """The corpus of the digests, whatever order they come in."""
    ordered = sorted(digests, key=lambda one: (one[0], one[1]["start"], one[1]["events"]))
    sessions: list[Session] = []
    for session_id, digest in ordered:
        before = sessions[-1] if sessions else None
        part = before.part + 1 if before is not None and before.id == session_id else 0
        sessions.append(model.read(session_id, digest, part))
    corpus = Corpus(sessions, [run for session in sessions for run in session.runs])
    _find_users(corpus)
    name_targets(corpus.runs)
    return corpus


def _find_users(corpus: Corpus) -> None:
    """What names no user is of those of its session, in whatever stretch they are named."""
    named: defaultdict[str, Users] = defaultdict(frozenset)
    for session in corpus.sessions:
        named[session.id] |= {user for user in session.users if user}
    for session in corpus.sessions:
        if user := owner(named[session.id]):
            session.facts = [one if one.user else one._replace(user=user) for one in session.facts]
            session.rules = [one if one.user else one._replace(user=user) for one in session.rules]
    known: dict[Users, Users] = {}  # one object for each set: they are compared by identity first
    for run in corpus.runs:
        whose = run.users or named[run.session.id]
        run.users = known.setdefault(whose, whose)
