"""The memory as CrewAI's code and its users hold it in their hands."""

import asyncio
import copy
import json
import os
import pickle
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import pytest
from crewai import Agent, Crew, Task
from crewai.events import (
    MemoryQueryCompletedEvent,
    MemorySaveCompletedEvent,
    crewai_event_bus,
)
from crewai.flow import Flow, start
from crewai.memory.memory_scope import MemorySlice
from crewai.memory.unified_memory import Memory

from hippocortex_core import Recorder, SyncHippocortex, session, shared_recorder
from hippocortex_core.errors import UnavailableError
from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.render import TAG
from hippocortex_core.testing import HttpHome, InMemoryService
from hippocortex_core.testing.http_home import stall
from hippocortex_crewai import HippocortexMemory

KEY = "hx_live_5up3rS3cr3tK3y5up3rS3cr3tK3y"


@pytest.fixture
def client(contract_home, monkeypatch):
    """A real home, embedded and over HTTP."""
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", contract_home)
    monkeypatch.setenv("HIPPOCORTEX_API_KEY", "hx_test_contract")
    with SyncHippocortex() as found:
        found.health()  # loads the engine, which nobody waits for in a recall
        yield found


@pytest.fixture
def kept(client):
    """A memory that lives there."""
    with Recorder(client, strict=True, recall_deadline=30) as recorder:
        found = HippocortexMemory(recorder)
        yield found
        found.detach()


def contents(found):
    return sorted(getattr(one, "record", one).content for one in found)


# --- as CrewAI's own -----------------------------------------------------------------------------


def test_it_is_a_memory_of_crewai(memory, agent):
    assert isinstance(memory, Memory)
    worker = agent(memory=memory)
    task = Task(description="Deploy", expected_output="a report", agent=worker)
    assert Crew(agents=[worker], tasks=[task], memory=memory)._memory is memory
    assert worker.memory is memory


# CrewAI 1.11 cannot read a slice that it is given, of its own memory either.
VIEWS = ["scope", "slice"] if hasattr(MemorySlice, "bind") else ["scope"]


@pytest.mark.parametrize("view", VIEWS)
def test_its_views_are_accepted_where_memories_are(memory, agent, view):
    found = memory.scope("/team") if view == "scope" else memory.slice(["/team"], read_only=False)
    worker = agent(memory=found)
    task = Task(description="Deploy", expected_output="a report", agent=worker)
    assert Crew(agents=[worker], tasks=[task], memory=found)._memory._memory is memory


