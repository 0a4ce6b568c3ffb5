"""The application: its global options and the commands it has."""

from __future__ import annotations

from typing import Annotated

import typer

from hippocortex.cli import (
    artifacts,
    capture,
    demo,
    doctor,
    events,
    export,
    forget,
    import_files,
    keys,
    learn,
    metrics,
    migrate,
    openclaw,
    serve,
    synthesize,
)
from hippocortex.cli.errors import CommandLine
from hippocortex.cli.state import State, home_url

app = typer.Typer(
    cls=CommandLine,
    add_completion=False,
    # rich's help costs a quarter of a second on every --help and every mistake
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    home: Annotated[
        str | None,
        typer.Option(
            "--home",
            metavar="URL",
            help="Where the memory lives: sqlite:///path, https://… or a path.",
        ),
    ] = None,
    api_key: Annotated[
        str | None, typer.Option("--api-key", metavar="KEY", help="For an HTTP home.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Hippocortex: a memory for AI agents that learns from experience.

    Try `hippocortex demo` first. The home is --home, else HIPPOCORTEX_BASE_URL, else
    .hippocortex.json, else ./.hippocortex/memory.db.
    """
    del debug  # read by CommandLine, which sees every error
    ctx.obj = State(home_url(home), api_key)
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415

        print(f"hippocortex {installed('hippocortex')}")
    elif ctx.invoked_subcommand is None:
        print(ctx.get_help())


app.command("demo")(demo.demo)
app.command("import")(import_files.import_files)
app.command("capture")(capture.capture)
app.command("learn")(learn.learn)
app.command("synthesize")(synthesize.synthesize)
app.add_typer(artifacts.app, name="artifacts")
app.command("events")(events.events)
app.command("forget")(forget.forget)
app.command("export")(export.export)
app.command("metrics")(metrics.metrics)
app.command("doctor")(doctor.doctor)
app.command("serve")(serve.serve)
app.add_typer(keys.app, name="keys")
app.command("migrate")(migrate.migrate)
app.add_typer(openclaw.app, name="openclaw")
