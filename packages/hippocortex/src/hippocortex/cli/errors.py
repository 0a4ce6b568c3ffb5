"""How a command ends: one line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn, cast

import typer
from typer.core import TyperGroup

from hippocortex.cli.describe import clean
from hippocortex_core.errors import HippocortexError

FAILED, MISUSED, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
_HINTS = {
    "unauthorized": "check the key in --api-key, HIPPOCORTEX_API_KEY or .hippocortex.json",
    "forbidden": "this key's scope does not allow it",
    "network_error": "check --home or HIPPOCORTEX_BASE_URL; `hippocortex doctor` tries it",
    "rate_limited": "wait a moment and try again",
}
_GLOBAL_WITH_VALUE = ("--home", "--api-key")
_GLOBAL_FLAGS = ("--debug",)


class CommandLine(TyperGroup):
    """The group of all commands, with our manner of ending."""

    def main(  # pyright: ignore[reportIncompatibleMethodOverride] - the rest is another manner
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **_: Any
    ) -> NoReturn:
        """Run a command line and exit."""
        given = _globals_first(list(sys.argv[1:] if args is None else args))
        sys.exit(self._run(given, prog_name or "hippocortex"))

    def _run(self, args: list[str], prog_name: str) -> int:
        _tolerate(sys.stdout)
        debug = "--debug" in args or os.environ.get("HIPPOCORTEX_STRICT") == "1"
        try:
            with self.make_context(prog_name, args) as ctx:
                self.invoke(ctx)
            sys.stdout.flush()  # a closed pipe shows here rather than at interpreter exit
        except typer.Exit as end:
            return end.exit_code
        except (KeyboardInterrupt, EOFError, typer.Abort):
            return _said("interrupted", INTERRUPTED)
        except BrokenPipeError:
            return _silenced()
        except Exception as error:  # noqa: BLE001 - the last resort of a command line
            if debug and not hasattr(error, "format_message"):
                traceback.print_exc()
            return _said(f"error: {one_line(describe(error))}", _code(error))
        return 0


def describe(error: Exception) -> str:
    """What went wrong, which field, and what to do about it."""
    if isinstance(error, HippocortexError):
        return _with_details(error)
    if hasattr(error, "format_message"):  # a usage error, of click or of typer's own
        return str(cast("Any", error).format_message())
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}"
    return f"unexpected {type(error).__name__}: {error} (--debug shows where; please report it)"


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())


def complain(message: str) -> None:
    """A line on stderr, whatever its encoding can hold."""
    encoding = sys.stderr.encoding or "utf-8"
    print(clean(message).encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)


def _with_details(error: HippocortexError) -> str:
    more = [
        f"{detail.field}: {detail.message}"
        for detail in error.details
        if detail.message not in error.message
    ]
    if error.request_id:
        more.append(f"request {error.request_id}")
    if hint := _HINTS.get(error.code):
        more.append(hint)
    return error.message + (f" ({'; '.join(more)})" if more else "")


def _tolerate(stream: object) -> None:
    """A character the console cannot show is no reason to fail."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def _code(error: Exception) -> int:
    return MISUSED if hasattr(error, "format_message") else FAILED


def _said(message: str, code: int) -> int:
    complain(message)
    return code


def _silenced() -> int:
    """The reader went away: nothing to say, and nothing more to flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


def _globals_first(args: list[str]) -> list[str]:
    """Global options may also be written after the command; the parser wants them before it."""
    ours: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in _GLOBAL_FLAGS or word.startswith(tuple(f"{o}=" for o in _GLOBAL_WITH_VALUE)):
            ours.append(word)
        elif word in _GLOBAL_WITH_VALUE:
            ours += [word, *(value for value in [next(words, None)] if value is not None)]
        else:
            rest.append(word)
    return ours + rest
