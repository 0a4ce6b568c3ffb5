"""Running the `openclaw` command: which one, which versions, and what its failures mean."""

import pytest

from hippocortex_openclaw._compat import Version, parse_version
from hippocortex_openclaw._install.cli import Output

OLD_NODE = (
    "openclaw: Node 20.20.2: node:sqlite is unavailable; use 24.16+/26.1+ or a build with the fix.\n"
    "If you use nvm, run:\n  nvm install 26"
)
UNSUPPORTED_NODE = "Node 22.1.0 is unsupported; OpenClaw requires >=24.16.0 <25, or >=26.1.0."


def test_no_openclaw_is_an_error_with_the_fix(fails, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for command in (["install", "--yes"], ["uninstall"]):
        line = fails(*command)
        assert "openclaw is not on PATH: npm i -g openclaw" in line
        assert "Node 24.16 or newer of 24, or 26.1 or newer" in line
        assert "--print" in line


def test_a_variable_names_another_one(run, openclaw, server, monkeypatch, tmp_path):
    moved = tmp_path / "my openclaw"
    openclaw.command.rename(moved)
    monkeypatch.setenv("OPENCLAW_BIN", str(moved))
    assert "ok   openclaw: OpenClaw 2026.9.6" in run("install", "--yes").stdout


def test_a_variable_that_names_nothing_is_an_error(fails, openclaw, monkeypatch):
    monkeypatch.setenv("OPENCLAW_BIN", "/nowhere/openclaw")
    assert "OPENCLAW_BIN names '/nowhere/openclaw', which is no command" in fails(
        "install", "--yes"
    )


@pytest.mark.parametrize(
    "said", [OLD_NODE, UNSUPPORTED_NODE, "env: 'node': No such file or directory"]
)
def test_the_wrong_node_is_told_as_openclaw_tells_it(fails, openclaw, said):
    openclaw.behaves(faults={"--version": [1, said]})
    line = fails("install", "--yes")
    assert said.splitlines()[0].removeprefix("openclaw: ").rstrip(".") in line
    assert line.endswith("put Node 24.16 or newer of 24, or 26.1 or newer, first on PATH")


@pytest.mark.parametrize("version", ["2026.7.9", "2026.8.1-beta.3", "2025.12.31-4"])
def test_an_old_openclaw_is_refused(fails, openclaw, version):
    openclaw.behaves(version=version)
    line = fails("install", "--yes")
    assert f"OpenClaw {version} is too old, the plugin needs 2026.8.1 or newer" in line
    assert openclaw.changes() == []


@pytest.mark.parametrize("version", ["2026.8.1", "2026.8.1-2", "2026.10.1-beta.1", "2027.1.1"])
def test_a_newer_openclaw_is_taken(run, openclaw, server, version):
    openclaw.behaves(version=version)
    assert f"OpenClaw {version} (" in run("install", "--yes").stdout


def test_something_else_of_that_name_is_not_taken(fails, openclaw):
    openclaw.behaves(faults={"--version": "garbage"})
    line = fails("install", "--yes")
    assert "did not print a version (<html>lorem ipsum</html>)" in line
    assert "OPENCLAW_BIN names another" in line


def test_a_command_that_hangs_is_ended(fails, openclaw, server):
    openclaw.behaves(faults={"plugins install": "hang"})
    line = fails("install", "--yes", "--timeout", "3")
    assert "`openclaw plugins install" in line
    assert "did not end within 3 s; try it by hand, or allow it longer with --timeout" in line


@pytest.mark.parametrize("command", ["config get", "plugins inspect"])
def test_an_answer_that_is_no_json_is_an_error(fails, openclaw, server, command):
    openclaw.behaves(faults={command: "garbage"})
    assert "did not answer with JSON: '<html>lorem ipsum</html>'" in fails("install", "--yes")


def test_a_refusal_is_told_in_openclaws_words(fails, openclaw, server):
    said = "[config] warnings: something else\nBlocked by security.installPolicy."
    openclaw.behaves(faults={"plugins install": [1, said]})
    line = fails("install", "--yes")
    assert line.endswith(" failed: Blocked by security.installPolicy.")
    assert openclaw.patches() == []  # nothing is configured that is not there


def test_a_configuration_that_refuses_the_patch_is_an_error_that_can_be_mended(
    fails, run, openclaw, server
):
    said = "Config validation failed: gateway.port: expected number"
    openclaw.behaves(faults={"config patch": [1, said]})
    assert fails("install", "--yes").endswith(f"`openclaw config patch --stdin` failed: {said}")
    openclaw.behaves()
    run("install", "--yes")


def test_a_secret_in_openclaws_words_is_not_repeated(fails, openclaw, server):
    said = "invalid value 'hx_live_bEXimYImpERSYRAuKum6wGK6tOoaDptObJIPiy3khK8' at apiKey"
    openclaw.behaves(faults={"config patch": [1, said]})
    line = fails("install", "--yes")
    assert "bEXimY" not in line
    assert "[redacted:" in line


def test_json_is_found_behind_what_plugins_print():
    output = Output("openclaw x", 0, '[plugins] loading\nWARN {not json\n{"a": [1]}\n', "")
    assert output.document() == {"a": [1]}


def test_why_a_command_failed_is_said_by_its_json_first():
    said = '{"ok": false, "error": {"message": "broken"}, "issues": [{"message": "line 2"}]}'
    assert Output("openclaw x", 1, said, "noise").complaint == "broken; line 2"
    assert Output("openclaw x", 3, "", "").complaint == "exit code 3"


def test_versions_are_ordered_as_they_are_released():
    written = [
        "2026.7.30",
        "2026.8.1-alpha.2",
        "2026.8.1-beta.1",
        "2026.8.1-beta.10",
        "2026.8.1-rc.1",
        "2026.8.1",
        "2026.8.1-1",
        "2026.8.2",
        "2026.10.1",
    ]
    versions = [parse_version(f"OpenClaw {text} (eb377ac)") for text in written]
    assert versions == sorted(versions)
    assert [str(version) for version in versions] == written


@pytest.mark.parametrize("text", ["", "OpenClaw", "v24.21.0", "2026-11-21", "26.9.6"])
def test_other_numbers_are_no_versions(text):
    assert parse_version(text) is None


def test_a_stage_without_a_number_is_its_first():
    assert parse_version("2026.8.1-beta") == Version(2026, 8, 1, 1, 0)
