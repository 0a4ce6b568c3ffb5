"""What a put costs, done outside any transaction: texts, words, vectors and the event it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hippocortex_core.documents import CheckedPut
from hippocortex_core.types import CaptureEvent
from hippocortex_core.validation import CheckedEvent, check_event
from hippocortex_engine.capturing import Prepared, prepare
from hippocortex_engine.documents import namespaces
from hippocortex_engine.documents.packing import pack_texts
from hippocortex_engine.documents.texts import statement, texts
from hippocortex_engine.embeddings.base import Embedder, Vectors, quantize
from hippocortex_engine.text import pack_terms, terms
from hippocortex_engine.tokens import TokenCounter


@dataclass(frozen=True, slots=True)
class PreparedPut:
    """A put with everything that does not depend on what is stored already."""

    document_id: str
    put: CheckedPut
    path: str
    vectors: bytes
    terms: bytes
    event: Prepared | None

    def row(self, tenant_id: str, *, created_at: int, updated_at: int, now: int) -> dict[str, Any]:
        """The document as it is stored."""
        put = self.put
        ttl = None if put.ttl is None else max(1, round(put.ttl * 1_000_000))
        own = put.vectors or ()
        return {
            "tenant_id": tenant_id,
            "document_id": self.document_id,
            "created_at": created_at,
            "updated_at": updated_at,
            "expires_at": None if ttl is None else now + ttl,
            "ttl": ttl,
            "head": namespaces.head(self.path),
            "user_id": put.user_id,
            "agent_id": put.agent_id,
            "session_id": put.session_id,
            "captured": 0,
            "vectors": self.vectors,
            "terms": self.terms,
            "own_dimensions": len(own[0]) if own else 0,
            "own_vectors": np.asarray(own, "<f4").tobytes(),
            "path": self.path,
            "key": put.key,
            "indexed": json.dumps(put.index, ensure_ascii=False),
            "value": put.value_json,
        }


def prepare_puts(
    puts: Mapping[str, CheckedPut], embedder: Embedder, counter: TokenCounter, now: int
) -> dict[str, PreparedPut]:
    """Read, embed and describe documents by their ids; `now` in milliseconds."""
    values = {name: json.loads(put.value_json) for name, put in puts.items()}
    found = {name: texts(values[name], put.index) for name, put in puts.items()}
    events = {
        name: _event(name, put, statement(values[name]))
        for name, put in puts.items()
        if put.capture
    }
    known = _Known(embedder)
    known.learn([text for name, put in puts.items() if not put.vectors for text in found[name]])
    known.learn([event.payload["text"] for event in events.values()])
    described = prepare(list(events.values()), known, counter, now)
    prepared = dict(zip(events, described, strict=True))
    return {
        name: _prepared(name, put, found[name], known, prepared.get(name))
        for name, put in puts.items()
    }


def vectors_of(found: Sequence[str], embedder: Embedder) -> bytes:
    """The vectors of a document's texts, one after the other."""
    return quantize(embedder.embed(found)).tobytes() if found else b""


def _prepared(
    name: str, put: CheckedPut, found: Sequence[str], embedder: Embedder, event: Prepared | None
) -> PreparedPut:
    return PreparedPut(
        document_id=name,
        put=put,
        path=namespaces.path(put.namespace),
        vectors=b"" if put.vectors else vectors_of(found, embedder),
        terms=pack_texts([pack_terms(terms(text)) for text in found]),
        event=event,
    )


def _event(name: str, put: CheckedPut, said: str) -> CheckedEvent:
    """The put as something that happened."""
    owners = {"user_id": put.user_id, "agent_id": put.agent_id}
    metadata = {name: owner for name, owner in owners.items() if owner is not None}
    payload = {"text": said, "namespace": list(put.namespace), "key": put.key}
    return check_event(
        CaptureEvent(
            "observation", put.session_id or f"document:{name}", payload, metadata=metadata or None
        )
    )


class _Known:
    """An embedder that remembers, for the short life of a batch, what it has embedded.

    What a document says as a whole is mostly also its indexed text.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self._embedder = embedder
        self._vectors: dict[str, Vectors] = {}

    def learn(self, found: Sequence[str]) -> None:
        """Embed texts, each once."""
        fresh = [text for text in dict.fromkeys(found) if text not in self._vectors]
        if fresh:
            self._vectors.update(zip(fresh, self._embedder.embed(fresh), strict=True))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of the texts."""
        self.learn(texts)
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        return np.stack([self._vectors[text] for text in texts])
