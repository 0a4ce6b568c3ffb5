"""`learn`, `synthesize`, `artifacts`, `events`, `forget`, `metrics`: using what is in there."""

import json

import pytest

SIGNALS = 8


def test_learn_says_what_was_found_by_type(run, trajectories):
    run("import", trajectories)
    lines = run("learn").stdout.splitlines()
    assert lines[0].startswith("Learned from 40 events in ")
    assert any("task schema" in line for line in lines[1:])


def test_learn_prints_its_result_as_json(run_json, run, trajectories):
    run("import", trajectories)
    result = run_json("learn", "--full")
    assert result["status"] == "completed"
    assert result["artifacts"]["created"] == sum(result["artifacts"]["byType"].values()) > 0


def test_learn_keeps_to_the_types_and_strength_asked_for(run, run_json, trajectories):
    run("import", trajectories)
    found = run_json("learn", "--type", "task_schema", "--min-strength", "0")
    by_type = found["artifacts"]["byType"]
    assert {kind for kind, number in by_type.items() if number} == {"task_schema"}
    assert run_json("learn", "--min-strength", "1", "--full")["status"] == "completed"


def test_learning_from_nothing_says_so(run):
    assert "No artifacts yet" in run("learn").stdout


def test_synthesize_groups_entries_and_ends_with_the_budget(run, learned):
    result = run("synthesize", "deploy the payment service", "--max-tokens", "600")
    lines = result.stdout.splitlines()
    assert "Procedures" in lines
    assert "[confidence " in result.stdout
    assert " of 600 tokens" in lines[-1]
    assert lines[-1].startswith("Budget: ")


def test_synthesize_as_json_is_the_result(run_json, learned):
    result = run_json("synthesize", "deploy the payment service", "--section", "procedures")
    assert {entry["section"] for entry in result["entries"]} == {"procedures"}
    assert result["budget"]["limit"] == 4000
    assert result["budget"]["entriesIncluded"] == len(result["entries"])


def test_explain_shows_the_eight_signals(run, run_json, learned):
    query = ("synthesize", "deploy the payment service", "--explain", "--section", "procedures")
    entry = run_json(*query)["entries"][0]
    assert len(entry["signals"]) == SIGNALS
    output = run(*query).stdout
    heading = next(line for line in output.splitlines() if line.startswith("section"))
    assert len(heading.split()) == SIGNALS + 2
    assert max(map(len, output.splitlines())) <= 80


def test_a_query_without_an_answer_says_so(run):
    assert "Nothing in this memory" in run("synthesize", "the weather on Mars").stdout


def test_artifacts_are_listed_with_their_ids(run, run_json, learned):
    page = run_json("artifacts", "list", "--sort", "confidence", "--order", "desc")
    output = run("artifacts", "list").stdout
    assert page["artifacts"]
    assert f"of {page['pagination']['total']} artifact" in output
    assert max(map(len, output.splitlines())) <= 80


def test_artifacts_are_listed_page_by_page(run_json, run, learned):
    first = run_json("artifacts", "list", "-n", "1")
    cursor = first["pagination"]["cursor"]
    second = run_json("artifacts", "list", "-n", "1", "--cursor", cursor)
    assert first["artifacts"][0]["id"] != second["artifacts"][0]["id"]
    assert "more: --cursor" in run("artifacts", "list", "-n", "1").stdout


def test_an_artifact_is_shown_with_the_events_behind_it(run, run_json, learned):
    listed = run_json("artifacts", "list", "--type", "task_schema")["artifacts"][0]
    shown = run_json("artifacts", "show", listed["id"])
    assert len(shown["evidenceEvents"]) == len(shown["evidence"]) == listed["evidenceCount"]
    assert [event["id"] for event in shown["evidenceEvents"]] == shown["evidence"]

    output = run("artifacts", "show", listed["id"], "--limit", "2").stdout
    assert output.startswith(listed["title"])
    assert "steps:" in output
    assert "Evidence" in output
    assert f"… and {listed['evidenceCount'] - 2} more events" in output


def test_a_deprecated_artifact_is_gone_from_the_active_ones(run, run_json, learned):
    artifact = run_json("artifacts", "list", "-n", "1")["artifacts"][0]
    assert run("artifacts", "deprecate", artifact["id"]).stdout.startswith("deprecated art_")
    active = run_json("artifacts", "list", "--status", "active", "-n", "100")["artifacts"]
    assert artifact["id"] not in {item["id"] for item in active}


