"""What users write, all of it typed: pyright and mypy, both strict, must find nothing to say.

It is checked, not run; `wrong_use.py` is its opposite.
"""

from __future__ import annotations

from collections.abc import Iterator

from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import Message
from openai import AsyncAzureOpenAI, AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion
from typing_extensions import assert_type

import hippocortex
import hippocortex.auto
from hippocortex import (
    ERRORS,
    Artifact,
    ArtifactListResult,
    AssistantMessage,
    BatchCaptureResult,
    CaptureEvent,
    CaptureResult,
    Document,
    Event,
    Failure,
    ForgetResult,
    Hippocortex,
    HippocortexError,
    HippocortexSync,
    LearnOptions,
    LearnResult,
    MemoryService,
    MetricsResult,
    NamespaceMatch,
    RateLimitedError,
    Recall,
    Recorder,
    RecorderStats,
    SyncHippocortex,
    SynthesizeOptions,
    SynthesizeResult,
    ToolCall,
    ToolResult,
    UserMessage,
    ValidationError,
    render_pack,
    session,
    shared_recorder,
    wrap,
)
from hippocortex.adapters.openclaw import OpenClawMemoryMiddleware, create_middleware
from hippocortex.types import ArtifactStatus, ArtifactType
from hippocortex.wrap import unwrap

assert_type(hippocortex.__version__, str)


# --- clients -------------------------------------------------------------------------------------


def remember() -> str:
    with SyncHippocortex(base_url="sqlite:///memory.db") as memory:
        assert_type(memory, SyncHippocortex)
        event = CaptureEvent(
            type="message",
            session_id="ticket-42",
            payload={"role": "user", "content": "Deploy payments"},
            metadata={"user_id": "ann"},
            idempotency_key="m-1",
        )
        stored = assert_type(memory.capture(event), CaptureResult)
        assert_type(stored.salience_score, float | None)
        batch = assert_type(memory.capture_batch([event, event]), BatchCaptureResult)
        assert_type(batch.summary.ingested, int)

        learned = memory.learn(LearnOptions(scope="full", artifact_types=["task_schema", "fact"]))
        assert_type(learned, LearnResult)
        options = SynthesizeOptions(max_tokens=800, sections=["procedures", "facts"], explain=True)
        pack = assert_type(memory.synthesize("deploy payments", options), SynthesizeResult)
        for entry in pack.entries:
            assert_type(entry.content, str)
            assert_type(entry.signals, dict[str, float] | None)
        return assert_type(render_pack(pack), str)


def look_around(memory: SyncHippocortex) -> None:
    kind: ArtifactType = "failure_playbook"
    status: ArtifactStatus = "active"
    page = memory.list_artifacts(type=kind, status=status, sort="confidence", order="desc")
    assert_type(page, ArtifactListResult)
    assert_type(page.pagination.cursor, str | None)
    for artifact in page.artifacts:
        assert_type(memory.get_artifact(artifact.id), Artifact)
    assert_type(memory.get_metrics("7d", granularity="day"), MetricsResult)
    assert_type(memory.list_events(user_id="ann", order="asc").events, list[Event])
    assert_type(memory.export(session_id="ticket-42"), Iterator[Event])
    assert_type(memory.forget(user_id="ann"), ForgetResult)
    assert_type(memory.health().status == "ok", bool)


def keep_documents(memory: SyncHippocortex) -> None:
    memory.put_document(("users", "ann"), "city", {"name": "Oslo"}, index=["name"], ttl=60)
    assert_type(memory.get_document(["users", "ann"], "city"), Document | None)
    found = memory.search_documents(("users",), query="where", filter={"name": {"$ne": "Rome"}})
    assert_type(found.documents, list[Document])
    below = memory.list_namespaces(match=[NamespaceMatch("prefix", ["users"])])
    assert_type(below.namespaces, list[list[str]])


async def remember_without_waiting() -> None:
    async with Hippocortex(api_key="hx_live_1", timeout=5) as memory:
        assert_type(memory, Hippocortex)
        event = CaptureEvent("outcome", "ticket-42", {"success": True})
        assert_type(await memory.capture(event), CaptureResult)
        assert_type(await memory.synthesize("deploy"), SynthesizeResult)
        assert_type(await memory.list_artifacts(), ArtifactListResult)
        async for stored in memory.export():
            assert_type(stored, Event)


