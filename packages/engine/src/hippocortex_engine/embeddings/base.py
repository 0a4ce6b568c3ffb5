"""What turns text into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Text to unit vectors; the same text must always give the same vector.

    `name` identifies the model and its version; the database remembers it.
    """

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions); a text without words gives zeros."""
        ...


def quantize(vectors: Vectors) -> NDArray[np.int8]:
    """Unit vectors as int8, scaled so that the largest component is 127: a quarter of the size.

    The direction keeps three digits, more than a mean of token vectors carries.
    """
    peak = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    scaled = np.divide(vectors * 127.0, peak, out=np.zeros_like(vectors), where=peak > 0)
    return np.rint(scaled).astype(np.int8)
