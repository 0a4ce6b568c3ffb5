"""What `openclaw plugins inspect --runtime --json` says of the plugin, and what that means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hippocortex_openclaw._install.cli import OpenClaw, excerpt
from hippocortex_openclaw._install.places import PLUGIN
from hippocortex_openclaw._install.settings import entry_settings, mapping
from hippocortex_openclaw._install.steps import Step

RECALL, CAPTURE = "before_prompt_build", "agent_end"
"""The hooks without which the plugin does nothing."""

_INSTALL_AGAIN = "hippocortex openclaw install"
_KNOWN = ("can't verify where this plugin came from", "allowPromptInjection=false")
"""Remarks that say what the user chose."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The plugin as OpenClaw has it.

    Attributes:
        status: `loaded`, `disabled` or `error`.
        version: Of the plugin that is installed.
        reason: Why it is not loaded.
        hooks: That will be called.
        remarks: What OpenClaw has to say about it.
        folder: Where it lies.
        tracked: Whether OpenClaw installed it; else somebody copied it there.
    """

    status: str
    version: str | None
    reason: str | None
    hooks: tuple[str, ...]
    remarks: tuple[str, ...]
    folder: Path | None
    tracked: bool

    def missing_hooks(self, entry: Mapping[str, Any]) -> tuple[str, ...]:
        """The hooks that its settings want, but OpenClaw does not call."""
        settings = entry_settings(entry)
        wanted = [CAPTURE] if settings.get("autoCapture") is not False else []
        if settings.get("autoRecall") is not False and not forbids_recall(entry):
            wanted.append(RECALL)
        return tuple(hook for hook in wanted if hook not in self.hooks)


def inspect(openclaw: OpenClaw) -> Inspection | None:
    """How OpenClaw loads the plugin; None if it has none.

    Raises:
        OpenClawError: OpenClaw cannot say.
    """
    document = openclaw.ask("plugins", "inspect", PLUGIN, "--runtime")
    return None if document is None else read_inspection(mapping(document))


def read_inspection(document: Mapping[str, Any]) -> Inspection:
    """The parts that matter, of whatever shape the rest is."""
    plugin = mapping(document.get("plugin"))
    folder = _text(plugin, "rootDir")
    return Inspection(
        status=_text(plugin, "status") or "unknown",
        version=_text(plugin, "version"),
        reason=_text(plugin, "error") or _text(plugin, "activationReason"),
        hooks=tuple(_texts(document.get("typedHooks"), "name")),
        remarks=tuple(
            excerpt(said)
            for said in _texts(document.get("diagnostics"), "message")
            if not any(known in said for known in _KNOWN)
        ),
        folder=Path(folder) if folder else None,
        tracked=bool(document.get("install")),
    )


def verify(found: Inspection | None, entry: Mapping[str, Any]) -> Iterator[Step]:
    """Whether OpenClaw loads the plugin and calls its hooks."""
    if found is None:
        yield Step("loaded", "fail", "OpenClaw does not know the plugin", _INSTALL_AGAIN)
        return
    if found.status != "loaded":
        reason = f" ({found.reason})" if found.reason else ""
        fix = "openclaw plugins doctor" if found.status == "error" else _switch_on(found.reason)
        yield Step("loaded", "fail", f"the plugin is {found.status}{reason}", fix)
        return
    missing = found.missing_hooks(entry)
    if missing:
        said = f"OpenClaw does not call {' and '.join(missing)}"
        why = f": {'; '.join(found.remarks)}" if found.remarks else ""
        yield Step("loaded", "fail", said + why, _INSTALL_AGAIN)
        return
    yield Step("loaded", "ok", f"OpenClaw calls {', '.join(sorted(found.hooks))}")
    yield from (Step("remark", "warn", said) for said in found.remarks)


def forbids_recall(entry: Mapping[str, Any]) -> bool:
    """Whether the user has forbidden the plugin to put anything into prompts."""
    return mapping(entry.get("hooks")).get("allowPromptInjection") is False


def allows_reading(entry: Mapping[str, Any]) -> bool:
    """Whether the plugin may read conversations: without it recall and capture are blocked."""
    return mapping(entry.get("hooks")).get("allowConversationAccess") is True


def _switch_on(reason: str | None) -> str:
    """What switches it on; whether there are plugins at all is the user's to decide."""
    if reason and "plugins disabled" in reason:
        return "openclaw config set plugins.enabled true"
    return _INSTALL_AGAIN


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) and value else None


def _texts(items: Any, name: str) -> list[str]:
    found = cast("list[Any]", items) if isinstance(items, list) else []
    return [said for item in found if (said := _text(mapping(item), name))]
