"""What becomes of a memory in what people do with agents: handoffs, tools, streams, failures."""

import asyncio
import gc
from dataclasses import dataclass

import agents
import pytest
from agents import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    ModelSettings,
    RunConfig,
    RunHooks,
    Runner,
    function_tool,
    handoff,
    input_guardrail,
)
from openai.types.responses import ResponseFunctionWebSearch
from openai.types.responses.response_function_web_search import ActionSearch

from hippocortex_core import session
from hippocortex_core.render import TAG
from hippocortex_openai_agents import (
    HippocortexHooks,
    HippocortexRunner,
    HippocortexSession,
    _runs,
    auto_memory,
    run_config,
)

HAS_STATES = hasattr(agents, "RunState")


@function_tool
def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


@function_tool
def backup(volume: str) -> str:
    """Back up a volume."""
    raise RuntimeError(f"disk quota exceeded on {volume}")


@function_tool(failure_error_function=None)
def migrate(service: str) -> str:
    """Migrate a database; a failure ends the run."""
    raise RuntimeError(f"the schema of {service} is locked")


def run(agent, said, reading, **options):
    return asyncio.run(HippocortexRunner.run(agent, said, client=reading.recorder, **options))


# --- auto_memory ---------------------------------------------------------------------------------


def circle(model):
    """Two agents that hand over to each other, and a third one by a `Handoff`."""
    third = Agent("Third", model=model)
    first = Agent("First", instructions="You are first.", model=model)
    second = Agent("Second", model=model, handoffs=[first, handoff(third)])
    first.handoffs.append(second)
    return first, second, third


def test_a_circle_of_agents_is_copied_once_and_the_originals_stay(scripted, reading):
    first, second, third = circle(scripted())
    made = auto_memory(first, client=reading.recorder)
    other = made.handoffs[0]
    assert (made.name, other.name) == ("First", "Second")
    assert other.handoffs[0] is made
    assert made is not first
    assert other is not second
    assert other.handoffs[1].agent_name == "Third"
    assert (first.hooks, second.hooks, third.hooks) == (None, None, None)
    assert first.instructions == "You are first."
    assert (first.handoffs, second.handoffs[0]) == ([second], first)
    assert auto_memory(made, client=reading.recorder) is made


def test_all_that_an_agent_hands_over_to_remembers(scripted, reading):
    reading.knows("Deploy payments: run make migrate-7f3 before")
    model = scripted(
        ("c1", "transfer_to_second", {}), ("c2", "transfer_to_third", {}), "Third is done."
    )
    made = auto_memory(circle(model)[0], client=reading.recorder)
    result = asyncio.run(Runner.run(made, "Deploy payments"))
    assert result.last_agent.name == "Third"
    assert [TAG in (instructions or "") for instructions, _ in model.asked] == [True] * 3
    assert model.asked[0][0].startswith("You are first.\n\n<")
    assert len(reading.queries) == 1
    assert reading.said == [
        ("user", "Deploy payments"),
        ("call", "transfer_to_second", {}),
        ("result", "transfer_to_second", {"assistant": "Second"}),
        ("call", "transfer_to_third", {}),
        ("result", "transfer_to_third", {"assistant": "Third"}),
        ("assistant", "Third is done."),
    ]


def test_instructions_may_be_functions_of_any_kind(scripted, reading):
    reading.knows("Deploy payments with make")

    async def awaited(context, agent):
        return f"You are {agent.name}."

    for own in (awaited, lambda context, agent: f"You are {agent.name}."):
        model = scripted("Done.")
        agent = Agent("Ann", instructions=own, model=model)
        asyncio.run(Runner.run(auto_memory(agent, client=reading.recorder), "Deploy payments"))
        instructions = model.asked[0][0]
        assert instructions.startswith("You are Ann.\n\n")
        assert "with make" in instructions


class Noting(AgentHooks):
    def __init__(self):
        self.noted = []

    async def on_start(self, context, agent):
        self.noted.append("start")

    async def on_tool_end(self, context, agent, tool, result):
        self.noted.append(result)

    async def on_end(self, context, agent, output):
        self.noted.append(output)


def test_hooks_of_ones_own_are_called_as_before(scripted, reading):
    noting = Noting()
    model = scripted(("c", "deploy", {"service": "payments"}), "Done.")
    agent = Agent("Deployer", model=model, tools=[deploy], hooks=noting)
    asyncio.run(Runner.run(auto_memory(agent, client=reading.recorder), "Deploy payments"))
    assert noting.noted == ["start", "payments is live", "Done."]


