"""What of a run is captured, in which order, how often, and as whose."""

import asyncio
import threading

import pytest
from crewai import Agent, Crew, Process, Task
from crewai.events import ToolUsageFinishedEvent, ToolUsageStartedEvent, crewai_event_bus
from crewai.flow import Flow, start
from crewai.tools import tool

from hippocortex_core import guard, session
from hippocortex_crewai import HippocortexCrewListener, HippocortexMemory


def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


def backup(service: str) -> str:
    """Back up a service."""
    raise RuntimeError(f"disk quota exceeded on {service}")


def one_after_the_other(count):
    """Calls `deploy` so often, then answers."""
    return lambda _, results: (
        [("deploy", {"service": f"s{results}"})] if results < count else "All live."
    )


def test_steps_come_in_the_order_in_which_they_happen(crew, memory, reading):
    crew(one_after_the_other(20), deploy, memory=memory).kickoff()
    done = [
        step
        for n in range(20)
        for step in (
            ("call", "deploy", {"service": f"s{n}"}),
            ("result", "deploy", f"s{n} is live"),
        )
    ]
    assert reading.said == [("user", "Deploy payments"), *done, ("assistant", "All live.")]


def test_handlers_of_others_do_not_hold_it_up(crew, memory, reading):
    """However long the bus takes to run them, and in whatever order."""
    release, waiting = threading.Event(), []

    def slow(source, event):
        waiting.append(event)
        assert release.wait(10)

    seen = []

    def answer(_, results):
        if results == 2:
            seen.extend(reading.said)
            release.set()
        return one_after_the_other(2)(_, results)

    crewai_event_bus.on(ToolUsageStartedEvent)(slow)
    crewai_event_bus.on(ToolUsageFinishedEvent)(slow)
    try:
        crew(answer, deploy, memory=memory).kickoff()
    finally:
        crewai_event_bus.off(ToolUsageStartedEvent, slow)
        crewai_event_bus.off(ToolUsageFinishedEvent, slow)
    assert [kind for kind, *_ in seen] == ["user", "call", "result", "call", "result"]
    assert len(waiting) == 4


def test_a_call_and_its_result_have_one_id(crew, memory, reading):
    def answer(_, results):
        return "Both." if results else [("deploy", {"service": "a"}), ("deploy", {"service": "b"})]

    crew(answer, deploy, memory=memory).kickoff()
    calls = {
        e.payload["call_id"]: e.payload["args"]["service"]
        for e in reading.events
        if e.type == "tool_call"
    }
    results = {
        e.payload["call_id"]: e.payload["result"] for e in reading.events if e.type == "tool_result"
    }
    assert sorted(calls.values()) == ["a", "b"]
    assert results == {call_id: f"{service} is live" for call_id, service in calls.items()}


def test_a_tool_that_raises_is_a_failure(crew, memory, reading):
    def answer(_, results):
        return "No backup." if results else [("backup", {"service": "payments"})]

    crew(answer, backup, memory=memory).kickoff()
    assert reading.said[1:3] == [
        ("call", "backup", {"service": "payments"}),
        ("result", "backup", "RuntimeError: disk quota exceeded on payments"),
    ]


ACTION = 'Thought: go\nAction: {}\nAction Input: {{"service": "payments"}}\n'
FINAL = "Thought: I now know the final answer\nFinal Answer: {}"


def test_attempts_that_crewai_makes_by_itself_are_one_call(crew, model, memory, reading):
    """Models that call by text: a failing tool is run three times for one call."""
    runs = []

    def unlucky(service: str) -> str:
        """Back up a service."""
        runs.append(service)
        raise RuntimeError("disk quota exceeded")

    def answer(request, _):
        return FINAL.format("No backup.") if "disk quota" in request else ACTION.format("unlucky")

    llm = model(answer, calls_tools=False)
    crew(None, unlucky, agent={"llm": llm}, memory=memory).kickoff()
    assert len(runs) >= 3
    assert reading.said == [
        ("user", "Deploy payments"),
        ("call", "unlucky", {"service": "payments"}),
        ("result", "unlucky", "RuntimeError: disk quota exceeded"),
        ("assistant", "No backup."),
    ]


