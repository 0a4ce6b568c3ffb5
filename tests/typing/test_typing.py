"""The public API as type checkers see it, where it is installed: outside of the checkout."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RIGHT = ("typical_use.py", "with_langgraph.py", "with_openai_agents.py")
WRONG = "wrong_use.py"
# That a line of `WRONG` does nothing but be wrong, and what follows from a name that is unknown.
IDLE = ("reportUnusedExpression", "reportUnusedImport", "reportUnknown", "reportUnusedCoroutine")


def pyright(folder):
    config = {"typeCheckingMode": "strict", "pythonVersion": "3.10"}
    (folder / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    found = checked("pyright", "--outputjson", "--pythonpath", sys.executable, "-p", folder)
    for one in json.loads(found.stdout)["generalDiagnostics"]:
        place = Path(one["file"]).name, one["range"]["start"]["line"] + 1
        yield (*place, f"{one['message']} ({one.get('rule')})")


def mypy(folder):
    options = ("--strict", "--python-version=3.10", "--output=json", f"--cache-dir={folder}/cache")
    found = checked("mypy", *options, *(str(path) for path in sorted(folder.glob("*.py"))))
    for line in found.stdout.splitlines():
        one = json.loads(line)
        if one["severity"] == "error":
            yield Path(one["file"]).name, one["line"], f"{one['message']} ({one['code']})"


def checked(tool, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", tool, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, f"{tool} did not run\n{done.stderr or done.stdout}"
    return done


@pytest.fixture(scope="module", params=[pyright, mypy], ids=lambda checker: checker.__name__)
def told(request, tmp_path_factory):
    """What a checker says of each file: line and message."""
    folder = tmp_path_factory.mktemp("user")
    for name in (*RIGHT, WRONG):
        shutil.copy(HERE / name, folder)
    said = {name: [] for name in (*RIGHT, WRONG)}
    for name, line, message in request.param(folder):
        said[name].append((line, message))
    return said


@pytest.mark.parametrize("name", RIGHT)
def test_typical_code_is_typed_without_a_complaint(told, name):
    assert told[name] == []


def test_every_mistake_is_told_where_it_is_made(told):
    lines = (HERE / WRONG).read_text(encoding="utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if "# wrong" in line}
    complaints = {line: text for line, text in told[WRONG] if not any(i in text for i in IDLE)}
    assert {lines[number - 1] for number in wrong - set(complaints)} == set()
    assert {lines[number - 1]: complaints[number] for number in set(complaints) - wrong} == {}
