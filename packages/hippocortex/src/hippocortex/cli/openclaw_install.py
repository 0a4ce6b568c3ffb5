"""The three ways of `hippocortex openclaw install`, each after the user has agreed."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, cast

import typer

from hippocortex.cli.describe import clean
from hippocortex.cli.openclaw_report import Report
from hippocortex.cli.output import emit
from hippocortex_core.config import resolve
from hippocortex_core.errors import ConfigurationError

if TYPE_CHECKING:
    from hippocortex.cli.state import State
    from hippocortex_core.config import Settings
    from hippocortex_openclaw.installer import Scope, Wanted

_EVERYONE = "all"


def configured(options: State) -> Settings:
    """The home that the command line is configured with, or the server on this machine."""
    from hippocortex_openclaw.installer import DEFAULT_URL  # noqa: PLC0415

    try:
        return resolve(options.api_key, options.home)
    except ConfigurationError:
        if options.home or os.environ.get("HIPPOCORTEX_BASE_URL", "").strip():
            raise
        # Nothing names a home and no engine is installed; what is broken fails once more.
        return resolve(options.api_key, DEFAULT_URL)


def wanted(
    home: Settings,
    *,
    base_url: str | None,
    store_key: bool | None,
    agents: str | None,
    user: str | None,
    scope: str | None,
) -> Wanted:
    """What the options ask for.

    Raises:
        ConfigurationError: The URL is no server's, or there is no key to store.
    """
    from hippocortex_openclaw.installer import DEFAULT_URL, Wanted, server_url  # noqa: PLC0415

    if store_key and home.api_key is None:
        raise ConfigurationError(
            "there is no API key to store: set HIPPOCORTEX_API_KEY or pass --api-key"
        )
    if user is not None and not user.strip():
        raise typer.BadParameter("--user: must not be empty")
    return Wanted(
        base_url=None if base_url is None else server_url(base_url),
        default_url=server_url(home.base_url) if home.is_http else DEFAULT_URL,
        api_key=home.api_key if store_key else None,
        by_reference=store_key is False,
        agents=None if agents is None else _names(agents),
        user_id=user,
        scope=cast("Scope | None", scope),
    )


def install_with_cli(
    asked: Wanted, api_key: str | None, timeout: float, *, yes: bool, as_json: bool
) -> None:
    """Through OpenClaw's own commands."""
    from hippocortex_openclaw import installer  # noqa: PLC0415

    report = Report(as_json=as_json)
    plan = installer.prepare(asked, api_key=api_key, timeout=timeout)
    report.follow(plan.found())
    install, patch = plan.commands
    _tell("", *installer.explanation(plan.url, plan.agents), "")
    _tell("These commands are run; --accept-capabilities accepts the above:")
    _tell(f"  {install}", f"  {patch} <<< '{json.dumps(plan.shown_patch)}'", "")
    _ask(yes=yes)
    report.follow(installer.install(plan))
    if not report.failed:
        report.say("OpenClaw learns with Hippocortex now; a running gateway takes it up by itself.")
        if plan.server.problem:
            report.say(f"Before it recalls anything: {plan.server.fix}")
    report.end({"baseUrl": plan.url, "patch": plan.shown_patch})


def install_without_cli(asked: Wanted, *, yes: bool, as_json: bool) -> None:
    """By a copy where OpenClaw looks; the patch is left to the user."""
    from hippocortex_openclaw import installer  # noqa: PLC0415

    plan = installer.by_hand(asked)
    _tell(*installer.explanation(plan.url, asked.agents), "")
    _tell(f"It is copied into {installer.openclaw_state(os.environ)}; no command is run.", "")
    _ask(yes=yes)
    report = Report(as_json=as_json)
    report.follow([installer.place_by_hand()])
    for line in ("", "It does nothing until OpenClaw's configuration has this:", ""):
        report.say(line)
    for line in installer.patch_script(plan.patch):
        report.say(line)
    report.end({"baseUrl": plan.url, "patch": plan.patch})


def show_by_hand(asked: Wanted, *, as_json: bool) -> None:
    """What somebody types who does it without us; nothing is changed."""
    from hippocortex_openclaw import installer  # noqa: PLC0415

    plan = installer.by_hand(asked)
    if as_json:
        emit(
            {
                "plugin": plan.source,
                "copyTo": str(plan.copy),
                "commands": list(plan.commands),
                "patch": plan.patch,
            }
        )
        return
    for line in plan.script():
        print(clean(line))


def _names(text: str) -> list[str]:
    names = [name for name in text.replace(",", " ").split() if name]
    if not names:
        raise typer.BadParameter(f"--agents: name some, separated by commas, or {_EVERYONE!r}")
    return [] if names == [_EVERYONE] else names


def _tell(*lines: str) -> None:
    """On stderr, as the question: stdout is for results."""
    sys.stdout.flush()
    for line in lines:
        print(clean(line), file=sys.stderr, flush=True)


def _ask(*, yes: bool) -> None:
    if yes:
        return
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer:
        print(file=sys.stderr)
        raise typer.BadParameter("not confirmed; --yes agrees without being asked")
    if answer.strip().lower() not in {"y", "yes"}:
        raise typer.Exit(1)
