"""How an adapter comes to its recorder: late, without ever failing the agent."""

from __future__ import annotations

import inspect
from weakref import WeakKeyDictionary

from hippocortex_core.config import resolve
from hippocortex_core.errors import ConfigurationError, MissingExtraError
from hippocortex_core.guard import say
from hippocortex_core.recorder.recorder import Recorder, shared_recorder
from hippocortex_core.service import MemoryService

Source = Recorder | MemoryService
"""A recorder, a `SyncHippocortex`, or anything else that is a memory."""

_recorders: WeakKeyDictionary[MemoryService, Recorder] = WeakKeyDictionary()


class Opener:
    """Gives the recorder of an adapter, opened when first called.

    Args:
        source: The memory, if the caller has one; everything that is given the same one shares a
            recorder.  Default: the shared recorder of the home that is configured when it is
            first needed.
        api_key: Default: what the environment or `.hippocortex.json` says.
        base_url: Where the memory lives; default: as above.

    Raises:
        TypeError: The source cannot be used.
    """

    def __init__(
        self,
        source: Source | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        _check(source)
        self._source = source
        self._given = (api_key, base_url)
        self._recorder: Recorder | None = source if isinstance(source, Recorder) else None
        self._off = False

    def __call__(self) -> Recorder | None:
        """The recorder; None, after one line that says why, if nothing is configured."""
        known = self._recorder
        if self._off or (known is not None and not known.closed):
            return known
        try:
            self._recorder = self._open()
        except (ConfigurationError, MissingExtraError) as error:
            self._off, self._recorder = True, None  # the one before may be closed
            say(f"no memory: {error.message}")
        return self._recorder

    def _open(self) -> Recorder:
        source = self._source
        if source is None:
            return shared_recorder(resolve(*self._given))
        if isinstance(source, Recorder):
            return source
        found = _recorders.get(source)
        if found is None or found.closed:
            # Two threads may get here at once: one recorder wins, the other never starts anything.
            _recorders[source] = found = Recorder(source)
        return found


def _check(source: Source | None) -> None:
    if source is None or isinstance(source, Recorder):
        return
    method = getattr(source, "capture_batch", None)
    if not callable(method):
        raise TypeError(f"a memory was expected, not {type(source).__name__!r}")
    if inspect.iscoroutinefunction(method):
        raise TypeError("give a SyncHippocortex: recording happens in the background anyway")
