"""`--print` and `--no-cli`: for those who do it themselves."""

import json
import os
import subprocess

import pytest

from hippocortex_openclaw import installer

KEY = "hx_live_0123456789abcdefghijklmnop"


@pytest.fixture
def no_openclaw(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def test_printing_needs_no_openclaw_and_changes_nothing(run, no_openclaw, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    shown = run("install", "--print").stdout
    assert sorted(tmp_path.rglob("*")) == before
    assert "read conversations" in shown
    assert '"allowConversationAccess": true' in shown
    assert '"baseUrl": "http://127.0.0.1:8377/v1"' in shown
    assert '"apiKey": "${HIPPOCORTEX_API_KEY}"' in shown


def test_what_is_printed_says_for_which_agents_it_is(run, no_openclaw):
    assert "for all agents of OpenClaw" in run("install", "--print").stdout
    shown = run("install", "--print", "--agents", "ops,dev").stdout
    assert "for the agents ops, dev of OpenClaw" in shown
    assert "for all agents" not in shown


def test_what_is_printed_can_be_run(run, openclaw, server):
    script = run("install", "--print", "--scope", "agent").stdout
    for _ in range(2):  # also a second time
        subprocess.run(["sh", "-eu"], input=script, text=True, check=True, capture_output=True)
    assert openclaw.entry()["hooks"] == {"allowConversationAccess": True}
    assert openclaw.entry()["config"] == {
        "baseUrl": server.url,
        "apiKey": "${HIPPOCORTEX_API_KEY}",
        "scope": "agent",
    }
    assert (openclaw.plugin / "index.js").is_file()


def test_what_is_printed_is_also_one_document(run, no_openclaw, tmp_path):
    shown = json.loads(run("install", "--print", "--json").stdout)
    version = installer.packaged_version()
    assert shown["copyTo"] == str(tmp_path / "state" / "openclaw" / version / "hippocortex")
    assert shown["commands"] == [
        f"openclaw plugins install --force --accept-capabilities {shown['copyTo']}",
        "openclaw config patch --stdin",
    ]
    assert shown["patch"]["plugins"]["entries"]["hippocortex"]["enabled"] is True


def test_a_key_to_be_stored_is_not_printed(run, no_openclaw, server):
    assert '"apiKey": "<the API key>"' in run("install", "--print", "--store-key").stdout


def test_the_plugin_is_copied_where_openclaw_looks(run, openclaw, server):
    result = run("install", "--no-cli", stdin="y\n")
    assert openclaw.calls() == []
    assert (openclaw.plugin / "index.js").stat().st_nlink == 1
    assert (openclaw.plugin / "lib").is_dir()
    assert "read conversations" in result.stderr
    assert "openclaw config patch --stdin <<'EOF'" in result.stdout
    assert f'"baseUrl": "{server.url}"' in result.stdout


def test_the_copy_is_made_only_with_consent(run, fails, openclaw, server):
    run("install", "--no-cli", stdin="n\n", code=1)
    fails("install", "--no-cli", code=2)
    assert not openclaw.plugin.exists()


def test_copying_needs_an_openclaw_to_copy_to(fails, tmp_path):
    line = fails("install", "--no-cli", "--yes")
    assert f"there is no OpenClaw state in '{tmp_path}/home/.openclaw'" in line
    (tmp_path / "home" / ".openclaw").mkdir()


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, "home/.openclaw"),
        ({"OPENCLAW_PROFILE": "work"}, "home/.openclaw-work"),
        ({"OPENCLAW_HOME": "~/moved"}, "home/moved/.openclaw"),
        ({"OPENCLAW_HOME": "undefined"}, "home/.openclaw"),
        ({"OPENCLAW_STATE_DIR": "~/oc"}, "home/oc"),
    ],
)
def test_openclaw_keeps_its_state_where_its_variables_say(
    run, tmp_path, monkeypatch, variables, place
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / place).mkdir(parents=True)
    shown = json.loads(run("install", "--no-cli", "--yes", "--json").stdout)
    assert (
        shown["steps"][0]["message"]
        == f"~{os.sep}{place.removeprefix('home/')}/extensions/hippocortex"
    )
    assert (tmp_path / place / "extensions/hippocortex/index.js").is_file()


def test_printing_and_copying_exclude_each_other(fails, no_openclaw):
    assert "exclude each other" in fails("install", "--print", "--no-cli", code=2)


def test_without_the_package_the_commands_say_what_to_install(fails, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for command in ("install", "uninstall", "status"):
        assert fails(command).endswith("pip install 'hippocortex[openclaw]'")
