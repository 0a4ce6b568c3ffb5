"""The user's own embeddings: which texts need vectors, and whose vectors they become."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from langgraph.store.base import (
    IndexConfig,
    Op,
    PutOp,
    SearchOp,
    ensure_embeddings,
    get_text_at_path,
    tokenize_path,
)

Vector = list[float]
Path = str | list[str]


class Index:
    """An index configuration, made ready.

    Attributes:
        config: As it was given.
        embeddings: What makes the vectors.
    """

    def __init__(self, config: IndexConfig) -> None:
        self.config = cast("IndexConfig", dict(config))
        self.embeddings = ensure_embeddings(config.get("embed"))
        self._paths = [_tokens(path) for path in _fields(config)]

    def embed(self, ops: Sequence[Op], values: Mapping[int, dict[str, Any]]) -> Vectors:
        """The vectors that the operations need; `values` are those of the puts, by position."""
        found = self._wanted(ops, values)
        if found.texts:
            found.learn(self.embeddings.embed_documents(found.texts))
        for query in found.queries:
            found.queries[query] = _plain(self.embeddings.embed_query(query))
        return found

    async def aembed(self, ops: Sequence[Op], values: Mapping[int, dict[str, Any]]) -> Vectors:
        """As `embed`; the event loop goes on meanwhile."""
        found = self._wanted(ops, values)
        if found.texts:
            found.learn(await self.embeddings.aembed_documents(found.texts))
        asked = list(found.queries)
        answers = await asyncio.gather(*map(self.embeddings.aembed_query, asked))
        found.queries.update(zip(asked, map(_plain, answers), strict=True))
        return found

    def _wanted(self, ops: Sequence[Op], values: Mapping[int, dict[str, Any]]) -> Vectors:
        puts = {
            position: self._texts(cast("PutOp", ops[position]), value)
            for position, value in values.items()
        }
        return Vectors(puts, [op.query for op in ops if isinstance(op, SearchOp) and op.query])

    def _texts(self, op: PutOp, value: dict[str, Any]) -> list[str]:
        if op.index is False:
            return []
        paths = self._paths if op.index is None else [_tokens(path) for path in op.index]
        return [text for path in paths for text in get_text_at_path(value, path)]


class Vectors:
    """The vectors of one batch; equal texts are embedded once.

    Args:
        puts: The texts of each put, by its position.
        queries: The queries of the searches.

    Attributes:
        texts: All texts, each of them once.
        queries: The vector of each query, once it is known.
    """

    def __init__(self, puts: Mapping[int, Sequence[str]], queries: Iterable[str]) -> None:
        self._puts = puts
        self._of_text: dict[str, Vector] = {}
        self.texts = list(dict.fromkeys(text for texts in puts.values() for text in texts))
        self.queries: dict[str, Vector] = {query: [] for query in queries}

    def learn(self, vectors: Sequence[Iterable[float]]) -> None:
        """Take the vectors of `texts`.

        Raises:
            ValueError: There are more or fewer than texts.
        """
        if len(vectors) != len(self.texts):
            raise ValueError(
                f"the embeddings returned {len(vectors)} vectors for {len(self.texts)} texts"
            )
        self._of_text = dict(zip(self.texts, map(_plain, vectors), strict=True))

    def of_put(self, position: int) -> list[Vector]:
        """The vectors of a put; none if nothing of it is searched."""
        return [self._of_text[text] for text in self._puts[position]]


def _fields(config: IndexConfig) -> list[str]:
    """The paths to embed; `text_fields` is what LangGraph's SQL stores call them."""
    said = cast("Mapping[str, Any]", config)
    fields = said.get("fields") or said.get("text_fields") or ["$"]
    if isinstance(fields, str):
        return [fields]
    if not isinstance(fields, (list, tuple)):
        raise ValueError(f"the fields of the index must be a list, got {fields!r:.80}")  # noqa: TRY004 - as upstream
    return list(cast("list[str]", fields))


def _tokens(path: str) -> Path:
    return path if path == "$" else tokenize_path(path)


def _plain(vector: Iterable[float]) -> Vector:
    """Numbers of Python, whatever library they come from."""
    return [float(number) for number in vector]
