"""One suite for every version of the SDKs: the surfaces, the servers, and the table of results."""

import importlib.util
import json
import os
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import pytest

from hippocortex_core.config import resolve
from hippocortex_core.recorder import Recorder, shared_recorder
from hippocortex_core.recorder.recorder import _shared
from hippocortex_core.testing import HttpHome, InMemoryService
from hippocortex_core.testing.llm_server import Answer, LlmServer
from hippocortex_core.types import CaptureEvent


def _load(name):
    """A module of this folder, which is not importable by name."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"sdk_matrix_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


surfaces = _load("surfaces")
EXPECTED = [name for name in os.environ.get("HIPPOCORTEX_SDKS", "").split(",") if name]
SDKS = [name for name in ("openai", "anthropic") if importlib.util.find_spec(name)]
surfaces.sdks = lambda: SDKS
CASES = [case for sdk in SDKS for case in surfaces.cases(sdk)]
_results = defaultdict(lambda: "ok")


def pytest_configure(config):
    missing = set(EXPECTED) - set(SDKS)
    if missing:
        raise pytest.UsageError(f"HIPPOCORTEX_SDKS asks for {missing}, which are not installed")


def pytest_generate_tests(metafunc):
    wanted = {"any_case": CASES, "streamed_case": [case for case in CASES if case.streams]}
    for name, cases in wanted.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, cases, ids=str)
    if "sdk" in metafunc.fixturenames:
        metafunc.parametrize("sdk", SDKS)
    if "is_async" in metafunc.fixturenames:
        metafunc.parametrize("is_async", [False, True], ids=["sync", "async"])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    params = getattr(getattr(item, "callspec", None), "params", {})
    case = params.get("any_case") or params.get("streamed_case")
    if case is not None and outcome.get_result().failed:
        _results[case] = "fails"
    elif case is not None:
        _results[case]


def pytest_sessionfinish(session):
    target = os.environ.get("HIPPOCORTEX_SURFACES")
    if target and _results:
        rows = [
            {"sdk": case.sdk, "surface": case.surface.name, "mode": case.mode, "result": result}
            for case, result in _results.items()
        ]
        found = {"versions": {sdk: version(sdk) for sdk in SDKS}, "rows": rows}
        Path(target).write_text(json.dumps(found, indent=1), encoding="utf-8")


@pytest.fixture(name="surfaces", scope="session")
def _surfaces():
    return surfaces


@pytest.fixture(autouse=True)
def _closed(monkeypatch, tmp_path):
    monkeypatch.setenv("HIPPOCORTEX_STATE_DIR", str(tmp_path / "state"))
    yield
    surfaces.close_all()
    _close_recorders()


def _close_recorders():
    for recorder in list(_shared.values()):
        recorder.close(5)
    _shared.clear()


@pytest.fixture
def impatient(monkeypatch):
    """No strictness, and a deadline that keeps the tests short."""
    monkeypatch.delenv("HIPPOCORTEX_STRICT", raising=False)
    monkeypatch.setitem(Recorder.__init__.__kwdefaults__, "recall_deadline", 0.1)


@pytest.fixture
def service():
    """A memory that knows one thing about what the tests ask."""
    service = InMemoryService()
    known = {"role": "user", "content": f"{surfaces.QUESTION} It is blue."}
    service.capture(CaptureEvent("message", "earlier", known))
    return service


@pytest.fixture
def home(service, monkeypatch):
    """The memory over HTTP, as the environment says."""
    with HttpHome(service) as home:
        monkeypatch.setenv("HIPPOCORTEX_BASE_URL", home.url)
        monkeypatch.setenv("HIPPOCORTEX_API_KEY", "hx_test_key")
        yield home
        _close_recorders()


@pytest.fixture
def captured(service, home):
    """What was captured since the test began, as (type, what)."""

    def read():
        assert shared_recorder(resolve()).flush(5)
        return [
            (event.type, event.payload.get("content") or event.payload.get("tool"))
            for event in service.events
            if event.session_id != "earlier"
        ]

    return read


@pytest.fixture
def llm():
    with LlmServer(lambda asked: Answer(surfaces.ANSWER)) as server:
        yield server


@pytest.fixture
def auto(home):
    """Auto-instrumentation for the length of a test."""
    import hippocortex.auto

    hippocortex.auto.install()
    yield hippocortex.auto
    hippocortex.auto.uninstall()
