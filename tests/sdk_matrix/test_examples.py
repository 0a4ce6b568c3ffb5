"""The examples of these SDKs run as they stand, offline, and show a conversation recall another."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPECTED = {
    "wrap_openai": (
        {"openai"},
        [
            "without memory: I do not know.",
            "with memory: The database of staging is db-7.",
            "as a stream: The database of staging is db-7.",
            "<hippocortex_memory>",
        ],
    ),
    "wrap_anthropic": (
        {"anthropic"},
        [
            "second: Room Ada has 12 seats.",
            "captured: message, message, tool_call, tool_result, message, message, message",
        ],
    ),
    "auto": ({"openai", "anthropic"}, ["ann: The pumpkin risotto.", "bob: The steak."]),
}
RUNNABLE = [name for name in EXPECTED if all(map(importlib.util.find_spec, EXPECTED[name][0]))]


@pytest.mark.parametrize("name", RUNNABLE)
def test_an_example_runs_and_prints_what_it_promises(name, tmp_path):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name / "main.py")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUTF8": "1", "HIPPOCORTEX_STRICT": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in EXPECTED[name][1]:
        assert text in done.stdout
    assert list(tmp_path.iterdir()) == []