def test_an_attempt_that_succeeds_in_the_end_is_told_as_well(crew, model, memory, reading):
    runs = []

    def flaky(service: str) -> str:
        """Back up a service."""
        runs.append(service)
        # CrewAI calls a failing tool twice for each attempt.
        if len(runs) <= 2:
            raise RuntimeError("disk quota exceeded")
        return "saved"

    def answer(request, _):
        return FINAL.format("Saved.") if "saved" in request else ACTION.format("flaky")

    llm = model(answer, calls_tools=False)
    crew(None, flaky, agent={"llm": llm}, memory=memory).kickoff()
    steps = [step for step in reading.said if step[0] in {"call", "result"}]
    assert steps == [
        ("call", "flaky", {"service": "payments"}),
        ("result", "flaky", "RuntimeError: disk quota exceeded"),
        ("result", "flaky", "saved"),
    ]


def test_the_same_call_made_twice_is_two_calls(crew, memory, reading):
    def answer(_, results):
        return [("backup", {"service": "payments"})] if results < 2 else "No backup."

    crew(answer, backup, memory=memory, agent={"cache": False}).kickoff()
    assert [step[0] for step in reading.said].count("call") == 2


def test_a_crew_that_fails_is_told_once(crew, memory, reading):
    def gone(*_):
        raise ConnectionError("the model is gone")

    failing = crew(gone, memory=memory)
    with pytest.raises(ConnectionError):
        failing.kickoff()
    assert reading.said == [
        ("user", "Deploy payments"),
        ("observation", "agent deployer failed: the model is gone"),
        ("outcome", False, "the model is gone"),
    ]


def test_a_crew_that_fails_again_is_told_again(crew, memory, reading):
    def gone(*_):
        raise ConnectionError("the model is gone")

    with session("one"):
        for _ in range(2):
            with pytest.raises(ConnectionError):
                crew(gone, memory=memory).kickoff()
    assert [step[0] for step in reading.said] == ["user", "observation", "outcome"] * 2


def test_a_guardrail_that_refuses_is_told(crew, memory, reading):
    answers = iter(["too short", "a report that is long enough"])

    def check(output):
        long = len(output.raw) > 15
        return (True, output.raw) if long else (False, "the report is too short")

    crew(lambda *_: next(answers), task={"guardrail": check}, memory=memory).kickoff()
    assert reading.said == [
        ("user", "Deploy payments"),
        ("observation", "guardrail failed: the report is too short"),
        ("assistant", "a report that is long enough"),
    ]


def test_a_failure_that_a_tool_reports_is_a_failure(crew, memory, reading):
    reported = pytest.importorskip("crewai.tools.tool_failure", reason="since CrewAI 1.15")

    def check(service: str) -> str:
        """Check a service."""
        return reported.ToolFailure(message="no such service")

    def answer(_, results):
        return "Unknown." if results else [("check", {"service": "payments"})]

    crew(answer, check, memory=memory).kickoff()
    assert [step for step in reading.said if step[0] == "result"] == [
        ("result", "check", "no such service")
    ]


def test_a_manager_delegates_and_gets_an_answer(agent, model, memory, reading):
    worker = agent("Payments is live.")
    given = {"task": "Deploy it", "context": "payments", "coworker": "deployer"}

    def manage(_, results):
        return "Delegated and done." if results else [("delegate_work_to_coworker", given)]

    task = Task(description="See to payments", expected_output="a report")
    Crew(
        agents=[worker],
        tasks=[task],
        process=Process.hierarchical,
        manager_llm=model(manage),
        memory=memory,
    ).kickoff()
    assert reading.said == [
        ("user", "See to payments"),
        ("call", "delegate_work_to_coworker", given),
        ("result", "delegate_work_to_coworker", "Payments is live."),
        ("assistant", "Delegated and done."),
    ]


def test_several_tasks_each_have_a_request_and_an_answer(agent, memory, reading):
    worker = agent(lambda request, _: "B." if "Then migrate" in request else "A.")
    tasks = [
        Task(description=text, expected_output="a report", agent=worker)
        for text in ("First deploy", "Then migrate")
    ]
    Crew(agents=[worker], tasks=tasks, memory=memory).kickoff()
    assert reading.said == [
        ("user", "First deploy"),
        ("assistant", "A."),
        ("user", "Then migrate"),
        ("assistant", "B."),
    ]
    assert len(set(reading.sessions)) == 1


def test_a_task_in_a_thread_belongs_to_its_run(crew, memory, reading):
    with session("ticket", user_id="ann"):
        crew(
            one_after_the_other(1), deploy, task={"async_execution": True}, memory=memory
        ).kickoff()
    assert {(e.session_id, e.metadata["user_id"]) for e in reading.events} == {("ticket", "ann")}
    assert [step[0] for step in reading.said] == ["user", "call", "result", "assistant"]


