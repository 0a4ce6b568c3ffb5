"""The `openclaw` command: finding it, running it, and what its failures mean.

Nothing secret is ever an argument: what holds a key goes in through stdin, and no excerpt of the
output that becomes a message holds one.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from hippocortex_core.errors import HippocortexError
from hippocortex_core.redaction import redact_text
from hippocortex_openclaw._compat import (
    OLDEST,
    SUPPORTED_NODE,
    Version,
    complains_of_node,
    parse_version,
)

DEFAULT_TIMEOUT = 120.0
"""Seconds for one command; a slow machine takes 20."""

KEY_VARIABLE = "HIPPOCORTEX_API_KEY"
_EXCERPT = 600
_CHATTER = ("[config] warnings", "Config warnings", "Config (", "WARNING - ", "This source is ")
_UNSET = ("unset", "not set", "not found", "no value")


class OpenClawError(HippocortexError):
    """OpenClaw is missing, too old, or refused; the message says what to do."""

    code = "configuration_error"
    status = 0


@dataclass(frozen=True, slots=True)
class Output:
    """What a command printed, and its exit code."""

    command: str
    code: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)

    def document(self) -> Any:
        """The JSON document on stdout, whatever lines stand before it; None without one."""
        lines = self.stdout.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if line.lstrip().startswith(("{", "[", '"')):
                try:
                    return json.loads("".join(lines[number:]))
                except ValueError:
                    continue
        return None

    @property
    def complaint(self) -> str:
        """Why it failed: the error in its JSON, else what it printed, on one line."""
        said = _reported(self.document()) or _relevant(self.stderr) or _relevant(self.stdout)
        return excerpt(said) or f"exit code {self.code}"


class OpenClaw:
    """An OpenClaw on this machine.

    Args:
        path: Of its command.
        timeout: Seconds that one command may take.
        environ: Default: the environment of this process.
    """

    def __init__(
        self,
        path: Path,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self.timeout = timeout
        self.environ = dict(os.environ if environ is None else environ)

    def version(self) -> Version:
        """Which version it is.

        Raises:
            OpenClawError: It does not run, or is too old.
        """
        output = self.run("--version")
        said = output.stdout + output.stderr
        if output.code and complains_of_node(said):
            raise OpenClawError(
                f"OpenClaw does not run here: {_first_line(said)};"
                f" put {SUPPORTED_NODE}, first on PATH"
            )
        found = parse_version(output.stdout) if output.code == 0 else None
        if found is None:
            raise OpenClawError(
                f"`{output.command}` did not print a version ({excerpt(said) or 'nothing at all'});"
                f" is {str(self.path)!r} OpenClaw? OPENCLAW_BIN names another"
            )
        if found < OLDEST:
            raise OpenClawError(
                f"OpenClaw {found} is too old, the plugin needs {OLDEST} or newer: openclaw update"
            )
        return found

    def run(self, *args: str, stdin: str | None = None, without_key: bool = False) -> Output:
        """Run a command to its end, whatever its exit code.

        Args:
            *args: Of the command.
            stdin: Its input; none is an empty one, so that it asks nothing.
            without_key: Hide our API key from it, to see what OpenClaw knows by itself.

        Raises:
            OpenClawError: It cannot be started, or does not end in time.
        """
        shown = shlex.join(["openclaw", *args])
        try:
            process = self._start(args, self._environment(without_key=without_key))
        except OSError as error:
            raise OpenClawError(f"cannot run {str(self.path)!r}: {error.strerror}") from error
        with process:
            try:
                stdout, stderr = process.communicate(stdin or "", self.timeout)
            except subprocess.TimeoutExpired:
                _kill(process)
                raise OpenClawError(
                    f"`{shown}` did not end within {self.timeout:g} s; try it by hand, or allow it"
                    " longer with --timeout"
                ) from None
            except BaseException:  # interrupted: in a session of its own it was not told
                _kill(process)
                raise
        return Output(shown, process.returncode, stdout, stderr)

    def check(self, *args: str, stdin: str | None = None) -> Output:
        """Run a command that must succeed.

        Raises:
            OpenClawError: It fails.
        """
        output = self.run(*args, stdin=stdin)
        if output.code:
            raise OpenClawError(f"`{output.command}` failed: {output.complaint}")
        return output

    def ask(self, *args: str, without_key: bool = False) -> Any:
        """What a command answers as JSON; None if it says that there is no such thing.

        Raises:
            OpenClawError: It fails for another reason, or its answer is no JSON.
        """
        output = self.run(*args, "--json", without_key=without_key)
        document = output.document()
        if output.code and document is not None and _is_unset(_reported(document)):
            return None
        if output.code:
            raise OpenClawError(f"`{output.command}` failed: {output.complaint}")
        if document is None:
            raise OpenClawError(
                f"`{output.command}` did not answer with JSON:"
                f" {excerpt(output.stdout) or 'nothing'!r}; does it work by hand?"
            )
        return document

    def config(self, path: str) -> Any:
        """A part of its configuration, secrets hidden by OpenClaw; None where nothing is set."""
        return self.ask("config", "get", path, without_key=True)

    def patch(self, patch: Mapping[str, Any]) -> None:
        """Merge the patch into its configuration: objects merge, null deletes.

        Raises:
            OpenClawError: It is refused.
        """
        self.check("config", "patch", "--stdin", stdin=json.dumps(patch))

    def _environment(self, *, without_key: bool) -> dict[str, str]:
        quiet = {"NO_COLOR": "1", "OPENCLAW_NO_AUTO_UPDATE": "1"}
        hidden = {"FORCE_COLOR", *([KEY_VARIABLE] if without_key else [])}
        return {k: v for k, v in self.environ.items() if k not in hidden} | quiet

    def _start(self, args: tuple[str, ...], environ: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - the command that the user named, and no shell
            [str(self.path), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            encoding="utf-8",
            errors="replace",
            # It starts processes of its own, which must end with it.
            start_new_session=os.name == "posix",
        )


def find(environ: Mapping[str, str] | None = None, *, timeout: float = DEFAULT_TIMEOUT) -> OpenClaw:
    """The OpenClaw that `OPENCLAW_BIN` names, else the one on PATH; it is not run yet.

    Raises:
        OpenClawError: There is none.
    """
    environ = os.environ if environ is None else environ
    named = environ.get("OPENCLAW_BIN", "").strip()
    found = shutil.which(named or "openclaw", path=environ.get("PATH", os.defpath))
    if found is not None:
        return OpenClaw(Path(found), timeout=timeout, environ=environ)
    if named:
        raise OpenClawError(f"OPENCLAW_BIN names {named!r}, which is no command")
    raise OpenClawError(
        "openclaw is not on PATH: npm i -g openclaw (it needs"
        f" {SUPPORTED_NODE}), or name it in OPENCLAW_BIN, or see --print"
    )


def excerpt(text: str) -> str:
    """The text on one line, bounded and without secrets."""
    line = redact_text(" ".join(text.split()))
    return line if len(line) <= _EXCERPT else f"{line[: _EXCERPT - 1]}…"


def _first_line(text: str) -> str:
    return excerpt(text.strip().splitlines()[0]).removeprefix("openclaw: ").rstrip(".")


def _reported(document: Any) -> str:
    """The message in `{"ok": false, "error": {"message": …}, "issues": […]}`."""
    said = _mapping(document)
    message = _mapping(said.get("error")).get("message")
    issues = [str(_mapping(one).get("message", "")) for one in _items(said.get("issues"))]
    return "; ".join(one for one in [message, *issues] if isinstance(one, str) and one)


def _relevant(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith(_CHATTER))


def _is_unset(message: str) -> bool:
    return any(word in message.lower() for word in _UNSET)


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _kill(process: subprocess.Popen[str]) -> None:
    """End a command, and what it started."""
    if os.name != "posix":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
