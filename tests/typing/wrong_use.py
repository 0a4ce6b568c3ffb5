"""Mistakes that a type checker must tell, each on its line; `typical_use.py` is the opposite."""

# ruff: noqa: B018, F401, I001 - what a mistake needs, and nothing else

from __future__ import annotations

from agents import Agent
from openai import AsyncOpenAI, OpenAI

import hippocortex
import hippocortex.auto
from hippocortex import Hipocortex  # wrong: a name that does not exist
from hippocortex import (
    CaptureEvent,
    Hippocortex,
    HippocortexError,
    LearnOptions,
    MemoryService,
    Recorder,
    SyncHippocortex,
    SynthesizeOptions,
    UserMessage,
    render_pack,
    session,
    wrap,
)
from hippocortex.adapters.langgraph import HippocortexMiddelware  # wrong: nor in a facade
from hippocortex.adapters.langgraph import HippocortexMiddleware, HippocortexSaver
from hippocortex.adapters.openai_agents import HippocortexRunner, auto_memory
from hippocortex.adapters.openclaw import create_middlware  # wrong: nor in this one

hippocortex.sesion("ticket-42")  # wrong: nor is there any of that name
hippocortex.auto.instal()  # wrong: here neither

CaptureEvent("mesage", "s", {})  # wrong: no such type of event
CaptureEvent("message", "s", "Hello")  # wrong: a payload is a dict
CaptureEvent("message", "s")  # wrong: a payload is needed
LearnOptions(scope="everything")  # wrong: "full" or "incremental"
LearnOptions(artifact_types=["facts"])  # wrong: the type is called "fact"
SynthesizeOptions(sections=["fact"])  # wrong: the section is called "facts"
SynthesizeOptions(max_token=500)  # wrong: max_tokens
Hippocortex(url="sqlite:///memory.db")  # wrong: base_url


def blocking(memory: SyncHippocortex, error: HippocortexError) -> None:
    memory.capture({"type": "message"})  # wrong: a CaptureEvent
    memory.synthesize("deploy", max_tokens=500)  # wrong: that is an option
    memory.synthesize("deploy").text  # wrong: render_pack makes text of it
    memory.list_artifacts(sort="created_at")  # wrong: "createdAt"
    memory.get_metrics("1d")  # wrong: "24h"
    memory.forget("ann")  # wrong: whose or what must be said
    memory.get_document(["users"], "ann").value  # wrong: there may be none
    error.status_code.upper()  # wrong: a number
    render_pack("deploy")  # wrong: of what synthesize returns


async def awaiting(memory: Hippocortex) -> None:
    memory.health().status  # wrong: not awaited
    with memory:  # wrong: async with
        await memory.health()
    service: MemoryService = memory  # wrong: that one is blocking
    Recorder(service)


def recording(recorder: Recorder) -> None:
    recorder.record("Hello")  # wrong: a step
    recorder.record(UserMessage(1))  # wrong: of text
    recorder.recall("deploy", sections=["causes"])  # wrong: no such section
    session(user="ann")  # wrong: user_id


def wrapping() -> None:
    wrap(OpenAI()).chat.completion  # wrong: it is still a client of OpenAI
    wrap(OpenAI(), session="ticket-42")  # wrong: session_id
    client: AsyncOpenAI = wrap(OpenAI())  # wrong: it is still the blocking one
    client.chat


async def adapters(agent: Agent[None]) -> None:
    HippocortexMiddleware(sections=["fact"])  # wrong: "facts"
    HippocortexSaver()  # wrong: around which checkpointer?
    auto_memory("agent")  # wrong: an Agent
    await HippocortexRunner.run(agent)  # wrong: what does the user say?
    HippocortexRunner.run_sync(agent, "Deploy").text  # wrong: final_output
