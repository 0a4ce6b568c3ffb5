import asyncio
import contextvars
import threading

import pytest

from hippocortex_core import Scope, UserMessage, current, session


def test_outside_of_any_scope_nothing_is_set():
    assert current() == Scope(None, None, None)


def test_a_scope_inside_another_inherits_what_it_does_not_set():
    with session("s1", user_id="u1"), session(agent_id="a1") as inner:
        assert inner == current() == Scope("s1", "u1", "a1")
        with session("s2"):
            assert current() == Scope("s2", "u1", "a1")
        assert current() == Scope("s1", "u1", "a1")
    assert current() == Scope()


def test_a_scope_ends_with_an_exception():
    with pytest.raises(KeyError), session("s1"):
        raise KeyError
    assert current() == Scope()


def test_the_same_scope_can_be_entered_again_and_inside_itself():
    scope = session("s1")
    with scope, scope:
        assert current().session_id == "s1"
    assert current() == Scope()


def test_concurrent_tasks_keep_their_scopes_and_inherit_their_makers():
    async def agent(name):
        async with session(agent_id=name):
            await asyncio.sleep(0)
            return current()

    async def main():
        async with session("s1", user_id="u1"):
            return await asyncio.gather(*(agent(name) for name in "abc"))

    assert asyncio.run(main()) == [Scope("s1", "u1", name) for name in "abc"]


def test_a_copied_context_carries_the_scope_into_a_thread():
    seen = []
    with session("s1"):
        context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(lambda: seen.append(current()),))
    thread.start()
    thread.join()
    assert seen == [Scope("s1")]


def test_a_scope_left_in_another_context_than_entered_does_no_harm():
    scope = session("s1")
    contextvars.copy_context().run(scope.__enter__)
    scope.__exit__(None, None, None)
    assert current() == Scope()


def test_a_step_belongs_to_the_argument_then_the_scope_then_the_recorder(memory, record_to):
    recorder = record_to(memory, session_id="own", user_id="owner")
    with session("around", agent_id="a1"):
        recorder.record(UserMessage("1"), Scope("given", "u2"))
        recorder.record(UserMessage("2"))
    recorder.record(UserMessage("3"))
    recorder.scoped("other").record(UserMessage("4"))
    assert recorder.flush()
    assert [(e.session_id, e.metadata) for e in memory.events] == [
        ("given", {"user_id": "u2", "agent_id": "a1"}),
        ("around", {"user_id": "owner", "agent_id": "a1"}),
        ("own", {"user_id": "owner"}),
        ("other", {"user_id": "owner"}),
    ]


def test_a_generated_session_is_one_per_recorder_and_user(memory, record_to):
    ids = iter(["first", *map(str, range(100))])
    recorder = record_to(memory, new_id=lambda: next(ids))
    recorder.record(UserMessage("1"))
    recorder.record(UserMessage("2"))
    with session(user_id="u1"):
        recorder.record(UserMessage("3"))
    assert recorder.flush()
    assert [event.session_id for event in memory.events] == ["first", "first", "first:u1"]
    assert recorder.scoped().scope().session_id != "first"
