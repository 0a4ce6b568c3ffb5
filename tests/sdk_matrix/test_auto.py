"""`import hippocortex.auto` with the real SDKs, in processes of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hippocortex_core.testing.llm_server import Answer

ASK = """
def ask(sdk, url):
    import importlib
    if sdk == "openai":
        client = importlib.import_module(sdk).OpenAI(base_url=url + "/v1", api_key="k")
        with client:
            return client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "Hi"}]
            )
    client = importlib.import_module(sdk).Anthropic(base_url=url, api_key="k")
    with client:
        return client.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]
        )

def captured():
    from hippocortex_core.recorder import shared_recorder
    recorder = shared_recorder()
    assert recorder.flush(20)
    return recorder.stats().delivered

def patched(sdk):
    base = sys.modules[sdk + "._base_client"]
    kinds = base.SyncAPIClient, base.AsyncAPIClient
    return [kind.request.__code__.co_filename.endswith("_instrument/patching.py") for kind in kinds]

import sys
sdk, url = sys.argv[1:]
"""
ORDERS = {
    "auto before the SDK": "import hippocortex.auto\n__import__(sdk)",
    "auto after the SDK": "__import__(sdk)\nimport hippocortex.auto",
    "auto after the client's accessors were used": """
client = getattr(__import__(sdk), {"openai": "OpenAI", "anthropic": "Anthropic"}[sdk])(api_key="k")
client.with_raw_response
import hippocortex.auto""",
}


def _run(code, sdk, llm, tmp_path):
    # Not strict: a cold start on a busy machine may take longer than a recall's deadline.
    env = {
        **os.environ,
        "HIPPOCORTEX_STRICT": "0",
        "HIPPOCORTEX_BASE_URL": f"sqlite:///{(tmp_path / 'memory.db').as_posix()}",
        "HIPPOCORTEX_STATE_DIR": str(tmp_path / "state"),
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK + code, sdk, llm.url],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_imports_does_not_matter(order, sdk, llm, tmp_path):
    code = f"{ORDERS[order]}\nask(sdk, url)\nprint(patched(sdk), captured())"
    assert _run(code, sdk, llm, tmp_path) == "[True, True] 2\n"


def test_uninstalling_restores_the_classes(sdk, llm, tmp_path):
    code = """
base = __import__(sdk + "._base_client", fromlist=["x"])
before = base.SyncAPIClient.request, base.AsyncAPIClient.request
hooks = list(sys.meta_path)
import hippocortex.auto
hippocortex.auto.install()
assert base.SyncAPIClient.request is not before[0]
hippocortex.auto.uninstall()
hippocortex.auto.uninstall()
ask(sdk, url)
print((base.SyncAPIClient.request, base.AsyncAPIClient.request) == before, hooks == sys.meta_path)
"""
    assert _run(code, sdk, llm, tmp_path) == "True True\n"
    assert len(llm.asked) == 1


def test_uninstalling_before_the_sdk_is_imported_leaves_it_alone(sdk, llm, tmp_path):
    code = """
import hippocortex.auto
hippocortex.auto.uninstall()
__import__(sdk)
print(patched(sdk))
"""
    assert _run(code, sdk, llm, tmp_path) == "[False, False]\n"


def test_a_client_and_its_copies_are_one_session(sdk, llm, service, captured, auto, surfaces):
    case = next(case for case in surfaces.cases(sdk) if case.surface.name.endswith(".create"))
    first, second = case.client(llm.url), case.client(llm.url)
    for client in (first, first.with_options(timeout=9), first.copy(), second):
        case.ask(client)
    captured()
    sessions = [event.session_id for event in service.events[1:] if event.type == "message"][::2]
    assert sessions[0] == sessions[1] == sessions[2] != sessions[3]


def test_without_a_home_calls_pass_and_one_line_says_so(sdk, llm, monkeypatch, capsys, surfaces):
    import hippocortex.auto
    from hippocortex_core import config

    monkeypatch.setattr(config, "find_spec", lambda name: None)
    llm.script = lambda asked: Answer(surfaces.ANSWER)
    case = next(case for case in surfaces.cases(sdk) if case.surface.name.endswith(".create"))
    hippocortex.auto.uninstall()
    hippocortex.auto.install()
    try:
        for _ in range(2):
            assert case.ask(case.client(llm.url)) == surfaces.ANSWER
    finally:
        hippocortex.auto.uninstall()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("hippocortex: no memory: ")
    assert not Path(".hippocortex").exists()
