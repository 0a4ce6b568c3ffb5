"""`hippocortex openclaw install` against a fake `openclaw` and a real server."""

import json
import os
import shutil

import pytest

from hippocortex_core.errors import NetworkError
from hippocortex_core.testing import answer
from hippocortex_openclaw import installer

KEY = "hx_live_0123456789abcdefghijklmnop"


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_it_installs_a_copy_first_and_configures_it_afterwards(run, openclaw, server, tmp_path):
    shown = run("install", "--yes").stdout

    copy = tmp_path / "state" / "openclaw" / installer.packaged_version() / "hippocortex"
    assert openclaw.changes() == [
        ["plugins", "install", "--force", "--accept-capabilities", str(copy)],
        ["config", "patch", "--stdin"],
    ]
    assert openclaw.entry() == {
        "enabled": True,
        "hooks": {"allowConversationAccess": True},
        "config": {"baseUrl": server.url, "apiKey": "${HIPPOCORTEX_API_KEY}"},
    }
    assert "allow" not in openclaw.config()["plugins"]  # a list would shut out all others
    assert f"ok   server: Hippocortex 0 at {server.url}, tenant 'test'" in shown
    assert "ok   loaded: OpenClaw calls after_tool_call, agent_end, before_prompt_build" in shown
    assert "running gateway takes it up by itself" in shown


def test_it_verifies_after_everything_is_in_place(run, openclaw, server):
    run("install", "--yes")
    order = [" ".join(call["args"][:2]) for call in openclaw.calls()]
    assert order == [
        "--version",
        "config get",
        "plugins install",
        "config patch",
        "config get",
        "plugins inspect",
    ]


def test_the_copies_are_real_files_that_nobody_else_may_write(run, openclaw, server, tmp_path):
    mask = os.umask(0)
    try:
        run("install", "--yes")
    finally:
        os.umask(mask)
    copies = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert {"package.json", "openclaw.plugin.json", "index.js"} <= {path.name for path in copies}
    assert {(path.stat().st_nlink, path.stat().st_mode & 0o777) for path in copies} == {(1, 0o644)}
    folders = [path for path in (tmp_path / "state").rglob("hippocortex*") if path.is_dir()]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o755}


def test_a_plugin_that_was_installed_as_hard_links_can_be_installed_all_the_same(
    run, openclaw, server, tmp_path, monkeypatch
):
    linked = tmp_path / "site-packages"
    shutil.copytree(str(installer.by_hand(installer.Wanted()).source), linked)
    for path in [one for one in linked.rglob("*") if one.is_file()]:
        os.link(path, tmp_path / f"link of {path.name}")
    monkeypatch.setattr("hippocortex_openclaw._install.installing.packaged", lambda: linked)

    run("install", "--yes")

    assert (linked / "index.js").stat().st_nlink == 2
    assert (openclaw.plugin / "index.js").stat().st_nlink == 1
    assert files(openclaw.plugin) == files(linked)


def test_the_copies_lie_below_the_home_folder_unless_told_otherwise(
    run, openclaw, server, tmp_path, monkeypatch
):
    monkeypatch.delenv("HIPPOCORTEX_STATE_DIR")
    assert "ok   copy: ~/.hippocortex/openclaw/" in run("install", "--yes").stdout
    assert (tmp_path / "home/.hippocortex/openclaw").is_dir()


def test_it_says_what_it_does_and_asks(run, openclaw, server, tmp_path):
    result = run("install", stdin="y\n")
    asked = result.stderr
    assert "read conversations" in asked
    assert "put what it remembers into prompts" in asked
    assert f"send what it reads, secrets redacted, to {server.url}" in asked
    assert "openclaw plugins install --force --accept-capabilities" in asked
    assert "openclaw config patch --stdin <<< '{" in asked
    assert '"apiKey": "${HIPPOCORTEX_API_KEY}"' in asked
    assert asked.endswith("Go on? [y/N] ")
    assert openclaw.entry()["enabled"]


@pytest.mark.parametrize("said", ["n\n", "\n", "maybe\n"])
def test_without_a_yes_nothing_happens(run, openclaw, server, tmp_path, said):
    run("install", stdin=said, code=1)
    assert openclaw.changes() == []
    assert not (tmp_path / "state").exists()


def test_nobody_to_ask_is_an_error(fails, openclaw, server):
    assert fails("install", code=2).endswith("not confirmed; --yes agrees without being asked")
    assert openclaw.changes() == []


def test_installing_again_changes_nothing(run, steps, openclaw, server):
    run("install", "--yes")
    before = openclaw.config()
    again = steps("install", "--yes")
    assert openclaw.config() == before
    assert again["copy"]["message"].endswith("was there already")
    assert again["plugin"]["message"].endswith("is installed again")


