"""Several surfaces in one run do everything once."""

import asyncio
import copy

import pytest
from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    set_trace_processors,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

from hippocortex import wrap
from hippocortex_core import session
from hippocortex_core.recorder.recorder import close_shared, shared_recorder
from hippocortex_core.render import TAG
from hippocortex_core.testing import HttpHome, InMemoryService
from hippocortex_core.testing.llm_server import Answer, LlmServer
from hippocortex_openai_agents import (
    HippocortexHooks,
    HippocortexRunner,
    HippocortexSession,
    auto_memory,
    run_config,
)


@function_tool
def backup(volume: str) -> str:
    """Back up a volume."""
    raise RuntimeError(f"disk quota exceeded on {volume}")


@function_tool
def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


WORK = (
    [("c1", "backup", {"volume": "vol-7"}), ("c2", "deploy", {"service": "payments"})],
    "Done, but for the backup.",
)
SAID = ["user", "call", "call", "failure", "result", "assistant"]


@pytest.fixture
def agent(scripted):
    return Agent("Deployer", model=scripted(*WORK, *WORK), tools=[backup, deploy])


def surfaces(reading):
    """Ways to run an agent with more than one surface."""
    client = {"client": reading.recorder}

    def kept():
        return HippocortexSession("ticket", user_id="ann", **client)

    def everything(agent, said):
        return Runner.run(
            auto_memory(agent, **client),
            said,
            session=kept(),
            run_config=run_config(**client),
            hooks=HippocortexHooks(**client),
        )

    return {
        "hooks and session": lambda agent, said: Runner.run(
            agent, said, session=kept(), hooks=HippocortexHooks(**client)
        ),
        "auto_memory and session": lambda agent, said: Runner.run(
            auto_memory(agent, **client), said, session=kept()
        ),
        "runner, auto_memory and session": lambda agent, said: HippocortexRunner.run(
            auto_memory(agent, **client), said, session=kept(), **client
        ),
        "everything": everything,
    }


RECALLING = ("auto_memory and session", "runner, auto_memory and session", "everything")
"""Those that put memory before the model: once in each run."""


@pytest.mark.parametrize("name", ["hooks and session", *RECALLING])
def test_everything_is_captured_once(agent, reading, name):
    reading.knows("Deploy payments with make", "ann")
    start = surfaces(reading)[name]
    for _ in range(2):
        asyncio.run(start(agent, "Deploy payments"))
    kinds = [said[0] for said in reading.said]
    assert sorted(kinds) == sorted(SAID * 2)
    assert {event.session_id for event in reading.events} == {"ticket"}
    assert {event.metadata["user_id"] for event in reading.events} == {"ann"}
    failures = [said[2] for said in reading.said if said[0] == "failure"]
    assert all("disk quota exceeded on vol-7" in failure for failure in failures)
    assert all((instructions or "").count(f"<{TAG}>") <= 1 for instructions, _ in agent.model.asked)
    assert len(reading.queries) == (2 if name in RECALLING else 0)


def test_a_session_given_to_the_runner_names_what_is_captured(agent, reading):
    class Elsewhere:
        session_id = "kept elsewhere"
        session_settings = None

        async def get_items(self, limit=None):
            return []

        async def add_items(self, items):
            pass

        async def pop_item(self):
            return None

        async def clear_session(self):
            pass

    run = HippocortexRunner.run(agent, "Deploy", client=reading.recorder, session=Elsewhere())
    asyncio.run(run)
    assert {event.session_id for event in reading.events} == {"kept elsewhere"}


def test_a_copied_agent_shares_its_memory(scripted, reading):
    agent = auto_memory(Agent("Deployer", model=scripted("One.")), client=reading.recorder)
    copied = copy.deepcopy(agent.hooks)
    assert copied is not agent.hooks
    copied.detach()
    assert agent.hooks.attached_hooks == ()


def test_detaching_one_agent_detaches_its_family(scripted, reading):
    second = Agent("Second", model=scripted("Two."))
    model = scripted(("c", "transfer_to_second", {}))
    agent = auto_memory(Agent("First", model=model, handoffs=[second]), client=reading.recorder)
    agent.hooks.detach()
    asyncio.run(Runner.run(agent, "Hello"))
    assert reading.said == []
    assert agent.handoffs[0].hooks.attached_hooks == ()


# --- beside a wrapped client ---------------------------------------------------------------------

WAYS = {
    "auto_memory": lambda agent: Runner.run(auto_memory(agent), "Deploy payments"),
    "hooks": lambda agent: Runner.run(agent, "Deploy payments", hooks=HippocortexHooks()),
    "runner": lambda agent: HippocortexRunner.run(agent, "Deploy payments"),
    "nothing": lambda agent: Runner.run(agent, "Deploy payments"),
}


@pytest.mark.parametrize("tracing", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_a_wrapped_client_captures_nothing_twice(monkeypatch, way, tracing):
    """And captures again, once no hooks do."""
    set_trace_processors([])
    set_tracing_disabled(not tracing)
    service = InMemoryService()

    async def use(url):
        client = wrap(AsyncOpenAI(base_url=f"{url}/v1", api_key="test"))
        agent = Agent("Deployer", model=OpenAIChatCompletionsModel("m", client))
        with session("ticket", user_id="ann"):
            await WAYS[way](agent)
        with session("afterwards", user_id="ann"):
            messages = [{"role": "user", "content": "Hello"}]
            await client.chat.completions.create(model="m", messages=messages)
        await client.close()

    with HttpHome(service) as home, LlmServer(lambda asked: Answer("Payments is live.")) as model:
        monkeypatch.setenv("HIPPOCORTEX_BASE_URL", home.url)
        asyncio.run(use(model.url))
        assert shared_recorder().flush(20)
        close_shared(5)
    said = [(event.session_id, event.payload["role"]) for event in service.events]
    assert said == [
        (name, role) for name in ("ticket", "afterwards") for role in ("user", "assistant")
    ]
