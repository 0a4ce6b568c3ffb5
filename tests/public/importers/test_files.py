"""Files as they are: compressed, mislabelled, broken in places, of no known format."""

import gzip
import json

import pytest

from hippocortex.importers import Located, Naming, Problem, UnknownFormatError, read_events

HELLO = {"role": "user", "content": "hello"}
REPLY = {"role": "assistant", "content": "hi"}
CHAT = {"messages": [HELLO, REPLY]}


def _sessions(path, **naming):
    options = {"naming": Naming("chat", **naming)} if naming else {}
    return [item.event.session_id for item in read_events(path, **options)]


def test_the_content_decides_whatever_the_name_says(write, read):
    lines = write("lines.json", CHAT, CHAT)
    document = write("document.jsonl", json.dumps([CHAT, CHAT], indent=2))
    odd = write("chat.log", CHAT)
    assert len(read(lines)) == len(read(document)) == 4
    assert len(read(odd)) == 2


def test_compressed_and_utf16_files_are_read(tmp_path, read):
    packed = tmp_path / "chat.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(CHAT).encode()))
    wide = tmp_path / "wide.json"
    wide.write_bytes(json.dumps(CHAT).encode("utf-16"))
    marked = tmp_path / "marked.json"
    marked.write_bytes(json.dumps(CHAT).encode("utf-8-sig"))
    assert read(packed) == read(wide) == read(marked)
    assert _sessions(packed) == ["chat-1", "chat-1"]


def test_sessions_are_named_by_file_and_position(write):
    assert _sessions(write("runs.jsonl", CHAT, CHAT)) == ["runs-1", "runs-1", "runs-2", "runs-2"]


def test_a_bad_record_does_not_rename_the_next(write):
    items = list(read_events(write("runs.jsonl", CHAT, "{bad", CHAT)))
    assert [i.event.session_id for i in items if isinstance(i, Located)][-1] == "runs-3"


def test_records_that_name_their_session_or_id_are_taken_at_their_word(write):
    named = {**CHAT, "session_id": "support-7"}
    numbered = {**CHAT, "id": 12}
    assert _sessions(write("runs.jsonl", named, numbered))[::2] == ["support-7", "runs-12"]


def test_loose_messages_are_grouped_by_the_session_they_name(write):
    lines = [
        {**HELLO, "session_id": "a"},
        {**HELLO, "session_id": "b"},
        {**REPLY, "session_id": "a"},
    ]
    assert _sessions(write("log.jsonl", *lines)) == ["a", "a", "b"]


def test_a_given_session_names_one_conversation_and_numbers_several(write):
    assert set(_sessions(write("chat.json", CHAT), session="s")) == {"s"}
    assert set(_sessions(write("chat.json", [HELLO, REPLY]), session="s")) == {"s"}
    assert set(_sessions(write("chat.jsonl", CHAT, CHAT), session="s")) == {"s-1", "s-2"}


def test_owners_go_into_the_metadata(write):
    items = read_events(write("chat.json", CHAT), naming=Naming("chat", user="u", agent="a"))
    assert next(items).event.metadata == {"user_id": "u", "agent_id": "a"}


def test_reading_twice_gives_the_same_keys_and_no_two_events_share_one(write):
    path = write("runs.jsonl", CHAT, CHAT, {"messages": [HELLO, HELLO]})
    first, again = [[i.event.idempotency_key for i in read_events(path)] for _ in range(2)]
    assert first == again
    assert len(set(first)) == len(first) == 6


def test_a_log_that_grew_keeps_the_keys_it_had(write):
    short = [i.event.idempotency_key for i in read_events(write("log.jsonl", HELLO))]
    grown = [i.event.idempotency_key for i in read_events(write("log.jsonl", HELLO, REPLY))]
    assert grown[:1] == short


def test_times_are_taken_over_and_never_run_backwards(write):
    chat = [
        HELLO,
        {**REPLY, "timestamp": "2024-05-01T10:00:00Z"},
        {**HELLO, "timestamp": 1714557500},
        {**REPLY, "created_at": 1714557660000},
        HELLO,
    ]
    times = [i.event.occurred_at for i in read_events(write("chat.json", chat))]
    assert [f"{time:%H:%M:%S}" for time in times] == [
        "10:00:00",
        "10:00:00",
        "10:00:00",
        "10:01:00",
        "10:01:00",
    ]