def test_what_the_user_has_set_is_kept(run, steps, openclaw, server):
    mine = {"maxTokens": 700, "baseUrl": server.url, "scope": "shared", "apiKey": "${MY_KEY}"}
    rights = {"allowConversationAccess": False, "allowPromptInjection": True}
    openclaw.configure(entries={"hippocortex": {"config": mine, "hooks": rights}, "other": {}})

    run("install", "--yes")

    assert openclaw.entry() == {
        "enabled": True,
        "config": mine,
        "hooks": {"allowConversationAccess": True, "allowPromptInjection": True},
    }
    assert "other" in openclaw.config()["plugins"]["entries"]
    settings = steps("install", "--yes")["settings"]
    assert settings["message"].endswith("kept: maxTokens, scope")


def test_settings_that_are_given_are_written(run, openclaw, server):
    run("install", "--yes", "--agents", "main, work", "--user", "ann", "--scope", "agent")
    config = openclaw.entry()["config"]
    assert (config["agents"], config["userId"], config["scope"]) == (
        ["main", "work"],
        "ann",
        "agent",
    )
    result = run("install", "--yes")
    assert "for the agents main, work of OpenClaw" in result.stderr

    run("install", "--yes", "--agents", "all", "--scope", "shared")
    assert "agents" not in openclaw.entry()["config"]
    assert openclaw.entry()["config"]["scope"] == "shared"


def test_another_server_is_named_by_its_url(run, openclaw, server):
    openclaw.configure(entries={"hippocortex": {"config": {"baseUrl": "http://127.0.0.1:9/v1"}}})
    run("install", "--yes", "--base-url", server.url.removesuffix("/v1"))
    assert openclaw.entry()["config"]["baseUrl"] == server.url


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sqlite:///memory.db", "the plugin speaks HTTP"),
        ("http://ann:secret@memory.example/v1", "a server takes an API key instead"),
        ("memory.example", "unknown kind of base URL"),
    ],
)
def test_a_url_that_the_plugin_cannot_use_is_refused(fails, openclaw, url, complaint):
    line = fails("install", "--yes", "--base-url", url)
    assert complaint in line
    assert "secret" not in line
    assert openclaw.calls() == []