def what_goes_wrong(memory: HippocortexSync) -> float | None:
    try:
        memory.learn()
    except ValidationError as error:
        assert_type([detail.field for detail in error.details], list[str])
    except RateLimitedError as error:
        return assert_type(error.retry_after, float | None)
    except HippocortexError as error:
        assert_type((error.code, error.status_code), tuple[str, int])
        assert_type(error.request_id, str | None)
    assert_type(ERRORS["not_found"], type[HippocortexError])
    return None


def any_home(service: MemoryService) -> SyncHippocortex:
    assert_type(service.learn(LearnOptions()), LearnResult)
    return SyncHippocortex(service=service)


def every_home_is_a_service(memory: SyncHippocortex) -> SyncHippocortex:
    return any_home(memory)


# --- a session and a recorder --------------------------------------------------------------------


def record_by_hand() -> Recall:
    recorder = assert_type(shared_recorder(), Recorder)
    with session("ticket-42", user_id="ann") as scope:
        assert_type(scope.user_id, str | None)
        found = assert_type(recorder.recall("deploy payments", sections=["failures"]), Recall)
        recorder.record(UserMessage("Deploy payments"))
        recorder.record(ToolCall("deploy", {"service": "payments"}, call_id="c1"))
        recorder.record(ToolResult("deploy", {"status": "live"}, call_id="c1"))
        recorder.record(AssistantMessage("Done."))
        recorder.record(Failure("The check after it failed"))
    assert_type(recorder.flush(1.0), bool)
    assert_type(recorder.stats(), RecorderStats)
    assert_type(found.text, str)
    return found


async def record_in_a_loop(memory: SyncHippocortex) -> str:
    with Recorder(memory, recall_deadline=0.5, spool_dir=None) as recorder:
        async with session("ticket-43"):
            found = assert_type(await recorder.arecall("deploy"), Recall)
        assert_type(await recorder.aflush(), bool)
    return found.text if found else "nothing"


# --- wrap() and auto -----------------------------------------------------------------------------


def wrapped_openai() -> str | None:
    client = assert_type(wrap(OpenAI()), OpenAI)
    answer = client.chat.completions.create(
        model="gpt-5", messages=[{"role": "user", "content": "Hello"}]
    )
    assert_type(answer, ChatCompletion)
    assert_type(unwrap(client), OpenAI)
    return answer.choices[0].message.content


async def wrapped_openai_in_a_loop() -> None:
    client = assert_type(wrap(AsyncOpenAI(), session_id="ticket-42"), AsyncOpenAI)
    stream = await client.chat.completions.create(
        model="gpt-5", messages=[{"role": "user", "content": "Hello"}], stream=True
    )
    async for chunk in stream:
        assert_type(chunk.choices[0].delta.content, str | None)


def wrapped_kin(azure: AsyncAzureOpenAI) -> None:
    assert_type(wrap(azure, base_url="sqlite:///memory.db"), AsyncAzureOpenAI)
    assert_type(wrap(AsyncAnthropic()), AsyncAnthropic)


def wrapped_anthropic() -> Message:
    client = assert_type(hippocortex.wrap(Anthropic(), api_key="hx_live_1"), Anthropic)
    return client.messages.create(
        model="claude", max_tokens=100, messages=[{"role": "user", "content": "Hello"}]
    )


def everything_at_once() -> None:
    hippocortex.auto.install()
    hippocortex.auto.uninstall()


# --- a loop of one's own -------------------------------------------------------------------------


async def a_loop(messages: list[dict[str, str]]) -> str | None:
    memory = create_middleware(session_id="ticket-42", user_id="ann")
    assert_type(memory, OpenClawMemoryMiddleware)
    context = assert_type(await memory.on_message("Deploy payments"), str | None)
    await memory.on_tool_call("deploy", {"service": "payments"})
    await memory.on_response("Payments is live.")
    await memory.inject_into_messages(messages)
    await memory.close()
    return context