def test_without_times_none_are_invented(write):
    path = write("chat.json", [HELLO, {**REPLY, "date": "yesterday"}])
    assert [i.event.occurred_at for i in read_events(path)] == [None, None]


def test_a_line_that_is_not_json_is_reported_and_the_rest_goes_on(write):
    path = write("runs.jsonl", CHAT, '{"messages": [', "", CHAT)
    items = list(read_events(path))
    assert [i for i in items if isinstance(i, Problem)] == [
        Problem(f"{path}:2", "not JSON: Expecting value (column 15)")
    ]
    assert sum(isinstance(i, Located) for i in items) == 4


def test_a_bad_first_line_does_not_hide_the_format(write):
    path = write("runs.jsonl", "oops", CHAT)
    problem, *events = read_events(path)
    assert problem.place == f"{path}:1"
    assert len(events) == 2


def test_a_message_that_does_not_follow_the_format_is_reported_by_its_line(write):
    path = write("chat.json", '[\n{"role": "user", "content": "a"},\n{"role": "bard"},\n7\n]')
    items = list(read_events(path))
    assert [i for i in items if isinstance(i, Problem)] == [
        Problem(f"{path}:3", "not a message, conversation, trajectory or event"),
        Problem(f"{path}:4", "not a message, conversation, trajectory or event"),
    ]


def test_a_bad_message_inside_a_conversation_is_named_by_its_number(write):
    bad = {"messages": [HELLO, {"role": "assistant", "tool_calls": [{"id": "c1"}]}, REPLY]}
    path = write("runs.jsonl", bad)
    items = list(read_events(path))
    assert items[1] == Problem(f"{path}:1", "message 2: a tool call without a name")
    assert len(items) == 3


def test_an_array_that_breaks_off_gives_what_came_before(write):
    path = write("runs.json", f'[\n{json.dumps(CHAT)},\n{{"messages": [')
    *events, problem = read_events(path)
    assert len(events) == 2
    assert problem.place == f"{path}:3"
    assert problem.message.endswith("the rest is unreadable")


@pytest.mark.parametrize(
    "content",
    [
        b'{"rows": [1, 2]}',
        b"[1, 2, 3]",
        b"name,age\nann,7\n",
        b"\x89PNG\r\n\x1a\n\x00\x00\xff",
        b'"text"',
        b"[" * 100_000,
    ],
)
def test_a_file_of_no_known_format_is_one_error_that_lists_the_formats(tmp_path, content):
    path = tmp_path / "data.bin"
    path.write_bytes(content)
    with pytest.raises(UnknownFormatError) as caught:
        list(read_events(path))
    assert str(path) in caught.value.message
    for name in ("openai", "anthropic", "langchain", "tau-bench", "hippocortex"):
        assert name in caught.value.message


def test_a_named_format_is_insisted_on(write):
    with pytest.raises(UnknownFormatError, match="not in the format 'tau-bench'"):
        list(read_events(write("chat.json", CHAT), format="tau-bench"))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]", b'{"messages": []}'])
def test_an_empty_file_holds_no_events_and_is_no_error(tmp_path, content):
    path = tmp_path / "empty.json"
    path.write_bytes(content)
    assert list(read_events(path)) == []


def test_a_truncated_archive_is_a_problem(tmp_path):
    path = tmp_path / "runs.jsonl.gz"
    lines = "\n".join(json.dumps({"messages": [{**HELLO, "n": n}]}) for n in range(5000))
    path.write_bytes(gzip.compress(lines.encode())[:-200])
    *events, problem = read_events(path)
    assert events
    assert isinstance(problem, Problem)
    assert "broken file" in problem.message


def test_bytes_that_are_not_utf8_spoil_only_their_event(tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_bytes(b'{"role":"user","content":"caf\xe9"}\n{"role":"user","content":"ok"}\n')
    bad, good = [i.event.payload["content"] for i in read_events(path)]
    assert bad == "caf\udce9"
    assert good == "ok"


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read_events(tmp_path / "nothing.json"))
