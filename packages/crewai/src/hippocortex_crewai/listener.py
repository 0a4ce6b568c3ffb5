"""A listener for crews that have another memory, or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from crewai.events import BaseEventListener
from crewai.events.event_bus import CrewAIEventsBus

from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Opener, Source
from hippocortex_crewai._capture import Capture, Whose
from hippocortex_crewai._compat import EVENTS
from hippocortex_crewai._owners import is_one_of
from hippocortex_crewai._runs import Run
from hippocortex_crewai._tap import tap


class HippocortexCrewListener(BaseEventListener):
    """Captures what crews and agents do: tasks, calls of tools, results, answers and failures.

    ```python
    listener = HippocortexCrewListener()
    Crew(agents=[deployer], tasks=[deploy]).kickoff()
    ```

    A `HippocortexMemory` listens by itself to whatever has it.  What a listener and a memory both
    hear is captured once.  It hears events in the order in which they are emitted.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        crews: Only these crews and agents, and copies of them; default: all in this process.
        session_id: Of everything; default: the surrounding `session(...)`, else one for each
            kickoff.
        user_id: Of everything; default: the surrounding `session(...)`.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.
    """

    def __init__(
        self,
        client: Source | None = None,
        *,
        crews: Sequence[Any] | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        self._recorder = Opener(client, api_key=api_key, base_url=base_url)
        wanted = None if crews is None else tuple(crews)

        def place(run: Run) -> str | None:
            return "/" if wanted is None or is_one_of(run, wanted) else None

        self._capture = Capture(self._recorder, Whose(session_id, user_id), place)
        super().__init__()

    def setup_listeners(self, crewai_event_bus: CrewAIEventsBus) -> None:  # noqa: ARG002 - there is one
        """Listen, until `detach`; called when the listener is made."""
        with fail_open("listening to CrewAI"):
            tap.attach(self._capture, hold=True)

    @property
    def attached_hooks(self) -> Collection[str]:
        """The events of CrewAI that are listened to."""
        return tuple(EVENTS) if tap.has(self._capture) else ()

    def detach(self) -> None:
        """Capture nothing from now on."""
        tap.detach(self._capture)

    def flush(self, timeout: float = 5.0) -> bool:
        """Deliver what was captured; False if some of it still waits after `timeout` seconds."""
        recorder = self._recorder()
        return recorder is None or recorder.flush(timeout)
