"""Responses: `input` and `instructions` in, `output` out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hippocortex._instrument.providers._reading import (
    SYSTEM_ROLES,
    arguments,
    each,
    get,
    hold_memory,
    text_of,
    word,
)
from hippocortex._instrument.providers._wire import Asked, Call, Item, Reply, Result, Wire, newest

_FINISHED = frozenset({"response.completed", "response.incomplete", "response.failed"})
_WORDS = frozenset({"response.output_text.delta", "response.refusal.delta"})


def read(body: Mapping[str, Any]) -> Asked:
    """What is new in the request."""
    given = get(body, "input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else each(given)
    contents = (get(item, "content") for item in items)
    marked = hold_memory((word(body, "instructions"), *contents))
    follows = word(body, "previous_response_id")
    return newest(_backwards(reversed(items)), marked=marked, follows=follows)


def inject(body: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The request with the text after its own system text, be that in the input or instructions."""
    items = list(each(get(body, "input")))
    at = next((i for i, item in enumerate(items) if not _is_system(item)), len(items))
    if at:
        items.insert(at, {"role": word(items[at - 1], "role"), "content": text})
        return {**body, "input": items}
    own = word(body, "instructions")
    return {**body, "instructions": f"{own}\n\n{text}" if own.strip() else text}


def reply(answer: Any) -> Reply:
    """What the output items say."""
    return _from_items(each(get(answer, "output")), word(answer, "id"))


def reduce(chunks: Iterable[Any]) -> Reply:
    """What the events so far say: the whole response, or its finished items and loose words."""
    done: dict[int, Any] = {}
    words: dict[int, list[str]] = {}
    for event in chunks:
        kind, index = word(event, "type"), get(event, "output_index", 0)
        if kind in _FINISHED:
            return reply(get(event, "response"))
        if kind == "response.output_item.done":
            done[index] = get(event, "item")
        elif kind in _WORDS:
            words.setdefault(index, []).append(word(event, "delta"))
    for index, parts in words.items():
        said = {"type": "message", "content": [{"type": "output_text", "text": "".join(parts)}]}
        done.setdefault(index, said)
    return _from_items([done[index] for index in sorted(done)], "")


def _backwards(items: Iterable[Any]) -> Iterator[Item]:
    for item in items:
        role, kind = word(item, "role"), word(item, "type")
        if role == "user":
            content = get(item, "content")
            yield Item("user", text_of(content), text_of(content, media=False))
        elif kind.endswith("_call_output"):
            yield Item("result", _output(item), call_id=word(item, "call_id"))
        elif role == "assistant" or kind == "reasoning" or kind.endswith("_call"):
            yield Item("model", calls={word(item, "call_id"): word(item, "name")})
        else:
            yield Item("other")


def _from_items(items: Iterable[Any], answer_id: str) -> Reply:
    found = Reply(answer_id=answer_id)
    texts: list[str] = []
    for item in items:
        kind = word(item, "type")
        if kind == "message":
            texts.append(text_of(get(item, "content")))
        elif kind.endswith("_call"):
            call = _call(item, kind)
            found.calls.append(call)
            if output := _output(item) or word(item, "error"):
                failed = bool(word(item, "error"))
                found.results.append(Result(call.call_id, call.tool, output, failed))
    found.text = "\n".join(text for text in texts if text)
    return found


def _call(item: Any, kind: str) -> Call:
    """A call of a function, or of a tool that the provider runs itself."""
    call_id = word(item, "call_id") or word(item, "id")
    given = get(item, "arguments", get(item, "input"))
    if given is None:
        given = get(item, "action") or {"queries": get(item, "queries")}
    dump = getattr(given, "model_dump", None)
    args = dump(mode="json", exclude_none=True) if dump is not None else arguments(given)
    return Call(call_id, word(item, "name") or kind.removesuffix("_call"), args)


def _output(item: Any) -> str:
    return text_of(get(item, "output"))


def _is_system(item: Any) -> bool:
    return word(item, "role") in SYSTEM_ROLES


RESPONSES = Wire("responses", "input", read, inject, reply, reduce)
