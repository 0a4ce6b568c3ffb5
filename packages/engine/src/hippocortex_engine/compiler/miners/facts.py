"""Facts: who prefers what, what is where; the newest statement holds.

Facts belong to the user who stated them (by user id), so two people of one name stay apart.
A single-valued attribute has a history: its current value is active and tells what held
before; earlier ones are superseded but kept, for questions about the past.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hippocortex_engine.compiler import confidence, evidence, wording
from hippocortex_engine.compiler.corpus import Corpus, Params
from hippocortex_engine.compiler.model import Session, Stated
from hippocortex_engine.compiler.ownership import NOBODY
from hippocortex_engine.compiler.predicates import sentence, subject_name
from hippocortex_engine.records import Candidate

_READ_FROM_TEXT = 0.7
_EXTRACTED = 0.8
_IDENTITIES = ("user id", "customer id", "account id", "username", "email", "email address", "name")
_OPPOSITES = {"likes": "dislikes", "dislikes": "likes"}


class Saying(NamedTuple):
    """A statement where it was made."""

    at: int
    session: Session
    fact: Stated


@dataclass
class Version:
    """A value for as long as it held; `ended` is the statement that ended it, if one did."""

    value: str
    said: list[Saying] = field(default_factory=list[Saying])
    ended: Saying | None = None


@dataclass
class Entry:
    """All versions of one fact, oldest first."""

    fact: Stated
    versions: list[Version] = field(default_factory=list[Version])


Key = tuple[str, str, str]
"""Subject, attribute and, where several values may hold, object."""


class Book:
    """Entries of one owner."""

    def __init__(self) -> None:
        self.entries: dict[Key, Entry] = {}
        self._longer: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._holding: defaultdict[Key, dict[Key, Entry]] = defaultdict(dict)

    def enter(self, saying: Saying) -> None:
        """The next statement in time."""
        fact = saying.fact
        subject = self._known_subject(fact)
        if fact.kind == "not":
            self._retract(subject, saying)
            return
        object_ = fact.value.lower() if fact.multiple else ""
        opposite = self.entries.get((subject, _OPPOSITES.get(fact.attribute, ""), object_))
        if opposite:
            opposite.versions[-1].ended = opposite.versions[-1].ended or saying
        key = subject, fact.attribute, object_
        entry = self.entries.get(key) or self._new(key, fact)
        current = entry.versions[-1] if entry.versions else None
        if current and current.ended is None and current.value.lower() == fact.value.lower():
            current.said.append(saying)
            return
        if current and current.ended is None:
            current.ended = saying
        entry.versions.append(Version(fact.value, [saying]))
        for attribute in _narrowing(fact.attribute):
            self._holding[subject, attribute, fact.value.lower()][key] = entry

    def _new(self, key: Key, fact: Stated) -> Entry:
        subject, attribute, _ = key
        words = subject.split(" ")
        for at in range(1, len(words)):
            self._longer[" ".join(words[at:]), attribute].add(subject)
            if words[at] in {"for", "of"}:
                self._longer[" ".join(words[:at]), attribute].add(subject)
        entry = self.entries[key] = Entry(fact)
        return entry

    def _known_subject(self, fact: Stated) -> str:
        """`deadline` after "the deadline for the report is …": that one, if it is the only one."""
        subject = fact.subject.lower()
        if not subject or fact.multiple or (subject, fact.attribute, "") in self.entries:
            return subject
        if fact.subject[:1].isupper():
            return subject
        longer = self._longer.get((subject, fact.attribute), ())
        return next(iter(longer)) if len(longer) == 1 else subject

    def _retract(self, subject: str, saying: Saying) -> None:
        gone = saying.fact.value.lower()
        for entry in self._holding.get((subject, saying.fact.attribute, gone), {}).values():
            current = entry.versions[-1]
            if current.value.lower() == gone and current.ended is None:
                current.ended = saying


def _narrowing(attribute: str) -> Iterator[str]:
    """`uses for builds` and `uses`: what a retraction may call it."""
    yield attribute
    for match in re.finditer(" for ", attribute):
        yield attribute[: match.start()]


def mine(corpus: Corpus, _params: Params) -> list[Candidate]:
    """The facts of all users, current and superseded."""
    owners: dict[tuple[str, str], list[Saying]] = {}
    strangers = _strangers(corpus)
    for session in corpus.sessions:
        for fact in session.facts:
            saying = Saying(session.times[fact.position], session, fact)
            unnamed = not fact.user and not fact.subject
            identity = strangers.get(session.id, "") if unnamed else ""
            owners.setdefault((fact.user or "", identity), []).append(saying)
    found: list[Candidate] = []
    for (owner, identity), sayings in sorted(owners.items()):
        book = Book()
        for saying in sorted(sayings, key=lambda s: (s.at, s.session.place, s.fact.position)):
            book.enter(saying)
        whose = (owner, identity) if identity else (owner,)
        for key, entry in sorted(book.entries.items(), key=lambda item: item[0]):
            found.extend(_candidates(whose, key, entry))
    return found


def _strangers(corpus: Corpus) -> dict[str, str]:
    """Sessions without user ids whose speakers identify themselves differently: by identity.

    A help desk that captures no user ids must not take its customers for one person who keeps
    changing names; a single user's own memory must not fall apart, so one identity is none.
    """
    found: dict[str, str] = {}
    for attribute in _IDENTITIES:
        for session in corpus.sessions:
            for fact in session.facts:
                if fact.attribute == attribute and not fact.subject and fact.user is None:
                    found.setdefault(session.id, f"{attribute} {fact.value}")
    return found if len(set(found.values())) > 1 else {}


def _candidates(whose: tuple[str, ...], key: Key, entry: Entry) -> Iterator[Candidate]:
    current = entry.versions[-1]
    past = entry.versions[:-1]
    yield _candidate(whose, key, entry.fact, current, past)
    seen = {current.value.lower()}
    for version in reversed(past):
        if version.value.lower() not in seen:
            seen.add(version.value.lower())
            yield _candidate(whose, (*key, version.value.lower()), entry.fact, version, ())


def _candidate(
    whose: tuple[str, ...],
    key: Sequence[str],
    fact: Stated,
    version: Version,
    past: Sequence[Version],
) -> Candidate:
    owner = whose[0]
    told_too = [said for earlier in past for said in earlier.said]
    told_too += [earlier.ended for earlier in (*past, version) if earlier.ended]
    proof = evidence.of_parts(
        [_part(said) for said in version.said], [_part(said) for said in told_too]
    )
    last = version.said[-1].fact
    base = _EXTRACTED if last.kind == "memory" else _READ_FROM_TEXT
    sure = confidence.repeated(base, proof.own_sessions)
    told = sentence(last._replace(value=version.value))
    content: dict[str, Any] = {
        "subject": subject_name(fact),
        "attribute": fact.attribute,
        "value": version.value,
        "statement": last.statement,
        "valid_from": wording.day(version.said[0].at),
        "valid_until": wording.day(version.ended.at) if version.ended else None,
        "previous": [_past(earlier) for earlier in reversed(past)],
    }
    return Candidate(
        type="fact",
        key="\n".join((*whose, *key)),
        title=told.rstrip("."),
        content=content,
        text=_text(told, content),
        index_text=wording.indexed(told, last.statement, " ".join((fact.attribute, *whose))),
        confidence=sure,
        strength=sure,
        status="superseded" if version.ended else "active",
        personal=True,
        owner=owner or None,
        entities=tuple(sorted({name for name in (fact.subject, *whose) if name})),
        **proof.fields(),
    )


def _part(said: Saying) -> evidence.Part:
    users = frozenset({said.fact.user}) if said.fact.user else NOBODY
    return evidence.Part(said.at, said.session, (said.fact.position,), users)


def _past(version: Version) -> dict[str, Any]:
    until = wording.day(version.ended.at) if version.ended else None
    return {"value": version.value, "from": wording.day(version.said[0].at), "until": until}


def _text(told: str, content: dict[str, Any]) -> str:
    """The fact, since when, and what held before."""
    if content["valid_until"]:
        return f"No longer true: {told} ({content['valid_from']} to {content['valid_until']})"
    before = [f"{old['value']} until {old['until']}" for old in content["previous"]]
    earlier = f"; before: {'; '.join(before)}" if before else ""
    return f"{told} (since {content['valid_from']}{earlier})"
