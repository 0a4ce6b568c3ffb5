"""The default embedder: WordLlama's static token vectors, mean-pooled.

CPU-only, deterministic, weights from the `wordllama` wheel: nothing is downloaded at run time.
Method: token embeddings of a language model, reduced to 256 dimensions and trained as static
vectors (D. Lee Miller, WordLlama, 2024).  The two files are read directly; the package's own
loader looks for its tokenizer where the wheel does not have it and then tries to download.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from safetensors.numpy import load_file  # pyright: ignore[reportUnknownVariableType]

from hippocortex_engine.embeddings.base import Vectors
from hippocortex_engine.embeddings.tokenizer import load_tokenizer, wheel_file

MAX_TOKENS = 512
"""Tokens beyond these do not change a vector: the mean of so many is settled."""


class StaticEmbedder:
    """WordLlama `l2_supercat`, 256 dimensions."""

    name = "wordllama-l2-supercat-256/1"
    dimensions = 256

    def __init__(self) -> None:
        self._tokenizer = load_tokenizer()
        self._table = _load_table()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, shape (n, 256)."""
        return self.pool(self._tokenizer.encode_all(texts))

    def pool(self, token_ids: Sequence[Sequence[int]]) -> Vectors:
        """Unit vectors from the token ids of texts, each pooled by itself.

        A text must get the same vector alone as in a batch, to the last bit.
        """
        pooled = np.zeros((len(token_ids), self.dimensions), dtype=np.float32)
        for row, ids in enumerate(token_ids):
            if ids:
                self._table.take(ids[:MAX_TOKENS], axis=0).sum(axis=0, out=pooled[row])
        return _unit(pooled)


def _unit(vectors: Vectors) -> Vectors:
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)


@cache
def _load_table() -> Vectors:
    weights: dict[str, Vectors] = load_file(str(wheel_file("weights/*_256.safetensors")))  # pyright: ignore[reportUnknownVariableType]
    return next(iter(weights.values())).astype(np.float32)
