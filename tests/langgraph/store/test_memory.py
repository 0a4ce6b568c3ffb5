"""The memory behind the store: what it captures, whose it is, and what it has learned."""

import pytest
from langgraph.graph import START, StateGraph

from hippocortex_core import CaptureEvent, SyncHippocortex, UnavailableError, session
from hippocortex_langgraph import HippocortexStore

DOCS = ("docs",)


@pytest.fixture
def memory(embedded):
    return SyncHippocortex(service=embedded)


def captured(memory, **of):
    return memory.list_events(**of).events


def run_in_graph(work, config):
    """Calls `work` in a node, as LangGraph would."""
    graph = StateGraph(dict)
    graph.add_node("work", lambda state: work() or {})
    graph.add_edge(START, "work")
    graph.compile().invoke({}, config)


def test_a_put_is_an_event_that_can_be_recalled(memory):
    with HippocortexStore(memory) as store:
        store.put(DOCS, "k", {"text": "Ann prefers tea over coffee"})
    (event,) = captured(memory)
    assert event.type == "observation"
    assert "tea" in str(event.payload)
    assert "tea" in str(memory.synthesize("what does Ann drink?").entries)


def test_the_same_value_again_is_no_new_event(memory):
    with HippocortexStore(memory) as store:
        for _ in range(3):
            store.put(DOCS, "k", {"text": "Ann prefers tea"})
        assert len(captured(memory)) == 1
        store.put(DOCS, "k", {"text": "Ann prefers coffee"})
    assert len(captured(memory)) == 2


def test_deleting_an_item_takes_its_events_with_it(memory):
    with HippocortexStore(memory) as store:
        store.put(DOCS, "k", {"text": "Ann prefers tea"})
        store.delete(DOCS, "k")
    assert captured(memory) == []


def test_nothing_is_captured_where_that_is_not_wanted(memory):
    with HippocortexStore(memory, capture_on_put=False) as store:
        store.put(DOCS, "k", {"text": "Ann prefers tea"})
        assert store.get(DOCS, "k") is not None
    assert captured(memory) == []


def test_secrets_are_kept_but_never_learned_from(memory):
    value = {"note": "the key is sk-proj-abcdefghij0123456789abcd", "db": {"password": "hunter2"}}
    with HippocortexStore(memory) as store:
        store.put(DOCS, "k", value)
        assert store.get(DOCS, "k").value == value
    assert captured(memory) == []


def test_injected_memory_is_not_learned_from_again(memory):
    text = "<hippocortex_memory>\n- Ann prefers tea\n</hippocortex_memory>"
    with HippocortexStore(memory) as store:
        store.put(DOCS, "k", {"answer": text})
    assert captured(memory) == []


def test_the_run_says_whose_it_is(memory):
    with HippocortexStore(memory) as store:
        config = {"configurable": {"user_id": "ann", "thread_id": "t-1"}}
        run_in_graph(lambda: store.put(DOCS, "k", {"text": "tea"}), config)
    (event,) = captured(memory, user_id="ann")
    assert event.session_id == "t-1"
    assert captured(memory, user_id="bob") == []


def test_the_user_may_have_another_name_in_the_configuration(memory):
    with HippocortexStore(memory, user_id_key="customer") as store:
        config = {"configurable": {"customer": 42, "user_id": "not this"}}
        run_in_graph(lambda: store.put(DOCS, "k", {"text": "tea"}), config)
    assert len(captured(memory, user_id="42")) == 1


def test_outside_of_a_run_the_surrounding_session_says_whose_it_is(memory):
    with HippocortexStore(memory) as store, session("s-1", user_id="ann", agent_id="cook"):
        store.put(DOCS, "k", {"text": "tea"})
    (event,) = captured(memory, user_id="ann", agent_id="cook")
    assert event.session_id == "s-1"


def test_the_namespace_may_say_whose_it_is(memory):
    template = ("users", "{user_id}", "*", "{agent_id}")
    with HippocortexStore(memory, namespace_template=template) as store, session(user_id="bob"):
        store.put(("users", "ann", "notes", "cook"), "k", {"text": "tea"})
        store.put(("users", "eve"), "k", {"text": "milk"})
        store.put(("other", "ann"), "k", {"text": "coffee"})
    assert len(captured(memory, user_id="ann", agent_id="cook")) == 1
    assert len(captured(memory, user_id="eve")) == 1
    assert len(captured(memory, user_id="bob")) == 1


