"""What importing a package loads, and what it offers."""

import ast
import importlib
import subprocess
import sys
import types
from pathlib import Path

import pytest

HEAVY = (
    *("hippocortex_engine", "numpy", "sqlalchemy", "tokenizers", "safetensors"),
    *("httpx", "typer", "click", "rich"),
    *("openai", "anthropic", "langchain_core", "langgraph", "crewai", "autogen", "agents"),
)
PUBLIC = (
    *("hippocortex", "hippocortex.types", "hippocortex_core", "hippocortex_core.recorder"),
    *("hippocortex_core.testing", "hippocortex_core.testing.contract", "hippocortex_engine"),
    "hippocortex_server",
)
ROOT = Path(__file__).parents[2]
FACES = sorted(
    path
    for pattern in ("packages/*/src/*/__init__.py", "packages/*/src/*/adapters/[a-z]*.py")
    for path in ROOT.glob(pattern)
)
"""What users import, also where the framework is missing."""


def loaded_by(code):
    asked = f"import sys; {code}; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", asked], capture_output=True, text=True, check=True
    )
    return ast.literal_eval(done.stdout)


@pytest.mark.parametrize("module", ["hippocortex", "hippocortex_core", "hippocortex.adapters"])
def test_importing_it_loads_nothing_of_anybody_else(module):
    code = (
        f"import sys; before = set(sys.modules); import {module};"
        " print(sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout)) - set(sys.stdlib_module_names)
    assert loaded <= {"hippocortex", "hippocortex_core"}


@pytest.mark.parametrize("module", ["hippocortex", "hippocortex_core"])
def test_importing_it_loads_no_engine_no_framework_and_no_terminal(module):
    assert loaded_by(f"import {module}") == []


def test_making_a_client_loads_no_engine():
    code = "from hippocortex import SyncHippocortex; SyncHippocortex(base_url='sqlite:///m.db')"
    assert loaded_by(code) == []


def test_the_embedded_engine_needs_no_http_client():
    code = (
        "from hippocortex import SyncHippocortex; m = SyncHippocortex(base_url='sqlite://');"
        " m.health(); m.close()"
    )
    loaded = loaded_by(code)
    assert "hippocortex_engine" in loaded
    assert not {"httpx", "typer", "rich"} & set(loaded)


@pytest.mark.parametrize("name", [*PUBLIC, "hippocortex.auto", "hippocortex.wrap"])
def test_every_name_announced_can_be_imported(name):
    module = importlib.import_module(name)
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    for one in module.__all__:
        assert getattr(module, one) is not None


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_announced(name):
    module = importlib.import_module(name)
    public = {
        one
        for one, value in vars(module).items()
        if not one.startswith("_")
        and not isinstance(value, types.ModuleType)
        and one not in {"annotations", "TYPE_CHECKING"}
        and getattr(value, "__module__", name).partition(".")[0].startswith("hippocortex")
    }
    assert public <= set(module.__all__)


@pytest.mark.parametrize("path", FACES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_a_face_announces_what_it_imports_of_ours_in_order(path):
    body = ast.parse(path.read_text(encoding="utf-8")).body
    announced = next((ast.literal_eval(n.value) for n in body if defines(n, "__all__")), [])
    assert {name for node in body for name in given(node)} <= set(announced)
    assert len(announced) == len(set(announced))


@pytest.mark.parametrize("path", FACES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_what_a_face_loads_late_is_no_licence_to_misspell(path):
    """A `__getattr__` that type checkers see makes every name one of the module's."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = {getattr(node, "name", None) for node in body if not isinstance(node, ast.If)}
    assert "__getattr__" not in names
    assert not [node for node in body if defines(node, "__getattr__")]


def defines(node, name):
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def given(node):
    """The public names that a statement takes from our packages, or defines."""
    if isinstance(node, ast.If):
        return [name for one in node.body for name in given(one)]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        names = [node.name]
    elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hippocortex"):
        hidden = (node.module or "").endswith("._facade")
        names = [] if hidden else [alias.asname or alias.name for alias in node.names]
    else:
        names = []
    return [name for name in names if not name.startswith("_")]
