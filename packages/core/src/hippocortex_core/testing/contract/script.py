"""A conversation, written once for every framework: what the user, the model and its tools do.

A scripted model needs no state: what it answers follows from what it is asked, so a run may be
repeated, resumed, or go on next to others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hippocortex_core.marking import strip
from hippocortex_core.testing.llm_server import Answer

Tools = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Turn:
    """What the user says, and the model's replies to it and to the results of its tools.

    Attributes:
        user: Said in no other turn of the script.
        replies: All but the last one call tools.
    """

    user: str
    replies: tuple[Answer, ...]

    @property
    def final(self) -> str:
        """What the agent answers in the end."""
        return self.replies[-1].text


@dataclass(frozen=True)
class Script:
    """Turns, and the tools that they call: plain functions with types and a docstring."""

    turns: tuple[Turn, ...]
    tools: Tools = field(default_factory=dict[str, Callable[..., Any]])

    def turn_in(self, text: str) -> Turn:
        """The turn that a request is about: the one whose words stand last in it.

        Raises:
            LookupError: None of the turns is in the text.
        """
        said = strip(text)  # memory may repeat what the user once said
        places = [(said.rfind(turn.user), number) for number, turn in enumerate(self.turns)]
        place, number = max(places)
        if place < 0:
            raise LookupError(f"no turn of the script is in {text!r}")
        return self.turns[number]

    def answer(self, text: str, step: int) -> Answer:
        """What the model answers.

        Args:
            text: The user's words, or the whole request.
            step: How many replies it has given in this turn.
        """
        replies = self.turn_in(text).replies
        return replies[min(step, len(replies) - 1)]


class ToolFailed(RuntimeError):  # noqa: N818 - it reads like what happened
    """What a scripted tool raises."""


def deploy(service: str, env: str) -> str:
    """Deploy a service to an environment."""
    return f"{service} is live on {env} as build 4711"


def backup(volume: str) -> str:
    """Back up a volume."""
    raise ToolFailed(f"disk quota exceeded on {volume}")


TOOLS: Tools = {"deploy": deploy, "backup": backup}

TALK = Turn("Where is the runbook of payments?", (Answer("It is in the wiki, page 12."),))
DEPLOY = Turn(
    "Deploy payments to staging",
    (
        Answer(calls=(("call_deploy_1", "deploy", {"service": "payments", "env": "staging"}),)),
        Answer("Payments is on staging now."),
    ),
)
BACKUP = Turn(
    "Back up volume seven please",
    (
        Answer(calls=(("call_backup_1", "backup", {"volume": "vol-7"}),)),
        Answer("The backup did not work."),
    ),
)


def script(*turns: Turn) -> Script:
    """A script of these turns with the tools above."""
    return Script(turns, TOOLS)


def numbered(number: int) -> Turn:
    """A turn like `DEPLOY` that no other number shares a word of weight with."""
    service = f"service-{number:03}"
    call = (f"call_{number:03}", "deploy", {"service": service, "env": "production"})
    return Turn(
        f"Deploy {service} to production",
        (Answer(calls=(call,)), Answer(f"{service} is in production.")),
    )
