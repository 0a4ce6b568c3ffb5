"""Adapters stay parallel: the same files, of a size that can be read, with the same ignorance."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_ADAPTERS = {"core", "engine", "hippocortex", "server"}
ADAPTERS = sorted(
    path.parent.name
    for path in (ROOT / "packages").glob("*/pyproject.toml")
    if path.parent.name not in NOT_ADAPTERS
)
APART = {"agent-framework", "autogen", "crewai"}
"""Whose framework the development environment cannot hold; their own sessions import them."""

MAX_LINES = 300
FORBIDDEN = {"hippocortex", "hippocortex_engine", "hippocortex_server", "httpx", "requests"}
LOUD = re.compile(r"^\s*print\(", re.MULTILINE)


def source(name):
    return ROOT / "packages" / name / "src" / f"hippocortex_{name.replace('-', '_')}"


def modules(name):
    return sorted(source(name).rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_has_the_files_that_all_have(name):
    files = {path.name for path in source(name).iterdir()}
    assert {"__init__.py", "_compat.py", "_events.py", "py.typed"} <= files
    surfaces = [one for one in files if one.endswith(".py") and not one.startswith("_")]
    assert surfaces, "hooks.py, memory.py, middleware.py or whatever users hold in their hands"


@pytest.mark.parametrize("name", ADAPTERS)
def test_its_modules_can_be_read_in_one_go(name):
    lines = {
        path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(name)
    }
    assert {file: count for file, count in lines.items() if count > MAX_LINES} == {}


@pytest.mark.parametrize("name", ADAPTERS)
def test_it_knows_core_and_its_framework_only(name):
    own = f"hippocortex_{name.replace('-', '_')}"
    siblings = {f"hippocortex_{other.replace('-', '_')}" for other in ADAPTERS} - {own}
    wrong = [
        f"{path.name} imports {module}"
        for path in modules(name)
        for module in imported(path)
        if module in FORBIDDEN | siblings
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ADAPTERS)
def test_only_the_compatibility_module_looks_at_versions(name):
    told = re.compile(r"importlib\.metadata|__version__|version_info|packaging\.version")
    wrong = [
        path.name
        for path in modules(name)
        if path.name != "_compat.py" and told.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ADAPTERS)
def test_its_translation_is_pure(name):
    """`_events.py` reads what it is given: no recorder, no scope, no clock."""
    pure = {"hippocortex_core.steps", "hippocortex_core.marking", "hippocortex_core.types"}
    tree = ast.parse((source(name) / "_events.py").read_text(encoding="utf-8"))
    core = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hippocortex_core")
    }
    assert core <= pure


@pytest.mark.parametrize("name", ADAPTERS)
def test_its_usage_stands_where_it_is_imported(name):
    tree = ast.parse((source(name) / "__init__.py").read_text(encoding="utf-8"))
    assert "```python" in (ast.get_docstring(tree) or "")


@pytest.mark.parametrize("name", ADAPTERS)
def test_it_says_nothing_on_its_own(name):
    """Faults go through `hippocortex_core.guard`, which logs each once."""
    wrong = [path.name for path in modules(name) if LOUD.search(path.read_text(encoding="utf-8"))]
    assert wrong == []


@pytest.mark.parametrize("name", ADAPTERS)
def test_it_passes_the_contract(name):
    folder = ROOT / "tests" / name.replace("-", "_")
    suites = [
        path
        for path in folder.rglob("test_*contract*.py")
        if "(AdapterContract)" in path.read_text(encoding="utf-8")
    ]
    assert suites, f"{folder.relative_to(ROOT)} subclasses AdapterContract"


@pytest.mark.parametrize("name", [one for one in ADAPTERS if one not in APART])
def test_what_it_offers_can_be_imported(name):
    module = importlib.import_module(f"hippocortex_{name.replace('-', '_')}")
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for one in module.__all__:
        assert getattr(module, one) is not None
