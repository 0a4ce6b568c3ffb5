"""Seeing modules as they are imported, whatever the order; the SDKs themselves: tests/sdk_matrix."""

import importlib
import json
import subprocess
import sys

import pytest

from hippocortex._instrument.import_hook import ImportHook


@pytest.fixture
def plain(tmp_path, monkeypatch):
    """A package with a module in it, not imported yet."""
    (tmp_path / "plain_package").mkdir()
    (tmp_path / "plain_package" / "__init__.py").touch()
    (tmp_path / "plain_package" / "inner.py").write_text("value = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "plain_package.inner"
    for name in [name for name in sys.modules if name.startswith("plain_package")]:
        del sys.modules[name]


@pytest.fixture
def seen(plain):
    found = []
    hook = ImportHook([plain], found.append)
    yield found, hook
    hook.remove()


def test_a_module_is_seen_after_it_was_executed(plain, seen):
    found, hook = seen
    hook.install()
    assert found == []
    module = importlib.import_module(plain)
    assert found == [module]
    assert module.value == 1


def test_a_module_that_is_there_already_is_seen_at_once(plain, seen):
    found, hook = seen
    module = importlib.import_module(plain)
    hook.install()
    assert found == [module]


def test_the_module_keeps_its_own_loader(plain, seen):
    _, hook = seen
    hook.install()
    module = importlib.import_module(plain)
    assert type(module.__loader__).__name__ == "SourceFileLoader"
    assert module.__spec__.loader is module.__loader__
    assert module.__loader__.get_source(plain) == "value = 1\n"


def test_nothing_is_seen_once_the_hook_is_removed(plain, seen):
    found, hook = seen
    hook.install()
    hook.remove()
    importlib.import_module(plain)
    assert found == []


def test_a_module_that_does_not_exist_is_still_missing():
    hook = ImportHook(["no_such_module"], lambda module: None)
    hook.install()
    try:
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            importlib.import_module("no_such_module")
    finally:
        hook.remove()


def test_importing_auto_imports_no_sdk_and_opens_no_memory(tmp_path):
    code = """
import json, os, sys
import hippocortex.auto
print(json.dumps([sorted({m.partition(".")[0] for m in sys.modules}), os.listdir()]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path
    )
    loaded, files = json.loads(done.stdout)
    assert set(loaded).isdisjoint({"openai", "anthropic", "hippocortex_engine"})
    assert files == []
    assert done.stderr == b""
