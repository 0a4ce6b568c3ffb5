"""`hippocortex import` and `capture`: getting experience in."""

import gzip
import json

EVENT = {"type": "message", "sessionId": "s1", "payload": {"role": "user", "content": "Hi"}}


def test_importing_says_what_was_stored_and_what_to_do_next(run, trajectories):
    result = run("import", trajectories)
    assert result.stdout.splitlines()[0] == "40 events ingested, 0 duplicates."
    assert "hippocortex learn" in result.stdout


def test_importing_again_gives_only_duplicates(run_json, trajectories):
    first = run_json("import", trajectories)["summary"]
    again = run_json("import", trajectories)["summary"]
    assert first == {"total": 40, "ingested": 40, "duplicates": 0, "errors": 0}
    assert again == {"total": 40, "ingested": 0, "duplicates": 40, "errors": 0}


def test_a_session_keeps_the_order_of_its_file(run, run_json, trajectories):
    run("import", trajectories)
    page = run_json("events", "--session", "deploys-2", "--order", "asc")
    said = [event["payload"].get("tool", event["type"]) for event in page["events"]]
    tools = ["run_tests", "build_image", "deploy", "restart_redis", "deploy"]
    assert said == ["message", *(tool for tool in tools for _ in range(2)), "message"]


def test_session_user_and_agent_are_set_from_the_command_line(run, run_json, tmp_path):
    chat = tmp_path / "chat.json"
    chat.write_text(json.dumps([{"role": "user", "content": "Hi"}]))
    run("import", chat, "--session", "s9", "--user", "ann", "--agent", "bot")
    (event,) = run_json("events", "--user", "ann", "--agent", "bot")["events"]
    assert event["sessionId"] == "s9"


def test_a_bad_record_is_reported_with_its_line_and_the_rest_is_stored(run, trajectories):
    lines = trajectories.read_text().splitlines()
    trajectories.write_text("\n".join([lines[0], "{oops", lines[1]]))
    result = run("import", trajectories, code=1)
    (problem,) = result.stderr.splitlines()
    assert problem.startswith(f"error: {trajectories}:2: not JSON")
    assert "ingested, 0 duplicates, 1 error." in result.stdout


def test_an_event_the_memory_refuses_is_reported_with_its_line(run_json, tmp_path):
    path = tmp_path / "events.jsonl"
    bad = {**EVENT, "payload": {"value": float("nan")}}
    path.write_text("\n".join(map(json.dumps, [EVENT, bad])))
    done = run_json("import", path, code=1)
    assert done["summary"] == {"total": 2, "ingested": 1, "duplicates": 0, "errors": 1}
    (problem,) = done["problems"]
    assert problem["place"] == f"{path}:2"
    assert "payload" in problem["message"]


