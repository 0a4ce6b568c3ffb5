"""`hippocortex doctor`: is everything in place?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from hippocortex.cli.options import AsJson
from hippocortex.cli.output import console, emit
from hippocortex.cli.state import State, state

if TYPE_CHECKING:
    from hippocortex.cli.checks import Check

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red bold"}


def doctor(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Check the installation and the memory.

    The exit code is 1 if something fails.
    """
    out = console()
    found: list[Check] = []
    for check in _checks(state(ctx)):
        found.append(check)
        if not as_json:
            out.print(f"{check.status:<5}", style=_STYLES[check.status], end="")
            out.print(f"{check.name}: {check.message}", soft_wrap=True)
            if check.fix:
                out.print(f"     fix: {check.fix}", soft_wrap=True)
    failed = any(check.status == "fail" for check in found)
    if as_json:
        emit({"ok": not failed, "checks": [_document(check) for check in found]})
    if failed:
        raise typer.Exit(1)


def _checks(options: State) -> Iterator[Check]:
    from hippocortex.cli import checks  # noqa: PLC0415 - the heavy imports are in there
    from hippocortex_core.config import resolve  # noqa: PLC0415
    from hippocortex_core.errors import HippocortexError  # noqa: PLC0415

    yield checks.python()
    yield checks.packages()
    try:
        settings = resolve(options.api_key, options.home)
    except HippocortexError as error:
        yield checks.Check(
            "home", "fail", error.message, "correct --home, the variable or the file"
        )
        return
    yield checks.home(options, settings)
    if not settings.is_http:
        yield checks.embedding()
    path = checks.database_path(settings)
    if path is not None:
        yield checks.sqlite()
        yield from checks.database(path)
    if path is not None and not path.exists():
        yield checks.Check("memory", "ok", f"{path} is made on first use")
        return
    yield checks.contents(options, settings)


def _document(check: Check) -> dict[str, str]:
    said = {"name": check.name, "status": check.status, "message": check.message}
    return said | ({"fix": check.fix} if check.fix else {})