# --- whose ---------------------------------------------------------------------------------------


def test_each_kickoff_is_a_session_of_its_own(crew, memory, reading):
    worker = crew(memory=memory)
    worker.kickoff()
    worker.kickoff()
    first, second = reading.sessions[:2], reading.sessions[2:]
    assert len(set(first)) == len(set(second)) == 1
    assert set(first).isdisjoint(second)


def test_kickoff_for_each_is_a_session_for_each(crew, memory, reading):
    found = crew(said="Deploy {it}", memory=memory).kickoff_for_each(
        inputs=[{"it": "payments"}, {"it": "mail"}]
    )
    assert [one.raw for one in found] == ["Done.", "Done."]
    assert [s for s in reading.said if s[0] == "user"] == [
        ("user", "Deploy payments"),
        ("user", "Deploy mail"),
    ]
    assert len(set(reading.sessions)) == 2


def test_a_memory_may_name_session_and_user(crew, reading):
    memory = HippocortexMemory(reading.recorder, session_id="s-1", user_id="ann")
    with session("other", user_id="bob"):
        crew(memory=memory).kickoff()
    assert {(e.session_id, e.metadata["user_id"]) for e in reading.events} == {("s-1", "ann")}


def test_users_of_one_crew_at_once_stay_apart(crew, memory, reading):
    shared = crew(lambda request, _: "Done.", said="Deploy for {user}", memory=memory)

    async def serve(user):
        with session(f"session-{user}", user_id=user):
            await shared.copy().akickoff(inputs={"user": user})

    async def everybody():
        await asyncio.gather(*(serve(user) for user in ("ann", "bob", "eve")))

    asyncio.run(everybody())
    for event in reading.events:
        user = event.metadata["user_id"]
        assert event.session_id == f"session-{user}"
        if event.payload["role"] == "user":
            assert event.payload["content"] == f"Deploy for {user}"
    assert len(reading.events) == 6


def test_only_crews_that_have_the_memory_are_captured(crew, memory, reading):
    crew("Mine.", memory=memory).kickoff()
    crew("Nobody's.").kickoff()
    assert reading.said == [("user", "Deploy payments"), ("assistant", "Mine.")]


def test_two_memories_capture_each_its_own(crew, reading):
    from hippocortex_core import Recorder
    from hippocortex_core.testing import InMemoryService

    service = InMemoryService()
    with Recorder(service, strict=True) as recorder:
        mine, theirs = HippocortexMemory(reading.recorder), HippocortexMemory(recorder)
        crew("Mine.", memory=mine).kickoff()
        crew("Theirs.", memory=theirs).kickoff()
        assert recorder.flush(5)
    assert reading.said[-1] == ("assistant", "Mine.")
    assert [e.payload["content"] for e in service.events] == ["Deploy payments", "Theirs."]


def test_an_agent_of_a_crew_may_bring_the_memory(crew, memory, reading):
    crew("Done.", agent={"memory": memory}).kickoff()
    assert reading.said == [("user", "Deploy payments"), ("assistant", "Done.")]


def test_a_read_only_memory_captures_nothing(crew, reading):
    reading.knows("Deploy payments with make")
    memory = HippocortexMemory(reading.recorder, read_only=True)
    worker = crew(memory=memory)
    worker.kickoff()
    assert reading.events == []
    assert "Deploy payments with make" in worker.agents[0].llm.asked[0]


def test_capturing_can_be_switched_off(crew, reading):
    memory = HippocortexMemory(reading.recorder, capture=False)
    crew(memory=memory).kickoff()
    ((kind, text),) = reading.said
    assert kind == "observation"
    assert "Result: Done." in text, "what CrewAI gives any memory"


def test_a_run_inside_of_a_tool_goes_on_in_the_session(crew, memory, reading):
    inner = crew("Inner done.", said="Migrate payments", memory=memory)

    def migrate(service: str) -> str:
        """Migrate a service."""
        return inner.kickoff().raw

    def answer(_, results):
        return "All done." if results else [("migrate", {"service": "payments"})]

    crew(answer, migrate, memory=memory).kickoff()
    assert reading.said == [
        ("user", "Deploy payments"),
        ("call", "migrate", {"service": "payments"}),
        ("user", "Migrate payments"),
        ("assistant", "Inner done."),
        ("result", "migrate", "Inner done."),
        ("assistant", "All done."),
    ]
    assert len(set(reading.sessions)) == 1


