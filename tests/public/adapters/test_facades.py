"""`hippocortex.adapters.*`: cheap to import, complete, and clear about what is missing."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

from hippocortex import MissingExtraError, adapters
from hippocortex.adapters._facade import lazily

FACADES = sorted(
    module.name for module in pkgutil.iter_modules(adapters.__path__) if module.name[0] != "_"
)
APART = {"agent_framework", "autogen", "crewai"}
"""Whose framework the development environment cannot hold: their own tests look at the names."""


@pytest.mark.parametrize("name", [name for name in FACADES if name not in APART])
def test_a_facade_gives_every_name_of_its_adapter(name):
    facade = importlib.import_module(f"hippocortex.adapters.{name}")
    adapter = importlib.import_module(f"hippocortex_{name}")
    assert sorted(facade.__all__) == sorted(adapter.__all__)
    for one in facade.__all__:
        assert getattr(facade, one) is getattr(adapter, one)


@pytest.mark.parametrize("name", FACADES)
def test_importing_a_facade_loads_nothing(name):
    code = (
        f"import sys, hippocortex.adapters.{name};"
        f" print([m for m in sys.modules if m.startswith(('lang', 'crewai', 'autogen', 'agents',"
        f" 'hippocortex_{name}'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error():
    from hippocortex.adapters import langgraph

    with pytest.raises(AttributeError, match="'hippocortex_langgraph' has no attribute 'nothing'"):
        langgraph.nothing  # noqa: B018 - that is the access


def test_a_missing_adapter_is_a_missing_extra():
    get = lazily("hippocortex_nowhere", ["X"], extra="nowhere", framework=["nowhere"])
    with pytest.raises(MissingExtraError, match=r"pip install 'hippocortex\[nowhere\]'"):
        get("X")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import nowhere.of_the_framework", MissingExtraError),
        ("import something_else_that_is_missing", ModuleNotFoundError),
        ("from os import nothing_of_that_name", ImportError),
    ],
)
def test_a_broken_framework_shows_its_own_error(tmp_path, monkeypatch, code, expected):
    (tmp_path / "adapter_of_a_test.py").write_text(f"{code}\nX = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    get = lazily("adapter_of_a_test", ["X"], extra="nowhere", framework=["nowhere"])
    with pytest.raises(expected) as caught:
        get("X")
    assert type(caught.value) is expected
