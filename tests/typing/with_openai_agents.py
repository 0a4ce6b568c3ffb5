"""What users of the OpenAI Agents SDK write; as `typical_use.py`."""

from __future__ import annotations

from agents import Agent, RunConfig, RunHooks, Runner, RunResult, RunResultStreaming, Session
from typing_extensions import assert_type

from hippocortex.adapters.openai_agents import (
    HippocortexHooks,
    HippocortexRunner,
    HippocortexSession,
    auto_memory,
    run_config,
)


class Context:
    user_id = "ann"


async def a_run(agent: Agent[Context], context: Context) -> None:
    assert_type(auto_memory(agent), Agent[Context])
    result = await HippocortexRunner.run(agent, "Deploy payments", user_id="ann", context=context)
    assert_type(result, RunResult)
    streamed = HippocortexRunner.run_streamed(agent, "Deploy payments", context=context)
    assert_type(streamed, RunResultStreaming)

    hooks: RunHooks[Context] = HippocortexHooks()
    kept: Session = HippocortexSession("ticket-42", user_id="ann")
    config = assert_type(run_config(RunConfig(workflow_name="deployments")), RunConfig)
    await Runner.run(agent, "again", context=context, hooks=hooks, session=kept, run_config=config)


def a_run_of_its_own(agent: Agent[None]) -> str:
    assert_type(HippocortexRunner.run_sync(agent, "Deploy payments"), RunResult)
    result = Runner.run_sync(auto_memory(agent, session_id="ticket-42"), "Deploy payments")
    return result.final_output_as(str)
