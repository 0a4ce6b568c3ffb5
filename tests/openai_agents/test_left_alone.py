"""What is none of our business: the SDK's tracing, and what a run writes down of itself."""

import asyncio
import json

import agents
import pytest
from agents import Agent, RunConfig, Runner, function_tool
from agents.tracing import TracingProcessor

from hippocortex_core import session
from hippocortex_core.render import TAG
from hippocortex_openai_agents import HippocortexHooks, HippocortexRunner, auto_memory, run_config

KEY = "hx_live_5up3rS3cr3tK3y5up3rS3cr3tK3y"
HAS_STATES = hasattr(agents, "RunState")


class Noting(TracingProcessor):
    """What is traced of a run, without ids and times."""

    def __init__(self):
        self.noted = []

    def on_trace_start(self, trace):
        self.noted.append(("trace", trace.name))

    def on_trace_end(self, trace):
        self.noted.append(("end", trace.name))

    def on_span_start(self, span):
        self.noted.append(("span", span.span_data.type))

    def on_span_end(self, span):
        self.noted.append(("end", span.span_data.type))

    def shutdown(self):
        """Nothing is open."""

    def force_flush(self):
        """Nothing is kept back."""


def plain(agent, _):
    return Runner.run(agent, "Deploy payments")


WAYS = {
    "auto_memory": lambda agent, memory: Runner.run(
        auto_memory(agent, client=memory), "Deploy payments"
    ),
    "hooks": lambda agent, memory: Runner.run(
        agent,
        "Deploy payments",
        hooks=HippocortexHooks(client=memory),
        run_config=run_config(client=memory),
    ),
    "runner": lambda agent, memory: HippocortexRunner.run(agent, "Deploy payments", client=memory),
}


@pytest.mark.parametrize("tracing", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_traced_is_as_without_memory(scripted, reading, way, tracing):
    noting = Noting()
    agents.set_trace_processors([noting])
    agents.set_tracing_disabled(not tracing)
    traced = []
    try:
        for start in (plain, WAYS[way]):
            agent = Agent("Deployer", model=scripted("Done."))
            assert asyncio.run(start(agent, reading.recorder)).final_output == "Done."
            traced.append(noting.noted)
            noting.noted = []
    finally:
        agents.set_trace_processors([])
    assert traced[0] == traced[1]
    assert bool(traced[0]) is tracing


def test_what_a_configuration_says_of_tracing_stays(reading):
    given = RunConfig(
        tracing_disabled=True,
        trace_include_sensitive_data=False,
        workflow_name="deployments",
        group_id="g1",
    )
    made = run_config(given, client=reading.recorder)
    names = ("tracing_disabled", "trace_include_sensitive_data", "workflow_name", "group_id")
    assert [getattr(made, one) for one in names] == [getattr(given, one) for one in names]


@pytest.mark.skipif(not HAS_STATES, reason="this version of the SDK has no states of runs")
@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_waits_is_stored_without_memory_and_key(scripted, reading, monkeypatch, way):
    monkeypatch.setenv("HIPPOCORTEX_API_KEY", KEY)
    reading.knows("Deploy payments: run make migrate-7f3 first")

    @function_tool(needs_approval=True)
    def deploy(service: str) -> str:
        """Deploy a service."""
        raise NotImplementedError

    model = scripted([("c1", "deploy", {"service": "payments"})])
    agent = Agent("Deployer", instructions="Be brief.", model=model, tools=[deploy])

    async def wait():
        with session("s1", user_id="ann"):
            return (await WAYS[way](agent, reading.recorder)).to_state().to_json()

    stored = json.dumps(asyncio.run(wait()), default=str)
    assert [TAG in str(instructions) for instructions, _ in model.asked] == [True]
    assert "Deploy payments" in stored
    assert [one for one in (TAG, "migrate-7f3", KEY, "Recorder") if one in stored] == []
