"""Policies that users stated: one sentence is enough, a later one overrides an earlier one."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
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
            _policy(owner, key, group, _ended(group[-1], known.like(group[-1])))
            for key, group in _grouped(ordered).items()
        ]
    return found


class _Known:
    """The statements that may take a rule back, found by the stems that they share with it.

    A statement is listed under so many of its rarest stems that whatever has enough of its stems
    has one of these (prefix filtering, Chaudhuri et al. 2006).
    """

    def __init__(self, statements: Sequence[Statement]) -> None:
        counts = Counter(stem for said in statements for stem in said.words)
        self._under: defaultdict[str, list[Statement]] = defaultdict(list)
        for said in statements:
            stems = sorted(said.words, key=lambda stem: (counts[stem], stem))
            spare = len(stems) - ceil(_ALIKE * len(stems))
            for stem in stems[: spare + 1]:
                self._under[stem].append(said)

    def like(self, rule: Statement) -> list[Statement]:
        """Those that may have enough stems in common with a rule."""
        return [said for stem in sorted(rule.words) for said in self._under.get(stem, ())]


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


def _ended(last: Statement, statements: Sequence[Statement]) -> Statement | None:
    """The later statement that takes a rule back, if there is one."""
    later = [said for said in statements if _takes_back(said, last) and _order(said) > _order(last)]
    return min(later, key=_order, default=None)


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
