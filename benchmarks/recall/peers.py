"""Other memories on the same turns.  Run by run.py, in an environment of its own.

    python peers.py NAME FOLDER

FOLDER holds `work.json` (texts and questions of every conversation) and `vectors.npz` (their
vectors, of one embedder for all); rankings and times go to `NAME.json` beside them.  Nothing is
downloaded: telemetry is off, no language model is configured, and vectors are looked up.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TOP = 60
STOP_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then "
    "there these they this to was will with"
).split()

Search = Callable[[int], list[int]]
"""From a question's number to the numbers of turns, best first."""


def bm25(work: Work) -> Search:
    """bm25s: English stems, Lucene's BM25."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def words(texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords=STOP_WORDS, stemmer=stemmer, show_progress=False)

    index = bm25s.BM25()
    index.index(words(work.texts), show_progress=False)
    work.scores = lambda question: index.get_scores(list(words([work.questions[question]]).vocab))
    return lambda question: best(work.scores(question))


def embedder(work: Work) -> Search:
    """Exact cosine of the embedder's vectors."""
    return lambda question: best(work.vectors @ work.asked[question])


def hybrid(work: Work) -> Search:
    """The sum of both, each divided by its maximum."""
    bm25(work)

    def search(question: int) -> list[int]:
        words, meaning = work.scores(question), work.vectors @ work.asked[question]
        return best(words / (words.max() or 1) + meaning / (meaning.max() or 1))

    return search


def langgraph(work: Work) -> Search:
    """LangGraph's InMemoryStore with a vector index."""
    from langgraph.store.memory import InMemoryStore

    def embed(texts: list[str]) -> list[list[float]]:
        return [work.lookup[text].tolist() for text in texts]

    store = InMemoryStore(index={"dims": work.vectors.shape[1], "embed": embed, "fields": ["text"]})
    for number, text in enumerate(work.texts):
        store.put(("memories",), str(number), {"text": text})

    def search(question: int) -> list[int]:
        found = store.search(("memories",), query=work.questions[question], limit=TOP)
        return [int(one.key) for one in found]

    return search


def chroma(work: Work) -> Search:
    """Chroma, HNSW with cosine distance, in memory."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.EphemeralClient(Settings(anonymized_telemetry=False))
    store = client.create_collection(
        f"turns-{work.number}", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
    )
    for start in range(0, len(work.texts), 200):
        part = range(start, min(start + 200, len(work.texts)))
        store.add(
            ids=[str(number) for number in part],
            embeddings=work.vectors[part.start : part.stop],
            documents=[work.texts[number] for number in part],
        )

    def search(question: int) -> list[int]:
        found = store.query(query_embeddings=work.asked[question][None, :], n_results=TOP)
        return [int(one) for one in found["ids"][0]]

    return search


def mem0(work: Work) -> Search:
    """mem0, `infer=False`, its keyword search on with a local stop list."""
    from fastembed.sparse.bm25 import Bm25
    from mem0 import Memory

    folder = work.folder / f"mem0-{work.number}"
    (folder / "bm25").mkdir(parents=True)
    (folder / "bm25" / "english.txt").write_text("\n".join(STOP_WORDS))
    store = {"collection_name": "turns", "path": str(folder / "qdrant"), "on_disk": False}
    store["embedding_model_dims"] = work.vectors.shape[1]
    memory = Memory.from_config(
        {
            "vector_store": {"provider": "qdrant", "config": store},
            "embedder": {"provider": "openai", "config": {"api_key": "none"}},
            "llm": {"provider": "openai", "config": {"api_key": "none"}},
            "history_db_path": str(folder / "history.db"),
        }
    )
    memory.embedding_model = Looked(work)
    # Its encoder downloads nothing but the stop words: given a folder, it takes them from there.
    encoder = Bm25("Qdrant/bm25", specific_model_path=str(folder / "bm25"))
    memory.vector_store._bm25_encoder = encoder  # noqa: SLF001 - there is no other way in
    places = {}
    for number, text in enumerate(work.texts):
        for one in memory.add(text, user_id="u", infer=False)["results"]:
            places[one["id"]] = number

    def search(question: int) -> list[int]:
        found = memory.search(
            work.questions[question], filters={"user_id": "u"}, top_k=TOP, threshold=0.0
        )
        return [places[one["id"]] for one in found["results"]]

    return search


class Looked:
    """mem0's embedder: vectors by text."""

    def __init__(self, work: Work) -> None:
        self.lookup = work.lookup
        self.dims = work.vectors.shape[1]

    def embed(self, text: str, _action: str | None = None) -> list[float]:
        known = self.lookup.get(text)
        return (np.zeros(self.dims) if known is None else known).tolist()

    def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:
        return [self.embed(text, memory_action) for text in texts]


class Work:
    """One conversation."""

    def __init__(self, number: int, texts: list[str], questions: list[str], folder: Path) -> None:
        known = np.load(folder / "vectors.npz")
        self.number, self.texts, self.questions, self.folder = number, texts, questions, folder
        self.vectors = known[f"turns-{number}"].astype(np.float32)
        self.asked = known[f"questions-{number}"].astype(np.float32)
        self.scores: Callable[[int], Any] = lambda _question: np.zeros(len(texts))
        self.lookup = dict(zip(texts, self.vectors, strict=True))
        self.lookup |= dict(zip(questions, self.asked, strict=True))


def best(scores: Any) -> list[int]:
    return np.argsort(-scores, kind="stable")[:TOP].tolist()


PEERS = {
    "bm25": bm25,
    "embedder": embedder,
    "hybrid": hybrid,
    "langgraph": langgraph,
    "chroma": chroma,
    "mem0": mem0,
}


def main(name: str, folder: Path) -> None:
    conversations = json.loads((folder / "work.json").read_text("utf-8"))
    rankings: list[list[list[int]]] = []
    taken: list[float] = []
    ingest = 0.0
    for number, one in enumerate(conversations):
        work = Work(number, one["turns"], one["questions"], folder)
        started = time.perf_counter()
        search = PEERS[name](work)
        ingest += time.perf_counter() - started
        rankings.append([])
        for question in range(len(work.questions)):
            started = time.perf_counter()
            rankings[-1].append(search(question))
            taken.append((time.perf_counter() - started) * 1000)
    found = {"rankings": rankings, "milliseconds": taken, "ingest_seconds": ingest}
    (folder / f"{name}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    os.environ |= {
        "ANONYMIZED_TELEMETRY": "False",
        "MEM0_TELEMETRY": "False",
        "MEM0_DIR": str(Path(sys.argv[2]) / "mem0"),
        "HF_HUB_OFFLINE": "1",
        "LANGSMITH_TRACING": "false",
    }
    main(sys.argv[1], Path(sys.argv[2]))
