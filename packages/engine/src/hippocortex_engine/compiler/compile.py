"""Reduce: the digests of all sessions to the patterns they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hippocortex_core.types import ArtifactType
from hippocortex_engine.collector import collector_paused
from hippocortex_engine.compiler import corpus
from hippocortex_engine.compiler.corpus import Params
from hippocortex_engine.compiler.miners import MINERS
from hippocortex_engine.records import Candidate


def mine(
    digests: Iterable[tuple[str, Mapping[str, Any]]],
    types: Collection[ArtifactType],
    params: Params | None = None,
) -> list[Candidate]:
    """All patterns of the given types that satisfy their own quorum.

    A pure function of the set of digests: neither their order, nor how they came to be stored,
    nor the process matters.  So compiling in increments equals compiling all at once.

    Args:
        digests: session ids with digests made by `digest.digest_session`, one for a session or for
            each stretch of it.
        types: the artifact types wanted.
        params: thresholds; default: the compiler's own.

    Returns:
        Candidates sorted by type and key.
    """
    with collector_paused():
        read = corpus.read(digests)
        chosen = [miner for kind, miner in MINERS.items() if kind in types]
        found = [candidate for miner in chosen for candidate in miner(read, params or Params())]
    return sorted(found, key=lambda candidate: (candidate.type, candidate.key))
