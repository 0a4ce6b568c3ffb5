"""What every surface of this package has: a recorder, and an idea of whose memory it is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import RecallOptions, Source, Surface
from hippocortex_core.recorder.surface import identifier
from hippocortex_core.scope import Scope, current
from hippocortex_core.steps import AnyStep
from hippocortex_openai_agents._runs import Run


class Memory(Surface):
    """The memory of one surface, in the runs of this SDK.

    Args:
        client: See `Opener`.
        session_id: Of everything; default: that of the run's session, then the surrounding
            `session(...)`, and else one for each run.
        user_id_key: Where the run's context names the user.
        options: Of recalls.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.
    """

    def __init__(
        self,
        client: Source | None = None,
        *,
        session_id: str | None = None,
        user_id_key: str = "user_id",
        options: RecallOptions | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        super().__init__(
            client, session_id=session_id, options=options, api_key=api_key, base_url=base_url
        )
        self._user_id_key = user_id_key

    # --- whose -----------------------------------------------------------------------------------

    def scope_in(self, context: Any = None) -> Scope:
        """To whom a run with this context belongs; the session may be open."""
        user = identifier(_field(context, self._user_id_key))
        return Scope(self.given.session_id, user).over(current())

    def whose(self, run: Run, context: Any) -> Scope:
        """To whom the run belongs: for every surface to whom the first one said."""
        if run.scope is None:
            run.scope = self.scope_in(context).over(Scope(f"run-{run.name}"))
        elif run.scope.user_id is None:
            run.scope = run.scope.over(self.scope_in(context))
        return run.scope

    # --- recalling -------------------------------------------------------------------------------

    async def recall_once(
        self, question: str, scope: Scope, known: dict[Hashable, str], turn: Hashable
    ) -> str:
        """The block for the model; "" for nothing.

        Args:
            question: What the user said last.
            scope: Whose memory is asked.
            known: What memory said in this run; added to.
            turn: Of the run: memory is asked once in each.
        """
        with fail_open("recalling"):
            key = (turn, question, scope, self.options)
            if key not in known and (recorder := self.recorder) is not None:
                known[key] = (await self.options.arecall(recorder, question, scope)).text
            return known.get(key, "")
        return ""

    # --- capturing -------------------------------------------------------------------------------

    def record_in(self, run: Run, step: AnyStep, scope: Scope) -> None:
        """Record a step of a run; never blocks."""
        recorder = self.recorder
        if recorder is not None:
            recorder.record(run.keyed(step, self), scope)


def _field(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        return cast("Mapping[str, Any]", holder).get(name)
    return getattr(holder, name, None)