def test_a_template_that_names_nobody_is_an_error(memory):
    with pytest.raises(ValueError, match="names nobody"):
        HippocortexStore(memory, namespace_template=("users", "user_id"))


# --- what was learned ----------------------------------------------------------------------------


@pytest.fixture
def learned(memory):
    """A memory that knows what to do about an error."""
    for number in range(4):
        events = [
            ("message", {"role": "user", "content": "Deploy the payment service"}),
            ("tool_call", {"tool": "deploy", "args": {}}),
            ("tool_result", {"tool": "deploy", "error": "Error: Redis pool exhausted"}),
            ("tool_call", {"tool": "restart_redis", "args": {}}),
            ("tool_result", {"tool": "restart_redis", "result": "ok"}),
            ("tool_call", {"tool": "deploy", "args": {}}),
            ("tool_result", {"tool": "deploy", "result": "ok"}),
            ("outcome", {"success": True}),
        ]
        owner = {"user_id": "ann"}
        for kind, payload in events:
            memory.capture(CaptureEvent(kind, f"s-{number}", payload, owner))
    memory.learn()
    return memory


QUERY = "deploy the payment service"


def test_a_search_can_also_return_what_was_learned(learned):
    with HippocortexStore(learned) as store, session(user_id="ann"):
        store.put(DOCS, "k", {"text": "Deployments are on Friday"})
        assert [item.key for item in store.search(DOCS, query=QUERY)] == ["k"]
        first, *others = store.search(DOCS, query=QUERY, include_learned=True)
    assert first.key == "k"
    assert {item.namespace[0] for item in others} == {"hippocortex"}
    item = next(item for item in others if item.namespace[1] == "failures")
    assert "restart_redis" in item.value["content"]
    assert item.score == item.value["confidence"]
    assert item.key == item.value["provenance"][0]["sourceId"]
    assert item.created_at.tzinfo is not None


def test_the_store_may_always_return_it_and_a_call_refuse(learned):
    with HippocortexStore(learned, include_learned=True) as store, session(user_id="ann"):
        assert len(store.search(DOCS, query=QUERY)) > 0
        assert store.search(DOCS, query=QUERY, include_learned=False) == []
        assert store.search(DOCS) == []
        assert store.search(DOCS, query=QUERY, offset=1) == []
        assert len(store.search(DOCS, query=QUERY, limit=1)) == 1


def test_an_item_that_was_found_is_not_repeated_as_what_was_learned(memory):
    with HippocortexStore(memory, include_learned=True) as store:
        store.put(DOCS, "tea", {"text": "Ann  prefers\ntea", "tags": ["drink", 1]})
        store.put(("other",), "coffee", {"text": "Bob prefers coffee to drink"})
        first, second = store.search(DOCS, query="who prefers which drink?")
    assert (first.key, second.namespace) == ("tea", ("hippocortex", "context"))
    assert "Bob" in second.value["content"]


def test_the_asynchronous_search_returns_it_too(learned):
    import asyncio

    with HippocortexStore(learned, include_learned=True) as store, session(user_id="ann"):
        assert len(asyncio.run(store.asearch(DOCS, query=QUERY))) > 0


def test_what_was_learned_from_one_user_is_not_shown_to_another(learned):
    with HippocortexStore(
        learned, include_learned=True, namespace_template=("users", "{user_id}")
    ) as store:
        assert len(store.search(("users", "ann"), query=QUERY)) > 0
        assert store.search(("users", "bob"), query=QUERY) == []
        assert store.search(("elsewhere",), query=QUERY) == []


class Broken:
    """A memory whose documents work, and nothing else."""

    def __init__(self, service):
        self._service = service

    def __getattr__(self, name):
        if name == "synthesize":
            raise UnavailableError("no learning today")
        return getattr(self._service, name)


def test_a_memory_that_cannot_answer_has_learned_nothing(embedded, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "0")
    with HippocortexStore(Broken(embedded), include_learned=True) as store:
        store.put(DOCS, "k", {"text": "tea"})
        assert [item.key for item in store.search(DOCS, query="tea")] == ["k"]


def test_in_strict_mode_it_says_why(embedded, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    with HippocortexStore(Broken(embedded), include_learned=True) as store:
        store.put(DOCS, "k", {"text": "tea"})
        with pytest.raises(UnavailableError, match="no learning today"):
            store.search(DOCS, query="tea")
