"""What importing a package loads, and what it offers."""

import ast
import importlib
import subprocess
import sys
import types

import pytest

HEAVY = (
    *("hippocortex_engine", "numpy", "sqlalchemy", "tokenizers", "safetensors"),
    *("httpx", "typer", "click", "rich"),
    *("openai", "anthropic", "langchain_core", "langgraph", "crewai", "autogen", "agents"),
)
PUBLIC = ("hippocortex", "hippocortex.types", "hippocortex_core", "hippocortex_engine")


def loaded_by(code):
    asked = f"import sys; {code}; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", asked], capture_output=True, text=True, check=True
    )
    return ast.literal_eval(done.stdout)


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


@pytest.mark.parametrize("name", PUBLIC)
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
