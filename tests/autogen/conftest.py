"""Every generation of AutoGen has a folder, of which those are collected that are installed.

Several fit into one environment, none is in the development environment: nox has environments for
them (`adapters`).  Models follow a script; nothing leaves the machine.
"""

import ast
import asyncio
import doctest
import importlib.util
import io
import re
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from hippocortex_core.recorder.recorder import close_shared, shared_recorder
from hippocortex_core.testing.reading import Reading

HERE = Path(__file__).parent


def _installed():
    """The folders whose generation is there."""
    found = {"agentchat": importlib.util.find_spec("autogen_agentchat") is not None}
    found["ag2"] = importlib.util.find_spec("ag2") is not None
    # `autogen` alone says nothing: the name is in use for several things.
    classic = importlib.util.find_spec("autogen")
    places = (classic.submodule_search_locations if classic else None) or ()
    found["classic"] = any(
        (Path(place) / "agentchat" / "conversable_agent.py").exists() for place in places
    )
    return [name for name, there in found.items() if there]


INSTALLED = _installed()
collect_ignore_glob = [] if INSTALLED else ["*"]
collect_ignore = [
    str(folder) for folder in HERE.iterdir() if folder.is_dir() and folder.name not in INSTALLED
]

with warnings.catch_warnings():
    # What the frameworks and what they need say of each other when they are imported.
    warnings.simplefilter("ignore")
    for name, module in (
        ("agentchat", "autogen_agentchat.teams"),
        ("classic", "autogen"),
        ("ag2", "ag2.testing"),
    ):
        if name in INSTALLED:
            importlib.import_module(module)


def pytest_configure(config):
    # What the frameworks do the old way, in their own modules; ours and those of tests stay strict.
    for module in ("autogen", "autogen_core", "autogen_agentchat", "ag2", "flaml"):
        config.addinivalue_line("filterwarnings", rf"ignore::DeprecationWarning:{module}\b")


def pytest_collection_modifyitems(config, items):
    """What is installed is tested: an environment that tests nothing of it is broken."""
    if HERE not in {Path(one).resolve() for one in config.args}:
        return
    tested = {item.path.parent.name for item in items}
    missing = [name for name in INSTALLED if name not in tested]
    if missing:
        raise pytest.UsageError(f"nothing was collected for {', '.join(missing)}")


ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "adapters" / "autogen.md"
FENCE = re.compile(r"^```(python|text output)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(monkeypatch, tmp_path):
    """Runs what a section of the page shows, given what it takes for granted; "" is the first."""
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", f"sqlite:///{tmp_path}/page.db")
    shared_recorder().call(lambda memory: memory.health(), 60)  # loads the engine

    def run(title, names):
        text = PAGE.read_text(encoding="utf-8")
        sections = dict(re.findall(r"^#+ (.*?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
        out = io.StringIO()
        blocks = FENCE.findall(sections[title])
        assert blocks
        for kind, body in blocks:
            if kind == "python":
                code = compile(body, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                with redirect_stdout(out):
                    running = eval(code, names)
                    if running is not None:
                        asyncio.run(running)
            else:
                assert doctest.OutputChecker().check_output(body, out.getvalue(), doctest.ELLIPSIS)
        assert shared_recorder().flush(30)
        return shared_recorder().call(lambda memory: memory.list_events(order="asc")).events

    yield run
    close_shared()


class NamedReading(Reading):
    """With who said it, by name."""

    def brief(self, event):
        if event.type == "message":
            return event.payload["role"], event.payload.get("name"), event.payload["content"]
        return super().brief(event)


@pytest.fixture
def reading(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    found = NamedReading()
    yield found
    found.recorder.close(5)
    close_shared(5)
