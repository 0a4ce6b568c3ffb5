"""Conversations as documents of the memory: an item is a document, in the order of the home.

The home orders its documents totally, in whatever process they were put, and tells a deletion that
found something from one that came too late.  So nothing here needs a lock or a counter.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from hippocortex_core.errors import (
    HippocortexError,
    InternalError,
    NetworkError,
    RateLimitedError,
    UnavailableError,
)
from hippocortex_core.operations import DeleteDocument, DocumentOperation, PutDocument
from hippocortex_core.recorder import Recorder
from hippocortex_core.recorder.breaker import Breaker
from hippocortex_core.service import MemoryService
from hippocortex_openai_agents._events import digest

T = TypeVar("T")
Item = dict[str, Any]

TIMEOUT = 5.0
"""Seconds that the home may take."""
OPENING = 30.0
"""Seconds that it may take to open: an embedded one loads its engine."""
_PART = 400_000
"""Characters of JSON in one document, each at most two bytes of its value."""
_BATCH, _BATCH_CHARS = 1_000, 2_000_000
"""Documents in one request, and characters: twice as many bytes must fit into a body."""
_PAGE = 200
"""Documents in one answer."""
_WAITING = 10_000
"""Documents of one conversation that wait for a home out of reach; further ones are refused."""
_ROOT = "openai-agents"
_LABEL_CHARS = 200
_PASSES = (UnavailableError, NetworkError, InternalError, RateLimitedError)
"""Errors after which it makes sense to try again later."""


class Conversation:
    """The items of one session of one user.

    Args:
        recorder: Of the home.
        session_id: Any text.
        user_id: Any text; None is a user of its own.
    """

    def __init__(self, recorder: Recorder, session_id: str, user_id: str | None) -> None:
        self._recorder = recorder
        self._desk = _desk_of(recorder)
        self._user_id = user_id
        user = "nobody" if user_id is None else _label("user", user_id)
        self._place = (_ROOT, user, _label("session", session_id))

    async def items(self, limit: int | None) -> list[Item]:
        """The newest items, oldest first; only those that wait, if the home is out of reach.

        Raises:
            HippocortexError: The home is out of reach, and nothing waits for it.
        """
        if limit is not None and limit <= 0:
            return []
        try:
            await self._deliver()
            return await self._ask(lambda memory: self._newest(memory, limit))
        except HippocortexError:
            if not (waiting := self._desk.waiting.get(self._place)):
                raise
            return _items(((one.key, dict(one.value)) for one in reversed(waiting)), limit)

    async def add(self, items: Sequence[Item]) -> None:
        """Append the items; they are durable when this returns.

        Raises:
            HippocortexError: The home is out of reach; the items wait for it, in this process.
            TypeError: An item is not JSON.
        """
        puts = [put for item in items for put in self._puts(item)]
        waiting = self._desk.waiting.setdefault(self._place, [])
        if len(waiting) + len(puts) > _WAITING:
            raise UnavailableError("the memory is out of reach, and too much waits for it")
        waiting += puts
        await self._deliver()

    async def pop(self) -> Item | None:
        """Remove the newest item, and return it; None if there is none.

        Raises:
            HippocortexError: The home is out of reach.
        """
        await self._deliver()
        while (found := await self._ask(self._last)) is not None:
            text, keys = found
            outcomes = await self._send([DeleteDocument(self._place, key) for key in keys])
            if outcomes[0] is True:  # else somebody was faster
                return json.loads(text)
        return None

    async def clear(self) -> None:
        """Remove all items.

        Raises:
            HippocortexError: The home is out of reach.
        """
        self._desk.waiting.pop(self._place, None)
        while keys := await self._ask(self._keys):
            await self._send([DeleteDocument(self._place, key) for key in keys])

    # --- sending ---------------------------------------------------------------------------------

    async def _deliver(self) -> None:
        """Send what waits, in its order."""
        waiting = self._desk.waiting.pop(self._place, [])
        try:
            while waiting:
                size = _batch(waiting)
                await self._send(waiting[:size])
                del waiting[:size]
        except HippocortexError as error:
            if not isinstance(error, _PASSES):
                waiting.clear()  # it would be refused again, and all that comes after it
            raise
        finally:
            if waiting:  # what another task added meanwhile comes after it
                waiting += self._desk.waiting.get(self._place, [])
                self._desk.waiting[self._place] = waiting

    async def _send(self, operations: Sequence[DocumentOperation]) -> list[Any]:
        return cast("list[Any]", await self._ask(lambda memory: memory.batch_documents(operations)))

    async def _ask(self, question: Callable[[MemoryService], T]) -> T:
        """The home's answer.

        Raises:
            HippocortexError: There is none.
        """
        breaker, begin = self._desk.breaker, time.monotonic()
        permit = breaker.permit()
        if permit == "no":
            raise UnavailableError("the memory failed lately and is left alone for a while")
        try:
            if not self._desk.opened:
                await self._recorder.acall(lambda _: None, OPENING)
                self._desk.opened = True
            found = await self._recorder.acall(question, TIMEOUT)
        except _PASSES as error:
            if time.monotonic() - begin >= TIMEOUT:
                breaker.trip()
            breaker.failure(error.retry_after)
            raise
        except asyncio.CancelledError:
            if permit == "probe":
                breaker.failure()
            raise
        except BaseException:
            breaker.success()  # it answers; something else is wrong
            raise
        breaker.success()
        return found

    # --- documents -------------------------------------------------------------------------------

    def _puts(self, item: Item) -> Iterator[PutDocument]:
        """The documents of one item: one, unless it is large."""
        text, name = json.dumps(item), uuid.uuid4().hex
        count = -(-len(text) // _PART)
        for number in range(count):
            part = text[number * _PART : (number + 1) * _PART]
            yield PutDocument(
                self._place,
                f"{name}-{number}",
                {"item": part, "part": number, "of": count},
                index=False,
                user_id=self._user_id,
                capture=False,
            )

    def _newest(self, memory: MemoryService, limit: int | None) -> list[Item]:
        page = _PAGE if limit is None else min(limit, _PAGE)
        return _items(self._downward(memory, page), limit)

    def _last(self, memory: MemoryService) -> tuple[str, list[str]] | None:
        return next(_whole(self._downward(memory, 1)), None)

    def _keys(self, memory: MemoryService) -> list[str]:
        found = memory.search_documents(self._place, limit=_PAGE)
        return [one.key for one in found.documents]

    def _downward(self, memory: MemoryService, page: int) -> Iterator[tuple[str, Item]]:
        """The documents, newest first; one that new ones push to the next page comes once."""
        seen: set[str] = set()
        while True:
            found = memory.search_documents(self._place, limit=page, offset=len(seen))
            for one in found.documents:
                if one.key not in seen:
                    seen.add(one.key)
                    yield one.key, one.value
            if len(found.documents) < page:
                return
            page = _PAGE


class _Desk:
    """What the conversations in a home share: what waits, and whether to try at all."""

    def __init__(self) -> None:
        self.breaker = Breaker()
        self.opened = False
        self.waiting: dict[tuple[str, ...], list[PutDocument]] = {}


_desks: WeakKeyDictionary[Recorder, _Desk] = WeakKeyDictionary()


def _desk_of(recorder: Recorder) -> _Desk:
    return _desks.get(recorder) or _desks.setdefault(recorder, _Desk())


def _items(documents: Iterable[tuple[str, Item]], limit: int | None) -> list[Item]:
    """The items of documents that come newest first, oldest first."""
    found: list[Item] = []
    for text, _ in _whole(documents):
        found.append(json.loads(text))
        if len(found) == limit:
            break
    return found[::-1]


def _whole(documents: Iterable[tuple[str, Item]]) -> Iterator[tuple[str, list[str]]]:
    """The JSON of each item whose parts are all there, and their keys."""
    open_items: dict[str, dict[int, tuple[str, str]]] = {}
    for key, value in documents:
        name = key.partition("-")[0]
        parts = open_items.setdefault(name, {})
        parts[value["part"]] = value["item"], key
        if len(parts) == value["of"]:
            ordered = [parts[number] for number in sorted(open_items.pop(name))]
            yield "".join(text for text, _ in ordered), [key for _, key in ordered]


def _batch(waiting: Sequence[PutDocument]) -> int:
    """How many of the puts fit into one request; one does in any case."""
    chars = 0
    for place, put in enumerate(waiting[:_BATCH]):
        chars += len(put.value["item"])
        if place and chars > _BATCH_CHARS:
            return place
    return min(len(waiting), _BATCH)


def _label(kind: str, name: str) -> str:
    """A namespace's label, readable where it can be."""
    plain = name.isascii() and name.isprintable() and 0 < len(name) <= _LABEL_CHARS
    return f"{kind}:{name}" if plain else f"{kind}#{digest(name)}"