def test_nothing_of_crewais_own_memory_is_opened_or_called(tmp_path):
    """In a process of its own, in which no connection can be made."""
    code = """
import os, socket, sys, warnings
warnings.simplefilter("ignore")
from hippocortex_crewai import HippocortexMemory
from hippocortex_core.testing import InMemoryService
def refuse(*_): raise AssertionError("a connection")
socket.socket.connect = refuse
memory = HippocortexMemory(InMemoryService())
memory.remember("The door is blue")
memory.remember_many(["a", "b"])
memory.recall("The door", limit=3)
memory.recall("The door", scope="/x")
memory.extract_memories("Anything at all")
memory.info(); memory.tree(); memory.list_records(); memory.forget(); memory.reset()
memory.drain_writes(); memory.close()
loaded = [name for name in ("lancedb", "qdrant_edge", "litellm") if name in sys.modules]
print(loaded, os.listdir(os.environ["CREWAI_STORAGE_DIR"]))
"""
    env = {**os.environ, "CREWAI_STORAGE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[] []"


def test_copies_are_the_same_memory(memory, crew):
    assert copy.deepcopy(memory) is copy.copy(memory) is memory
    worker = crew(memory=memory)
    assert worker.copy()._memory is memory


def test_a_pickle_holds_no_secret_and_finds_the_memory_that_is_configured(monkeypatch, tmp_path):
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", f"sqlite:///{tmp_path}/m.db")
    shared_recorder().call(lambda memory: memory.health(), 60)
    made = HippocortexMemory(
        api_key=KEY,
        base_url="postgresql://me:pa55w0rd@db/memory",
        session_id="s-1",
        user_id="ann",
        sections=["failures"],
        root_scope="/team",
    )
    data = pickle.dumps(made)
    assert KEY.encode() not in data
    assert b"pa55w0rd" not in data
    found = pickle.loads(data)
    assert found.root_scope == "/team"
    assert found._parts.whose.given == made._parts.whose.given
    assert found._parts.options == made._parts.options
    assert found.attached_hooks == made.attached_hooks
    assert found.remember("The door is blue").scope == "/team"
    assert contents(found.list_records()) == ["The door is blue"]
    for one in (made, found):
        one.detach()
    close_shared()


def test_no_key_is_in_any_dump(memory, crew):
    found = HippocortexMemory(api_key=KEY, base_url="postgresql://me:pa55w0rd@db/memory")
    worker = crew(memory=found)
    dumps = [
        *(repr(found), str(found), found.model_dump(), found.model_dump_json(), vars(found)),
        *(worker.model_dump(), repr(worker), json.dumps(found.model_json_schema())),
    ]
    told = "\n".join(map(str, dumps))
    assert KEY not in told
    assert "pa55w0rd" not in told
    found.detach()


def test_it_tells_the_bus_what_crewais_memory_tells(memory, reading):
    events = []

    def note(source, event):
        events.append((source, event))

    kinds = (MemoryQueryCompletedEvent, MemorySaveCompletedEvent)
    for kind in kinds:
        crewai_event_bus.on(kind)(note)
    try:
        memory.remember("The door is blue", metadata={"why": "paint"})
        memory.recall("The door")
        assert crewai_event_bus.flush()
    finally:
        for kind in kinds:
            crewai_event_bus.off(kind, note)
    told = {event.type: event for source, event in events if source is memory}
    assert told["memory_save_completed"].value == "The door is blue"
    assert told["memory_save_completed"].metadata == {"why": "paint"}
    assert told["memory_query_completed"].query == "The door"


# --- recalling -----------------------------------------------------------------------------------


def test_matches_join_to_one_marked_block(memory, reading):
    for text in ("payments: migrate first", "payments: then deploy", "mail is elsewhere"):
        reading.knows(text)
    matches = memory.recall("payments")
    assert contents(matches) == ["payments: migrate first", "payments: then deploy"]
    joined = "\n".join(one.format() for one in matches)
    assert joined.count(f"<{TAG}>") == joined.count(f"</{TAG}>") == 1
    assert all(one.record.content in joined for one in matches)
    assert [one.score for one in matches] == [0.5, 0.5]
    assert matches[0].record.metadata["section"] == "context"


def test_no_more_is_told_than_is_asked_for(memory, reading):
    for number in range(8):
        reading.knows(f"payments {number}")
    matches = memory.recall("payments", limit=3)
    assert len(matches) == 3
    assert matches[0].format().count("payments") == 3
    assert memory.recall("payments", limit=0) == []


def test_a_run_that_asks_again_is_told_the_same(crew, memory, reading):
    reading.knows("Deploy payments with make")
    attempts = []

    def answer(*_):
        attempts.append(True)
        if len(attempts) < 3:
            raise ConnectionError("the model is gone")
        return "Done."

    worker = crew(answer, memory=memory)
    worker.kickoff()
    asked = worker.agents[0].llm.asked
    assert len(asked) == 3
    assert all("Deploy payments with make" in text for text in asked)
    assert len(reading.queries) == 1
    worker.kickoff()
    assert len(reading.queries) == 2


def test_options_reach_the_recall(reading):
    reading.knows("payments: with make")
    memory = HippocortexMemory(
        reading.recorder, user_id="ann", max_tokens=99, sections=["failures"], min_confidence=0.6
    )
    assert memory.recall("payments") == [], "the fake's entries have a confidence of 0.5"
    ((_, options),) = reading.queries
    assert (options.max_tokens, options.sections, options.user_id) == (99, ["failures"], "ann")


def test_a_memory_that_hangs_costs_a_deadline_once(crew, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "0")
    with HttpHome(InMemoryService(), faults=[stall] * 100) as hanging:
        client = SyncHippocortex("hx_test_contract", hanging.url)
        with client, Recorder(client, recall_deadline=0.2) as recorder:
            memory = HippocortexMemory(recorder)
            begin = time.perf_counter()
            for _ in range(3):
                assert crew(memory=memory).kickoff().raw == "Done."
                memory.remember("The door is blue")
                memory.recall("door", scope="/x")
            assert time.perf_counter() - begin < 15
            memory.detach()


def test_a_memory_that_fails_is_no_failure_of_the_run(crew, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "0")

    class Broken(InMemoryService):
        def __getattribute__(self, name):
            if name[0] != "_" and name != "close":
                raise UnavailableError("no")
            return super().__getattribute__(name)

    with Recorder(Broken, recall_deadline=0.2) as recorder:
        memory = HippocortexMemory(recorder)
        assert crew(memory=memory).kickoff().raw == "Done."
        assert memory.recall("anything", scope="/x") == []
        assert memory.remember("something").content == "something"
        memory.drain_writes()
        memory.close()
        memory.detach()


def test_draining_never_raises(monkeypatch):
    """Also in strict mode, in which a flush raises what it cannot deliver."""

    def gone():
        raise UnavailableError("no")

    with Recorder(gone, strict=True) as recorder:
        memory = HippocortexMemory(recorder)
        memory.remember("The door is blue")
        begin = time.perf_counter()
        for _ in range(5):
            memory.drain_writes()
        assert time.perf_counter() - begin < 5, "it is waited for once"
        memory.detach()


def test_draining_delivers(crew, memory, reading):
    crew(memory=memory).kickoff()
    memory.drain_writes()
    assert len(reading.service.events) == 2


def test_draining_holds_up_no_event_loop(memory, reading, monkeypatch):
    flushed = []
    monkeypatch.setattr(Recorder, "flush", lambda *_: flushed.append(True) or True)

    async def drain():
        memory.drain_writes()

    asyncio.run(drain())
    assert flushed == []
    memory.drain_writes()
    assert flushed == [True]
    monkeypatch.undo()


def test_its_asynchronous_methods_do_the_same(memory, reading):
    async def use():
        with session("one", user_id="ann"):
            record = await memory.aremember("The door is blue", scope="/house")
            await memory.aremember_many(["The sky is red"])
            extracted = await memory.aextract_memories("Anything")
            return record, extracted, await memory.arecall("The door", user_scope()[0])

    def user_scope():
        return ["/house"]

    record, extracted, matches = asyncio.run(use())
    assert (record.content, extracted) == ("The door is blue", ["Anything"])
    assert contents(matches) == ["The door is blue"]
    with session(user_id="ann"):
        assert contents(memory.list_records()) == ["The door is blue", "The sky is red"]


# --- records under scopes, in real homes ---------------------------------------------------------


def test_what_is_remembered_is_recalled(kept):
    kept.remember("The door of the office is blue")
    (match,) = kept.recall("What colour has the door of the office?")
    assert "The door of the office is blue" in match.record.content
    (record,) = kept.list_records()
    assert (record.content, record.scope) == ("The door of the office is blue", "/")


def test_a_scope_sees_what_is_below_it_and_nothing_else(kept):
    kept.remember("The alpha database is db-1", scope="/project/alpha")
    kept.remember("The beta database is db-2", scope="/project/beta")
    kept.remember("The house has a database of birds", scope="/house")
    query = "Which database is it?"
    alpha, project = kept.scope("/project/alpha"), kept.scope("/project")
    assert contents(alpha.recall(query)) == ["The alpha database is db-1"]
    assert contents(project.recall(query)) == [
        "The alpha database is db-1",
        "The beta database is db-2",
    ]
    assert contents(kept.recall(query, scope="/nowhere")) == []
    both = kept.slice(["/project/alpha", "/house"]).recall(query)
    assert contents(both) == ["The alpha database is db-1", "The house has a database of birds"]
    assert kept.slice(["/house"]).remember("not this", scope="/house") is None
    narrower = project.subscope("alpha")
    narrower.remember("Alpha is written in C", scope="/code")
    assert contents(kept.list_records("/project/alpha/code")) == ["Alpha is written in C"]


def test_users_do_not_see_each_others_records(kept):
    for user in ("ann", "bob"):
        with session(user_id=user):
            kept.remember(f"The door code of {user} is 47", scope="/codes")
    with session(user_id="ann"):
        assert contents(kept.recall("door code", scope="/codes")) == ["The door code of ann is 47"]
        assert contents(kept.list_records()) == ["The door code of ann is 47"]
        assert kept.forget() == 1
    assert kept.list_records() == []
    with session(user_id="bob"):
        assert kept.info().record_count == 1


def test_a_root_scope_is_around_everything(client):
    with Recorder(client, strict=True, recall_deadline=30) as recorder:
        team, other = (HippocortexMemory(recorder, root_scope=s) for s in ("/team", "/other"))
        team.remember("The plan is A", scope="/plans")
        other.remember("The plan is B", scope="/plans")
        assert [one.scope for one in team.list_records()] == ["/team/plans"]
        assert contents(team.recall("What is the plan?")) == ["The plan is A"]
        assert team.list_scopes() == ["/team/plans"]
        team.reset()
        assert (len(team.list_records()), len(other.list_records())) == (0, 1)
        team.reset_all()
        assert other.list_records() == []


def test_private_records_are_for_their_source(kept):
    kept.remember("The safe is behind the picture", source="ann", private=True)
    query = "Where is the safe?"
    assert contents(kept.recall(query)) == []
    assert contents(kept.recall(query, source="bob")) == []
    assert len(kept.recall(query, source="ann")) == 1
    assert len(kept.recall(query, include_private=True)) == 1


def test_categories_choose_records(kept):
    kept.remember("Deploy on Mondays", categories=["rules", "deploy"])
    kept.remember("Mondays are blue", categories=["songs"])
    assert contents(kept.recall("Mondays", categories=["rules"])) == ["Deploy on Mondays"]
    assert kept.list_categories() == {"rules": 1, "deploy": 1, "songs": 1}


def test_a_record_keeps_what_it_was_given(kept):
    made = kept.remember(
        "Deploy on Mondays",
        scope="rules/",
        categories=["rules"],
        metadata={"by": "ann", "since": 2024},
        importance=0.9,
        source="handbook",
    )
    (found,) = kept.list_records()
    assert found.model_dump(exclude={"created_at", "last_accessed"}) == made.model_dump(
        exclude={"created_at", "last_accessed"}
    )
    assert (found.scope, found.metadata) == ("/rules", {"by": "ann", "since": 2024})
    assert abs(found.created_at - made.created_at) < timedelta(minutes=1)


def test_records_can_be_updated(kept):
    made = kept.remember("The door is blue", scope="/house")
    updated = kept.update(made.id, content="The door is green", scope="/office", importance=0.8)
    assert (updated.content, updated.scope, updated.importance) == (
        "The door is green",
        "/office",
        0.8,
    )
    assert contents(kept.list_records()) == ["The door is green"]
    found = kept.recall("Which colour is the door?", scope="/office")
    assert contents(found) == ["The door is green"]
    with pytest.raises(ValueError, match="Record not found: nothing"):
        kept.update("nothing", content="x")


def test_records_can_be_forgotten_by_what_they_are(kept):
    first = kept.remember("a", scope="/x", categories=["one"], metadata={"by": "ann"})
    kept.remember("b", scope="/x", categories=["two"], metadata={"by": "bob"})
    kept.remember("c", scope="/y", categories=["two"])
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    assert kept.forget(older_than=tomorrow - timedelta(days=30)) == 0
    assert kept.forget(record_ids=[first.id]) == 1
    assert kept.forget(scope="/x", categories=["one"]) == 0
    assert kept.forget(metadata_filter={"by": "bob"}) == 1
    assert contents(kept.list_records()) == ["c"]
    assert kept.scope("/y").forget(older_than=tomorrow) == 1
    assert kept.recall("c") == []


def test_the_tree_of_scopes(kept):
    for scope in ("/a", "/a/b", "/a/b", "/c"):
        kept.remember("x", scope=scope)
    assert kept.list_scopes() == ["/a", "/c"]
    assert kept.scope("/a").list_scopes() == ["/a/b"]
    assert kept.tree() == "/ (4 records)\n  /a (3 records)\n    /a/b (2 records)\n  /c (1 records)"
    info = kept.info("/a")
    assert (info.record_count, info.child_scopes) == (3, ["/a/b"])
    assert info.oldest_record <= info.newest_record
    assert [len(kept.list_records(limit=3, offset=offset)) for offset in (0, 3, 6)] == [3, 1, 0]


def test_a_crew_under_a_scope_recalls_what_it_did_there(kept, crew):
    ann, bob = kept.scope("/thread/ann"), kept.scope("/thread/bob")
    crew("The database of staging is db-7.", said="Find the database", memory=ann).kickoff()
    kept.drain_writes()
    query = "Which database does staging have?"
    assert any("db-7" in text for text in contents(ann.recall(query)))
    assert contents(bob.recall(query)) == []
    assert any("db-7" in text for text in contents(kept.recall(query)))


def test_resetting_forgets_what_crews_did(kept, crew, client):
    with session("one", user_id="ann"):
        worker = crew("The database of staging is db-7.", said="Find the database", memory=kept)
        worker.kickoff()
        kept.remember("The door is blue")
        worker.reset_memories(command_type="memory")
        assert kept.recall("Which database does staging have?") == []
        assert kept.list_records() == []
    assert client.list_events(user_id="ann").events == []


def test_resetting_spares_others(kept, crew, client):
    for user in ("ann", None):
        with session(f"of-{user}", user_id=user):
            crew(memory=kept).kickoff()
    kept.reset()
    assert {event.session_id for event in client.list_events(limit=100).events} == {"of-ann"}


def test_a_read_only_memory_keeps_nothing(kept, client):
    kept.remember("The door is blue")
    kept.drain_writes()
    with Recorder(client, strict=True, recall_deadline=30) as recorder:
        reader = HippocortexMemory(recorder, read_only=True)
        assert reader.remember("x") is None
        assert reader.remember_many(["x"]) == []
        (record,) = reader.list_records()
        assert reader.update(record.id, content="x").content == "The door is blue"
        assert "The door is blue" in reader.recall("door")[0].record.content


def test_what_cannot_be_kept_now_is_captured(memory, reading, monkeypatch):
    def refuse(*_):
        raise UnavailableError("no documents here")

    monkeypatch.setattr(reading.service, "batch_documents", refuse)
    assert memory.remember("The door is blue", scope="/house").content == "The door is blue"
    (event,) = reading.events
    assert event.payload["content"] == "The door is blue"
    assert event.metadata["agent_id"] == "/house"


def test_secrets_are_not_kept(kept):
    kept.remember(f"The key is {KEY}", metadata={"password": "password=k0rrekt-h0rse-battery"})
    (record,) = kept.list_records()
    assert KEY not in record.content
    assert "k0rrekt" not in str(record.metadata)


def test_what_says_nothing_is_not_remembered(memory, reading):
    assert memory.extract_memories(" \n ") == []
    assert memory.remember("  ") is None
    assert memory.remember_many(["", "The door is blue"])[0].content == "The door is blue"
    assert memory.recall(" ") == []
    assert len(reading.events) == 1


# --- flows ---------------------------------------------------------------------------------------


def test_a_flow_remembers_and_recalls(memory):
    shared = memory

    class Notes(Flow):
        memory = shared

        @start()
        def work(self):
            self.remember("The door is blue", scope="/house")
            self.remember(["The sky is red", "The sea is green"])
            assert self.extract_memories("as it is") == ["as it is"]
            return self.recall("The door", scope="/house")

    assert contents(Notes().kickoff()) == ["The door is blue"]
    assert len(shared.list_records()) == 3


def test_a_flow_may_be_given_the_memory(memory):
    class Notes(Flow):
        @start()
        def work(self):
            return self.remember("The door is blue")

    flow = Notes()
    flow.memory = memory
    assert flow.kickoff().content == "The door is blue"
    assert len(memory.list_records()) == 1


def test_an_agent_alone_recalls(agent, memory, reading):
    reading.knows("Where is the runbook? In the wiki.")
    worker = agent(memory=memory)
    worker.kickoff("Where is the runbook?")
    assert isinstance(worker, Agent)
    assert "In the wiki." in worker.llm.asked[0]
