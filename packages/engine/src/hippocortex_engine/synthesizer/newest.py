"""The newest statement wins: what was said of the same thing before stands below it.

Two messages, or a message and a fact, are about the same when most of the words of one are in the
other and the question uses some of them.  Which of them is right is not for the memory to decide;
what came last is shown first, each with its date, unless the question asks about the past.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hippocortex_core.render import split_day
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.synthesizer.packer import Ranked
from hippocortex_engine.synthesizer.signals import SIGNALS, score
from hippocortex_engine.text import QUESTION_WORDS, STOP_WORDS

LOOKED_AT = 12
"""The best so many are compared."""

SHARED, LEAST = 0.5, 2
"""Share of the shorter statement's words, and how many at least, that the other has too."""

BELOW = 0.005
"""Score by which the older one stands below."""

_WORD = re.compile(r"\w+")
_SAID = re.compile(r"(?:\[[^\]]*\] )?(?:(?P<actor>[^:\n]{1,80}): )?(?P<text>.*)", re.DOTALL)
_FIRST_PERSON = frozenset("i my mine me".split())
_IGNORED = STOP_WORDS | QUESTION_WORDS


@dataclass(frozen=True, slots=True)
class Claim:
    """The telling words of a statement, who says it, and whether it is about them."""

    words: frozenset[str]
    actor: str | None
    personal: bool


def newest_first(
    ranked: Sequence[Ranked], asked: frozenset[str], read: frozenset[int]
) -> list[Ranked]:
    """The same memories, with what an equally fitting newer message revises put below it.

    Args:
        ranked: memories, best first.
        asked: the words of the question.
        read: events that facts were read from which hold.  Of two of them neither revises the
            other: they speak of different people or things, else one fact would have ended.
    """
    found = list(ranked)
    claims = {
        place: said
        for place, one in enumerate(found[:LOOKED_AT])
        if one.memory.states and (said := _claim(one.memory)) is not None
    }
    settled = {place for place in claims if read.issuperset(found[place].memory.sources)}
    by_age = sorted(claims, key=lambda place: _time(found[place].memory))
    for at, older in enumerate(by_age):
        for newer in reversed(by_age[at + 1 :]):
            said, was = claims[newer], claims[older]
            may = found[newer].memory.section == "context" and not settled.issuperset(
                (newer, older)
            )
            above = found[newer].score <= found[older].score
            if may and above and _revises(said, was, asked):
                found[older] = _below(found[older], found[newer])
                break  # what revises it most often comes last, and one is enough
    return found


def _claim(memory: Memory) -> Claim | None:
    """What it states; None for a question, an echo, and for what is too short."""
    is_fact = memory.section == "facts"
    text = memory.text.partition(" (")[0] if is_fact else memory.text
    match = _SAID.fullmatch(text)
    if match is None or match["actor"] == "assistant" or text.endswith("?"):
        return None
    words = frozenset(_WORD.findall(match["text"].lower()))
    telling = words - _IGNORED
    personal = not is_fact and not words.isdisjoint(_FIRST_PERSON)
    return Claim(telling, match["actor"], personal) if len(telling) >= LEAST else None


def _time(memory: Memory) -> tuple[int, int]:
    return -memory.age, memory.sources[-1]


def _revises(said: Claim, was: Claim, asked: frozenset[str]) -> bool:
    if said.actor != was.actor and was.personal:
        return False  # nobody revises what others say of themselves
    shared = said.words & was.words
    enough = max(LEAST, SHARED * min(len(said.words), len(was.words)))
    return len(shared) >= enough and not shared.isdisjoint(asked)


def _doubted(older: Memory, newer: Memory) -> str:
    """A fact stands in a section of its own, before what was said since: it has to say so."""
    day, _ = split_day(newer.text)
    if older.section != "facts" or not day or not older.text.endswith(")"):
        return older.text
    return f"{older.text[:-1]}; but see {day})"


def _below(older: Ranked, newer: Ranked) -> Ranked:
    excess = (older.score - newer.score + BELOW) / SIGNALS["semantic_similarity"][1]
    memory = older.memory._replace(
        relevance=max(0.0, older.memory.relevance - excess),
        text=_doubted(older.memory, newer.memory),
    )
    return Ranked(memory, score(memory))
