"""`hippocortex serve`: the memory over HTTP."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hippocortex.cli.options import AsJson, one_of
from hippocortex.cli.output import emit
from hippocortex.cli.stores import Store, require_server, store_url

if TYPE_CHECKING:
    from hippocortex_server.run import Started

_MEGABYTE = 1 << 20
_Format = Literal["json", "text"]


def serve(
    ctx: typer.Context,
    store: Store = None,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            envvar="HIPPOCORTEX_HOST",
            help="The address to listen on; default this machine only.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port",
            min=0,
            max=65_535,
            metavar="N",
            envvar="HIPPOCORTEX_PORT",
            help="Default 8377; 0 is any that is free.",
        ),
    ] = 8377,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            min=1,
            max=256,
            metavar="N",
            envvar="HIPPOCORTEX_WORKERS",
            help="Processes that answer; default 1.",
        ),
    ] = 1,
    auto_learn: Annotated[
        bool,
        typer.Option(
            "--auto-learn", envvar="HIPPOCORTEX_AUTO_LEARN", help="Learn in the background."
        ),
    ] = False,
    learn_after: Annotated[
        int,
        typer.Option(
            "--learn-after",
            min=1,
            metavar="N",
            envvar="HIPPOCORTEX_LEARN_AFTER",
            help="New events after which it learns; default 200.",
        ),
    ] = 200,
    learn_after_idle: Annotated[
        float,
        typer.Option(
            "--learn-after-idle",
            min=0.1,
            metavar="SECONDS",
            envvar="HIPPOCORTEX_LEARN_AFTER_IDLE",
            help="Quiet after which it learns what there is; default 60.",
        ),
    ] = 60.0,
    rate_limit: Annotated[
        int,
        typer.Option(
            "--rate-limit",
            min=0,
            metavar="N",
            envvar="HIPPOCORTEX_RATE_LIMIT",
            help="Requests a minute for each key; default 120000; 0 is no limit.",
        ),
    ] = 120_000,
    max_body: Annotated[
        float,
        typer.Option(
            "--max-body",
            min=0.001,
            max=1024,
            metavar="MB",
            envvar="HIPPOCORTEX_MAX_BODY",
            help="Largest body of a request; default 8.",
        ),
    ] = 8.0,
    shutdown_timeout: Annotated[
        float,
        typer.Option(
            "--shutdown-timeout",
            min=0.1,
            metavar="SECONDS",
            envvar="HIPPOCORTEX_SHUTDOWN_TIMEOUT",
            help="For requests to finish when it is told to stop; default 30.",
        ),
    ] = 30.0,
    log_format: Annotated[
        str | None,
        typer.Option(
            "--log-format",
            callback=one_of(_Format),
            envvar="HIPPOCORTEX_LOG_FORMAT",
            help="json or text; default text on a terminal.",
        ),
    ] = None,
    otel: Annotated[
        bool,
        typer.Option(
            "--otel", envvar="HIPPOCORTEX_OTEL", help="Send traces by OpenTelemetry (OTEL_*)."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve the memory over HTTP.

    With no options: the memory in this folder, for this machine only. The first start makes an
    API key and prints it, once.
    """
    require_server("serve")
    from hippocortex_server.run import serve as run  # noqa: PLC0415 - loads the whole server
    from hippocortex_server.settings import ServerSettings  # noqa: PLC0415

    settings = ServerSettings(
        store=store_url(ctx, store),
        host=host,
        port=port,
        workers=workers,
        auto_learn=auto_learn,
        learn_after_events=learn_after,
        learn_after_idle=learn_after_idle,
        rate_limit=rate_limit,
        max_body=round(max_body * _MEGABYTE),
        shutdown_timeout=shutdown_timeout,
        otel=otel,
        log_format="text" if (log_format or _default_format()) == "text" else "json",
    )
    code = run(settings, _announce_json if as_json else _announce)
    if code:
        raise typer.Exit(code)


def _default_format() -> _Format:
    return "text" if sys.stderr.isatty() else "json"


def _announce(started: Started) -> None:
    from hippocortex_server.banner import banner  # noqa: PLC0415

    print(banner(started), flush=True)


def _announce_json(started: Started) -> None:
    from hippocortex_server.banner import document  # noqa: PLC0415

    emit(document(started))
    sys.stdout.flush()
