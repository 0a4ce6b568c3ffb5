"""The steps of `hippocortex openclaw`, as lines or as one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from hippocortex.cli.describe import clean
from hippocortex.cli.output import console, emit

if TYPE_CHECKING:
    from hippocortex_openclaw.installer import Status, Step

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red bold"}
_NOTHING: Mapping[str, Any] = {}


class Report:
    """Shows steps as they are done, or keeps them for the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._out = console()
        self.steps: list[Step] = []

    @property
    def failed(self) -> bool:
        """Whether a step has failed."""
        return any(step.status == "fail" for step in self.steps)

    def follow(self, steps: Iterable[Step]) -> None:
        """Show each step as it comes."""
        for step in steps:
            self.steps.append(step)
            if not self._as_json:
                self._show(step)

    def say(self, text: str = "") -> None:
        """A line for people."""
        if not self._as_json:
            self._out.print(clean(text), soft_wrap=True)

    def end(self, document: Mapping[str, Any] = _NOTHING) -> None:
        """The document, if one is wanted; and the exit code, if a step has failed."""
        if self._as_json:
            emit({"ok": not self.failed, **document, "steps": list(map(_document, self.steps))})
        if self.failed:
            raise typer.Exit(1)

    def _show(self, step: Step) -> None:
        self._out.print(f"{step.status:<5}", style=_STYLES[step.status], end="")
        self._out.print(clean(f"{step.name}: {step.message}"), soft_wrap=True)
        if step.fix:
            self._out.print(clean(f"     fix: {step.fix}"), soft_wrap=True)


def status_document(found: Status) -> dict[str, Any]:
    """What `status` found out, in the wire's spelling."""
    plugin, server, spool = found.plugin, found.server, found.spool
    return {
        "openclaw": found.openclaw and {"path": str(found.openclaw.path), "version": found.version},
        "plugin": {
            "packaged": found.packaged,
            "installed": plugin and plugin.version,
            "status": plugin.status if plugin else "absent",
            "hooks": list(plugin.hooks) if plugin else [],
            "conversationAccess": found.reads_conversations,
        },
        "settings": found.settings,
        "server": server
        and {
            "url": server.url,
            "reachable": server.reachable,
            "keyAccepted": server.accepted,
            "version": server.version,
            "tenantId": server.tenant,
        },
        "spool": spool
        and {
            "folder": str(spool.folder),
            "files": spool.files,
            "bytes": spool.size,
            "oldest": spool.oldest,
        },
    }


def _document(step: Step) -> dict[str, Any]:
    return {name: value for name, value in asdict(step).items() if value is not None}
