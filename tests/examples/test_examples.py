"""Every example runs as it stands, offline, and prints what it promises.

Those run whose packages are there.  `HIPPOCORTEX_EXAMPLES` names packages, separated by commas,
whose examples must run, and only those; `all` are all.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    """What an example prints, and the distributions it needs, each with the versions it is for."""

    prints: tuple[str, ...]
    needs: tuple[str, ...] = ()
    below: int | None = None
    noisy: bool = False
    """Whether the framework warns of something when it is imported."""


LEARNED = (
    "'failure_playbook': 1",
    "tuesday:\n  migrate: the database of payments is up to date\n  deploy: payments is live",
)
EXPECTED = {
    "manual_client": Example(
        (
            "last run: 14/14 events stored",
            "learned: {",
            "'task_schema': ",
            " of 400 tokens",
            "## Procedures",
            "## Known failures",
            "connection pool exhausted",
        )
    ),
    "sync_client": Example(
        (
            "ingested, salience 0.",
            "aisle",
            "Ann asked to be forgotten: 3 events deleted",
            "validation_error (type)",
        )
    ),
    "import_trajectories": Example(
        (
            " events read, 0 problems",
            " stored, 0 duplicates",
            "again: 0 stored, ",
            "'failure_playbook': ",
            " of 800 tokens",
            "[failures] (0.",
        )
    ),
    "wrap_openai": Example(
        (
            "without memory: I do not know.",
            "with memory: The database of staging is db-7.",
            "as a stream: The database of staging is db-7.",
            "<hippocortex_memory>",
        ),
        needs=("openai",),
    ),
    "wrap_anthropic": Example(
        (
            "second: Room Ada has 12 seats.",
            "captured: message, message, tool_call, tool_result, message, message, message",
        ),
        needs=("anthropic",),
    ),
    "auto": Example(
        ("ann: The pumpkin risotto.", "bob: The steak."), needs=("openai", "anthropic")
    ),
    "langgraph_agent": Example(
        ("monday:\n  deploy: FAILED, pending migrations", *LEARNED), needs=("langchain",)
    ),
    "langgraph_store": Example(
        (
            "ann: What shall I eat tonight? -> ['I prefer vegetarian food for dinner']",
            "bob: What shall I eat tonight? -> []",
            "namespaces: [('memories', 'ann'), ('memories', 'bob')]",
            "of six words and more: ['monday', 'tuesday']",
            "learned: When `deploy` fails",
        ),
        needs=("langgraph",),
    ),
    "openai_agents": Example(
        ("monday:\n  deploy: Error: pending migrations", *LEARNED), needs=("openai-agents",)
    ),
    "openclaw": Example(
        (
            "import: 48 events stored, 0 known already",
            "import: 0 events stored, 48 known already",
            LEARNED[0],
            "## Known failures\n- When `deploy` fails with",
            "`migrate`, then call `deploy` again",
            "captured today: message, tool_call, tool_result, tool_call, tool_result, message",
        ),
        needs=("hippocortex-openclaw",),
    ),
    "crewai_crew": Example(
        (
            "monday:\n  Error executing tool: pending migrations",
            LEARNED[0],
            "tuesday:\n  the database of payments is up to date\n  payments is live on staging",
        ),
        needs=("crewai",),
    ),
    "autogen_team": Example(
        ("monday:\n  deploy: FAILED, pending migrations", *LEARNED),
        needs=("autogen-agentchat",),
        noisy=True,
    ),
    "autogen_classic": Example(
        (
            "monday:\n  Error: pending migrations",
            LEARNED[0],
            "tuesday:\n  the database of payments is up to date\n  payments is live on staging",
        ),
        needs=("ag2",),
        below=1,
        noisy=True,
    ),
}
ASKED = frozenset(filter(None, os.environ.get("HIPPOCORTEX_EXAMPLES", "").split(",")))


def _there(example):
    try:
        found = [version(name) for name in example.needs]
    except PackageNotFoundError:
        return False
    return example.below is None or all(int(one.split(".")[0]) < example.below for one in found)


def _chosen():
    if "all" in ASKED:
        return list(EXPECTED)
    if ASKED:
        return [name for name, one in EXPECTED.items() if one.needs and ASKED.issuperset(one.needs)]
    return [name for name, one in EXPECTED.items() if _there(one)]


def _run(name, tmp_path):
    env = {key: value for key, value in os.environ.items() if not key.startswith("HIPPOCORTEX_")}
    quiet = ["-Wignore"] if EXPECTED[name].noisy else []
    return subprocess.run(
        [sys.executable, *quiet, str(EXAMPLES / name / "main.py")],
        cwd=tmp_path,
        env={**env, "PYTHONUTF8": "1", "HIPPOCORTEX_STRICT": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", _chosen())
def test_an_example_runs_and_prints_what_it_promises(name, tmp_path):
    done = _run(name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [text for text in EXPECTED[name].prints if text not in done.stdout] == [], done.stdout
    assert list(tmp_path.iterdir()) == []


def test_ann_is_not_told_about_bob(tmp_path):
    answer = _run("sync_client", tmp_path).stdout.partition("for Ann:")[2]
    assert "window" not in answer


def test_every_example_is_tested():
    assert {path.parent.name for path in EXAMPLES.glob("*/main.py")} == set(EXPECTED)


def test_what_is_asked_for_is_there():
    known = {name for one in EXPECTED.values() for name in one.needs}
    assert known | {"all"} >= ASKED
    assert [name for name in _chosen() if not _there(EXPECTED[name])] == []
