"""Everything recall looks at, in memory, one column per property and one row per event.

The database is the truth; this is a cache of it that catches up by sequence number and can be
thrown away.  Every event is matched together with its neighbours in the session, because an
answer is often next to the words of the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.describe import SIGNING
from hippocortex_engine.recall.postings import Postings
from hippocortex_engine.recall.windows import NONE, Lengths


class Codes:
    """Small numbers for strings."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, name: str | None) -> int:
        """The number of a string, a new one if it was not seen yet; `NONE` for None."""
        if name is None:
            return NONE
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = len(self.names)
            self.names.append(name)
        return found

    def find(self, name: str) -> int | None:
        """The number of a string, or None if it was never seen."""
        return self._codes.get(name)


class Columns:
    """Arrays that grow together."""

    def __init__(self, dimensions: int) -> None:
        self._size = 0
        self._arrays: dict[str, NDArray[Any]] = {
            "seq": np.zeros(0, np.int64),
            "occurred_at": np.zeros(0, np.int64),
            "session": np.zeros(0, np.int32),
            "user": np.zeros(0, np.int32),
            "agent": np.zeros(0, np.int32),
            "actor": np.zeros(0, np.int32),
            "salience": np.zeros(0, np.float32),
            "tokens": np.zeros(0, np.int32),
            "before": np.zeros(0, np.int32),
            "after": np.zeros(0, np.int32),
            "length": np.zeros(0, np.float32),
            "vector": np.zeros((0, dimensions), np.int8),
            "norm": np.zeros(0, np.float32),
            "sign": np.zeros((-(-dimensions // 64), 0), np.uint64),
        }

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, name: str) -> NDArray[Any]:
        array = self._arrays[name]
        return array[:, : self._size] if name == "sign" else array[: self._size]

    def grow(self, added: int) -> slice:
        """Make room for rows; the slice they take."""
        start, self._size = self._size, self._size + added
        if self._size > self._capacity:
            self._resize(max(1024, self._size + self._size // 2))
        return slice(start, self._size)

    @property
    def _capacity(self) -> int:
        return len(self._arrays["seq"])

    def _resize(self, capacity: int) -> None:
        for name, array in self._arrays.items():
            axis = 1 if name == "sign" else 0
            shape = list(array.shape)
            shape[axis] = capacity
            grown = np.zeros(shape, dtype=array.dtype)
            if axis:
                grown[:, : array.shape[1]] = array
            else:
                grown[: len(array)] = array
            self._arrays[name] = grown


class RecallIndex:
    """The events of one tenant, ready to be searched."""

    def __init__(self, dimensions: int, generation: int = 0, floor: int = 0) -> None:
        self.generation = generation
        self.floor = floor  # events up to here are searched elsewhere
        self.head = floor
        self.newest = 0
        self.dimensions = dimensions
        self.columns = Columns(dimensions)
        self.postings = Postings()
        self.sessions = Codes()
        self.owners = Codes()
        self.actors = Codes()
        self._last_of_session: dict[int, int] = {}
        self._lengths: Lengths | None = None
        self._actor_words: list[tuple[int, list[str]]] = []
        self._signers: list[int] = []

    def __len__(self) -> int:
        return len(self.columns)

    def add(self, rows: Sequence[Any]) -> None:
        """Take in events, in the order of their sequence numbers."""
        if not rows:
            return
        taken = self.columns.grow(len(rows))
        self._fill(taken, rows)
        self.columns["length"][taken] = self.postings.add(taken.start, [row.terms for row in rows])
        self._link(taken)
        self.head = int(rows[-1].seq)
        self.newest = max(self.newest, int(self.columns["occurred_at"][taken].max()))

    def token_sum(self) -> Callable[[Sequence[int]], int]:
        """Tokens of events by their sequence numbers together, as of now."""
        known, tokens = self.columns["seq"], self.columns["tokens"]

        def total(sequence: Sequence[int]) -> int:
            wanted = np.asarray(sequence, dtype=np.int64)
            places = np.searchsorted(known, wanted)
            inside = places < len(known)
            places, wanted = places[inside], wanted[inside]
            return int(tokens[places[known[places] == wanted]].sum())

        return total

    def lengths(self) -> Lengths:
        """Lengths of windows and sessions, as of now."""
        if self._lengths is None or self._lengths.size != len(self):
            self._lengths = Lengths(self)
        return self._lengths

    def actor_words(self) -> list[tuple[int, list[str]]]:
        """Every actor's code with the words of its name, the role of who signs left out."""
        for code in range(len(self._actor_words), len(self.actors.names)):
            words = re.findall(r"\w+", self.actors.names[code].lower())
            if len(words) > 1 and words[0] == SIGNING:
                self._signers.append(code)
                del words[0]
            self._actor_words.append((code, words))
        return self._actor_words

    def of_role(self, role: str) -> list[int]:
        """The codes of the actors that have a role, signed or not."""
        code = self.actors.find(role)
        self.actor_words()
        return [*([] if code is None else [code]), *(self._signers if role == SIGNING else ())]

    def _fill(self, taken: slice, rows: Sequence[Any]) -> None:
        columns = self.columns
        for name in ("seq", "occurred_at", "salience", "tokens"):
            columns[name][taken] = [getattr(row, name) for row in rows]
        columns["session"][taken] = [self.sessions.code(row.session_id) for row in rows]
        columns["user"][taken] = [self.owners.code(row.user_id) for row in rows]
        columns["agent"][taken] = [self.owners.code(row.agent_id) for row in rows]
        columns["actor"][taken] = [self.actors.code(row.actor) for row in rows]
        vectors = np.frombuffer(b"".join(row.vector for row in rows), dtype=np.int8)
        vectors = vectors.reshape(len(rows), -1)
        columns["vector"][taken] = vectors
        exact = vectors.astype(np.float32)
        columns["norm"][taken] = np.maximum(np.sqrt(np.einsum("ij,ij->i", exact, exact)), 1.0)
        columns["sign"][:, taken] = signs(vectors)

    def _link(self, taken: slice) -> None:
        """Chain the new rows to their neighbours in the session, in the order of arrival."""
        before, after = self.columns["before"], self.columns["after"]
        session = self.columns["session"]
        after[taken] = NONE
        for row in range(taken.start, taken.stop):
            code = int(session[row])
            previous = self._last_of_session.get(code, NONE)
            before[row] = previous
            if previous != NONE:
                after[previous] = row
            self._last_of_session[code] = row


def signs(vectors: NDArray[np.int8]) -> NDArray[np.uint64]:
    """One bit per component, packed into words: shape (words, n).

    The Hamming distance of sign bits approximates the angle (Charikar 2002); it picks the rows
    whose exact cosine is worth computing.
    """
    bits = np.packbits(vectors > 0, axis=1)
    padding = -bits.shape[1] % 8
    if padding:
        bits = np.pad(bits, ((0, 0), (0, padding)))
    words: NDArray[np.uint64] = np.ascontiguousarray(bits).view(np.uint64)
    return np.transpose(words)
