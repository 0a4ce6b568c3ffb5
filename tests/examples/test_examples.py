"""Every example runs as it stands, offline, and prints what it promises."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPECTED = {
    "manual_client": [
        "last run: 14/14 events stored",
        "learned: {",
        "'task_schema': ",
        " of 400 tokens",
        "## Procedures",
        "## Known failures",
        "connection pool exhausted",
    ],
    "sync_client": [
        "ingested, salience 0.",
        "aisle",
        "Ann asked to be forgotten: 3 events deleted",
        "validation_error (type)",
    ],
    "import_trajectories": [
        " events read, 0 problems",
        " stored, 0 duplicates",
        "again: 0 stored, ",
        "'failure_playbook': ",
        " of 800 tokens",
        "[failures] (0.",
    ],
    "langgraph_agent": [
        "monday:\n  deploy: FAILED, pending migrations",
        "'failure_playbook': 1",
        "tuesday:\n  migrate: the database of payments is up to date\n  deploy: payments is live",
    ],
    "openai_agents": [
        "monday:\n  deploy: Error: pending migrations",
        "'failure_playbook': 1",
        "tuesday:\n  migrate: the database of payments is up to date\n  deploy: payments is live",
    ],
    "langgraph_store": [
        "ann: What shall I eat tonight? -> ['I prefer vegetarian food for dinner']",
        "bob: What shall I eat tonight? -> []",
        "namespaces: [('memories', 'ann'), ('memories', 'bob')]",
        "of six words and more: ['monday', 'tuesday']",
        "learned: When `deploy` fails",
    ],
}


def _run(name: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("HIPPOCORTEX_")}
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name / "main.py")],
        cwd=tmp_path,
        env={**env, "PYTHONUTF8": "1", "HIPPOCORTEX_STRICT": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_runs_and_prints_what_it_promises(name, tmp_path):
    done = _run(name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in EXPECTED[name]:
        assert text in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_ann_is_not_told_about_bob(tmp_path):
    answer = _run("sync_client", tmp_path).stdout.partition("for Ann:")[2]
    assert "window" not in answer


def test_every_example_is_tested():
    assert {path.parent.name for path in EXAMPLES.glob("*/main.py")} >= set(EXPECTED)
