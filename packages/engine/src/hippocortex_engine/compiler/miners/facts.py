"""Facts: who prefers what, what is where; the newest statement holds.

Facts belong to the user who stated them (by user id), so two people of one name stay apart.
A single-valued attribute has a history: its current value is active and tells what held
before; earlier ones are superseded but kept, for questions about the past.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hippocortex_engine.compiler import confidence, evidence, wording
from hippocortex_engine.compiler.corpus import Corpus, Params
from hippocortex_engine.compiler.model import Session, Stated
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
    """A value for as long as it held; `until` is None for one that still does."""

    value: str
    said: list[Saying] = field(default_factory=list[Saying])
    until: int | None = None


@dataclass
class Entry:
    """All versions of one fact, oldest first."""

    fact: Stated
    versions: list[Version] = field(default_factory=list[Version])


Book = dict[tuple[str, str, str], Entry]
"""Entries of one owner by subject, attribute and, where several values may hold, object."""


def mine(corpus: Corpus, _params: Params) -> list[Candidate]:
    """The facts of all users, current and superseded."""
    owners: dict[str, list[Saying]] = {}
    strangers = _strangers(corpus)
    for session in corpus.sessions:
        for fact in session.facts:
            saying = Saying(session.times[fact.position], session, fact)
            owner = fact.user or ("" if fact.subject else strangers.get(session.id, ""))
            owners.setdefault(owner, []).append(saying)
    found: list[Candidate] = []
    for owner, sayings in sorted(owners.items()):
        book: Book = {}
        for saying in sorted(sayings, key=lambda s: (s.at, s.session.place, s.fact.position)):
            _enter(book, saying)
        for key, entry in sorted(book.items()):
            found.extend(_candidates(owner, key, entry))
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


def _enter(book: Book, saying: Saying) -> None:
    fact = saying.fact
    subject = _known_subject(book, fact)
    if fact.kind == "not":
        _retract(book, subject, fact.attribute, fact.value, saying.at)
        return
    object_ = fact.value.lower() if fact.multiple else ""
    if opposite := book.get((subject, _OPPOSITES.get(fact.attribute, ""), object_)):
        opposite.versions[-1].until = opposite.versions[-1].until or saying.at
    entry = book.setdefault((subject, fact.attribute, object_), Entry(fact))
    current = entry.versions[-1] if entry.versions else None
    if current and current.until is None and current.value.lower() == fact.value.lower():
        current.said.append(saying)
        return
    if current and current.until is None:
        current.until = saying.at
    entry.versions.append(Version(fact.value, [saying]))


def _known_subject(book: Book, fact: Stated) -> str:
    """`deadline` after "the deadline for the report is …" means that one, if it is the only one."""
    subject = fact.subject.lower()
    if not subject or fact.multiple or (subject, fact.attribute, "") in book:
        return subject
    if fact.subject[:1].isupper():
        return subject
    longer = sorted(
        known
        for known, attribute, _ in book
        if attribute == fact.attribute
        and (
            known.startswith((f"{subject} for ", f"{subject} of ")) or known.endswith(f" {subject}")
        )
    )
    return longer[0] if len(longer) == 1 else subject


def _retract(book: Book, subject: str, attribute: str, value: str, at: int) -> None:
    gone = value.lower()
    for (whose, what, _), entry in book.items():
        current = entry.versions[-1]
        if (
            whose == subject
            and (what == attribute or what.startswith(f"{attribute} for "))
            and current.value.lower() == gone
            and current.until is None
        ):
            current.until = at


def _candidates(owner: str, key: tuple[str, str, str], entry: Entry) -> Iterator[Candidate]:
    current = entry.versions[-1]
    past = entry.versions[:-1]
    yield _candidate(owner, key, entry.fact, current, past)
    seen = {current.value.lower()}
    for version in reversed(past):
        if version.value.lower() not in seen:
            seen.add(version.value.lower())
            yield _candidate(owner, (*key, version.value.lower()), entry.fact, version, ())


def _candidate(
    owner: str, key: Sequence[str], fact: Stated, version: Version, past: Sequence[Version]
) -> Candidate:
    proof = evidence.of_parts(
        [(said.at, said.session, (said.fact.position,)) for said in version.said]
    )
    last = version.said[-1].fact
    base = _EXTRACTED if last.kind == "memory" else _READ_FROM_TEXT
    sure = confidence.repeated(base, len(proof.sessions))
    told = sentence(last._replace(value=version.value))
    content: dict[str, Any] = {
        "subject": subject_name(fact),
        "attribute": fact.attribute,
        "value": version.value,
        "statement": last.statement,
        "valid_from": wording.day(version.said[0].at),
        "valid_until": wording.day(version.until) if version.until is not None else None,
        "previous": [_past(earlier) for earlier in reversed(past)],
    }
    return Candidate(
        type="fact",
        key="\n".join((owner, *key)),
        title=told.rstrip("."),
        content=content,
        text=_text(told, content),
        index_text=wording.indexed(told, last.statement, f"{fact.attribute} {owner}"),
        confidence=sure,
        strength=sure,
        status="active" if version.until is None else "superseded",
        entities=tuple(sorted({name for name in (fact.subject, owner) if name})),
        **proof.fields(),
    )


def _past(version: Version) -> dict[str, Any]:
    until = wording.day(version.until) if version.until is not None else None
    return {"value": version.value, "from": wording.day(version.said[0].at), "until": until}


def _text(told: str, content: dict[str, Any]) -> str:
    """The fact, since when, and what held before."""
    if content["valid_until"]:
        return f"No longer true: {told} ({content['valid_from']} to {content['valid_until']})"
    before = [f"{old['value']} until {old['until']}" for old in content["previous"]]
    earlier = f"; before: {'; '.join(before)}" if before else ""
    return f"{told} (since {content['valid_from']}{earlier})"
