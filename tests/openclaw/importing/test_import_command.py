"""`hippocortex openclaw import`, into a real memory."""

import json
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from hippocortex.cli.app import app


@pytest.fixture
def run(monkeypatch, tmp_path, state):
    """Run the command in this process, on the state folder and a memory of its own."""
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", f"sqlite:///{tmp_path.as_posix()}/memory.db")

    def _run(*args, command=("openclaw", "import", "--state-dir", state.folder), code=0):
        result = CliRunner().invoke(app, [str(one) for one in (*command, *args)])
        assert result.exit_code == code, result.output
        return result

    return _run


@pytest.fixture
def stored(run):
    """The events of the memory, oldest first."""
    options = ("events", "--json", "--order", "asc", "--limit", "1000")
    return lambda: json.loads(run(command=options).stdout)["events"]


def test_it_says_what_was_stored_and_what_to_do_next(run, state):
    state.store(state.talk().turn("Hi", "Hello"))
    assert run().stdout.splitlines() == [
        "2 events ingested, 0 duplicates.",
        "Next: `hippocortex learn` turns them into knowledge.",
    ]


def test_importing_again_stores_only_what_is_new(run, state, stored):
    talk = state.talk().turn("Hi", "Hello")
    state.store(talk)
    run()
    connection = state.database()
    for seq, line in enumerate(state.talk().turn("Later", "Fine", run="r2").lines[1:], start=10):
        state.row(connection, "s1", seq, line.replace('"s1-', '"later-'))
    connection.close()
    summary = json.loads(run("--json").stdout)["summary"]
    assert summary == {"total": 4, "ingested": 2, "duplicates": 2, "errors": 0}
    assert [event["payload"]["content"] for event in stored()] == ["Hi", "Hello", "Later", "Fine"]


def test_events_keep_their_time_their_owner_and_their_key(run, state, stored):
    state.store(state.talk().turn("Hi", "Hello"), "agent:main:telegram:group:-100")
    run("--user", "ann")
    event = stored()[0]
    assert event["occurredAt"] == "2026-11-21T02:01:40.000Z"
    assert event["metadata"]["user_id"] == "telegram:group:-100"
    assert event["idempotencyKey"] == "oc:r1:user"
    state.store(state.talk("s2").turn("Hi", "Hello", run="r2"))
    run("--user", "ann")
    assert stored()[-1]["metadata"]["user_id"] == "ann"


def test_a_dry_run_stores_nothing(run, state, stored):
    state.store(state.talk().turn("Hi", "Hello"))
    assert run("--dry-run").stdout == "2 events found; nothing was stored.\n"
    document = json.loads(run("--dry-run", "--json").stdout)
    assert document["summary"] == {"total": 2, "found": 2}
    assert document["dryRun"] is True
    assert stored() == []


def test_agents_and_dates_narrow_it_down(run, state):
    state.store(state.talk().turn("Hi", "Hello"))
    state.store(state.talk("s2").turn("Run", "Ran", run="r2"), "agent:ops:main", agent="ops")
    assert "2 events" in run("--agent", "ops", "--dry-run").stdout
    assert "4 events" in run("--agent", "ops", "--agent", "main", "--dry-run").stdout
    assert "4 events" in run("--since", "2026-11-21", "--dry-run").stdout
    assert "0 events" in run("--since", "2026-11-22", "--dry-run").stdout


def test_what_cannot_be_read_is_reported_and_the_rest_is_stored(run, state):
    state.store(state.talk().turn("Hi", "Hello"))
    connection = state.database()
    state.row(connection, "s1", 10, "{oops")
    connection.close()
    result = run(code=1)
    (problem,) = result.stderr.splitlines()
    assert problem.startswith(f"error: {state.path()}: session s1 row 10: not JSON")
    assert "2 events ingested, 0 duplicates, 1 error." in result.stdout


def test_an_unusual_database_is_a_warning(run, state):
    state.store(state.talk().turn("Hi", "Hello"))
    connection = state.database()
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    result = run()
    assert result.stderr.startswith("warning: ")
    assert "schema 99 is unknown" in result.stderr
    assert json.loads(run("--json").stdout)["warnings"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--state-dir", "nowhere"], "there is no OpenClaw in 'nowhere'"),
        (["--agent", "nobody"], "(there are: main)"),
        (["--scope", "world"], "is not one of: conversation, agent, shared"),
        (["--since", "yesterday"], "--since"),
    ],
)
def test_a_mistake_is_told_in_one_line(state, args, told, monkeypatch):
    monkeypatch.delenv("HIPPOCORTEX_STRICT", raising=False)  # which shows where
    state.store(state.talk().turn("Hi", "Hello"))
    command = [sys.executable, "-m", "hippocortex.cli", "openclaw", "import"]
    where = [] if "--state-dir" in args else ["--state-dir", str(state.folder)]
    done = subprocess.run([*command, *where, *args], capture_output=True, text=True, check=False)
    assert done.returncode in {1, 2}
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert done.stdout == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_it_may_be_killed_and_run_again(run, state, stored, tmp_path):
    talk = state.talk()
    for number in range(2_000):
        talk.turn(f"Question {number}", f"Answer {number}", run=f"r{number}")
    state.store(talk)
    # Killed by itself, in the middle of storing: no test has to guess when that is.
    code = (
        "import os, signal, sys\n"
        "from hippocortex.cli import ingest\n"
        "store, calls = ingest._store, []\n"
        "def dying(memory, events):\n"
        "    calls.append(store(memory, events))\n"
        "    if len(calls) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return calls[-1]\n"
        "ingest._store = dying\n"
        "from hippocortex.cli.app import app\n"
        f"app(['openclaw', 'import', '--state-dir', {str(state.folder)!r}])\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    summary = json.loads(run("--json").stdout)["summary"]
    assert summary == {"total": 4_000, "ingested": 2_500, "duplicates": 1_500, "errors": 0}


def test_what_failed_before_is_known_afterwards(run, state):
    """From a folder of OpenClaw to a playbook for the next deployment."""
    for number in range(6):
        talk = state.talk(f"s{number}").user("Deploy payments to staging")
        run_id = f"r{number}"
        calls = [("deploy", "pending migrations", True), ("migrate", "ok", False)]
        for place, (tool, text, failed) in enumerate([*calls, ("deploy", "live", False)]):
            call_id = f"c{place}"
            talk.agent("", (call_id, tool, {"service": "payments"}), run=run_id)
            talk.result(call_id, tool, text, failed=failed, run=run_id)
        state.store(talk.agent("It is live", run=run_id), f"agent:main:k{number}")
    run()
    run(command=("learn",))
    query = ("synthesize", "deploy payments to production", "--user", "owner", "--agent", "main")
    told = run(command=query).stdout
    assert "pending migrations" in told
    assert "migrate" in told
