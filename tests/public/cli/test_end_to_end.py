"""The command in a process of its own: exit codes, streams, signals, and the demo."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest


def test_the_demo_shows_a_procedure_a_failure_and_a_decision_with_their_evidence(shell, tmp_path):
    started = time.monotonic()
    done = shell("demo")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 60  # a hang, not a benchmark

    lines = done.stdout.splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("> ") for line in lines) == 3
    assert sum(line.startswith("Budget: ") for line in lines) == 3
    assert "Procedures" in lines
    assert "Known failures" in lines
    assert "Decisions" in lines or "Causes and effects" in lines
    assert len(re.findall(r"\[confidence 0\.\d\d, \d+ events?\]", done.stdout)) >= 3
    assert "SyncHippocortex" in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []  # its memory was thrown away


def test_the_demo_as_json_holds_the_same(shell):
    shown = json.loads(shell("demo", "--json").stdout)
    assert shown["imported"]["errors"] == 0
    assert shown["imported"]["ingested"] > 1_500
    assert shown["learned"]["artifacts"]["byType"]["task_schema"] > 0
    sections = {entry["section"] for q in shown["queries"] for entry in q["result"]["entries"]}
    assert {"procedures", "failures"} <= sections
    assert sections & {"decisions", "causal"}
    for query in shown["queries"]:
        assert query["result"]["budget"]["used"] <= query["result"]["budget"]["limit"]


def test_the_demo_is_the_same_every_time(shell):
    def packs():
        queries = json.loads(shell("demo", "--json").stdout)["queries"]
        return [[entry["content"] for entry in query["result"]["entries"]] for query in queries]

    assert packs() == packs()


def test_the_demo_keeps_its_memory_when_asked(shell, run_json, tmp_path):
    assert shell("demo", "--keep", "kept.db").returncode == 0
    assert run_json("artifacts", "list", "--home", "kept.db")["artifacts"]
    again = shell("demo", "--keep", "kept.db")
    assert again.returncode == 2
    assert again.stderr.startswith("error: ")


def test_import_learn_and_synthesize_work_from_the_shell(shell, trajectories):
    assert shell("import", trajectories).returncode == 0
    assert shell("learn").returncode == 0
    pack = shell("synthesize", "deploy the payment service")
    assert pack.returncode == 0
    assert "deploy" in pack.stdout
    assert pack.stderr == ""


def test_json_is_the_only_thing_on_stdout_even_in_the_default_home(shell, monkeypatch):
    monkeypatch.delenv("HIPPOCORTEX_BASE_URL")
    done = shell("events", "--json")
    assert json.loads(done.stdout)["events"] == []
    assert "memory lives in" in done.stderr


def test_the_version_is_printed(shell):
    done = shell("--version")
    assert re.fullmatch(r"hippocortex \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("extra", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}])
def test_without_a_terminal_there_are_no_colours(shell, trajectories, extra):
    env = {**os.environ, **extra}
    shell("import", trajectories)
    shell("learn")
    for command in (["artifacts", "list"], ["synthesize", "deploy", "--explain"], ["doctor"]):
        done = shell(*command, env=env)
        assert done.returncode == 0, done.stderr
        assert "\x1b[3" not in done.stdout


def test_a_console_that_knows_only_ascii_is_no_reason_to_fail(shell, trajectories):
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert shell("capture", "s1", "-m", "Grüße", env=env).returncode == 0
    shell("import", trajectories)
    shell("learn")
    for command in (
        ["events"],
        ["artifacts", "list"],
        ["synthesize", "deploy"],
        ["events", "--json"],
    ):
        done = shell(*command, env=env)
        assert done.returncode == 0, done.stderr


def test_a_corrupt_database_is_one_clear_line_and_left_as_it_is(shell, tmp_path):
    database = tmp_path / "memory.db"
    database.write_bytes(b"not a database" * 500)
    done = shell("events")
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
    assert database.read_bytes() == b"not a database" * 500


def test_an_unreachable_service_is_one_clear_line(shell, unused_port):
    done = shell("--home", f"http://127.0.0.1:{unused_port}/v1", "--api-key", "hx_test_k", "events")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "hippocortex doctor" in done.stderr


def test_an_unknown_kind_of_home_is_one_clear_line(shell):
    done = shell("events", "--home", "mysql://somewhere")
    assert done.returncode == 1
    assert "sqlite:///" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("how", [["--debug"], []])
def test_a_traceback_is_shown_only_on_request(shell, tmp_path, how, monkeypatch):
    (tmp_path / "memory.db").write_bytes(b"not a database" * 500)
    if not how:
        monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    done = shell("events", *how)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
def test_a_reader_that_goes_away_is_no_error(shell, trajectories):
    shell("import", trajectories)
    line = f"{sys.executable} -m hippocortex.cli export | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
def test_the_output_of_another_command_is_imported(trajectories):
    line = f"{sys.executable} -m hippocortex.cli import <(cat {trajectories})"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert "40 events ingested" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="pipes and signals of POSIX")
def test_ctrl_c_ends_quietly_with_130(tmp_path):
    pipe = tmp_path / "runs.jsonl"
    os.mkfifo(pipe)
    # A job in the background inherits SIGINT ignored; a terminal's command does not.
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    main = "import sys; from hippocortex.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", listening + main, "import", pipe]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        pipe.open("wb"),  # opens when the command has opened its end
    ):
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (output, errors) == (b"", b"interrupted\n")


def test_importing_the_package_loads_neither_typer_nor_rich():
    code = "import sys, hippocortex; print([m for m in ('typer', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_loads_neither_rich_nor_the_engine():
    code = (
        "import sys; from hippocortex.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('rich', 'numpy', 'sqlalchemy', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
