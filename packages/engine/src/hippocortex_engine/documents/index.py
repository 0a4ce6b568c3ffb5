"""Everything a search of documents looks at, in memory: one row per document, several per text.

The database is the truth; this is a cache of it that catches up by the tenant's clock of
documents.  A document that is put again leaves a dead row behind; when these are many, the cache
starts anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.documents.packing import unpack_texts
from hippocortex_engine.recall.index import Codes
from hippocortex_engine.recall.postings import Postings
from hippocortex_engine.storage.documents import Indexed

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

_MOST_DEAD = 1024  # rows, from which on there may not be more dead ones than living ones


class Texts:
    """The indexed texts: whose they are, their vectors and their words."""

    def __init__(self, dimensions: int) -> None:
        self.vectors = Pool(dimensions, np.int8)
        self.postings = Postings()
        self.norm = Growing(np.float32)
        self.length = Growing(np.float32)

    def add(self, documents: Sequence[int], rows: Sequence[Indexed]) -> None:
        """Take in the texts of documents with these row numbers."""
        terms = [unpack_texts(row.terms) for row in rows]
        counts = [len(one) for one in terms]
        if not any(counts):
            return
        size = self.vectors.dimensions
        vectors = b"".join(
            row.vectors or bytes(size * count) for row, count in zip(rows, counts, strict=True)
        )
        fresh = np.frombuffer(vectors, np.int8).reshape(-1, size)
        exact = fresh.astype(np.float32)
        self.norm.extend(np.sqrt(np.einsum("ij,ij->i", exact, exact)))
        first = self.vectors.add(np.repeat(np.asarray(documents, np.int64), counts), fresh)
        self.length.extend(self.postings.add(first, [text for one in terms for text in one]))


class DocumentIndex:
    """The documents of one tenant, ready to be searched."""

    def __init__(self, dimensions: int) -> None:
        self.now = 0
        self.texts = Texts(dimensions)
        self.own: dict[int, Pool] = {}
        self.updated_at = Growing(np.int64)
        self.alive = Growing(np.bool_)
        self._path = Growing(np.int32)
        self._paths = Codes()
        self._row: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._row)

    @property
    def is_worn(self) -> bool:
        """Whether it holds more dead rows than it should."""
        dead = len(self.alive.array) - len(self)
        return dead > max(_MOST_DEAD, len(self))

    @property
    def size(self) -> int:
        """Bytes it takes up, roughly."""
        pools = [self.texts.vectors, *self.own.values()]
        return sum(pool.size for pool in pools) + 256 * len(self.alive.array)

    def add(self, rows: Sequence[Indexed]) -> None:
        """Take in what was put, in that order."""
        first = len(self.alive.array)
        self.updated_at.extend([row.updated_at for row in rows])
        self._path.extend([self._paths.code(row.path) for row in rows])
        self.alive.extend([True] * len(rows))
        for place, row in enumerate(rows, first):
            self.remove(row.created_at)
            self._row[row.created_at] = place
            self.now = row.updated_at
        self.texts.add(range(first, first + len(rows)), rows)
        for place, row in enumerate(rows, first):
            if row.own_dimensions:
                self._add_own(place, row)

    def remove(self, created_at: int) -> None:
        """A document is not there any more."""
        row = self._row.pop(created_at, None)
        if row is not None:
            self.alive.array[row] = False

    def below(self, prefix: str) -> Mask:
        """Which rows are living documents below a path."""
        alive: Mask = self.alive.array
        if not prefix:
            return alive
        names = self._paths.names
        inside = np.fromiter((one.startswith(prefix) for one in names), np.bool_, len(names))
        codes: NDArray[np.int32] = self._path.array
        return alive & inside[codes]

    def _add_own(self, place: int, row: Indexed) -> None:
        size = row.own_dimensions
        pool = self.own.setdefault(size, Pool(size, np.float32))
        vectors = np.frombuffer(row.own_vectors, "<f4").astype(np.float32).reshape(-1, size)
        pool.add(np.full(len(vectors), place, np.int64), _unit(vectors))


class Growing:
    """A column that grows; `array` is what it holds."""

    def __init__(self, dtype: type[np.generic], width: int | None = None) -> None:
        self._room: NDArray[Any] = np.zeros((0,) if width is None else (0, width), dtype)
        self.array: NDArray[Any] = self._room

    def extend(self, values: Sequence[object] | NDArray[Any]) -> None:
        """Add rows at the end."""
        start, end = len(self.array), len(self.array) + len(values)
        if end > len(self._room):
            grown = np.zeros((max(256, end + end // 2), *self._room.shape[1:]), self._room.dtype)
            grown[:start] = self.array
            self._room = grown
        if len(values):
            self._room[start:end] = values
        self.array = self._room[:end]


class Pool:
    """Vectors of one size, and the row of the document that each belongs to."""

    def __init__(self, dimensions: int, dtype: type[np.generic]) -> None:
        self.dimensions = dimensions
        self._owner = Growing(np.int64)
        self._vector = Growing(dtype, dimensions)

    @property
    def owner(self) -> Rows:
        """Rows of documents, ascending."""
        return self._owner.array

    @property
    def vector(self) -> NDArray[Any]:
        """The vectors, shape (n, dimensions)."""
        return self._vector.array

    @property
    def size(self) -> int:
        """Bytes it takes up."""
        return self._owner.array.nbytes + self._vector.array.nbytes

    def add(self, owner: Rows, vectors: NDArray[Any]) -> int:
        """Take in vectors; the place of the first."""
        first = len(self.owner)
        self._owner.extend(owner)
        self._vector.extend(vectors)
        return first


def _unit(vectors: Floats) -> Floats:
    exact = vectors.astype(np.float64)  # squares of the largest float32 do not fit into one
    norms = np.sqrt(np.einsum("ij,ij->i", exact, exact))[:, None]
    unit = np.divide(exact, norms, out=np.zeros_like(exact), where=norms > 0)
    return unit.astype(np.float32)
