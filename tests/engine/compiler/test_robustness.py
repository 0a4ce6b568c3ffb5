"""Whatever agents send: nothing breaks the compiler, and nothing makes it slow."""

from __future__ import annotations

import json
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hippocortex_engine.compiler import digest_version, miner_version
from hippocortex_engine.compiler.compile import mine
from hippocortex_engine.compiler.digest import digest_session
from hippocortex_engine.compiler.labels import STEP_TYPES
from hippocortex_engine.records import EventRecord

TYPES = ("task_schema", "failure_playbook", "causal_pattern", "decision_policy", "fact")
KINDS = ("message", "outcome", "observation", *sorted(STEP_TYPES))
NAMES = st.sampled_from(
    "role content text message tool name function args arguments input result output error status "
    "success exit_code stderr failed passed call_id id path action url method command framework "
    "speaker reward score verdict is_error \ud800 \0".split()
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=12),
    st.sampled_from(
        [
            "user",
            "assistant",
            "Error: no",
            "I live in R\0me.",
            "Always use \udc00 names.",
            "git \n x",
        ]
    ),
    st.sampled_from(['{"a": "\\ud800"}', "[" * 900 + "]" * 900, "[[1, {}]]", "9" * 4_000]),
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.just(10**4_000),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXTS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(NAMES, TEXTS), inner, max_size=4)
    ),
    max_leaves=8,
)
PAYLOADS = st.dictionaries(st.one_of(NAMES, TEXTS), VALUES, max_size=6)
EVENTS = st.lists(
    st.tuples(st.sampled_from(KINDS), PAYLOADS, st.sampled_from([None, "ann", "bob"])), max_size=8
)


def record(number, kind, payload, user=None, session="s"):
    at = 1_750_000_000_000 + number * 1_000
    extracted = {"extractedMemories": list(payload.values())}
    name = f"{session}:{number}"
    return EventRecord(
        number, name, session, kind, payload, at, at, 0.5, 1, user, metadata=extracted
    )


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from strings([*value, *value.values()])
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from strings(inner)


def learned(events):
    """Two sessions of the same events, through the JSON of their digests."""
    kept = []
    for name in ("s0", "s1"):
        digest = digest_session([record(n, *event, name) for n, event in enumerate(events)])
        text = json.dumps(digest, ensure_ascii=False)
        text.encode()
        assert not any("\0" in one for one in strings(digest))
        assert json.loads(text) == digest
        kept.append((name, digest))
    found = mine(kept, TYPES)
    for one in found:
        json.dumps([one.key, one.title, one.text, one.index_text, one.content]).encode()
        f"{one.key}{one.title}{one.text}{one.index_text}{one.content}".encode()
    return found


@settings(max_examples=300, deadline=None)
@given(EVENTS)
def test_no_payload_breaks_learning(events):
    learned(events)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "payload",
    [
        {"tool": "get_pod", "result": {"status": {"phase": "Running"}}},
        {"tool": "t", "result": '{"name": "\\ud83d"}', "content": "I like \ud83d tea."},
        {"tool": "a\0b\nc", "args": {"x\0": "\0", "y" * 9_000: 1}, "error": "bad \0"},
        {"tool": "t", "args": {"n": 10**4_000}, "result": {"ok": 10**4_000}},
        {"tool": "t", "args": {"a": nested(90)}, "result": nested(90)},
        {"tool": "t", "args": json.dumps(nested(900)), "result": json.dumps(nested(900))},
        {"command": ["ls", {"x": []}], "path": {"y": 1}, "url": [1], "action": {"z": None}},
        {"status": {"a": []}, "role": ["user"], "success": [], "failed": {"n": 1}},
    ],
)
def test_odd_payloads_are_read(kind, payload):
    learned([("message", {"content": "go"}, "ann"), (kind, payload, "ann"), (kind, payload, None)])


UNITS = (
    "a-",
    "-1",
    "a/",
    "a.",
    "a1-",
    "1,",
    "'",
    "a'",
    "`",
    '"',
    "\n",
    ">\n",
    "if a",
    "just really ",
)
UNITS += ("always ", "and ", "my ", "@", "a@b.", "0x", "<", "x=1 ", ") ", "and I ", "the ", "not ")


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("lead", ["", "I prefer ", "Error: ", "When ", "The ", "x > y\n"])
def test_no_text_is_slow_to_read(unit, lead):
    text = lead + unit * (4_000 // len(unit)) + "!"
    events = [
        ("message", {"content": text}, "ann"),
        ("tool_call", {"tool": text, "args": {"a": text}}, None),
        ("tool_result", {"tool": text, "result": f"Error: {text}"}, None),
        ("command_exec", {"command": text, "output": text, "exit_code": 1}, None),
        ("api_result", {"url": text, "status_code": 500}, None),
        ("file_edit", {"path": text, "action": text}, None),
        ("message", {"role": "assistant", "content": text}, None),
        ("message", {"content": text}, "ann"),
    ]
    made = [record(number, *event) for number, event in enumerate(events)]
    started = process_time()
    digest_session(made)
    assert process_time() - started < 0.5


def test_long_sessions_of_small_talk_take_no_time():
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26)}word" for n in range(400)]
    events = [("tool_call", {"tool": "get_x", "result": "ok"}, None)]
    for number in range(200):
        events.append(("message", {"role": "assistant", "content": "Here it is."}, None))
        told = " ".join(["weather", *words[number : number + 60]])
        events.append(("message", {"content": told}, "ann"))
    made = [record(number, *event) for number, event in enumerate(events)]
    started = process_time()
    digest_session(made)
    assert process_time() - started < 1


def test_versions_are_whole_numbers():
    assert isinstance(digest_version, int)
    assert isinstance(miner_version, int)