def test_a_run_that_is_interrupted_does_not_go_on_in_the_next(crew, memory, reading):
    interrupted = []

    def answer(*_):
        if interrupted:
            return "Done."
        interrupted.append(True)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crew(answer, memory=memory).kickoff()
    crew(answer, memory=memory).kickoff()
    assert [kind for kind, *_ in reading.said] == ["user", "user", "assistant"]
    assert len(set(reading.sessions)) == 2


def test_a_run_whose_end_nobody_hears_does_not_go_on_in_the_next(crew, reading):
    memory = HippocortexMemory(reading.recorder)

    def answer(*_):
        memory.detach()
        return "Done."

    crew(answer, memory=memory).kickoff()
    again = HippocortexMemory(reading.recorder)
    crew(memory=again).kickoff()
    again.detach()
    assert [kind for kind, *_ in reading.said] == ["user", "user", "assistant"]
    assert len(set(reading.sessions)) == 2


def test_a_task_alone_is_a_run(agent, memory, reading):
    worker = agent("Done.", memory=memory)
    Task(description="Deploy payments", expected_output="a report", agent=worker).execute_sync()
    assert reading.said == [("user", "Deploy payments"), ("assistant", "Done.")]


def test_an_agent_is_asked_with_messages(agent, memory, reading):
    worker = agent("In the wiki.", memory=memory)
    worker.kickoff(
        [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "Where is the runbook?"},
        ]
    )
    assert reading.said == [("user", "Where is the runbook?"), ("assistant", "In the wiki.")]


def test_agents_and_crews_in_a_flow_are_captured(agent, crew, memory, reading):
    worker = agent("Agent done.", memory=memory)
    team = crew("Crew done.", memory=memory)

    class Work(Flow):
        @start()
        async def work(self):
            found = await worker.kickoff_async("Look around")
            return found.raw, (await team.akickoff()).raw

    assert Work().kickoff() == ("Agent done.", "Crew done.")
    assert reading.said == [
        ("user", "Look around"),
        ("assistant", "Agent done."),
        ("user", "Deploy payments"),
        ("assistant", "Crew done."),
    ]


def test_others_know_that_the_run_is_captured(crew, memory, reading):
    """A client given to `wrap()` that the model calls leaves the capturing to the memory."""
    found = []

    def answer(*_):
        found.append(guard.captured_as())
        return "Done."

    with session("ticket", user_id="ann"):
        crew(answer, memory=memory).kickoff()
        assert guard.captured_as() is None
    assert [(one.session_id, one.user_id) for one in found] == [("ticket", "ann")]


# --- the tools of memory -------------------------------------------------------------------------


def test_searching_the_memory_is_no_news(crew, memory, reading):
    reading.knows("The runbook is on page 12 of the wiki")

    def answer(request, results):
        return "Page 12." if results else [("search_memory", {"queries": ["page 12"]})]

    worker = crew(answer, said="Where is it?", memory=memory)
    worker.kickoff()
    assert "page 12 of the wiki" in worker.agents[0].llm.asked[-1]
    assert reading.said == [("user", "Where is it?"), ("assistant", "Page 12.")]


@pytest.mark.parametrize("contents", [["The door is blue"], ["The door is blue", "The sky is red"]])
def test_what_an_agent_saves_is_remembered(crew, memory, reading, contents):
    def answer(_, results):
        return "Saved." if results else [("save_to_memory", {"contents": contents})]

    crew(answer, memory=memory).kickoff()
    assert sorted(one.content for one in memory.list_records()) == sorted(contents)
    kinds = sorted(kind for kind, *_ in reading.said)
    assert kinds == ["assistant", *["observation"] * len(contents), "user"]


# --- listeners -----------------------------------------------------------------------------------


def test_a_listener_hears_crews_without_memory(crew, agent, reading):
    listener = HippocortexCrewListener(reading.recorder)
    crew("Crew.").kickoff()
    agent("Agent.").kickoff("Look around")
    assert reading.said == [
        ("user", "Deploy payments"),
        ("assistant", "Crew."),
        ("user", "Look around"),
        ("assistant", "Agent."),
    ]
    assert listener.attached_hooks
    assert listener.flush()
    listener.detach()
    crew("Later.").kickoff()
    assert len(reading.said) == 4
    assert listener.attached_hooks == ()