def test_a_home_that_is_a_file_is_served_on_this_machine(run, openclaw, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", "sqlite:///memory.db")
    result = run("install", "--yes")
    assert openclaw.entry()["config"]["baseUrl"] == "http://127.0.0.1:8377/v1"
    assert "fix: hippocortex serve" in result.stdout


def test_a_key_alone_means_the_hosted_service_and_that_is_said(run, openclaw, monkeypatch):
    def unreachable(*args):
        raise NetworkError("cannot reach it")

    monkeypatch.setattr("hippocortex_openclaw._install.server._Observed.send", unreachable)
    monkeypatch.setenv("HIPPOCORTEX_API_KEY", KEY)
    asked = run("install", stdin="n\n", code=1).stderr
    assert "https://api.hippocortex.dev/v1 (the hosted service; --base-url" in asked


def test_a_server_that_is_down_is_a_warning(steps, run, openclaw, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", "http://127.0.0.1:9/v1")
    server = steps("install", "--yes")["server"]
    assert server["status"] == "warn"
    assert server["message"].startswith("cannot reach http://127.0.0.1:9/v1: ")
    assert server["fix"] == "hippocortex serve --port 9"
    assert (
        "Before it recalls anything: hippocortex serve --port 9" in run("install", "--yes").stdout
    )


def test_a_key_that_the_server_does_not_know_is_a_warning(steps, openclaw, server, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_API_KEY", "hx_live_of_another_server")
    step = steps("install", "--yes")["server"]
    assert (step["status"], step["message"]) == (
        "warn",
        f"{server.url} does not accept the API key",
    )


def test_no_key_at_all_is_a_warning(steps, openclaw, server, monkeypatch):
    monkeypatch.delenv("HIPPOCORTEX_API_KEY")
    found = steps("install", "--yes")
    assert found["server"]["message"] == f"no API key for {server.url}"
    assert found["key"]["message"] == "OpenClaw has none: HIPPOCORTEX_API_KEY is not set"


def test_a_key_that_openclaw_alone_has_is_not_tried(steps, openclaw, server, monkeypatch):
    monkeypatch.delenv("HIPPOCORTEX_API_KEY")
    (openclaw.state / ".env").write_text(f"A=1\nHIPPOCORTEX_API_KEY={KEY}\n")
    server.api_key = None  # as `hippocortex serve` tells anybody that it is there
    found = steps("install", "--yes")
    assert (found["server"]["status"], found["key"]["status"]) == ("ok", "ok")
    assert found["server"]["message"].endswith("the key was not tried, it is OpenClaw's")


def test_a_key_that_may_only_read_is_a_warning(steps, openclaw, server):
    data = {"ok": True, "data": {"artifacts": [], "pagination": {"hasMore": False, "total": 0}}}
    error = {"code": "forbidden", "message": "this needs a key with the scope 'write'"}
    server.faults.append(answer(200, json.dumps(data).encode()))
    server.faults.append(answer(403, json.dumps({"ok": False, "error": error}).encode()))
    step = steps("install", "--yes")["server"]
    assert step["status"] == "warn"
    assert step["message"].endswith("this needs a key with the scope 'write'")
    assert step["fix"] == "a key with --scope read,write"


def test_trying_the_server_stores_nothing(run, openclaw, server):
    run("install", "--yes")
    assert server.service.list_events().pagination.total == 0


def test_another_machine_without_encryption_is_a_warning(steps, openclaw, server, monkeypatch):
    monkeypatch.setattr("hippocortex_openclaw._install.server._Observed.send", _unreachable)
    step = steps("install", "--yes", "--base-url", "http://127.0.0.1.example/v1")["transport"]
    assert step["status"] == "warn"
    assert "in the clear" in step["message"]


def test_the_key_of_the_shell_is_referred_to_and_never_handed_over(run, openclaw, server):
    run("install", "--yes")
    assert KEY not in json.dumps(openclaw.calls())
    assert KEY not in json.dumps(openclaw.config())
    assert not any(call["knows_key"] for call in openclaw.calls() if call["args"][1:2] == ["get"])


def test_a_gateway_that_will_not_see_the_key_is_told_of(steps, openclaw, server):
    step = steps("install", "--yes")["key"]
    assert step["status"] == "warn"
    assert "does not see it" in step["message"]
    assert step["fix"].startswith(f"put HIPPOCORTEX_API_KEY=… into {openclaw.state}/.env")


def test_a_key_is_stored_when_asked_through_stdin_alone(run, steps, openclaw, server):
    result = run("install", "--yes", "--store-key")
    assert '"apiKey": "<the API key>"' in result.stderr
    assert openclaw.entry()["config"]["apiKey"] == KEY
    assert KEY not in json.dumps([call["args"] for call in openclaw.calls()])

    kept = steps("install", "--yes")
    assert kept["key"]["status"] == "ok"
    assert openclaw.entry()["config"]["apiKey"] == KEY

    run("install", "--yes", "--no-store-key")
    assert openclaw.entry()["config"]["apiKey"] == "${HIPPOCORTEX_API_KEY}"


def test_there_must_be_a_key_to_store(fails, openclaw, server, monkeypatch):
    monkeypatch.delenv("HIPPOCORTEX_API_KEY")
    assert "there is no API key to store" in fails("install", "--yes", "--store-key")


def test_a_list_of_allowed_plugins_is_only_ever_added_to(run, steps, openclaw, server):
    openclaw.configure(allow=["memory-core"])
    run("install", "--yes")
    assert openclaw.config()["plugins"]["allow"] == ["memory-core", "hippocortex"]
    assert len(openclaw.patches()) == 1  # OpenClaw has done it by itself

    openclaw.configure(allow=["memory-core"])
    openclaw.behaves(forgets_allow=True)
    assert steps("install", "--yes")["allowlist"]["status"] == "ok"
    assert openclaw.config()["plugins"]["allow"] == ["memory-core", "hippocortex"]


def test_an_upgrade_replaces_the_plugin_and_the_old_copy(run, steps, openclaw, server, tmp_path):
    run("install", "--yes")
    copies = tmp_path / "state" / "openclaw"
    (copies / installer.packaged_version()).rename(copies / "1.0.0")
    package = openclaw.plugin / "package.json"
    package.write_text(json.dumps({**json.loads(package.read_text()), "version": "1.0.0"}))

    step = steps("install", "--yes")["plugin"]

    assert (
        step["message"]
        == f"hippocortex {installer.packaged_version()} is installed instead of 1.0.0"
    )
    assert [path.name for path in copies.iterdir()] == [installer.packaged_version()]


def test_a_copy_that_somebody_changed_is_made_anew(run, openclaw, server, tmp_path):
    run("install", "--yes")
    copy = next((tmp_path / "state").rglob("hippocortex/index.js"))
    original = copy.read_bytes()
    copy.write_text("throw 1")
    (copy.parent / "more.js").write_text("")
    run("install", "--yes")
    assert (copy.read_bytes(), (copy.parent / "more.js").exists()) == (original, False)


def test_a_plugin_that_openclaw_does_not_load_is_a_failure(steps, openclaw, server):
    openclaw.configure(enabled=False)
    step = steps("install", "--yes", code=1)["loaded"]
    assert step["message"] == "the plugin is disabled (plugins disabled)"
    assert step["fix"] == "openclaw config set plugins.enabled true"
    assert openclaw.config()["plugins"]["enabled"] is False  # that is the user's to decide


def test_a_ban_on_prompts_is_respected(steps, openclaw, server):
    openclaw.configure(entries={"hippocortex": {"hooks": {"allowPromptInjection": False}}})
    found = steps("install", "--yes")
    assert openclaw.entry()["hooks"]["allowPromptInjection"] is False
    assert found["settings"]["status"] == "warn"
    assert found["settings"]["fix"].endswith("hooks.allowPromptInjection")
    assert "before_prompt_build" not in found["loaded"]["message"]
    assert "remark" not in found


def test_json_is_one_document(run, openclaw, server):
    shown = json.loads(run("install", "--yes", "--store-key", "--json").stdout)
    assert shown["baseUrl"] == server.url
    assert shown["patch"]["plugins"]["entries"]["hippocortex"]["config"] == {
        "baseUrl": server.url,
        "apiKey": "<the API key>",
    }


def _unreachable(*args):
    raise NetworkError("cannot reach it")
