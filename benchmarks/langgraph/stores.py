"""LangGraph's store: putting 10,000 items one by one, and searching them, beside its own stores.

All of them use the same static embedder.  A Python whose sqlite3 cannot load extensions cannot run
`SqliteStore` with vectors: it is then measured without, and the vectors are compared with those of
`InMemoryStore`.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# At the end: this folder has the name of LangGraph's package.
sys.path.append(str(Path(__file__).parents[1]))

from langchain_core.embeddings import Embeddings
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore
from report import Figure, arguments, percentile, report
from workload import NAMES, PLACES, REMARKS, SERVICES, queries

from hippocortex_engine.embeddings.static import StaticEmbedder
from hippocortex_langgraph import HippocortexStore

ITEMS, SEARCHES, WARM = 10_000, 300, 20
HAS_EXTENSIONS = hasattr(sqlite3.Connection, "enable_load_extension")


class Static(Embeddings):
    """The engine's embedder, as LangChain wants it."""

    def __init__(self) -> None:
        self._embedder = StaticEmbedder()
        self.dims = self._embedder.dimensions

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._embedder.embed(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def items() -> Iterator[tuple[tuple[str, str], str, dict[str, object]]]:
    """Remarks of a hundred users."""
    rng = random.Random(5)
    for number in range(ITEMS):
        text = rng.choice(REMARKS).format(
            service=rng.choice(SERVICES),
            place=rng.choice(PLACES),
            name=rng.choice(NAMES),
            n=rng.randint(10, 9999),
        )
        yield ("memories", f"user-{number % 100}"), f"note-{number}", {"text": text, "n": number}


def measure(store: BaseStore, query: bool = True) -> tuple[float, float, float]:
    """Puts per second, and the median and 99th percentile of a search in milliseconds."""
    made = list(items())
    started = time.perf_counter()
    for namespace, key, value in made:
        store.put(namespace, key, value)
    rate = len(made) / (time.perf_counter() - started)
    took: list[float] = []
    for asked in queries(SEARCHES + WARM, seed=6):
        started = time.perf_counter()
        found = store.search(("memories",), query=asked if query else None, limit=10)
        took.append((time.perf_counter() - started) * 1000)
        assert len(found) == 10
    return rate, percentile(took[WARM:], 0.5), percentile(took[WARM:], 0.99)


@contextmanager
def ours(folder: str, name: str, **options: object) -> Iterator[BaseStore]:
    with HippocortexStore(base_url=f"sqlite:///{folder}/{name}.db", **options) as store:
        yield store


@contextmanager
def sqlite(folder: str, index: dict[str, object] | None) -> Iterator[BaseStore]:
    with SqliteStore.from_conn_string(f"{folder}/upstream.db", index=index) as store:
        store.setup()
        yield store


def measure_store() -> list[Figure]:
    """Ours with what it has by itself, ours with the embeddings given, and LangGraph's."""
    embeddings = Static()
    index = {"dims": embeddings.dims, "embed": embeddings, "fields": ["text"]}
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, store, targets in (
            ("HippocortexStore", ours(folder, "own"), (1_000, 8)),
            ("HippocortexStore, index=", ours(folder, "given", index=index), (1_000, 8)),
        ):
            with store as opened:
                figures += _figures(name, measure(opened), *targets)
        figures += _figures("InMemoryStore, index=", measure(InMemoryStore(index=index)))
        sql_index = {**index, "text_fields": ["text"]} if HAS_EXTENSIONS else None
        name = "SqliteStore, index=" if HAS_EXTENSIONS else "SqliteStore, no vectors, no query"
        with sqlite(folder, sql_index) as opened:
            figures += _figures(name, measure(opened, query=HAS_EXTENSIONS))
    return figures


def _figures(
    name: str,
    measured: tuple[float, float, float],
    rate: float | None = None,
    median: float | None = None,
) -> list[Figure]:
    puts, p50, p99 = measured
    return [
        Figure(f"{name}: put", puts, "items/s", rate),
        Figure(f"{name}: search, p50", p50, "ms", median, at_most=True),
        Figure(f"{name}: search, p99", p99, "ms"),
    ]


def main() -> None:
    options = arguments(__doc__).parse_args()
    report("langgraph_store", measure_store(), options.json)


if __name__ == "__main__":
    main()