def test_a_listener_and_a_memory_capture_once(crew, memory, reading):
    listeners = [HippocortexCrewListener(reading.recorder) for _ in range(3)]
    crew(one_after_the_other(1), deploy, memory=memory).kickoff()
    for one in listeners:
        one.detach()
    assert [kind for kind, *_ in reading.said] == ["user", "call", "result", "assistant"]


def test_a_listener_for_some_crews_hears_them_and_their_copies(crew, reading):
    mine = crew("Mine.", said="Deploy {it}")
    listener = HippocortexCrewListener(reading.recorder, crews=[mine])
    crew("Theirs.", said="Deploy something else").kickoff()
    mine.kickoff_for_each(inputs=[{"it": "payments"}])
    mine.kickoff(inputs={"it": "mail"})
    listener.detach()
    assert reading.said == [
        ("user", "Deploy payments"),
        ("assistant", "Mine."),
        ("user", "Deploy mail"),
        ("assistant", "Mine."),
    ]


def test_a_listener_that_nobody_holds_stays(crew, reading):
    HippocortexCrewListener(reading.recorder)
    crew().kickoff()
    assert len(reading.said) == 2
    _detach_all()


def test_a_memory_that_is_gone_hears_nothing(crew, reading):
    memory = HippocortexMemory(reading.recorder)
    assert "emit" in vars(crewai_event_bus)
    del memory
    assert "emit" not in vars(crewai_event_bus)


def test_what_others_put_into_the_bus_stays(crew, reading):
    told = []
    memory = HippocortexMemory(reading.recorder)
    below = crewai_event_bus.emit

    def theirs(source, event):
        told.append(event.type)
        return below(source, event)

    crewai_event_bus.emit = theirs
    try:
        memory.detach()
        crew(memory=memory).kickoff()
    finally:
        del crewai_event_bus.emit
    assert "task_started" in told
    assert reading.events == []


def test_a_bus_that_others_put_back_is_heard_again(crew, reading):
    first = HippocortexMemory(reading.recorder)
    del crewai_event_bus.emit
    second = HippocortexMemory(reading.recorder)
    crew("First.", memory=first).kickoff()
    crew("Second.", memory=second).kickoff()
    for one in (first, second):
        one.detach()
    assert [text for kind, text in reading.said if kind == "assistant"] == ["First.", "Second."]
    assert "emit" not in vars(crewai_event_bus)


def test_what_covers_us_is_kept_and_nothing_is_told_twice(crew, reading):
    first = HippocortexMemory(reading.recorder)
    below, told = crewai_event_bus.emit, []
    crewai_event_bus.emit = lambda source, event: told.append(event.type) or below(source, event)
    try:
        second = HippocortexMemory(reading.recorder)
        crew("First.", memory=first).kickoff()
        crew("Second.", memory=second).kickoff()
        for one in (first, second):
            one.detach()
    finally:
        del crewai_event_bus.emit
    assert told.count("task_started") == 2
    assert [text for kind, text in reading.said if kind == "assistant"] == ["First.", "Second."]
    assert len(reading.said) == 4


def test_without_a_memory_a_crew_runs_as_ever(crew, monkeypatch, capsys):
    """Nothing is configured, and there is no engine."""
    from hippocortex_core.recorder import opening

    def nothing(*_):
        raise opening.ConfigurationError("nothing names a memory")

    monkeypatch.setattr(opening, "resolve", nothing)
    memory = HippocortexMemory()
    assert crew(memory=memory).kickoff().raw == "Done."
    assert memory.recall("anything") == []
    assert memory.remember("something").content == "something"
    assert memory.list_records() == []
    assert "no memory: nothing names a memory" in capsys.readouterr().err
    memory.detach()


def _detach_all():
    from hippocortex_crewai._tap import tap

    for ref in tap._refs:
        if (hearer := ref()) is not None:
            tap.detach(hearer)


def test_agents_and_tools_are_unchanged(crew, memory):
    worker = crew(one_after_the_other(1), deploy, memory=memory)
    before = (worker.agents[0].backstory, [one.name for one in worker.agents[0].tools])
    worker.kickoff()
    assert (worker.agents[0].backstory, [one.name for one in worker.agents[0].tools]) == before
    assert isinstance(worker.agents[0], Agent)
    assert tool is not None