def test_an_agent_as_a_tool_is_captured_as_a_call(scripted, reading):
    expert = Agent("Expert", model=scripted("It is on page 12."))
    tool = expert.as_tool("ask_expert", "Ask the expert")
    model = scripted(("c", "ask_expert", {"input": "Where is it?"}), "On page 12.")
    agent = Agent("Desk", model=model, tools=[tool])
    asyncio.run(Runner.run(auto_memory(agent, client=reading.recorder), "Where is the runbook?"))
    assert reading.said == [
        ("user", "Where is the runbook?"),
        ("call", "ask_expert", {"input": "Where is it?"}),
        ("result", "ask_expert", "It is on page 12."),
        ("assistant", "On page 12."),
    ]


def test_an_agent_with_a_memory_may_be_a_tool(scripted, reading):
    reading.knows("Where is the runbook? Page 12 of the wiki, where else")
    inner = scripted(("c9", "deploy", {"service": "wiki"}), "It is on page 12.")
    expert = auto_memory(Agent("Expert", model=inner, tools=[deploy]), client=reading.recorder)
    tool = expert.as_tool("ask_expert", "Ask the expert")
    model = scripted(("c", "ask_expert", {"input": "Where is the runbook?"}), "On page 12.")
    with session("desk"):
        asyncio.run(Runner.run(Agent("Desk", model=model, tools=[tool]), "Help me"))
    assert "where else" in inner.asked[0][0]
    assert reading.said == [
        ("user", "Where is the runbook?"),
        ("call", "deploy", {"service": "wiki"}),
        ("result", "deploy", "wiki is live"),
        ("assistant", "It is on page 12."),
    ]


# --- failures ------------------------------------------------------------------------------------


def test_a_failure_says_why_whatever_the_model_is_told(scripted, reading):
    model = scripted(("c", "backup", {"volume": "vol-7"}), "It did not work.")
    agent = Agent("Keeper", model=model, tools=[backup])
    asyncio.run(Runner.run(auto_memory(agent, client=reading.recorder), "Back up volume seven"))
    (failure,) = [said for said in reading.said if said[0] == "failure"]
    assert "disk quota exceeded on vol-7" in failure[2]


def excuse(context, error):
    """What a model is told, which does not say what happened."""
    return "Sorry."


def test_tracing_tells_of_failures_that_a_tool_excuses(scripted, reading):
    @function_tool(failure_error_function=excuse)
    def restore(volume: str) -> str:
        """Restore a volume."""
        raise RuntimeError(f"no backup of {volume}")

    agents.set_trace_processors([])
    agents.set_tracing_disabled(False)
    model = scripted(("c", "restore", {"volume": "vol-7"}), "It did not work.")
    hooks = HippocortexHooks(client=reading.recorder)
    asyncio.run(Runner.run(Agent("Keeper", model=model, tools=[restore]), "Restore", hooks=hooks))
    (failure,) = [said for said in reading.said if said[0] == "failure"]
    assert "no backup of vol-7" in failure[2]


def test_a_formatter_of_ones_own_still_formats(scripted, reading):
    if "tool_error_formatter" not in RunConfig.__dataclass_fields__:
        pytest.skip("this version of the SDK has no formatter")
    told = []

    def formatter(args):
        told.append(args.kind)

    config = RunConfig(tool_error_formatter=formatter)
    model = scripted(("c", "backup", {"volume": "vol-7"}), "It did not work.")
    agent = Agent("Keeper", model=model, tools=[backup])
    run(agent, "Back up volume seven", reading, run_config=config)
    assert told in ([], ["tool_exception"])
    assert config.tool_error_formatter is formatter
    assert "disk quota exceeded" in str([said for said in reading.said if said[0] == "failure"])


def test_a_tool_that_ends_the_run_has_failed(scripted, reading):
    model = scripted(("c", "migrate", {"service": "payments"}))
    agent = Agent("Keeper", model=model, tools=[migrate])
    with pytest.raises(Exception, match="the schema of payments is locked"):
        run(agent, "Migrate payments", reading)
    assert reading.said == [
        ("user", "Migrate payments"),
        ("call", "migrate", {"service": "payments"}),
        ("failure", "migrate", "RuntimeError: the schema of payments is locked"),
    ]


def test_a_model_that_is_gone_is_a_failure(scripted, reading):
    agent = Agent("Keeper", model=scripted(ConnectionError("nobody there")))
    with pytest.raises(ConnectionError, match="nobody there"):
        run(agent, "Hello", reading)
    assert reading.said == [
        ("user", "Hello"),
        ("observation", "run failed: ConnectionError: nobody there"),
    ]


