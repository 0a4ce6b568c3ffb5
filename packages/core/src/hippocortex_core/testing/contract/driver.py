"""What an adapter's tests supply: how to build and run an agent of the real framework."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from hippocortex_core.scope import Scope
from hippocortex_core.testing.contract.script import Script

Mode = Literal["sync", "async", "stream", "astream"]
"""How a run is entered: called or awaited, for the whole answer or for a stream."""


@dataclass
class Outcome:
    """What a run gave its caller.

    Attributes:
        text: The final answer.
        chunks: What a stream gave, piece by piece, without ids and times: compared with `==`.
    """

    text: str
    chunks: list[Any] = field(default_factory=list[Any])


class Agent(ABC):
    """An agent of the framework, built once and run several times.

    Attributes:
        requests: What the model was asked so far, each request as one text: system prompt,
            messages and all.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []

    @abstractmethod
    def run(self, said: str, who: Scope, mode: Mode) -> Outcome:
        """Let the user say one thing; mode is "sync" or "stream".

        Runs with the same `who` continue a conversation, if the framework has such a thing.
        A tool's exception may come out, if that is what the framework does.
        """

    async def arun(self, said: str, who: Scope, mode: Mode) -> Outcome:
        """As `run`, in the event loop of the caller; mode is "async" or "astream"."""
        raise NotImplementedError

    @abstractmethod
    def replay(self, said: str, who: Scope, mode: Mode) -> None:
        """Run one turn in which the framework delivers things twice: by retry, resume, replay."""

    @abstractmethod
    def belongings(self) -> Any:
        """What belongs to the user, as it is now: inputs, configuration, tools; without ids.

        Compared with `==` to that of an agent without memory.
        """

    @abstractmethod
    def attached_hooks(self) -> Collection[str]:
        """What the adapter says it is attached to."""

    @abstractmethod
    def detach(self) -> None:
        """Take the memory away."""

    def close(self) -> None:  # noqa: B027 - few have anything to close
        """Give back what was opened."""


class Driver(ABC):
    """Builds agents whose model follows a script, for one surface of an adapter.

    Attributes:
        adapter: The module that users import.
        brings: The top-level modules of its framework: all that importing it may load.
        modes: The entries that the framework has.
        hooks: What should be attached with the installed version.
        translates: How the names of its modules end that read the framework's objects.
        flags_failures: Whether the framework tells a tool's failure from a result; where it does
            not, the result is a text such as "Error: …", which memory reads as a failure.
    """

    adapter: ClassVar[str]
    brings: ClassVar[Collection[str]]
    modes: ClassVar[tuple[Mode, ...]]
    hooks: ClassVar[Collection[str]]
    translates: ClassVar[Collection[str]] = ("_events",)
    flags_failures: ClassVar[bool] = True

    @abstractmethod
    def agent(self, script: Script, *, memory: bool) -> Agent:
        """An agent with the script's tools, as users of the adapter build it, or without memory.

        The memory is where the environment says: nothing is configured by argument.
        """

    def touched(self) -> Mapping[str, object]:
        """What of the framework's own the adapter replaces while attached, by name."""
        return {}
