"""Policies that users stated: one sentence is enough, a later one overrides an earlier one."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from math import ceil
from typing import NamedTuple

from hippocortex_engine.compiler import confidence, evidence, wording
from hippocortex_engine.compiler.corpus import Corpus
from hippocortex_engine.compiler.language import STOP
from hippocortex_engine.compiler.model import Rule, Session
from hippocortex_engine.compiler.ownership import NOBODY
from hippocortex_engine.records import Candidate

STATED_ONCE = 0.6
_ALIKE = 0.6
_MOST_COMPARED = 500
_WORD = re.compile(r"[a-z0-9][\w\-']*")
_ENDING = re.compile(r"(?:ing|ed|es|s|e)$")


class Statement(NamedTuple):
    """A rule where it was said.  `words` are the stems of its action and condition."""

    at: int
    session: Session
    rule: Rule
    words: frozenset[str]


def policies(corpus: Corpus) -> list[Candidate]:
    """The users' standing rules: active, and superseded ones where withdrawn or contradicted."""
    owners: dict[str, list[Statement]] = {}
    for session in corpus.sessions:
        for rule in session.rules:
            said = Statement(session.times[rule.position], session, rule, _stems(rule))
            owners.setdefault(rule.user or "", []).append(said)
    found: list[Candidate] = []
    for owner, statements in sorted(owners.items()):
        ordered = sorted(statements, key=_order)
        known = _Known(ordered)
        found += [
            _policy(owner, key, group, known.ending(group[-1]))
            for key, group in _grouped(ordered).items()
        ]
    return found


class _Known:
    """An owner's statements, in order, and which of them may take a rule back.

    Stems are ranked, the rarest first.  Of two statements that have enough stems in common each
    has one of them among its first (prefix filtering, Chaudhuri et al. 2006): so a statement is
    listed under its first stems alone, by its length, for that tells how many are enough.
    """

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._statements = statements
        self._orders = [_order(said) for said in statements]
        self._counts = Counter(stem for said in statements for stem in said.words)
        self._under: dict[tuple[str, int], defaultdict[str, list[int]]] = {}
        for at, said in enumerate(statements):
            stems = self._ranked(said)
            under = self._under.setdefault((said.rule.kind, len(stems)), defaultdict(list))
            for stem in stems[: len(stems) - ceil(_ALIKE * len(stems)) + 1]:
                under[stem].append(at)

    def ending(self, rule: Statement) -> Statement | None:
        """The first later statement that takes a rule back, if there is one.

        No more than the next 500 that may do so are looked at: this bounds the time that
        thousands of rules in the same few words take.
        """
        start = bisect_right(self._orders, _order(rule))
        later = [_from(start, listed) for listed in self._listed(rule)]
        candidates = (self._statements[at] for at in islice(merge(*later), _MOST_COMPARED))
        return next((said for said in candidates if _takes_back(said, rule)), None)

    def _listed(self, rule: Statement) -> Iterator[list[int]]:
        stems = self._ranked(rule)
        for (kind, length), under in self._under.items():
            enough = 1 if kind == "withdraw" else _enough(len(stems), length)
            if kind != rule.rule.kind and enough <= min(len(stems), length):
                first = stems[: len(stems) - enough + 1]
                yield from (under[stem] for stem in first if stem in under)

    def _ranked(self, said: Statement) -> list[str]:
        return sorted(said.words, key=lambda stem: (self._counts[stem], stem))


def _enough(one: int, other: int) -> int:
    """How many stems two statements of so many must share, to be alike."""
    return ceil(_ALIKE * (one + other) / (1 + _ALIKE) - 1e-9)


def _from(start: int, listed: list[int]) -> list[int]:
    first = bisect_left(listed, start)
    return listed[first : first + _MOST_COMPARED]


def _stems(rule: Rule) -> frozenset[str]:
    text = f"{rule.condition} {rule.action}".lower()
    return frozenset(_stem(word) for word in _WORD.findall(text) if word not in STOP)


def _stem(word: str) -> str:
    if any(letter.isdigit() for letter in word):
        return word  # a name: c10 is not c100
    root = _ENDING.sub("", word) if len(word) > 4 else word  # noqa: PLR2004 - "use", "uses"
    return root[:-1] if len(root) > 3 and root[-1] == root[-2] else root  # noqa: PLR2004


def _grouped(statements: Sequence[Statement]) -> dict[str, list[Statement]]:
    """The same rule said again is one rule."""
    groups: dict[str, list[Statement]] = {}
    for said in statements:
        if said.rule.kind != "withdraw":
            key = f"{said.rule.kind} {' '.join(sorted(said.words))}"
            groups.setdefault(key, []).append(said)
    return groups


def _order(said: Statement) -> tuple[int, tuple[str, int], int]:
    return (said.at, said.session.place, said.rule.position)


def _takes_back(said: Statement, rule: Statement) -> bool:
    if said.rule.kind == rule.rule.kind:
        return False
    common = len(said.words & rule.words)
    if said.rule.kind == "withdraw":
        return bool(said.words) and common >= _ALIKE * len(said.words)
    return common >= _ALIKE * len(said.words | rule.words)


def _policy(owner: str, key: str, group: Sequence[Statement], ended: Statement | None) -> Candidate:
    last = group[-1]
    proof = evidence.of_parts(
        [_part(said) for said in group], [_part(ended)] if ended is not None else []
    )
    sure = confidence.repeated(STATED_ONCE, len(group))
    do = _imperative(last.rule)
    content = {
        "condition": last.rule.condition or "always",
        "actions": [do],
        "alternatives": [],
        "statement": last.rule.statement,
        "stated_by": owner or None,
        "applies_when": last.rule.condition or "always",
        "not_when": "the user says otherwise",
        "support": {"sessions": proof.own_sessions, "statements": len(group)},
        "ended": wording.day(ended.at) if ended else None,
    }
    told = "stated once" if len(group) == 1 else f"stated {wording.times(len(group))}"
    when = f"; withdrawn {content['ended']}" if ended else ""
    return Candidate(
        type="decision_policy",
        key=f"stated\n{owner}\n{key}",
        title=do[:80],
        content=content,
        text=f"{do}. (The user's rule, {told}, {wording.day(last.at)}{when})",
        index_text=wording.indexed(do.lower(), last.rule.statement.lower(), "rule policy"),
        confidence=sure,
        strength=sure,
        status="superseded" if ended else "active",
        personal=True,
        owner=owner or None,
        entities=(owner,) if owner else (),
        **proof.fields(),
    )


def _part(said: Statement) -> evidence.Part:
    users = frozenset({said.rule.user}) if said.rule.user else NOBODY
    return evidence.Part(said.at, said.session, (said.rule.position,), users)


def _imperative(rule: Rule) -> str:
    action = f"never {rule.action}" if rule.kind == "avoid" else rule.action
    if rule.condition:
        return wording.title(f"{rule.condition}, {action}")
    return wording.title(
        action if rule.kind == "avoid" or " instead of: " in action else f"always {action}"
    )