def test_too_many_turns_are_a_failure_in_a_stream_too(scripted, reading):
    def agent():
        model = scripted(lambda _, items: (f"c{len(items)}", "deploy", {"service": "payments"}))
        return Agent("Keeper", model=model, tools=[deploy])

    async def stream():
        result = HippocortexRunner.run_streamed(
            agent(), "Deploy", client=reading.recorder, max_turns=2, session_id="streamed"
        )
        async for _ in result.stream_events():
            pass

    with pytest.raises(MaxTurnsExceeded):
        run(agent(), "Deploy", reading, max_turns=2, session_id="awaited")
    with pytest.raises(MaxTurnsExceeded):
        asyncio.run(stream())
    for name in ("awaited", "streamed"):
        last = [event for event in reading.events if event.session_id == name][-1]
        assert "MaxTurnsExceeded" in last.payload["content"]


@pytest.mark.parametrize("parallel", [True, False])
def test_a_guardrail_that_trips_is_captured_with_what_was_said(scripted, reading, parallel):
    @input_guardrail(run_in_parallel=parallel)
    async def strict(context, agent, given):
        return GuardrailFunctionOutput(None, tripwire_triggered=True)

    agent = Agent("Keeper", model=scripted("Never."), input_guardrails=[strict])
    with pytest.raises(InputGuardrailTripwireTriggered):
        run(agent, "Something forbidden", reading)
    said = [one for one in reading.said if one[0] != "assistant"]
    assert said[0] == ("user", "Something forbidden")
    assert said[1][1].startswith("guardrail failed: InputGuardrailTripwireTriggered")


# --- what else there is --------------------------------------------------------------------------


def test_what_the_provider_does_itself_is_captured(scripted, reading):
    search = ResponseFunctionWebSearch(
        id="ws_1",
        action=ActionSearch(query="runbook of payments", type="search"),
        status="failed",
        type="web_search_call",
    )
    model = scripted([search, "Nothing found."])
    asyncio.run(
        Runner.run(
            Agent("Searcher", model=model),
            "Search it",
            hooks=HippocortexHooks(client=reading.recorder),
        )
    )
    kinds = [(one[0], one[1]) for one in reading.said]
    assert kinds == [
        ("user", "Search it"),
        ("call", "web_search"),
        ("failure", "web_search"),
        ("assistant", "Nothing found."),
    ]
    assert reading.said[1][2]["action"]["query"] == "runbook of payments"


def test_a_tools_result_may_be_the_answer(scripted, reading):
    agent = Agent(
        "Deployer",
        model=scripted(("c", "deploy", {"service": "payments"})),
        tools=[deploy],
        tool_use_behavior="stop_on_first_tool",
    )
    assert run(agent, "Deploy payments", reading).final_output == "payments is live"
    assert reading.said[-1] == ("assistant", "payments is live")


def test_run_sync_works_twice_in_a_row(scripted, reading):
    agent = Agent("Deployer", model=scripted("One.", "Two."))
    answers = [
        HippocortexRunner.run_sync(agent, said, client=reading.recorder, user_id="ann").final_output
        for said in ("First", "Second")
    ]
    assert answers == ["One.", "Two."]
    assert [said[1] for said in reading.said] == ["First", "One.", "Second", "Two."]
    assert len({event.session_id for event in reading.events}) == 2
    assert {event.metadata["user_id"] for event in reading.events} == {"ann"}


def test_the_same_words_in_two_turns_are_two_events(scripted, reading):
    agent = auto_memory(Agent("Clerk", model=scripted("Done.", "Done.")), client=reading.recorder)
    with session("ticket"):
        first = asyncio.run(Runner.run(agent, "Yes"))
        again = [*first.to_input_list(), {"role": "user", "content": "Yes"}]
        asyncio.run(Runner.run(agent, again))
    assert reading.said == [("user", "Yes"), ("assistant", "Done.")] * 2


@dataclass
class Context:
    user_id: str


@pytest.mark.parametrize("context", [Context("ann"), {"user_id": "ann"}])
def test_the_runs_context_may_name_the_user(scripted, reading, context):
    model = scripted("Done.")
    agent = auto_memory(Agent("Deployer", model=model), client=reading.recorder)
    asyncio.run(Runner.run(agent, "Deploy payments", context=context))
    assert {event.metadata["user_id"] for event in reading.events} == {"ann"}
    assert [options.user_id for _, options in reading.queries] == ["ann"]


