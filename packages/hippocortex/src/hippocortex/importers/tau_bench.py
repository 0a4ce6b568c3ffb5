"""tau-bench trajectories: a chat, and the reward its run earned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hippocortex.importers.steps import Step, UnreadableError

_PASSED = 1 - 1e-6  # tau-bench's own threshold


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record is a trajectory."""
    return "traj" in record and "task_id" in record


def run_name(record: Mapping[str, Any]) -> str:
    """`<task>-<trial>`, the name of a run."""
    return f"{record['task_id']}-{record.get('trial', 0)}"


def outcome(record: Mapping[str, Any]) -> list[Step]:
    """How the run ended, if it was rewarded at all.

    Raises:
        UnreadableError: the reward is not a number.
    """
    reward = record.get("reward")
    if reward is None:
        return []
    if not isinstance(reward, (int, float)):
        raise UnreadableError(f"reward is not a number: {reward!r:.40}")
    return [Step("outcome", {"reward": reward, "success": reward >= _PASSED})]
