"""`hippocortex openclaw`: the plugin for OpenClaw, and what OpenClaw remembers."""

from __future__ import annotations

import importlib.util
from typing import Annotated, Literal

import typer

from hippocortex.cli.openclaw_import import import_transcripts
from hippocortex.cli.options import AsJson, one_of
from hippocortex.cli.state import state
from hippocortex_core.errors import MissingExtraError

app = typer.Typer(rich_markup_mode=None)

_Scope = Literal["conversation", "agent", "shared"]

Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0.1,
        metavar="SECONDS",
        show_default=False,
        help="For each command of OpenClaw; default 120.",
    ),
]


@app.callback(invoke_without_command=True)
def openclaw(ctx: typer.Context) -> None:
    """Give OpenClaw this memory: install the plugin, look after it, import past sessions."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("install")
def install(
    ctx: typer.Context,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL",
            help="The memory server; default the home, if that is a server, else this machine's"
            " port 8377.",
        ),
    ] = None,
    store_key: Annotated[
        bool | None,
        typer.Option(
            "--store-key/--no-store-key",
            help="Write the API key into OpenClaw's configuration; default is a reference to"
            " HIPPOCORTEX_API_KEY.",
        ),
    ] = None,
    agents: Annotated[
        str | None,
        typer.Option("--agents", metavar="LIST", help="Only these agents, or `all`; default all."),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="ID", help="The owner's name; default owner."),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope",
            callback=one_of(_Scope),
            metavar="WHO",
            help="Who shares a memory: conversation (every group and chat has its own; default),"
            " agent or shared.",
        ),
    ] = None,
    by_hand: Annotated[
        bool, typer.Option("--print", help="Only show how to do it by hand; needs no OpenClaw.")
    ] = False,
    no_cli: Annotated[
        bool,
        typer.Option("--no-cli", help="Copy the plugin into OpenClaw's state; run no command."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    timeout: Timeout = 120.0,
    as_json: AsJson = False,
) -> None:
    """Install the plugin, or bring it up to date.

    Says what the plugin may do and which commands are run, and asks. It may be repeated: a setting
    that is not given stays as it is.
    """
    require_openclaw()
    from hippocortex.cli import openclaw_install as ways  # noqa: PLC0415 - loads the installer

    if by_hand and no_cli:
        raise typer.BadParameter("--print and --no-cli exclude each other")
    home = ways.configured(state(ctx))
    wanted = ways.wanted(
        home,
        base_url=base_url,
        store_key=store_key,
        agents=agents,
        user=user,
        scope=scope,
    )
    if by_hand:
        ways.show_by_hand(wanted, as_json=as_json)
    elif no_cli:
        ways.install_without_cli(wanted, yes=yes, as_json=as_json)
    else:
        ways.install_with_cli(wanted, home.api_key, timeout, yes=yes, as_json=as_json)


@app.command("uninstall")
def uninstall(timeout: Timeout = 120.0, as_json: AsJson = False) -> None:
    """Take the plugin and its settings out of OpenClaw; what was learned stays."""
    require_openclaw()
    from hippocortex.cli.openclaw_report import Report  # noqa: PLC0415
    from hippocortex_openclaw import installer  # noqa: PLC0415

    report = Report(as_json=as_json)
    report.follow(installer.uninstall(timeout=timeout))
    report.end()


@app.command("status")
def status(ctx: typer.Context, timeout: Timeout = 120.0, as_json: AsJson = False) -> None:
    """Check the plugin, its settings, the server, and what waits to be sent.

    The exit code is 1 if something fails.
    """
    require_openclaw()
    from hippocortex.cli.openclaw_install import configured  # noqa: PLC0415
    from hippocortex.cli.openclaw_report import Report, status_document  # noqa: PLC0415
    from hippocortex_openclaw.installer import Status, look  # noqa: PLC0415

    found = Status()
    report = Report(as_json=as_json)
    report.follow(look(found, api_key=configured(state(ctx)).api_key, timeout=timeout))
    report.end(status_document(found))


app.command("import")(import_transcripts)


def require_openclaw() -> None:
    """See that the package of these commands is installed.

    Raises:
        MissingExtraError: It is not.
    """
    if importlib.util.find_spec("hippocortex_openclaw") is None:
        raise MissingExtraError(
            "`hippocortex openclaw` needs its package: pip install 'hippocortex[openclaw]'"
        )
