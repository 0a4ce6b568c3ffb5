"""Facts as sentences."""

from __future__ import annotations

from hippocortex_engine.compiler.grammar import THING_ATTRIBUTES
from hippocortex_engine.compiler.model import Stated

_VERBS = frozenset(
    (
        "lives in", "works at", "works as", "is allergic to", "is", "prefers", "dislikes", "likes",
        "uses",
    )
)  # fmt: skip


def subject_name(fact: Stated) -> str:
    """Who or what a fact is about."""
    if not fact.subject:
        return "the user"
    return "the team" if fact.subject == "we" else fact.subject


def sentence(fact: Stated) -> str:
    """A fact in the third person, such as "The user lives in Berlin."."""
    who = subject_name(fact)
    verb, _, purpose = fact.attribute.partition(" for ")
    if fact.kind == "memory":
        told = fact.statement.rstrip(".")
        told = f"{who} asks to remember: {told}" if fact.attribute == "note" else told
    elif fact.attribute in THING_ATTRIBUTES and fact.subject and not fact.subject[0].isupper():
        told = f"the {who}{THING_ATTRIBUTES[fact.attribute]} {fact.value}"
    elif verb in _VERBS:
        told = f"{who} {verb} {fact.value}{f' for {purpose}' if purpose else ''}"
    else:
        told = f"{who}'s {fact.attribute} is {fact.value}"
    return f"{told[:1].upper()}{told[1:]}."
