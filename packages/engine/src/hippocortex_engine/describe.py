"""What an event says, as one text: what recall indexes, counts and shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hippocortex_engine.payloads import (
    first,
    flatten,
    message_text,
    role,
    speaker,
    succeeded,
    tool_use,
)

_LABELS = (
    "note|notes|warning|error|question|answer|update|correction|reminder|subject|summary|re|todo|"
    "fyi|ps|nb|important|example|result|results|output|input|context|task|goal|date|title|from|to|"
    "hint|tip|info|debug"
)
_ROLES = "user|human|customer|assistant|ai|bot|agent|system|developer|tool|function"
SIGNING = "user"
"""The role whose messages may be transcripts: its name stands before the name they begin with."""

_SIGNED = re.compile(
    rf"(?!(?i:{_LABELS}|{_ROLES}):)"
    r"(?P<name>[A-Z][\w'\u2019-]{1,30}(?: [A-Z][\w.'\u2019-]{0,30}){0,2}): (?=\S)"
)
"""A message that begins with what may be the name of who says it, as transcripts do.

Whether it is one ("Ann: hello") or not ("Python: how do I sort?") cannot be told from a message,
so it never takes the place of the role: "user Ann".
"""


@dataclass(frozen=True, slots=True)
class Description:
    """`actor` is who or what acted (a speaker, else a tool); `text` what was said or done.

    `line` is both, as a pack shows it.
    """

    actor: str | None
    text: str
    failed: bool = False

    @property
    def line(self) -> str:
        """The event in one text."""
        return f"{self.actor}: {self.text}" if self.actor else self.text


def describe(event_type: str, payload: Mapping[str, Any]) -> Description:
    """The event in words."""
    return _DESCRIBERS.get(event_type, _observation)(payload)


def _message(payload: Mapping[str, Any]) -> Description:
    text = message_text(payload)
    said_by = speaker(payload) or role(payload)
    if said_by == SIGNING and (match := _SIGNED.match(text)):
        return Description(f"{SIGNING} {match['name']}", text[match.end() :])
    return Description(said_by, text)


def _tool_call(payload: Mapping[str, Any]) -> Description:
    use = tool_use(payload)
    shown = ", ".join(f"{name}={flatten(value)}" for name, value in use.args.items())
    return Description(use.tool or None, f"called with {shown}" if shown else "called")


def _tool_result(payload: Mapping[str, Any]) -> Description:
    use = tool_use(payload)
    if use.failed:
        return Description(use.tool or None, f"failed: {use.error}", failed=True)
    return Description(use.tool or None, f"returned {flatten(use.result)}")


def _command(payload: Mapping[str, Any]) -> Description:
    use = tool_use(payload)
    command = flatten(first(payload, ("command", "cmd", "args"))) or use.tool
    output = flatten(use.result)
    said = f"failed: {use.error}" if use.failed else f"printed {output}" if output else "ran"
    return Description(None, f"$ {command}: {said}", failed=use.failed)


def _file(payload: Mapping[str, Any]) -> Description:
    path = flatten(first(payload, ("path", "file", "file_path", "filename")))
    change = flatten(
        first(payload, ("summary", "description", "diff", "change", "content", "new_text"))
    )
    action = flatten(first(payload, ("action", "operation", "change_type"))) or "edited"
    return Description(None, f"{action} {path}: {change}" if change else f"{action} {path}")


def _test_run(payload: Mapping[str, Any]) -> Description:
    use = tool_use(payload)
    name = flatten(first(payload, ("suite", "name", "test", "command"))) or "tests"
    counted = ", ".join(
        f"{payload[k]} {k}" for k in ("passed", "failed", "skipped") if k in payload
    )
    broken = use.failed or bool(payload.get("failed"))
    said = use.error if use.failed and use.error != "failed" else flatten(use.result)
    state = "failed" if broken else "passed"
    return Description(None, ": ".join(filter(None, [f"{name} {state}", counted, said])), broken)


def _browser(payload: Mapping[str, Any]) -> Description:
    action = flatten(first(payload, ("action", "type", "name"))) or "browsed"
    target = flatten(first(payload, ("url", "selector", "target", "element")))
    rest = flatten(first(payload, ("value", "text", "result", "title")))
    return Description(None, " ".join(filter(None, [action, target, rest])))


def _outcome(payload: Mapping[str, Any]) -> Description:
    said = flatten(first(payload, ("summary", "message", "reason", "text", "result", "status")))
    if (success := succeeded(payload)) is None:
        return Description("outcome", said or flatten(dict(payload)))
    state = "success" if success else "failure"
    return Description("outcome", f"{state}: {said}" if said else state, failed=not success)


def _observation(payload: Mapping[str, Any]) -> Description:
    return Description(speaker(payload), message_text(payload) or flatten(dict(payload)))


_DESCRIBERS = {
    "message": _message,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "api_result": _tool_result,
    "command_exec": _command,
    "file_edit": _file,
    "file_change": _file,
    "test_run": _test_run,
    "browser_action": _browser,
    "outcome": _outcome,
    "observation": _observation,
}
