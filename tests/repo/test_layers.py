"""Arrows point downward only (CONTRIBUTING.md, "Layers"): who may import whom, by AST.

Each package lists what it may import when it is imported, and what it may import later, inside a
function.  The standard library and itself are always allowed; everything else must be listed, so
a framework cannot creep in.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Layer:
    at_import: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()


LAYERS = {
    "core": Layer(at_import=frozenset({"httpx", "pytest"})),
    "engine": Layer(
        at_import=frozenset(
            {
                *("hippocortex_core", "alembic", "numpy", "safetensors", "sqlalchemy"),
                *("Stemmer", "tokenizers"),
            }
        ),
        later=frozenset({"psycopg"}),
    ),
    "server": Layer(
        at_import=frozenset(
            {
                *("hippocortex_core", "hippocortex_engine", "sqlalchemy"),
                *("fastapi", "starlette", "uvicorn", "prometheus_client"),
            }
        ),
        later=frozenset({"uvloop"}),
    ),
    "agent-framework": Layer(at_import=frozenset({"hippocortex_core", "agent_framework"})),
    "autogen": Layer(
        at_import=frozenset({"hippocortex_core", "pydantic", "autogen_core", "ag2"}),
    ),
    "crewai": Layer(at_import=frozenset({"hippocortex_core", "crewai", "pydantic"})),
    "langgraph": Layer(
        at_import=frozenset({"hippocortex_core", "langgraph", "langchain_core", "langchain"}),
    ),
    "openai-agents": Layer(at_import=frozenset({"hippocortex_core", "agents", "openai"})),
    "openclaw": Layer(at_import=frozenset({"hippocortex_core"}), later=frozenset({"zstandard"})),
    "hippocortex": Layer(
        at_import=frozenset({"hippocortex_core", "typer", "rich"}),
        later=frozenset(
            {
                *("hippocortex_engine", "hippocortex_server", "hippocortex_langgraph"),
                *("hippocortex_agent_framework", "hippocortex_autogen", "hippocortex_crewai"),
                *("hippocortex_openai_agents", "hippocortex_openclaw"),
                *("openai", "anthropic"),
            }
        ),
    ),
}
ONLY_HERE = {
    "httpx": "packages/core/src/hippocortex_core/transports/http.py",
    "pytest": "packages/core/src/hippocortex_core/testing/contract/suite.py",
    "langchain": "packages/langgraph/src/hippocortex_langgraph/middleware.py",
    "ag2": "packages/autogen/src/hippocortex_autogen/ag2.py",
}
"""Third parties that a single module knows."""


@dataclass(frozen=True)
class Import:
    module: str
    path: Path
    line: int
    lazy: bool
    typing_only: bool

    @property
    def top(self):
        return self.module.partition(".")[0]

    def __str__(self):
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.line} imports {self.module}"


class Finder(ast.NodeVisitor):
    """The imports of a module, those inside functions marked as lazy."""

    def __init__(self, path):
        self.path, self.found, self.depth, self.typing = path, [], 0, 0

    def visit_FunctionDef(self, node):
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast's naming

    def visit_If(self, node):
        typing = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        self.typing += typing
        for child in node.body:
            self.visit(child)
        self.typing -= typing
        for child in node.orelse:
            self.visit(child)

    def visit_Import(self, node):
        for alias in node.names:
            self.add(alias.name, node)

    def visit_ImportFrom(self, node):
        assert node.level == 0, f"{self.path}:{node.lineno}: imports are absolute"
        self.add(node.module, node)

    def add(self, module, node):
        self.found.append(Import(module, self.path, node.lineno, self.depth > 0, self.typing > 0))


def imports(package):
    found = []
    for path in sorted(package.rglob("src/**/*.py")):
        finder = Finder(path)
        finder.visit(ast.parse(path.read_text(encoding="utf-8")))
        found += finder.found
    return found


def own(package):
    return {path.name for path in (package / "src").iterdir()}


def test_every_package_has_its_place_among_the_layers(repo):
    assert {folder.name for folder in repo.packages} == set(LAYERS)


@pytest.mark.parametrize("name", LAYERS)
def test_a_package_imports_only_what_lies_below_it(name):
    package = ROOT / "packages" / name
    layer = LAYERS[name]
    always = {*sys.stdlib_module_names, *own(package), *layer.at_import}
    wrong = [
        str(one)
        for one in imports(package)
        if one.top not in always
        and not (one.lazy and one.top in layer.later)
        and not (one.typing_only and one.top in {"typing_extensions", *layer.later})
    ]
    assert wrong == []


@pytest.mark.parametrize("library", ONLY_HERE)
def test_a_library_is_known_to_a_single_module(library, repo):
    users = {
        one.path.relative_to(ROOT).as_posix()
        for package in repo.packages
        for one in imports(package)
        if one.top == library
    }
    assert users == {ONLY_HERE[library]}


def test_the_public_package_imports_the_engine_only_when_it_is_asked_for():
    package = ROOT / "packages" / "hippocortex"
    used = [one for one in imports(package) if one.top == "hippocortex_engine"]
    assert [str(one) for one in used if not one.lazy] == []


def test_the_terminal_libraries_stay_inside_the_command_line():
    package = ROOT / "packages" / "hippocortex"
    outside = [
        str(one)
        for one in imports(package)
        if one.top in {"typer", "rich"} and "cli" not in one.path.parts
    ]
    assert outside == []


def test_tests_do_not_import_each_other():
    wrong = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        finder = Finder(path)
        finder.visit(ast.parse(path.read_text(encoding="utf-8")))
        wrong += [str(one) for one in finder.found if one.top == "tests"]
    assert wrong == []
