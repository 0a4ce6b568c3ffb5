"""What an action is called, and whether it changes anything.

An action's label is what runs have in common: the tool's name, a command without its operands
(`$ git commit`), the verb and kind of a file edit (`edit *.py`), a route without its ids.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from hippocortex_engine.compiler.commands import TWO_WORD, command_label, is_command, options
from hippocortex_engine.compiler.shell import MAX_SCANNED
from hippocortex_engine.payloads import ToolUse, first, flatten

_SHELLS = frozenset(
    "bash shell sh zsh terminal run_command execute_command run_shell_command exec command "
    "execute_bash cmd run_terminal_cmd run_in_terminal powershell local_shell".split()
)
_READ_VERBS = frozenset(
    "get go list search find read fetch look lookup show view check query describe calculate "
    "compute think count grep glob ls cat head tail stat inspect validate verify ping status "
    "browse retrieve load select scan explore observe peek preview compare estimate summarize "
    "summarise analyze analyse extract open navigate scroll hover screenshot wait goto locate "
    "resolve examine test lint walk diff log history whoami pwd which echo type print cd tree "
    "du df ps env date wc sort uniq rg ag fd less more file finish done tests explain recall "
    "parse convert is has can plan reflect google wikipedia goto back".split()
)
_WRITE_VERBS = frozenset(
    "add book buy cancel change close commit create delete deploy disable edit enable exchange "
    "grant install insert merge modify move patch pay post publish purchase push put refund "
    "release remove rename replace reset restart return revoke send set submit transfer update "
    "upload write apply".split()
)
_READ_COMMANDS = frozenset(
    "status diff log show get describe list ls logs version info check test tests lint pytest "
    "unittest mypy pyright ruff plan top inspect freeze ps events".split()
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ID_SEGMENT = re.compile(r"^(?:\d+|[0-9a-fA-F\-]{8,}|(?=.*\d)[\w\-]+)$")
_OPERANDS = ("element", "selector", "target", "field", "url", "value", "text", "key")
_COMMANDS = frozenset(("command_exec", "test_run"))
_MAX_LABEL = 60
_SCANNED = 500


def only_reads(word: str) -> bool:
    """Whether a verb says that something is looked at, not changed."""
    return word in _READ_VERBS


def action(kind: str, payload: Mapping[str, Any], use: ToolUse) -> str:
    """The label of an event that is a step: 1 to 60 characters."""
    label = " ".join(_LABELS[kind](payload, use)[:_SCANNED].split())
    return label[:_MAX_LABEL].rstrip() or kind.replace("_", " ")


def operands(kind: str, payload: Mapping[str, Any], use: ToolUse) -> Mapping[str, Any]:
    """The arguments of a step; options of a command, and what a browser action is done to."""
    if kind == "browser_action" and not use.args:
        return {name: payload[name] for name in _OPERANDS if name in payload}
    # The options come first: of very many arguments only the first are kept.
    return {**options(_command_line(kind, payload, use)), **use.args}


def _tool(payload: Mapping[str, Any], use: ToolUse) -> str:
    name = use.tool.strip()
    if name.lower() in _SHELLS:
        return _command({**payload, **use.args}, use)
    return name or "tool"


def _command(payload: Mapping[str, Any], use: ToolUse) -> str:
    return command_label(_line_of(payload) or use.tool[:MAX_SCANNED]) or "$ command"


def _command_line(kind: str, payload: Mapping[str, Any], use: ToolUse) -> str:
    if kind in _COMMANDS or use.tool.strip().lower() in _SHELLS:
        return _line_of({**payload, **use.args})
    return ""


def _line_of(payload: Mapping[str, Any]) -> str:
    return _line(first(payload, ("command", "cmd", "script", "input")))


def _line(command: Any) -> str:
    """A command as one text; a list that begins with one word holds the words of a command."""
    listed = cast("list[Any]", command) if isinstance(command, list) else []
    if listed and all(isinstance(word, str) for word in listed) and len(listed[0].split()) == 1:
        return shlex.join(listed)[: MAX_SCANNED + 1]
    return flatten(command)[: MAX_SCANNED + 1]


def _tests(payload: Mapping[str, Any], use: ToolUse) -> str:
    command = first(payload, ("command", "cmd"))
    named = flatten(first(payload, ("framework", "runner"))) or use.tool
    if command:
        return command_label(_line(command))
    return f"run tests ({named})" if named else "run tests"


def _file(payload: Mapping[str, Any], _use: ToolUse) -> str:
    path = flatten(first(payload, ("path", "file", "file_path", "filename", "filePath")))[
        -_SCANNED:
    ]
    said = flatten(first(payload, ("action", "change", "operation", "change_type", "kind")))[
        :_SCANNED
    ]
    verb = said.lower().split(" ")[0] or "edit"
    verb = {"modified": "edit", "modify": "edit", "added": "create", "update": "edit"}.get(
        verb, verb
    )
    name = path.rsplit("/", 1)[-1]
    suffix = f"*.{name.rsplit('.', 1)[-1]}" if "." in name.strip(".") else name
    return f"{verb} {suffix}".strip()


def _browser(payload: Mapping[str, Any], use: ToolUse) -> str:
    verb = flatten(first(payload, ("action", "type", "kind"))) or use.tool or "action"
    return f"browser {verb.lower()}"


def _api(payload: Mapping[str, Any], use: ToolUse) -> str:
    if use.tool:
        return use.tool
    route = flatten(first(payload, ("path", "endpoint", "route", "url")))[:_SCANNED]
    path = re.sub(r"^https?://[^/]+", "", route).split("?")[0]
    masked = "/".join("{id}" if _ID_SEGMENT.match(part) else part for part in path.split("/"))
    method = flatten(first(payload, ("method", "verb"))).upper() or "call"
    return f"{method} {masked}".strip()


_LABELS = {
    "tool_call": _tool,
    "tool_result": _tool,
    "command_exec": _command,
    "test_run": _tests,
    "file_edit": _file,
    "file_change": _file,
    "browser_action": _browser,
    "api_result": _api,
}
STEP_TYPES = frozenset(_LABELS)


def words(label: str) -> list[str]:
    """A label's words in lower case: `getUserDetails` and `get_user_details` read alike."""
    return [word.lower() for word in _WORD.findall(label)]


@lru_cache(maxsize=4_096)
def changes_something(label: str) -> bool:
    """Whether an action has an effect on the world, judged by its verb.

    Unknown verbs count as effects: a step too many is noticed, a goal overlooked is not.
    """
    parts = words(label)
    if not parts:
        return False
    if is_command(label):
        looks = parts[0] in _READ_VERBS and parts[0] not in TWO_WORD  # `go build` goes nowhere
        return not (looks or _READ_COMMANDS.intersection(parts[:3]))
    if parts[0] in {"browser", "api", "mcp", "tool", "call", "run"} and len(parts) > 1:
        parts = parts[1:]
    verb = next((part for part in parts if part in _READ_VERBS or part in _WRITE_VERBS), "")
    return verb not in _READ_VERBS