def test_a_filter_of_ones_own_comes_first(scripted, reading):
    reading.knows("Deploy payments with make")

    def shorten(call):
        call.model_data.input = call.model_data.input[-1:]
        return call.model_data

    base = RunConfig(call_model_input_filter=shorten, model_settings=ModelSettings(temperature=0))
    config = run_config(base, client=reading.recorder)
    model = scripted("Done.")
    given = [*({"role": "user", "content": text} for text in ("Hello", "Deploy payments"))]
    asyncio.run(Runner.run(Agent("Deployer", model=model), given, run_config=config))
    instructions, asked = model.asked[0]
    assert [item["content"] for item in asked] == ["Deploy payments"]
    assert instructions.startswith(f"<{TAG}>")
    assert base.call_model_input_filter is shorten
    assert config.model_settings is base.model_settings
    assert run_config(config).call_model_input_filter is config.call_model_input_filter


def test_memory_is_asked_again_when_the_same_is_said_again(scripted, reading):
    """Also where one trace goes on for many runs."""
    agent = Agent("Deployer", model=scripted("One.", "Two."))
    config = run_config(client=reading.recorder)

    async def talk():
        with agents.trace("a whole day"):
            await Runner.run(agent, "Deploy payments", run_config=config)
            reading.knows("Deploy payments with make")
            await Runner.run(agent, "Deploy payments", run_config=config)

    asyncio.run(talk())
    assert len(reading.queries) == 2
    assert "make" in agent.model.asked[1][0]


def test_a_cancelled_stream_leaves_what_there_was(scripted, reading):
    agent = Agent("Deployer", model=scripted(("c", "deploy", {"service": "payments"}), "Done."))
    agent.tools.append(deploy)

    async def stream():
        result = HippocortexRunner.run_streamed(agent, "Deploy payments", client=reading.recorder)
        async for event in result.stream_events():
            if event.type == "run_item_stream_event":
                result.cancel()
                break

    asyncio.run(stream())
    assert reading.said[:2] == [
        ("user", "Deploy payments"),
        ("call", "deploy", {"service": "payments"}),
    ]
    assert "observation" not in [said[0] for said in reading.said]


@pytest.mark.skipif(not HAS_STATES, reason="this version of the SDK has no states of runs")
def test_a_run_that_goes_on_in_this_process_says_nothing_twice(scripted, reading):
    @function_tool(needs_approval=True)
    def remove(service: str) -> str:
        """Remove a service."""
        return f"{service} is gone"

    model = scripted(("c", "remove", {"service": "payments"}), "Gone.")
    agent = Agent("Deployer", model=model, tools=[remove])
    kept = HippocortexSession("ticket", client=reading.recorder)

    async def go():
        result = await HippocortexRunner.run(
            agent, "Remove payments", client=reading.recorder, session=kept
        )
        state = result.to_state()
        for one in result.interruptions:
            state.approve(one)
        return await HippocortexRunner.run(agent, state, client=reading.recorder, session=kept)

    assert asyncio.run(go()).final_output == "Gone."
    assert reading.said == [
        ("user", "Remove payments"),
        ("call", "remove", {"service": "payments"}),
        ("result", "remove", "payments is gone"),
        ("assistant", "Gone."),
    ]


class Loud(RunHooks):
    async def on_agent_start(self, context, agent):
        raise LookupError("of their own")


def test_what_their_own_hooks_raise_is_theirs(scripted, reading):
    agent = Agent("Deployer", model=scripted("Done."))
    with pytest.raises(LookupError, match="of their own"):
        run(agent, "Hello", reading, hooks=Loud())


def test_nothing_configured_is_a_plain_run(scripted, monkeypatch, capsys):
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", "nonsense://")
    model = scripted("Done.", "Done.", "Done.")
    agent = Agent("Deployer", instructions="Be brief.", model=model)
    asyncio.run(HippocortexRunner.run(agent, "Hello"))
    asyncio.run(Runner.run(auto_memory(agent), "Hello"))
    asyncio.run(Runner.run(agent, "Hello", run_config=run_config(), hooks=HippocortexHooks()))
    assert [instructions for instructions, _ in model.asked] == ["Be brief."] * 3
    assert "no memory" in capsys.readouterr().err


def test_nothing_is_kept_of_a_run_that_is_over(scripted, reading):
    agent = auto_memory(
        Agent("Deployer", model=scripted(lambda *_: "Done.")), client=reading.recorder
    )
    for number in range(3):
        run(agent, f"Deploy {number}", reading)
    gc.collect()
    assert _runs._runs == {}
