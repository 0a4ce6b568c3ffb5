"""Every pitfall in docs/robustness.md names tests, and these exist; nothing is imported for it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "robustness.md").read_text(encoding="utf-8")
CONTRACT = ROOT / "packages/core/src/hippocortex_core/testing/contract"
NAMED = re.compile(r"`([^`\s]+)::([^`\s]+)`")


def rows():
    """What stands in each line of a table: pitfall, answer, tests."""
    lines = (line for line in PAGE.splitlines() if line.startswith("| ") and "::" in line)
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


ROWS = rows()


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def checks():
    """The requirements of the contract that have a check."""
    found = {name for path in CONTRACT.glob("*.py") for name in functions(path)}
    return {name.removeprefix("test_").replace("_", "-") for name in found if "test_" in name}


def exists(where, name):
    if where == "contract":
        return name in checks()
    path = ROOT / "tests" / where
    return path.is_file() and name in functions(path)


def test_every_pitfall_has_an_answer_and_a_test():
    told = [line for line in PAGE.splitlines() if line.startswith("| ")]
    tables = PAGE.count("|---|---|---|")
    assert len(told) == len(ROWS) + tables
    assert {len(row) for row in ROWS} == {3}
    assert [row[0] for row in ROWS if not all(row)] == []


@pytest.mark.parametrize(("pitfall", "answer", "tests"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_the_tests_of_a_pitfall_exist(pitfall, answer, tests):
    named = [NAMED.fullmatch(one) for one in tests.split(" · ")]
    assert all(named), tests
    assert [one[0] for one in named if not exists(one[1], one[2])] == []
