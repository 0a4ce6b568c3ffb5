"""The documents say what is so: their code runs, their transcripts are real, their links lead on.

* ```` ```python ```` is run, block by block, in one namespace for each file and in an empty
  folder; top-level `await` is allowed.
* ```` ```python given ```` takes something for granted: a model, tools, a service.  It is compiled
  here, and run with what it needs by `tests/examples/test_shown.py`.
* ```` ```text output ```` right after a Python block is what that block prints.
* ```` ```console ```` is a transcript: what follows each `$ command` is what it prints.

In expected output `...` stands for anything, and the amount of white space does not matter.

The page of an adapter in `APART` is compiled here, and run by that adapter's own tests, which
supply what it takes for granted.  ```` ```bash ```` is read by `test_commands.py`.
"""

import ast
import asyncio
import doctest
import inspect
import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "packages/*/README.md")
    for path in ROOT.glob(pattern)
)
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<title>.+?) *#*$", re.MULTILINE)
APART = {f"docs/adapters/{name}.md" for name in ("agent-framework", "autogen", "crewai")}
"""Pages whose framework the development environment cannot hold."""
LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    info: list[str]
    body: str
    line: int

    @property
    def kind(self) -> str:
        return " ".join(self.info)


def blocks(path):
    text = path.read_text(encoding="utf-8")
    return [
        Block(found["info"].split(), found["body"], text.count("\n", 0, found.start("body")))
        for found in FENCE.finditer(text)
    ]


def named(path):
    return path.relative_to(ROOT).as_posix()


def wants(path, *kinds):
    return any(block.kind in kinds for block in blocks(path))


def matches(want, got):
    return doctest.OutputChecker().check_output(want.strip() + "\n", got.strip() + "\n", LENIENT)


def compiled(block, path):
    code = compile(
        "\n" * block.line + block.body,
        str(path),
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    return code, bool(code.co_flags & inspect.CO_COROUTINE)


class Reader:
    """Does what a document says, in order."""

    def __init__(self, path):
        self.path = path
        self.names = {"__name__": "__main__"}
        self.loop = asyncio.new_event_loop()
        self.printed = ""

    def follow(self, block):
        if block.kind == "python given" or named(self.path) in APART:
            if block.kind.startswith("python"):
                compiled(block, self.path)
        elif block.kind == "python":
            self.run(block)
        elif block.kind == "text output":
            self.compare(block.body, self.printed, block.line)
        elif block.kind == "console":
            self.transcript(block)

    def run(self, block):
        code, waits = compiled(block, self.path)
        out = io.StringIO()
        with redirect_stdout(out):
            running = eval(code, self.names)
            if waits:
                self.loop.run_until_complete(running)
        self.printed = out.getvalue()

    def transcript(self, block):
        for command, want, line in commands(block):
            done = subprocess.run(
                command.removeprefix("uv run "),
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                env=surroundings(),
                check=False,
            )
            self.compare(want, done.stdout, line, f"$ {command}\n")

    def compare(self, want, got, line, about=""):
        if not matches(want, got):
            pytest.fail(
                f"{named(self.path)}:{line + 1}\n{about}--- it says\n{want}\n--- it is\n{got}",
                pytrace=False,
            )


def commands(block):
    """The commands of a transcript, what each prints, and the line it stands in."""
    found = []
    for offset, text in enumerate(block.body.splitlines()):
        if text.startswith("$ "):
            found.append((text[2:], [], block.line + offset))
        elif found:
            found[-1][1].append(text)
    return [(command, "\n".join(want), line) for command, want, line in found]


def surroundings():
    """The environment of a transcript: our commands found, plain text, 80 columns."""
    kept = {name: value for name, value in os.environ.items() if "HIPPOCORTEX" not in name}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    plain = {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1", "HIPPOCORTEX_SILENT": "1"}
    return {**kept, **plain, "PATH": path}


@pytest.mark.skipif(os.name == "nt", reason="transcripts are those of a POSIX shell")
@pytest.mark.parametrize(
    "path",
    [path for path in DOCUMENTS if wants(path, "python", "python given", "console")],
    ids=named,
)
def test_what_a_document_shows_is_what_happens(path, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_SILENT", "1")
    reader = Reader(path)
    try:
        for block in blocks(path):
            reader.follow(block)
    finally:
        reader.loop.close()


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_fence_is_closed_and_of_a_kind_that_is_known(path):
    known = {
        *("python", "python given", "text", "text output", "console", "bash", "json", "toml"),
        *("sql", "mermaid"),
    }
    assert [block.kind for block in blocks(path) if block.kind not in known] == []
    assert path.read_text(encoding="utf-8").count("\n```") == 2 * len(blocks(path))


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_relative_link_leads_to_a_file_and_heading_that_exist(path):
    broken = [target for target in links(path) if not leads_on(path, target)]
    assert broken == []


def links(path):
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    found = (match["target"] for match in LINK.finditer(prose))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def leads_on(path, target):
    name, _, anchor = target.partition("#")
    there = (path.parent / name).resolve() if name else path
    if not there.exists() or ROOT not in there.parents:
        return False
    return not anchor or anchor in anchors(there)


def anchors(path):
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {slug(match["title"]) for match in HEADING.finditer(prose)}


def slug(title):
    """A heading's anchor, as GitHub makes it."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
    return re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")


def test_few_blocks_take_something_for_granted():
    given = [named(p) for p in DOCUMENTS for b in blocks(p) if b.kind == "python given"]
    whole = [named(p) for p in DOCUMENTS for b in blocks(p) if b.kind == "python"]
    assert len(given) * 3 <= len(whole), given


@pytest.mark.parametrize("page", sorted(APART))
def test_a_page_apart_has_no_block_that_its_own_tests_pass_over(page):
    kinds = {block.kind for block in blocks(ROOT / page)}
    assert kinds <= {"bash", "python", "text output"}


def test_every_section_of_autogens_page_that_shows_code_is_run_by_a_test():
    """Its generations do not fit into one environment, so each section has a test of its own."""
    text = (ROOT / "docs" / "adapters" / "autogen.md").read_text(encoding="utf-8")
    sections = re.findall(r"^#{1,2} (.*?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    tests = "".join(
        path.read_text(encoding="utf-8") for path in ROOT.glob("tests/autogen/*/test_docs.py")
    )
    run = set(re.findall(r'\bpage\("(.*?)"', tests))
    assert {title for title, body in sections if "```python" in body} == run
