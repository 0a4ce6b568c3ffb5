"""The newest statement wins: what was said of the same thing before stands below it.

Two messages, or a message and a fact, are about the same when most of the words of one are in the
other, the question uses some of them, and neither names a subject that the other does not.  Which
of them is right is not for the memory to decide; of two that answer equally well, what came last
is shown first, each with its date, unless the question asks about the past.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from hippocortex_core.render import split_day
from hippocortex_engine.recall.query import Query
from hippocortex_engine.synthesizer.claims import LEAST, Claim, Words, claim, of_others, telling
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.synthesizer.packer import Ranked
from hippocortex_engine.synthesizer.signals import SIGNALS, score

LOOKED_AT = 12
"""The best so many are compared."""

SHARED = 0.5
"""Share of the shorter statement's words that the other has too."""

EQUAL = 0.1
"""Score up to which an older statement may fit better and still fit as well."""

BELOW = 0.005
"""Score by which the older one stands below."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The terms of a question, and those of them that name something or number it."""

    words: Words
    names: Words


def newest_first(ranked: Sequence[Ranked], query: Query, read: frozenset[int]) -> list[Ranked]:
    """The same memories, with what an equally fitting newer message revises put below it.

    Args:
        ranked: memories, best first.
        query: the question.
        read: events that facts were read from which hold.  Of two of them neither revises the
            other: they speak of different people or things, else one fact would have ended.
    """
    found = list(ranked)
    claims = {
        place: said
        for place, one in enumerate(found[:LOOKED_AT])
        if one.memory.states and (said := claim(one.memory)) is not None
    }
    if len(claims) < 2:  # noqa: PLR2004
        return found
    asked = _asked(query)
    settled = {place for place in claims if read.issuperset(found[place].memory.sources)}
    by_age = sorted(claims, key=lambda place: _time(found[place].memory))
    for at, older in enumerate(by_age):
        for newer in reversed(by_age[at + 1 :]):
            better = found[older].score - found[newer].score
            fits = 0 <= better <= EQUAL and found[newer].memory.section == "context"
            may = fits and not settled.issuperset((newer, older))
            if may and _revises(claims[newer], claims[older], asked):
                found[older] = _below(found[older], found[newer])
                break  # what revises it most often comes last, and one is enough
    return found


def _asked(query: Query) -> Asked:
    digits = telling(word for word in query.words if word.isdigit())
    return Asked(digits.union(query.terms), digits | query.entities)


def _time(memory: Memory) -> tuple[int, int]:
    return -memory.age, memory.sources[-1]


def _revises(said: Claim, was: Claim, asked: Asked) -> bool:
    if was.personal and not said.may_speak_for(was):
        return False  # nobody revises what others say of themselves
    shared = said.words & was.words
    enough = max(LEAST, SHARED * min(len(said.words), len(was.words)))
    if len(shared) < enough or shared.isdisjoint(asked.words):
        return False
    return not _answers_more(was, said, asked) and not of_others(said, was)


def _answers_more(was: Claim, said: Claim, asked: Asked) -> bool:
    """Whether the older one holds a name or number of the question, or more words, besides."""
    lost = (was.held - said.held) & asked.words
    gained = (said.held - was.held) & asked.words
    return len(lost) > len(gained) or not lost.isdisjoint(asked.names)


def _doubted(older: Memory, newer: Memory) -> str:
    """A fact stands in a section of its own, before what was said since: it has to say so."""
    day, _ = split_day(newer.text)
    if older.section != "facts" or not day or not older.text.endswith(")"):
        return older.text
    return f"{older.text[:-1]}; but see {day})"


def facts_first(ranked: Sequence[Ranked], outdated: Container[int]) -> list[Ranked]:
    """The same memories, with what an equally fitting fact has replaced put below that.

    Args:
        ranked: memories, best first.
        outdated: events that say what no longer holds.
    """
    facts = [one for one in ranked if one.memory.section == "facts"]
    return [_replaced(one, facts) if one.memory.sources[-1] in outdated else one for one in ranked]


def _replaced(one: Ranked, facts: Sequence[Ranked]) -> Ranked:
    if one.memory.section != "context":
        return one
    for fact in facts:
        known = one.memory.sources[-1] in fact.memory.sources
        if known and 0 <= one.score - fact.score <= EQUAL:
            return _below(one, fact)
    return one


def _below(older: Ranked, newer: Ranked) -> Ranked:
    excess = (older.score - newer.score + BELOW) / SIGNALS["semantic_similarity"][1]
    memory = older.memory._replace(
        relevance=max(0.0, older.memory.relevance - excess),
        text=_doubted(older.memory, newer.memory),
    )
    return Ranked(memory, score(memory))
