"""Where transcripts are kept, in how many places at once, and what of them is broken."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from datetime import datetime, timezone

import pytest
import zstandard

from hippocortex_core.errors import ValidationError
from hippocortex_openclaw.transcripts import Settings, Transcripts

HELLO = [("user", "Hi"), ("assistant", "Hello")]


def listing(folder):
    return {path.relative_to(folder): path.stat().st_size for path in folder.rglob("*")}


# --- databases -----------------------------------------------------------------------------------


def test_long_entries_are_compressed_and_read(state):
    words = " ".join(f"word{n}" for n in range(500))
    state.store(state.talk().turn("Tell me", words))
    assert state.said() == [("user", "Tell me"), ("assistant", words)]


def test_every_agent_is_read_or_the_one_that_is_asked_for(state):
    state.store(state.talk().turn("Hi", "Hello"))
    state.store(state.talk("s2").turn("Run", "Ran", run="r2"), "agent:ops:main", agent="ops")
    assert len(state.events()) == 4
    (event, _) = state.events(agents=["ops"])
    assert (event.metadata["agent_id"], event.session_id) == ("ops", "s2")
    with pytest.raises(ValidationError, match=r"no such agent in .* \(there are: main, ops\)"):
        state.events(agents=["nobody"])


def test_only_what_is_younger_than_a_date_is_read(state, start):
    state.store(state.talk().turn("Hi", "Hello").turn("Later", "Later it is", run="r2"))
    since = datetime.fromtimestamp(start / 1_000 + 2, timezone.utc)
    assert state.said(since=since) == [("user", "Later"), ("assistant", "Later it is")]


def test_who_takes_part_is_in_the_key(state):
    state.store(state.talk().turn("Hi", "Hello"), "agent:main:telegram:group:-100:topic:5")
    assert {event.metadata["user_id"] for event in state.events()} == {"telegram:group:-100"}
    state.settings = Settings("agent", "ann")
    assert {event.metadata["user_id"] for event in state.events()} == {"ann"}


def test_a_subagent_belongs_to_whom_it_was_started_for(state):
    group, first, second = (
        "agent:main:telegram:group:-100",
        "agent:main:subagent:1",
        "agent:main:subagent:2",
    )
    frame = "[Subagent Context] You are a subagent.\n\n[Subagent Task]\n\ncount the files"
    source = {"kind": "inter_session", "sourceTool": "sessions_spawn"}
    state.store(state.talk().turn("Hi", "Hello"), group)
    state.store(
        state.talk("s2").user(frame, provenance=source).agent("1", run="r2"),
        first,
        spawned_by=group,
    )
    state.store(state.talk("s3").turn("deeper", "7", run="r3"), second, spawned_by=first)
    state.store(state.talk("s4").turn("lost", "?", run="r4"), "agent:main:subagent:4")
    owners = {event.session_id: event.metadata["user_id"] for event in state.events()}
    assert owners == dict.fromkeys(("s1", "s2", "s3"), "telegram:group:-100") | {"s4": "subagent:4"}
    assert ("user", "count the files") in state.said()


def test_sessions_that_were_to_leave_no_trace_leave_none(state):
    state.store(state.talk().turn("psst", "ok"), "agent:main:dashboard:incognito-1")
    assert state.events() == []


def test_a_deleted_session_is_read_from_its_archive(state):
    talk = state.talk().turn("Hi", "Hello")
    connection = state.database()
    blob = zstandard.compress("\n".join(talk.lines).encode())
    connection.execute(
        "INSERT INTO session_transcript_archives VALUES (?, 'g', ?, 'deleted', 'zstd', ?, 'n', 0)",
        ("s1", "agent:main:telegram:group:-100", blob),
    )
    connection.close()
    state.file("sessions/s1.jsonl.deleted.2026-11-21T02-06-56.660Z.g.zst", talk.lines)
    assert state.said() == HELLO
    assert state.events()[0].metadata["user_id"] == "telegram:group:-100"


@pytest.mark.parametrize("place", ["file", "sqlite"])
def test_a_cold_session_is_read_from_where_it_was_moved(state, place):
    talk = state.talk().turn("Hi", "Hello")
    lines = [json.dumps({"kind": "header", "version": 1, "sessionId": "s1", "generation": "g"})]
    for seq, line in enumerate(talk.lines):
        row = {"seq": seq, "event_json": line, "created_at": 0}
        lines.append(json.dumps({"kind": "event", "row": row}))
    lines.append(json.dumps({"kind": "index", "row": {"indexed_seq": 2}}))
    talk.entries.clear()
    state.store(talk)
    blob = None
    if place == "file":
        state.file(f"sessions/cold/{'a' * 64}.jsonl.zst", lines)
    else:
        blob = zstandard.compress("\n".join(lines).encode())
    connection = state.database()
    cold = "INSERT INTO session_transcript_cold_archives VALUES ('s1', 'n', ?, ?)"
    connection.execute(cold, (place, blob))
    connection.close()
    assert state.said() == HELLO


def test_an_unknown_schema_is_read_as_far_as_it_goes_with_a_warning(state):
    state.store(state.talk().turn("Hi", "Hello"))
    connection = state.database()
    connection.execute("ALTER TABLE transcript_events ADD COLUMN event_brotli BLOB")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    past = Transcripts(state.folder)
    assert past.count() == 1
    (warning,) = past.warnings
    assert "schema 99 is unknown (4 to 23 are known)" in warning
    assert state.said() == HELLO


def test_an_older_schema_has_fewer_columns_and_tables(state):
    path = state.path()
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT)"
    )
    for seq, line in enumerate(state.talk().turn("Hi", "Hello").lines):
        connection.execute("INSERT INTO transcript_events VALUES ('s1', ?, ?)", (seq, line))
    connection.execute("PRAGMA user_version = 4")
    connection.commit()
    connection.close()
    assert state.said() == HELLO


def test_a_database_of_something_else_is_a_warning(state):
    path = state.path()
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE poems (line TEXT)")
    connection.close()
    past = Transcripts(state.folder)
    assert past.count() == 0
    assert "no transcripts in it" in past.warnings[0]


def test_a_broken_database_is_a_problem_and_the_rest_is_read(state):
    state.store(state.talk().turn("Hi", "Hello"))
    broken = state.path("ops")
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"no database at all" * 100)
    events, (problem,) = state.read()
    assert len(events) == 2
    assert problem.place == str(broken)
    assert "cannot be read" in problem.message


def test_a_database_that_breaks_off_gives_what_stands_before_it(state):
    talk = state.talk()
    for number in range(2_000):
        talk.turn(f"Question {number}", f"Answer {number}", run=f"r{number}")
    state.store(talk)
    path = state.path()
    os.truncate(path, path.stat().st_size // 2)
    events, problems = state.read()
    assert problems
    assert all(str(path) in problem.place for problem in problems)
    assert len(events) < 4_000


def test_broken_rows_are_problems_with_their_place(state):
    talk = state.talk().turn("Hi", "Hello")
    state.store(talk)
    connection = state.database()
    state.row(connection, "s1", 10, "{oops")
    state.row(connection, "s1", 11, "[1, 2]")
    state.row(connection, "s1", 12, "[" * 100_000)
    state.row(connection, "s1", 13, '{"text": "' + "x" * 2_000 + '"}')
    connection.execute(
        "UPDATE transcript_events SET event_zstd = ? WHERE seq = 13", (b"\x28\xb5\x2f\xfdno",)
    )
    state.row(connection, "s1", 14, state.talk("s1x").turn("More", "More it is", run="r2").lines[2])
    connection.close()
    events, problems = state.read()
    assert [problem.place.rpartition(": ")[2] for problem in problems] == [
        f"session s1 row {number}" for number in (10, 11, 12, 13)
    ]
    assert [problem.message.partition(":")[0] for problem in problems] == [
        *("not JSON", "not a JSON object", "not JSON", "broken")
    ]
    assert len(events) == 3


def test_a_row_that_is_larger_than_any_event_is_bounded_or_a_problem(state):
    talk = state.talk().turn("word " * 1_000_000, "Hello")
    bomb = zstandard.compress(b" " * (32 << 20))
    state.store(talk)
    connection = state.database()
    state.row(connection, "s1", 9, " " * 2_000)
    connection.execute("UPDATE transcript_events SET event_zstd = ? WHERE seq = 9", (bomb,))
    connection.close()
    events, (problem,) = state.read()
    assert len(events[0].payload["content"]) < 210_000
    assert "is longer than" in problem.message


# --- while OpenClaw is running -------------------------------------------------------------------


def test_reading_leaves_no_trace_in_a_folder_at_rest(state):
    state.store(state.talk().turn("Hi", "Hello"))
    before = listing(state.folder)
    assert not any("-wal" in path.name for path in before)
    assert state.said() == HELLO
    assert listing(state.folder) == before


def test_a_gateway_that_starts_meanwhile_is_a_warning(state):
    state.store(state.talk().turn("Hi", "Hello"))
    past = Transcripts(state.folder)
    found = []
    for session in past.sessions():
        found += session.items()
        writer = state.database()
        state.row(writer, "s1", 99, "{}")
    assert len(found) == 2
    assert "began to write to it meanwhile; import again" in past.warnings[0]
    writer.close()


def test_a_log_that_was_left_behind_is_read_in_a_copy(state):
    writer = state.database()
    state.store(state.talk().turn("Hi", "Hello"))
    path = state.path()
    log = path.with_name(f"{path.name}-wal").read_bytes()
    main = path.read_bytes()
    writer.close()
    path.write_bytes(main)
    path.with_name(f"{path.name}-wal").write_bytes(log)
    before = listing(state.folder)
    assert state.said() == HELLO
    assert listing(state.folder) == before


def test_a_database_may_be_written_while_it_is_read(state):
    talk = state.talk()
    for number in range(300):
        talk.turn(f"Question {number}", f"Answer {number}", run=f"r{number}")
    state.store(talk)
    more = state.talk("s2").turn("Hi", "Hello", run="late").lines
    writer = state.database()
    stop = threading.Event()

    def write():
        connection = state.database()
        for seq in range(10_000, 1_000_000):
            state.row(connection, "s1", seq, more[1].replace("s2-0", f"w{seq}"))
            if stop.is_set():
                break
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        events, problems = state.read()
    finally:
        stop.set()
        thread.join()
        writer.close()
    assert problems == []
    assert (
        len({event.idempotency_key for event in events if ":user" in event.idempotency_key}) >= 300
    )


# --- files ---------------------------------------------------------------------------------------


def legacy(talk):
    """The lines as versions wrote them that named no runs."""
    lines = [json.loads(line) for line in talk.lines]
    for line in lines:
        line.get("message", {}).pop("__openclaw", None)
    return [json.dumps(line) for line in lines]


@pytest.mark.parametrize(
    "name",
    [
        "sessions/s1.jsonl",
        "sessions/s1.jsonl.reset.2026-01-05T10-00-00.000Z",
        "sessions/s1.jsonl.deleted.2026-01-05T10-00-00.000Z.zst",
        "session-sqlite-import-archive/archive-tier.s1.jsonl.imported-1788000000000",
        "session-sqlite-import-archive/agent_main_main.s1.jsonl.imported-1788000000000.1",
    ],
)
def test_transcripts_of_older_versions_are_read(state, name):
    talk = state.talk().user("Go").agent("", ("c1", "Bash", {"command": "x"}))
    talk.result("c1", "Bash", "(Command exited with code 2)").agent("No").turn("Hi", "Hello")
    state.file(name, legacy(talk))
    assert state.said() == [
        ("user", "Go"),
        ("call", "Bash", {"command": "x"}),
        ("failure", "Bash", "exit code 2"),
        ("assistant", "No"),
        *HELLO,
    ]
    runs = [event.metadata["run_id"] for event in state.events()]
    assert runs == ["s1:s1-0"] * 4 + ["s1:s1-4"] * 2


def test_an_index_says_whose_the_files_are(state):
    state.file("sessions/s1.jsonl", legacy(state.talk().turn("Hi", "Hello")))
    index = {"agent:main:whatsapp:dm:+49": {"sessionId": "s1", "updatedAt": 1}}
    state.file("sessions/sessions.json", [json.dumps(index)])
    assert {event.metadata["user_id"] for event in state.events()} == {"whatsapp:direct:+49"}


def test_a_session_in_several_places_is_read_once(state):
    talk = state.talk().turn("Hi", "Hello")
    early = list(talk.lines)
    state.store(talk.turn("Later", "Later it is", run="r2"))
    state.file("session-sqlite-import-archive/archive-tier.s1.jsonl.imported-1", early)
    state.file("sessions/s1.jsonl.reset.2026-01-05T10-00-00.000Z", early)
    state.file("sessions/s1.jsonl", talk.lines)
    assert state.said() == [*HELLO, ("user", "Later"), ("assistant", "Later it is")]


def test_what_is_no_transcript_is_passed_over(state):
    state.file("sessions/s1.jsonl", state.talk().turn("Hi", "Hello").lines)
    state.file("sessions/s1.trajectory.jsonl", ['{"traceSchema": "openclaw-trajectory"}'])
    state.file("sessions/s1.jsonl.lock", ["{}"])
    state.file("sessions/notes.txt", ["hello"])
    assert state.said() == HELLO


def test_broken_files_are_problems_and_the_rest_is_read(state):
    talk = state.talk().turn("Hi", "Hello")
    state.file("sessions/s1.jsonl", [talk.lines[0], "{oops", *talk.lines[1:], '{"cut": "of'])
    packed = state.file("sessions/s2.jsonl.deleted.1.zst", talk.lines * 50)
    packed.write_bytes(packed.read_bytes()[:-20])
    state.file("sessions/sessions.json", ["{oops"])
    events, problems = state.read()
    assert len(events) >= 2
    told = [problem.place.rpartition("sessions/")[2] for problem in problems]
    assert told[0] == "sessions.json"
    assert "s1.jsonl: line 2" in told
    assert "s1.jsonl: line 5" in told
    assert "s2.jsonl.deleted.1.zst" in told
    assert "cut off" in str(problems)


def test_an_empty_file_is_no_problem(state):
    state.file("sessions/s1.jsonl", [])
    state.file("sessions/s2.jsonl.deleted.1.zst", [])
    assert state.events() == []


def test_a_folder_that_is_none_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENCLAW_STATE_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ValidationError, match=r"there is no OpenClaw in '.*nowhere'"):
        Transcripts()


def test_without_anything_compressed_the_library_for_it_is_not_needed(state):
    state.store(state.talk().turn("Hi", "Hello"))
    code = (
        "import sys; sys.modules['zstandard'] = None\n"
        "from hippocortex_openclaw.transcripts import Transcripts\n"
        f"print(sum(len(list(one.items())) for one in Transcripts({str(state.folder)!r}).sessions()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2"
