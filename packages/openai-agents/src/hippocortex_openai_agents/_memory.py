"""What every surface of this package has: a recorder, and an idea of whose memory it is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Opener, Recall, Recorder, Source
from hippocortex_core.render import render_pack
from hippocortex_core.scope import Scope, current
from hippocortex_core.steps import AnyStep
from hippocortex_core.types import ReasoningSection
from hippocortex_openai_agents._runs import Run

_ID_CHARS = 256


@dataclass(frozen=True)
class RecallOptions:
    """What is asked of memory; None is the recorder's default."""

    max_tokens: int | None = None
    sections: tuple[ReasoningSection, ...] | None = None
    min_confidence: float = 0.0


class Memory:
    """The memory of one surface.

    Args:
        client: See `Opener`.
        session_id: Of everything; default: that of the run's session, then the surrounding
            `session(...)`, and else one for each run.
        user_id_key: Where the run's context names the user.
        options: Of recalls.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.

    Attributes:
        open: Opens the recorder, also once this is detached.
        active: Whether anything is recalled and captured; switched off by `detach`.
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
        self.open = Opener(client, api_key=api_key, base_url=base_url)
        self._session_id = identifier(session_id)
        self._user_id_key = user_id_key
        self._options = options or RecallOptions()
        self.active = True

    def __deepcopy__(self, memo: Any) -> Memory:
        """Itself: copies of an agent share their memory."""
        return self

    @property
    def recorder(self) -> Recorder | None:
        """None once detached, or while nothing is configured."""
        return self.open() if self.active else None

    @property
    def ready(self) -> bool:
        """Whether there is a memory; opens it."""
        with fail_open("opening the memory"):
            return self.recorder is not None
        return False

    def detach(self) -> None:
        """Recall and capture nothing from now on."""
        self.active = False

    # --- whose -----------------------------------------------------------------------------------

    def scope(self, context: Any = None) -> Scope:
        """To whom a run with this context belongs; the session may be open."""
        user = identifier(_field(context, self._user_id_key))
        return Scope(self._session_id, user).over(current())

    def whose(self, run: Run, context: Any) -> Scope:
        """To whom the run belongs: for every surface to whom the first one said."""
        if run.scope is None:
            run.scope = self.scope(context).over(Scope(f"run-{run.name}"))
        elif run.scope.user_id is None:
            run.scope = run.scope.over(self.scope(context))
        return run.scope

    # --- recalling -------------------------------------------------------------------------------

    async def recall(
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
            key = (turn, question, scope, self._options)
            if key not in known and (recorder := self.recorder) is not None:
                options = self._options
                found = await recorder.arecall(
                    question, max_tokens=options.max_tokens, sections=options.sections, scope=scope
                )
                known[key] = self._text(found)
            return known.get(key, "")
        return ""

    def _text(self, found: Recall) -> str:
        least = self._options.min_confidence
        if found.result is None or least <= 0:
            return found.text
        entries = [entry for entry in found.result.entries if entry.confidence >= least]
        return render_pack(replace(found.result, entries=entries))

    # --- capturing -------------------------------------------------------------------------------

    def record(self, step: AnyStep, run: Run, scope: Scope) -> None:
        """Record a step of a run; never blocks."""
        recorder = self.recorder
        if recorder is not None:
            recorder.record(run.keyed(step, self), scope)


def identifier(value: Any) -> str | None:
    """As an id that can be stored; None if it says nothing."""
    if value is None:
        return None
    text = str(value).replace("\0", "").strip()
    return text[:_ID_CHARS] or None


def _field(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        return cast("Mapping[str, Any]", holder).get(name)
    return getattr(holder, name, None)
