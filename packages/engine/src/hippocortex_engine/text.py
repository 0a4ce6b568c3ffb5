"""The words of a text: what full-text search indexes and matches.

English stems (Snowball, Porter 2001), Lucene's stop list, and pairs of characters for scripts
that do not put spaces between words.  Identifiers are indexed whole and in parts, so that
"update reservation" finds `update_reservation_flights`.
"""

from __future__ import annotations

import re
import threading
import zlib
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import numpy as np
import Stemmer
from numpy.typing import NDArray

MAX_CHARS = 16_000
"""Text beyond this many characters is not indexed."""

MAX_TERMS = 1_024
"""Distinct terms kept of one text."""

STOP_WORDS = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then "
    "there these they this to was will with".split()
)
QUESTION_WORDS = frozenset(
    "about am can could did do does had has have he her him his how i me my our she should so "
    "us we were what when where which who whom whose why would you your".split()
)
"""Words a query is phrased with, not what it is about."""

_LONGEST_WORD = 80  # characters; longer runs are data, not words

_WORD = re.compile(r"\w+(?:['\u2019]\w+)?")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_local = threading.local()

TERM_DTYPE = np.dtype([("term", "<u4"), ("count", "u1")])


def terms(text: str) -> list[str]:
    """The terms of a text in order, stop words left out, stems instead of words."""
    found: list[str] = []
    for word in _WORD.findall(text[:MAX_CHARS]):
        found.extend(_terms_of(word))
    return found


def query_terms(text: str) -> list[str]:
    """The distinct terms of a query, without the words questions are phrased with."""
    content = [
        term
        for word in _WORD.findall(text[:MAX_CHARS])
        if word.lower() not in QUESTION_WORDS
        for term in _terms_of(word)
    ]
    return list(dict.fromkeys(content)) or list(dict.fromkeys(terms(text)))


def term_hash(term: str) -> int:
    """32 bits that stand for a term in the index."""
    return zlib.crc32(term.encode("utf-8", "surrogatepass"))


def pack_terms(found: list[str]) -> bytes:
    """Term hashes with their counts, sorted by hash: how an event's words are stored."""
    counts = Counter(_hash(term) for term in found)
    if len(counts) > MAX_TERMS:
        counts = Counter(dict(sorted(counts.items())[:MAX_TERMS]))
    packed = np.empty(len(counts), dtype=TERM_DTYPE)
    packed["term"] = np.fromiter(counts.keys(), dtype=np.uint32, count=len(counts))
    packed["count"] = np.minimum(
        np.fromiter(counts.values(), dtype=np.int64, count=len(counts)), 255
    )
    packed.sort(order="term")
    return packed.tobytes()


def unpack_terms(data: bytes) -> NDArray[np.void]:
    """What `pack_terms` stored: a structured array with fields `term` and `count`."""
    return np.frombuffer(data, dtype=TERM_DTYPE)


_hash = lru_cache(maxsize=65_536)(term_hash)


def _terms_of(word: str) -> tuple[str, ...]:
    # Only words that come again are remembered: neither data nor text without spaces does.
    if len(word) <= _LONGEST_WORD and not _UNSPACED.search(word):
        return _terms_of_word(word)
    return _terms_of_run(word)


def _terms_of_run(word: str) -> tuple[str, ...]:
    if _UNSPACED.search(word):
        return tuple(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    return (_stem(word.lower()),)


@lru_cache(maxsize=65_536)
def _terms_of_word(word: str) -> tuple[str, ...]:
    lowered = word.lower()
    if lowered in STOP_WORDS or len(word) == 1:
        return ()
    whole = _stem(lowered.replace("\u2019", "'").removesuffix("'s"))
    parts = _PART.findall(word)
    if len(parts) < 2:  # noqa: PLR2004
        return (whole,)
    split = [_stem(part.lower()) for part in parts if len(part) > 1]
    return (whole, *(part for part in split if part != whole and part not in STOP_WORDS))


def _stem(word: str) -> str:
    return _stemmer()(word[:64])


def _stemmer() -> Callable[[str], str]:
    # A stemmer is not safe to share between threads.
    try:
        return _local.stem
    except AttributeError:
        _local.stem = cast("Any", Stemmer).Stemmer("english").stemWord
        return _local.stem
