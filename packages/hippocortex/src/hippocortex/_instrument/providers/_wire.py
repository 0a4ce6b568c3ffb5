"""What the three wire formats have in common: what is new in a request, and what a reply says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple


class Item(NamedTuple):
    """One thing in a conversation, as far as it matters here."""

    kind: Literal["user", "model", "result", "other"]
    text: str = ""
    query: str = ""
    """What the user wrote: `text` without stand-ins for media."""
    call_id: str = ""
    tool: str = ""
    failed: bool = False
    calls: Mapping[str, str] = {}
    """Of a model's item: the tools it called, by call id."""


class Result(NamedTuple):
    """A tool's answer in a request."""

    call_id: str
    tool: str
    text: str
    failed: bool


@dataclass(frozen=True)
class Asked:
    """What is new in a request: every request repeats the history.

    Attributes:
        user: The last thing the user said; empty if there is none.
        query: That without stand-ins for media: what memory is asked for.
        fresh: Whether the user said it after the model's last words; otherwise the model is in
            the middle of answering it, calling tools.
        results: What tools answered since the model's last words.
        marked: Whether recalled memory is in the request already.
        follows: The id of an earlier answer that stands for the conversation before.
        depth: How far into the turn it is: what the conversation holds since the user spoke.
    """

    user: str = ""
    query: str = ""
    fresh: bool = False
    results: tuple[Result, ...] = ()
    marked: bool = False
    follows: str = ""
    depth: int = 0


class Call(NamedTuple):
    """A tool call of the model."""

    call_id: str
    tool: str
    args: Any


@dataclass
class Reply:
    """What the model said, in one go or as far as its stream came."""

    text: str = ""
    calls: list[Call] = field(default_factory=list[Call])
    results: list[Result] = field(default_factory=list[Result])
    """Answers of tools that the provider ran itself."""
    answer_id: str = ""
    """What a later request may name to build on this answer."""

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.calls or self.results)


@dataclass(frozen=True)
class Wire:
    """One wire format, as pure functions.

    Attributes:
        name: For logs and tests.
        field: The key of the request that holds the conversation.
        read: What is new in a request.
        inject: The request with a text as system text after its own; the original is untouched.
        reply: What a whole answer says, an SDK object or its JSON.
        reduce: The same from the chunks of a stream.
    """

    name: str
    field: str
    read: Callable[[Mapping[str, Any]], Asked]
    inject: Callable[[Mapping[str, Any], str], dict[str, Any]]
    reply: Callable[[Any], Reply]
    reduce: Callable[[Iterable[Any]], Reply]


def newest(backwards: Iterable[Item], *, marked: bool, follows: str = "") -> Asked:
    """What is new in a conversation that is given from its end to its beginning."""
    trailing: list[Item] = []
    names: dict[str, str] = {}
    user: Item | None = None
    state: Literal["new", "model", "old"] = "new"
    fresh, depth = False, 0
    for item in backwards:
        depth += user is None
        if item.kind == "model":
            state = "model" if state == "new" else state
            if state == "model":
                names.update(item.calls)
            continue
        state = "old" if state == "model" else state
        if item.kind == "result" and state == "new":
            trailing.append(item)
        elif item.kind == "user" and user is None:
            user, fresh = item, state == "new"
        if user is not None and state == "old":
            break
    results = tuple(
        Result(item.call_id, item.tool or names.get(item.call_id, ""), item.text, item.failed)
        for item in reversed(trailing)
    )
    said = user or Item("user")
    return Asked(said.text, said.query, fresh, results, marked, follows, depth)
