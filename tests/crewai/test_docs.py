"""The page is so; the development environment, without CrewAI, cannot run it."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from crewai import Task

import hippocortex_crewai
from hippocortex.adapters import crewai as facade
from hippocortex_core.recorder.recorder import close_shared, shared_recorder

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adapters" / "crewai.md"
FENCE = re.compile(r"^```(python|text output)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = FENCE.findall(PAGE.read_text(encoding="utf-8"))


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs blocks of the page with these names; gives what they print, and what is captured."""
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    monkeypatch.setenv("HIPPOCORTEX_SILENT", "1")
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", f"sqlite:///{tmp_path}/page.db")
    shared_recorder().call(lambda memory: memory.health(), 60)  # loads the engine
    names = {"__name__": "__main__"}

    def run(blocks, **given):
        printed = []
        names.update(given)
        for kind, body in blocks:
            if kind == "python":
                out = io.StringIO()
                with redirect_stdout(out):
                    exec(compile(body, str(PAGE), "exec"), names)
                printed.append(out.getvalue())
            else:
                assert printed[-1] == body
        assert shared_recorder().flush(30)
        return shared_recorder().call(lambda memory: memory.list_events(order="asc")).events

    yield run
    for memory in (getattr(names.get("crew"), "memory", None), names.get("notes")):
        if memory is not None:
            memory.detach()
    close_shared()


def test_what_the_page_begins_with_works(run, agent):
    def deploy_service(service: str) -> str:
        """Deploy a service."""
        return f"{service} is live"

    def answer(text, results):
        return "It is live." if results else [("deploy_service", {"service": "payments"})]

    deployer = agent(answer, deploy_service)
    deploy = Task(description="Deploy {service}", expected_output="a report", agent=deployer)
    events = run(BLOCKS[:1], deployer=deployer, deploy=deploy)
    kinds = ["message", "tool_call", "tool_result", "message"]
    assert [event.type for event in events] == kinds


def test_what_the_rest_of_the_page_shows_is_what_happens(run):
    run(BLOCKS[1:])


def test_the_facade_gives_every_name_of_the_adapter():
    assert sorted(facade.__all__) == sorted(hippocortex_crewai.__all__)
    for name in facade.__all__:
        assert getattr(facade, name) is getattr(hippocortex_crewai, name)
