"""`hippocortex doctor`: each line is ok, a warning or a failure, and says what to do."""

import os
import sqlite3

import pytest

KEY = "hx_live_0123456789abcdefghij"


def _by_name(report):
    return {check["name"]: check for check in report["checks"]}


def test_a_healthy_memory_is_ok_throughout(run, run_json, learned):
    report = run_json("doctor")
    assert report["ok"] is True
    checks = _by_name(report)
    names = ["python", "packages", "home", "embedding", "sqlite", "permissions", "journal", "disk"]
    assert list(checks) == [*names, "memory"]
    assert {check["status"] for check in report["checks"]} == {"ok"}
    assert "WAL" in checks["journal"]["message"]
    assert checks["memory"]["message"].startswith("40 events, ")
    assert all(line.startswith("ok ") for line in run("doctor").stdout.splitlines())


def test_doctor_makes_nothing(run, tmp_path):
    assert "is made on first use" in run("doctor").stdout
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_who_named_the_home(run, monkeypatch, tmp_path):
    assert "from HIPPOCORTEX_BASE_URL" in run("doctor").stdout
    assert "from --home" in run("doctor", "--home", "other.db").stdout
    monkeypatch.delenv("HIPPOCORTEX_BASE_URL")
    assert "the default" in run("doctor").stdout
    config = tmp_path / ".hippocortex.json"
    config.write_text('{"baseUrl": "sqlite:///configured.db"}')
    assert f"from {config}" in run("doctor").stdout


def test_a_corrupt_database_fails_and_is_left_as_it_is(run, tmp_path):
    database = tmp_path / "memory.db"
    database.write_bytes(b"not a database, but somebody's file" * 50)
    before = database.read_bytes()
    output = run("doctor", code=1).stdout
    assert "fail journal:" in output
    assert "fail memory:" in output
    assert "fix: restore" in output
    assert database.read_bytes() == before


def test_a_database_of_something_else_fails(run_json, tmp_path):
    with sqlite3.connect(tmp_path / "memory.db") as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    assert _by_name(run_json("doctor", code=1))["memory"]["status"] == "fail"


def test_an_api_key_is_never_shown_in_full(run, unused_port):
    home = f"http://127.0.0.1:{unused_port}/v1"
    result = run("doctor", "--home", home, "--api-key", KEY, code=1)
    assert KEY not in result.output
    assert "hx_live_…ghij" in result.output
    assert "fail memory:" in result.output


def test_a_service_that_cannot_be_reached_fails_with_the_fix(run_json, unused_port):
    report = run_json("doctor", "--home", f"http://127.0.0.1:{unused_port}/v1", code=1)
    checks = _by_name(report)
    assert checks["home"]["status"] == "warn"
    assert checks["memory"]["status"] == "fail"
    assert "check the URL" in checks["memory"]["fix"]


def test_a_broken_configuration_file_is_a_failure(run, monkeypatch, tmp_path):
    monkeypatch.delenv("HIPPOCORTEX_BASE_URL")
    (tmp_path / ".hippocortex.json").write_text("{oops")
    assert "fail home:" in run("doctor", code=1).stdout


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_a_database_everyone_may_write_is_a_warning(run, learned, tmp_path):
    (tmp_path / "memory.db").chmod(0o666)
    output = run("doctor").stdout
    assert "warn permissions:" in output
    assert "fix: chmod o-w" in output
