"""What depends on the version of OpenClaw: which we support, and which Node it runs on."""

from __future__ import annotations

import re
from dataclasses import dataclass

SUPPORTED_NODE = "Node 24.16 or newer of 24, or 26.1 or newer"

_NUMBER = re.compile(
    r"\b(?P<year>20\d\d)\.(?P<month>\d{1,2})\.(?P<patch>\d{1,4})"
    r"(?:-(?P<stage>alpha|beta|rc)\.?(?P<before>\d*)|-(?P<after>\d+))?\b"
)
_STAGES = ("alpha", "beta", "rc", "")
_WRONG_NODE = re.compile(
    r"\bnode\b.{0,200}(unavailable|unsupported|requires|not found|no such file)", re.IGNORECASE
)


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """A calendar version; `2026.9.6-beta.1` comes before `2026.9.6`, `2026.9.6-1` after it."""

    year: int
    month: int
    patch: int
    stage: int = len(_STAGES) - 1
    number: int = 0

    def __str__(self) -> str:
        base = f"{self.year}.{self.month}.{self.patch}"
        if name := _STAGES[self.stage]:
            return f"{base}-{name}.{self.number}"
        return f"{base}-{self.number}" if self.number else base


OLDEST = Version(2026, 8, 1)
"""The first stable version whose transcripts, hooks and consent are what we know."""


def parse_version(text: str) -> Version | None:
    """The calendar version in a text such as `OpenClaw 2026.9.6 (eb377ac)`; None without one."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    stage = found["stage"] or ""
    return Version(
        int(found["year"]),
        int(found["month"]),
        int(found["patch"]),
        _STAGES.index(stage),
        int((found["before"] if stage else found["after"]) or 0),
    )


def complains_of_node(text: str) -> bool:
    """Whether a failure says that Node is missing or too old."""
    return any(_WRONG_NODE.search(line) for line in text.splitlines())
