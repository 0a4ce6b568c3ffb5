"""What a step of the installer came to, in the words of `hippocortex doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StepStatus = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a report; a `fix` says what to do unless all is well."""

    name: str
    status: StepStatus
    message: str
    fix: str | None = None
