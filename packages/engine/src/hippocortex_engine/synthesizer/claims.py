"""What a memory claims: its telling words, who says it, and whom or what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hippocortex_engine.describe import SIGNING
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.text import QUESTION_WORDS, STOP_WORDS, term_hash, terms

LEAST = 2
"""Telling words that a claim has at least."""

_WORD = re.compile(r"\w+(?:['\u2019]\w+)?")
_SAID = re.compile(r"(?:\[[^\]]*\] )?(?:(?P<actor>[^:\n]{1,80}): )?(?P<text>.*)", re.DOTALL)
_PERSON = re.compile(r"The user\b|(?!The )[A-Z]")
"""How a fact about somebody begins."""

_FIRST_PERSON = frozenset("i i'm i've i'd my mine me".split())
_POSSESSIVES = frozenset("my our your his her their".split())
_IGNORED = STOP_WORDS | QUESTION_WORDS

Words = frozenset[int]
"""Hashes of terms."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement: its words in order, the telling ones as terms, and who makes it.

    `personal`: somebody says it of themselves; `of_person`: a fact about somebody.
    """

    said: tuple[str, ...]
    words: Words
    actor: str | None
    personal: bool
    of_person: bool

    @property
    def held(self) -> Words:
        """Its telling words, and the name of who says it."""
        return self.words | telling(_WORD.findall(self.actor or ""))

    def may_speak_for(self, other: Claim) -> bool:
        """Whether one voice may have made both: of a user's messages some may begin like signed."""
        if self.actor == other.actor:
            return True
        voices = (self.actor or "", other.actor or "")
        return SIGNING in voices and all(voice.startswith(SIGNING) for voice in voices)


def claim(memory: Memory) -> Claim | None:
    """What it states; None for a question, an echo, and for what is too short."""
    is_fact = memory.section == "facts"
    text = memory.text.partition(" (")[0] if is_fact else memory.text
    match = _SAID.fullmatch(text)
    if match is None or match["actor"] == "assistant" or text.endswith("?"):
        return None
    said = tuple(_WORD.findall(match["text"]))
    words = telling(said)
    if len(words) < LEAST:
        return None
    personal = not is_fact and not _FIRST_PERSON.isdisjoint(map(_plain, said))
    of_person = is_fact and _PERSON.match(text) is not None
    return Claim(said, words, match["actor"], personal, of_person)


def telling(words: Iterable[str]) -> Words:
    """The terms of words that are about something; a digit is one as well."""
    return frozenset(
        term_hash(term)
        for word in words
        if _plain(word) not in _IGNORED
        for term in terms(word) or [word][: word.isdigit()]
    )


def of_others(said: Claim, was: Claim) -> bool:
    """Whether two claims say the same of different subjects, as far as they name them.

    "My son is not allergic to nuts" takes back nothing that is said of me or of my daughter.
    """
    shared = said.words & was.words
    return any(
        not subject.isdisjoint(one.held) and subject.isdisjoint(other.held)
        for one, other in ((said, was), (was, said))
        for subject in (_subject(one, shared, personal=other.of_person),)
    )


def _subject(one: Claim, shared: Words, *, personal: bool) -> Words:
    """Whose or what is meant by the first of the shared words: "my brother's" colour.

    Args:
        one: the claim.
        shared: words that another has too.
        personal: who says it is the subject of what they say of themselves.
    """
    if one.of_person and one.said[1:2] and _plain(one.said[1]).startswith("user"):
        return _USER
    at = next(at for at, word in enumerate(one.said) if telling([word]) & shared)
    while at and _plain(one.said[at - 1]) in _IGNORED - _POSSESSIVES - _FIRST_PERSON:
        at -= 1
    start = at
    while start and _plain(one.said[start - 1]) not in _IGNORED:
        start -= 1
    before = _plain(one.said[start - 1]) if start else ""
    if start < at:
        owned = before in _POSSESSIVES or _plain(one.said[at - 1]).endswith("'s")
        return telling(one.said[start:at]) if owned else _NOBODY
    return (
        telling(_WORD.findall(one.actor or "")) if personal and before in _FIRST_PERSON else _NOBODY
    )


def _plain(word: str) -> str:
    return word.lower().replace("\u2019", "'")


_NOBODY: Words = frozenset()
_USER = telling([SIGNING])