def test_events_are_listed_in_lines_that_fit(run, learned):
    output = run("events", "--type", "tool_result", "-n", "3").stdout
    assert "deploy → ok" in output
    assert "3 of 16 events" in output
    assert max(map(len, output.splitlines()[:-1])) <= 80


def test_events_go_on_where_the_last_page_ended(run_json, learned):
    pages, cursor = [], None
    while cursor or not pages:
        more = ("--cursor", cursor) if cursor else ()
        pages.append(run_json("events", "-n", "15", *more))
        cursor = pages[-1]["pagination"]["cursor"]
    ids = [event["id"] for page in pages for event in page["events"]]
    assert len(ids) == len(set(ids)) == 40


def test_forget_asks_and_takes_no_for_an_answer(run, run_json, learned):
    refused = run("forget", "--session", "deploys-1", code=1, stdin="n\n")
    assert "Delete 8 events for good?" in refused.stderr
    assert run_json("events", "--session", "deploys-1")["pagination"]["total"] == 8
    agreed = run("forget", "--session", "deploys-1", stdin="y\n")
    assert agreed.stdout.startswith("Forgot 8 events;")


def test_forget_without_anybody_to_ask_needs_yes(run, fails, run_json, learned):
    result = run("forget", "--session", "deploys-1", code=2)
    assert "--yes" in result.stderr
    ids = [event["id"] for event in run_json("events", "-n", "2")["events"]]
    assert run_json("forget", *ids, "--yes")["eventsDeleted"] == 2


def test_forget_refuses_to_forget_everything(fails):
    assert "say what to forget" in fails("forget", "--yes", code=2)


def test_metrics_count_the_calls(run, run_json, learned):
    run("synthesize", "deploy")
    result = run_json("metrics", "--period", "7d", "--granularity", "day")
    assert result["usage"]["events"]["ingested"] == 40
    assert result["usage"]["syntheses"] == 1
    output = run("metrics").stdout
    assert "events 40 (40 new, 0 duplicates)" in output


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["synthesize", "x", "--section", "nothing"], "'nothing' is not one of: procedures"),
        (["synthesize", "x", "--min-confidence", "2"], "--min-confidence"),
        (["synthesize", "x", "--max-tokens", "many"], "--max-tokens"),
        (["learn", "--type", "wisdom"], "'wisdom' is not one of: task_schema"),
        (["learn", "--min-strength", "-1"], "--min-strength"),
        (["artifacts", "list", "--sort", "beauty"], "'beauty' is not one of: createdAt"),
        (["artifacts", "list", "--limit", "0"], "--limit"),
        (["artifacts", "show"], "ID"),
        (["events", "--type", "telepathy"], "'telepathy' is not one of: message"),
        (["events", "--order", "up"], "'up' is not one of: asc, desc"),
        (["metrics", "--period", "1y"], "'1y' is not one of: 24h, 7d, 30d"),
        (["import", "x.json", "--format", "xml"], "'xml' is not one of: openai"),
        (["events", "--colour"], "--colour"),
        (["remember"], "remember"),
    ],
)
def test_bad_option_values_are_one_line_that_names_them(fails, args, named):
    assert named in fails(*args, code=2)


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["synthesize", "x", "--max-tokens", "-5"], "max_tokens"),
        (["synthesize", " "], "query"),
        (["events", "--cursor", "bogus"], "cursor"),
        (["artifacts", "list", "--cursor", "bogus"], "cursor"),
        (["artifacts", "show", "art_none"], "art_none"),
        (["artifacts", "deprecate", "art_none"], "art_none"),
    ],
)
def test_what_the_memory_refuses_is_one_line_that_names_the_field(fails, args, named):
    assert named in fails(*args)


def test_help_names_every_command(run):
    output = run("--help").stdout
    for command in ("demo", "import", "capture", "learn", "synthesize", "artifacts", "events"):
        assert command in output
    assert run().stdout == output


def test_json_holds_text_as_it_is(run, run_json):
    run("capture", "s1", "-m", "Grüße aus Köln 🎉")
    assert run_json("events")["events"][0]["payload"]["content"] == "Grüße aus Köln 🎉"
    assert "Grüße aus Köln 🎉" in run("events").stdout
    assert json.loads(run("export").stdout)["payload"]["content"] == "Grüße aus Köln 🎉"


def test_what_was_captured_cannot_steer_the_terminal(run):
    run("capture", "s\u009b1", "-m", "\x1b]0;owned\x07\x1b[31mremember: I prefer red")
    run("learn")
    for command in (["events"], ["synthesize", "which colour"], ["artifacts", "list"]):
        assert not set(run(*command).stdout) & {"\x1b", "\x07", "\u009b"}