def test_a_file_of_unknown_format_is_one_line_that_lists_the_formats(run, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("name,age\nann,7\n")
    result = run("import", path, code=1)
    (line,) = result.stderr.splitlines()
    assert str(path) in line
    assert "tau-bench" in line


def test_one_unknown_file_does_not_hinder_the_others(run, tmp_path, trajectories):
    path = tmp_path / "rows.csv"
    path.write_text("name,age\n")
    result = run("import", path, trajectories, code=1)
    assert "40 events ingested, 0 duplicates, 1 error." in result.stdout


def test_a_missing_file_or_folder_is_told_before_anything_is_stored(fails, run_json, trajectories):
    assert "nothing.json does not exist" in fails("import", trajectories, "nothing.json", code=2)
    assert "is a directory" in fails("import", ".", code=2)
    assert run_json("events")["pagination"]["total"] == 0


def test_files_of_the_same_name_become_different_sessions(run, run_json, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "chat.json").write_text('[{"role": "user", "content": "Hi"}]')
    run("import", "a/chat.json", "b/chat.json", "./a/chat.json")
    sessions = {event["sessionId"] for event in run_json("events")["events"]}
    assert sessions == {"a-chat-1", "b-chat-1"}


def test_standard_input_is_a_file(run, trajectories):
    result = run("import", "-", "--session", "s", stdin=trajectories.read_text())
    assert "40 events ingested" in result.stdout


def test_a_compressed_file_is_imported(run, trajectories):
    packed = trajectories.with_suffix(".jsonl.gz")
    packed.write_bytes(gzip.compress(trajectories.read_bytes()))
    assert "40 events ingested" in run("import", packed).stdout


def test_an_export_imports_into_another_memory_with_the_same_ids(run, run_json, trajectories):
    run("import", trajectories)
    assert run("export", "all.jsonl").stderr == "40 events exported to all.jsonl\n"
    run("import", "all.jsonl", "--home", "other.db")
    there = run_json("events", "--home", "other.db", "--limit", "1000")
    here = run_json("events", "--limit", "1000")
    assert there["events"] == here["events"]
    assert "40 duplicates" in run("import", "all.jsonl").stdout


def test_owners_of_exported_events_cannot_be_changed(run, trajectories):
    run("import", trajectories)
    run("export", "all.jsonl")
    result = run("import", "all.jsonl", "--user", "ann", code=1)
    assert "exported events keep their session and owner" in result.stderr
    assert "… and 20 more problems" in result.stderr


def test_export_to_stdout_is_json_lines(run, trajectories):
    run("import", trajectories)
    lines = [json.loads(line) for line in run("export").stdout.splitlines()]
    assert len(lines) == 40
    assert {"id", "type", "sessionId", "payload", "occurredAt", "capturedAt"} <= set(lines[0])


def test_a_failed_export_leaves_the_old_file(fails, tmp_path):
    target = tmp_path / "all.jsonl"
    target.write_text("precious")
    (tmp_path / "memory.db").write_text("not a database" * 100)
    fails("export", target)
    assert target.read_text() == "precious"
    assert not list(tmp_path.glob("*.part"))


def test_capture_stores_an_event_given_as_json(run, run_json):
    result = run("capture", "tool_call", "s1", '{"tool": "deploy"}', "--key", "k1")
    assert result.stdout.startswith("ingested evt_")
    again = run_json("capture", "tool_call", "s1", '{"tool": "deploy"}', "--key", "k1")
    assert again["status"] == "duplicate"


def test_capture_reads_the_payload_from_stdin(run, run_json):
    run("capture", "observation", "s1", "-", stdin='{"text": "green"}')
    assert run_json("events")["events"][0]["payload"] == {"text": "green"}


def test_capture_has_a_short_form_for_messages(run, run_json):
    run("capture", "--session", "s1", "-m", "I prefer aisle seats", "--user", "ann")
    run("capture", "s1", "--message", "Noted.", "--role", "assistant")
    events = run_json("events", "--session", "s1", "--order", "asc")["events"]
    assert [event["payload"] for event in events] == [
        {"role": "user", "content": "I prefer aisle seats"},
        {"role": "assistant", "content": "Noted."},
    ]


def test_capture_takes_the_time_it_happened(run, run_json):
    run("capture", "s1", "-m", "Hi", "--at", "2024-05-01T10:00:00Z")
    assert run_json("events")["events"][0]["occurredAt"].startswith("2024-05-01T10:00:00")


def test_capture_says_what_is_wrong_with_an_event(fails):
    assert "unknown event type 'telepathy'" in fails("capture", "telepathy", "s1", "{}")
    assert "payload: must be an object" in fails("capture", "message", "s1", "[1]")
    assert "payload.x" in fails("capture", "message", "s1", '{"x": NaN}')
    assert "occurred_at" in fails("capture", "s1", "-m", "Hi", "--at", "yesterday")
    assert "PAYLOAD is not JSON" in fails("capture", "message", "s1", "{", code=2)
    assert "TYPE SESSION PAYLOAD" in fails("capture", "message", code=2)
    assert "--session" in fails("capture", "-m", "Hi", code=2)
