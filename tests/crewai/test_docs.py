"""The page and the example are so; the development environment, without CrewAI, cannot run them."""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import hippocortex_crewai
from hippocortex.adapters import crewai as facade
from hippocortex_core.recorder.recorder import close_shared, shared_recorder

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adapters" / "crewai.md"
FENCE = re.compile(r"^```(python|text output)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = (
    "monday:\n  Error executing tool: pending migrations",
    "'failure_playbook': 1",
    "tuesday:\n  the database of payments is up to date\n  payments is live on staging",
)


def test_what_the_page_shows_is_what_happens(monkeypatch, tmp_path):
    monkeypatch.setenv("HIPPOCORTEX_SILENT", "1")
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", f"sqlite:///{tmp_path}/page.db")
    shared_recorder().call(lambda memory: memory.health(), 60)  # loads the engine
    names, printed = {"__name__": "__main__"}, []
    blocks = FENCE.findall(PAGE.read_text(encoding="utf-8"))
    try:
        for kind, body in blocks:
            if kind == "python":
                out = io.StringIO()
                with redirect_stdout(out):
                    exec(compile(body, str(PAGE), "exec"), names)
                printed.append(out.getvalue())
            else:
                assert printed[-1] == body
    finally:
        names["crew"].memory.detach()
        names["notes"].detach()
        close_shared()
    assert len(printed) == 2


def test_the_example_prints_what_it_promises(tmp_path):
    kept = {name: value for name, value in os.environ.items() if "HIPPOCORTEX" not in name}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "crewai_crew" / "main.py")],
        cwd=tmp_path,
        env={**kept, "PYTHONUTF8": "1", "HIPPOCORTEX_STRICT": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [text for text in EXPECTED if text not in done.stdout] == []
    assert list(tmp_path.iterdir()) == []


def test_the_facade_gives_every_name_of_the_adapter():
    assert sorted(facade.__all__) == sorted(hippocortex_crewai.__all__)
    for name in facade.__all__:
        assert getattr(facade, name) is getattr(hippocortex_crewai, name)
