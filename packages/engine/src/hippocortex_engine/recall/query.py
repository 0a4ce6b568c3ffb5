"""A query as recall sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.embeddings.base import Embedder, quantize
from hippocortex_engine.text import query_terms, term_hash, terms

MAX_TERMS = 24
"""Terms of a query that are matched; of more, the rarest."""

# Names, identifiers, paths, quoted text: what a query is about, not how it is asked.
_ENTITY = re.compile(
    r"[\"'\u201c\u2018]([^\"'\u201d\u2019]{2,60})[\"'\u201d\u2019]"
    r"|([\w./-]*[\w]+[._/-][\w./-]*\w)"
    r"|(\w*\d\w*)"
    r"|(?<![.!?]\s)(?<!^)\b([A-Z]\w+)"
)


@dataclass(frozen=True, slots=True)
class Query:
    """The text, its terms (as hashes), its vector (int8) and the terms of what it names."""

    text: str
    terms: tuple[int, ...]
    vector: NDArray[np.int8]
    entities: frozenset[int]
    words: frozenset[str]


def understand(text: str, embedder: Embedder) -> Query:
    """The query of a text."""
    found = query_terms(text)
    named = [part for match in _ENTITY.findall(text) for part in match if part]
    return Query(
        text=text,
        terms=tuple(dict.fromkeys(term_hash(term) for term in found)),
        vector=quantize(embedder.embed([text]))[0],
        entities=frozenset(term_hash(term) for name in named for term in terms(name)),
        words=frozenset(re.findall(r"\w+", text.lower())),
    )
