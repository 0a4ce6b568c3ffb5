"""Which events a restricted query may see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocortex_core.types import NOBODY, SynthesizeOptions
from hippocortex_engine.recall.index import Codes, RecallIndex
from hippocortex_engine.recall.windows import NONE

_UNKNOWN = -2


def visible(index: RecallIndex, options: SynthesizeOptions) -> NDArray[np.bool_] | None:
    """The rows of the user, agent and session asked for; None: all."""
    mask: NDArray[np.bool_] | None = None
    for column, codes, wanted in (
        ("user", index.owners, options.user_id),
        ("agent", index.owners, options.agent_id),
        ("session", index.sessions, options.session_id),
    ):
        if wanted is None:
            continue
        fits = _nobodys(index) if wanted == NOBODY else _of(index.columns[column], codes, wanted)
        if fits is not None:
            mask = fits if mask is None else mask & fits
    return mask


def _of(column: NDArray[Any], codes: Codes, wanted: str) -> NDArray[np.bool_]:
    code = codes.find(wanted)
    return column == (_UNKNOWN if code is None else code)


def _nobodys(index: RecallIndex) -> NDArray[np.bool_] | None:
    """The rows of sessions that name no user: where one is named, the rest is the user's, too."""
    session, named = index.columns["session"], index.columns["user"] != NONE
    if not named.any():
        return None
    somebodys = np.zeros(len(index.sessions.names), np.bool_)
    somebodys[session[named]] = True
    return ~somebodys[session]


def present(index: RecallIndex, options: SynthesizeOptions, newest: int) -> int:
    """The newest event that whoever asks may see, in whichever session: their present.

    Args:
        index: the events in memory.
        options: whose events are asked for.
        newest: the newest event of all, which stands in if none of theirs is in memory.
    """
    seen = visible(index, replace(options, session_id=None))
    if seen is None:
        return newest
    return int(index.columns["occurred_at"].max(where=seen, initial=0)) or newest


def foreign(index: RecallIndex, options: SynthesizeOptions) -> NDArray[np.bool_] | None:
    """The rows of other users than the one asked for, nobody's left out; None: all are asked for.

    What they say must not even help to find what stands next to it.
    """
    if options.user_id is None:
        return None
    users, code = index.columns["user"], index.owners.find(options.user_id)
    return (users != NONE) & (users != (NONE if code is None else code))
