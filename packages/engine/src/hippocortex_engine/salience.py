"""How much an event matters, in 0..1: its type, failure, novelty and explicit emphasis."""

from __future__ import annotations

import re

BY_TYPE = {
    "outcome": 0.6,
    "test_run": 0.45,
    "file_edit": 0.45,
    "file_change": 0.45,
    "message": 0.4,
    "command_exec": 0.4,
    "observation": 0.4,
    "tool_call": 0.35,
    "api_result": 0.35,
    "tool_result": 0.3,
    "browser_action": 0.3,
}
FAILURE = 0.25
EMPHASIS = 0.25
NOVELTY = 0.15
REPETITION = 0.9
"""Cosine to a recent event of the session from which on an event repeats it."""

_EMPHASIS = re.compile(
    r"\b(?:always|never|remember|don['\u2019]t forget|important(?:ly)?|must|i (?:really )?"
    r"(?:prefer|need|want|hate|love)|make sure|keep in mind|note that|from now on|critical)\b",
    re.IGNORECASE,
)
_SCANNED = 1_000  # characters: emphasis is said early or in short messages


def salience(event_type: str, text: str, *, failed: bool, similarity: float) -> float:
    """The salience of an event.

    Args:
        event_type: one of the event types.
        text: what the event says.
        failed: whether it reports a failure.
        similarity: the largest cosine to the session's recent events, 0 without any.
    """
    score = BY_TYPE.get(event_type, 0.3) + FAILURE * failed
    if event_type in {"message", "observation"} and _EMPHASIS.search(text[:_SCANNED]):
        score += EMPHASIS
    score += NOVELTY * (1.0 - max(0.0, min(1.0, similarity)))
    if similarity >= REPETITION:
        score *= 0.6
    return round(max(0.0, min(1.0, score)), 4)
