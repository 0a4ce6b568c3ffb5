"""What every adapter promises, by id; `AdapterContract` has a check of each.

The check of `user-message-captured` is `test_user_message_captured`.
"""

from __future__ import annotations

from collections.abc import Mapping

REQUIREMENTS: Mapping[str, str] = {
    "user-message-captured": "What the user said is captured, once.",
    "assistant-message-captured": "What the agent answered is captured, once.",
    "tool-call-captured": "A tool call and its result are captured with one call id, real"
    " arguments and the real result.",
    "tool-failure-captured": "A tool that raises leaves a result with an error that says why.",
    "recall-injected-once": "Memory is asked once a turn; each request to the model holds it once.",
    "memory-never-captured-back": "Injected memory is not captured, also when the model quotes it.",
    "memory-down": "Nobody listens where the memory should be: the run is as without memory.",
    "memory-slow": "The memory hangs: the run is as without memory, after the recall's deadline.",
    "memory-raising": "The memory answers with errors: the run is as without memory.",
    "own-faults": "The adapter cannot read what the framework gives it: the run gives the same.",
    "session-stable": "A conversation is one session; another conversation is another one.",
    "users-do-not-mix": "Runs of several users at once keep what they capture and recall apart.",
    "replay-without-duplicates": "A retry, resume or replay captures nothing twice.",
    "streaming-unchanged": "A stream gives the same pieces as without memory.",
    "two-event-loops": "One agent works in two event loops, one after the other.",
    "detach-restores": "After detaching, the framework is as before and nothing is remembered.",
    "flush-delivers": "A flush delivers everything that was recorded.",
    "secrets-redacted": "Secrets in messages, arguments and results never reach the memory.",
    "own-objects-unchanged": "The user's own objects are as they would be without memory.",
    "imports-no-other-framework": "Importing the adapter imports its own framework and no other.",
    "hooks-as-expected": "The hooks attached are the ones this version should have.",
}


def check_name(requirement: str) -> str:
    """The name of the check of a requirement."""
    return f"test_{requirement.replace('-', '_')}"
