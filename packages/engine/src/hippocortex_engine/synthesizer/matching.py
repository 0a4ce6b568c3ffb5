"""What a query asks for, as far as artifacts are concerned: a task to be done, or a failure met."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.compiler.language import keywords, sentences
from hippocortex_engine.recall.knowledge import Knowledge
from hippocortex_engine.recall.query import MAX_CHARS, MAX_TERMS
from hippocortex_engine.text import term_hash, terms

MIN_FIXED = 2
"""Words that an error template must hold beside its slots to be recognised at all."""

TELLING, CONTENT = 4, 2
"""Words, and among them such as are no function words, from which on a template speaks for itself.

Shorter ones, such as `Not found` or `no access`, are what people say of anything.
"""

MOST_OF_IT = 0.6
"""Share of an error's words that a query must hold to be about that error."""

_SLOT = re.compile(r"<[\w*]+>")
_LONGEST_SLOT = 160
_MAYBE_CUT = 100
"""Characters of a template from which on it may end within a word."""

_TRIES = 8
_MAX_SENTENCES = 8
_WORDS = re.compile(r"[A-Za-z]{2,}")
_REPORT = re.compile(
    r"\b(?:fail(?:s|ed|ing|ure)?|errors?|exception|traceback|denied|refused|rejected|crash(?:es|ed)?)\b",
    re.IGNORECASE,
)


class Known(NamedTuple):
    """A playbook as far as matching goes: its place, the tool and the template of its error."""

    row: int
    tool: str
    error: str


@dataclass(frozen=True, slots=True)
class Trade:
    """Which artifacts are procedures, the playbooks, and which tools they speak of, where."""

    procedures: NDArray[np.bool_]
    failures: Sequence[Known]
    tools: Mapping[str, list[int]]


def trade(knowledge: Knowledge) -> Trade:
    """What a memory's artifacts are about; made once for each state of them."""
    made = _TRADES.get(knowledge)
    if made is None:
        found = [one.candidate for one in knowledge.records]
        procedures = np.array([one.type == "task_schema" for one in found], dtype=np.bool_)
        tools: defaultdict[str, list[int]] = defaultdict(list)
        for row, one in enumerate(found):
            for tool in one.entities if one.type == "task_schema" else ():
                tools[tool].append(row)
        failures = [_known(knowledge, row) for row in knowledge.playbooks]
        for one in failures:
            tools[one.tool].append(one.row)
        made = _TRADES[knowledge] = Trade(procedures, failures, dict(tools))
    return made


_TRADES: WeakKeyDictionary[Knowledge, Trade] = WeakKeyDictionary()


def _known(knowledge: Knowledge, row: int) -> Known:
    """The playbook at a place."""
    content = knowledge.records[row].candidate.content
    return Known(row, str(content.get("tool")), str(content.get("error")))


def says_little(knowledge: Knowledge, row: int) -> bool:
    """Whether a playbook tells of a failure met in one run and never got over.

    It is for those who meet that very one.
    """
    found = knowledge.records[row].candidate
    return len(found.sessions) == 1 and not found.content.get("recovery_steps")


def task_terms(text: str) -> list[frozenset[int]]:
    """The terms of what a text asks for: of all of it, then of each sentence that says something.

    Courtesies, names and values are left out: a procedure serves whatever order, place or person
    a request names.  A request is stated in one sentence; others give reasons or feelings.
    """
    text = text[:MAX_CHARS]
    whole = _content(text)
    told = [_content(sentence) for sentence in islice(sentences(text), _MAX_SENTENCES)]
    return [whole, *(one for one in told if MIN_FIXED <= len(one) < len(whole))]


def _content(text: str) -> frozenset[int]:
    words = keywords(text, MAX_TERMS)
    return frozenset(term_hash(term) for word in words for term in terms(word))


def reports_failure(text: str) -> bool:
    """Whether a text speaks of something that went wrong."""
    return _REPORT.search(text[:MAX_CHARS]) is not None


def met(playbooks: Iterable[Known], text: str) -> frozenset[int]:
    """The rows of the playbooks whose very error a text holds; of one tool, the most specific."""
    lowered = " ".join(text[:MAX_CHARS].split()).lower()
    found = [one for one in playbooks if _holds(lowered, one.error)]
    longest: dict[str, int] = {}
    for one in found:
        longest[one.tool] = max(_fixed(one.error), longest.get(one.tool, 0))
    return frozenset(one.row for one in found if _fixed(one.error) == longest[one.tool])


def tells(error: str) -> bool:
    """Whether an error's words are so many that a text holds them for no other reason."""
    return _fixed(error) >= TELLING and len(_terms(error)) >= CONTENT


def about(error: str, wanted: frozenset[int]) -> bool:
    """Whether a query with these terms holds most words of an error."""
    held = _terms(error)
    return bool(held) and len(held & wanted) >= MOST_OF_IT * len(held)


def names_tool(text: str, tool: str) -> bool:
    """Whether a text names a tool; a plain word such as `search` must be marked as a name."""
    name = tool.removeprefix("$ ")
    if name.isalpha() and name.islower():
        return f"`{name}`" in text or f"{name}(" in text
    at = text.find(name)
    while at >= 0:
        before, after = text[max(0, at - 1) : at], text[at + len(name) : at + len(name) + 1]
        if not (_joins(before) or _joins(after)):
            return True
        at = text.find(name, at + 1)
    return False


def _joins(character: str) -> bool:
    return character.isalnum() or character in {"_", "-"} if character else False


def _holds(text: str, error: str) -> bool:
    """Whether the words of a template stand in a text, with something short in each slot."""
    if _fixed(error) < MIN_FIXED:
        return False
    first, *rest = _parts(error)
    at = text.find(first)
    for _ in range(_TRIES):
        if at < 0:
            return False
        end = _goes_on(text, at + len(first), rest)
        if end >= 0 and _stands_alone(text, at, end, error):
            return True
        at = text.find(first, at + 1)
    return False


def _goes_on(text: str, at: int, parts: Sequence[str]) -> int:
    """Where the last of the parts ends, -1 if they do not follow."""
    for part in parts:
        found = text.find(part, at, at + _LONGEST_SLOT + len(part))
        if found < 0:
            return -1
        at = found + len(part)
    return at


def _stands_alone(text: str, start: int, end: int, error: str) -> bool:
    """Whether the first and the last word of a template are whole words of a text.

    Beside a slot anything may stand.
    """
    before = "" if error.startswith("<") else text[max(0, start - 1) : start]
    cut = error.endswith(">") or len(error) >= _MAYBE_CUT
    after = "" if cut else text[end : end + 1]
    return not (
        (_joins(before) and _joins(text[start : start + 1]))
        or (_joins(after) and _joins(text[end - 1 : end]))
    )


@lru_cache(maxsize=4_096)
def _parts(error: str) -> list[str]:
    return [part for part in _SLOT.split(error.lower()) if part.strip()]


@lru_cache(maxsize=4_096)
def _fixed(error: str) -> int:
    """Words beside the slots."""
    return len(_WORDS.findall(_SLOT.sub(" ", error)))


@lru_cache(maxsize=4_096)
def _terms(error: str) -> frozenset[int]:
    return frozenset(term_hash(term) for term in terms(_SLOT.sub(" ", error)))
