"""Capture `hippocortex demo` in a terminal of 88 columns, as `demo.svg` beside this file.

    uv run python docs/images/make_demo.py

Standard library and rich, which the command line uses.  Unix only: a terminal is a pty here.
"""

import os
import pty
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 88
QUERIES = 2
"""How many of the queries fit on a screen; the rest of what it prints is cut."""
COMMAND = "hippocortex demo"
IMAGE = Path(__file__).with_name("demo.svg")


def printed() -> str:
    """What the command prints into a terminal, with its colours."""
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if "HIPPOCORTEX" not in name}
    process = subprocess.Popen(
        [sys.executable, "-m", "hippocortex.cli", *COMMAND.split()[1:]],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**env, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"},
    )
    os.close(theirs)
    found = bytearray()
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # how a pty says that its other end is gone
            break
        if not piece:
            break
        found += piece
    os.close(ours)
    if process.wait():
        sys.exit(f"`{COMMAND}` ended with {process.returncode}")
    return found.decode()


def main() -> None:
    """Write the picture."""
    lines = printed().replace("\r\n", "\n").splitlines()
    queries = [at for at, line in enumerate(lines) if Text.from_ansi(line).plain.startswith("> ")]
    del lines[queries[QUERIES] - 1 :]
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), f"uv run {COMMAND}"))
    for line in lines:
        console.print(Text.from_ansi(line))
    # Named, or each run would name its styles anew; and no font is fetched from anywhere.
    svg = console.export_svg(title=COMMAND, unique_id="demo")
    start, end = svg.index("@font-face"), svg.rindex("@font-face")
    end = svg.index("}", end) + 1
    IMAGE.write_text(svg[:start] + svg[end:], encoding="utf-8")


if __name__ == "__main__":
    main()
