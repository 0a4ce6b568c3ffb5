"""The `hippocortex` command."""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script."""
    from hippocortex.cli.app import app  # noqa: PLC0415 - importing this package loads no typer

    app()


__all__ = ["main"]
