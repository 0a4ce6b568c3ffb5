"""`hippocortex openclaw status`: what works, what does not, and what to do about it."""

import json
import os
import time

KEY = "hx_live_0123456789abcdefghijklmnop"


def test_all_is_well_after_an_install(steps, openclaw, server):
    openclaw.has_plugin(baseUrl=server.url, apiKey=KEY)
    found = steps("status")
    assert {step["status"] for step in found.values()} == {"ok"}
    assert [*found] == [
        "openclaw",
        "plugin",
        "loaded",
        "access",
        "settings",
        "key",
        "server",
        "spool",
    ]
    assert found["server"]["message"] == f"Hippocortex 0 at {server.url}, tenant 'test'"


def test_it_changes_nothing(run, openclaw, server):
    openclaw.has_plugin(baseUrl=server.url)
    run("status")
    assert openclaw.changes() == []


def test_json_says_everything_but_the_key(run, openclaw, server):
    openclaw.has_plugin(baseUrl=server.url, apiKey=KEY, scope="agent")
    shown = json.loads(run("status", "--json").stdout)
    assert shown["ok"] is True
    assert shown["openclaw"] == {"path": str(openclaw.command), "version": "2026.9.6"}
    assert shown["plugin"]["installed"] == shown["plugin"]["packaged"]
    assert shown["plugin"]["status"] == "loaded"
    assert shown["plugin"]["conversationAccess"] is True
    assert {"agent_end", "before_prompt_build"} <= set(shown["plugin"]["hooks"])
    assert shown["settings"] == {"baseUrl": server.url, "apiKey": "…", "scope": "agent"}
    assert shown["server"] == {
        "url": server.url,
        "reachable": True,
        "keyAccepted": True,
        "version": "0",
        "tenantId": "test",
    }
    assert shown["spool"]["files"] == 0


def test_a_plugin_that_is_not_there_is_a_failure(steps, openclaw):
    found = steps("status", code=1)
    assert found["plugin"]["status"] == "fail"
    assert found["plugin"]["fix"] == "hippocortex openclaw install"
    assert "server" not in found


def test_no_openclaw_is_a_failure_with_the_fix(steps, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = steps("status", code=1)
    assert found["openclaw"]["message"].startswith("openclaw is not on PATH: npm i -g openclaw")
    assert found["spool"]["status"] == "ok"


def test_an_older_plugin_is_a_warning(steps, openclaw, server):
    openclaw.has_plugin(baseUrl=server.url)
    manifest = openclaw.plugin / "openclaw.plugin.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "version": "1.0.0"}))
    step = steps("status")["plugin"]
    assert step["status"] == "warn"
    assert step["message"].startswith("hippocortex 1.0.0, but ")


def test_no_access_to_conversations_is_a_failure(steps, openclaw, server):
    openclaw.has_plugin(entry={"hooks": {}}, baseUrl=server.url)
    found = steps("status", code=1)
    assert found["access"]["status"] == "fail"
    assert found["loaded"]["message"].startswith(
        "OpenClaw does not call agent_end and before_prompt_build: typed hook"
    )
    assert found["access"]["fix"] == "hippocortex openclaw install"


def test_hooks_that_the_settings_switch_off_are_not_missed(steps, openclaw, server):
    rights = {"allowConversationAccess": True, "allowPromptInjection": False}
    openclaw.has_plugin(entry={"hooks": rights}, baseUrl=server.url, apiKey=KEY)
    found = steps("status")
    assert (found["loaded"]["status"], found["access"]["status"]) == ("ok", "warn")


def test_being_left_out_of_a_list_of_allowed_plugins_is_a_failure(steps, openclaw, server):
    openclaw.has_plugin(baseUrl=server.url)
    openclaw.configure(**openclaw.config()["plugins"], allow=["memory-core"])
    assert steps("status", code=1)["allowlist"]["status"] == "fail"


def test_being_denied_is_a_failure(steps, openclaw, server):
    openclaw.has_plugin(baseUrl=server.url)
    openclaw.configure(**openclaw.config()["plugins"], deny=["hippocortex"])
    step = steps("status", code=1)["loaded"]
    assert step["message"] == "the plugin is disabled (blocked by denylist)"


def test_a_plugin_that_is_switched_off_is_a_failure(steps, openclaw, server):
    openclaw.has_plugin(entry={"enabled": False}, baseUrl=server.url)
    step = steps("status", code=1)["loaded"]
    assert step["message"] == "the plugin is disabled (disabled in config)"


def test_a_server_that_is_down_is_a_failure(steps, openclaw, server):
    openclaw.has_plugin(baseUrl="http://127.0.0.1:9/v1")
    step = steps("status", code=1)["server"]
    assert (step["status"], step["fix"]) == ("fail", "hippocortex serve --port 9")


def test_a_url_that_somebody_broke_is_a_failure(steps, openclaw, server):
    openclaw.has_plugin(baseUrl="sqlite:///memory.db")
    assert "speaks HTTP" in steps("status", code=1)["server"]["message"]


def test_a_key_that_openclaw_alone_has_is_not_tried(steps, openclaw, monkeypatch, server):
    openclaw.has_plugin(baseUrl=server.url, apiKey=KEY)
    monkeypatch.delenv("HIPPOCORTEX_API_KEY")
    server.api_key = None  # as `hippocortex serve` tells anybody that it is there
    step = steps("status")["server"]
    assert step["message"].endswith("the key was not tried, it is OpenClaw's")


def test_what_waits_is_counted_with_its_age(run, steps, openclaw, server):
    openclaw.has_plugin(baseUrl=server.url)
    spool = openclaw.state / "hippocortex" / "spool"
    spool.mkdir(parents=True)
    for name in ("000001-a.json", "000002-a.json", "000003-a.json.tmp", "drain.lock"):
        (spool / name).write_text("{}")
    os.utime(spool / "000001-a.json", (0, time.time() - 7_300))
    found = steps("status")
    assert found["spool"]["status"] == "warn"
    assert found["spool"]["message"].startswith("2 files not sent yet (4 bytes) in ")
    assert found["spool"]["message"].endswith(", for 2 hours")
    shown = json.loads(run("status", "--json").stdout)["spool"]
    assert (shown["folder"], shown["files"], shown["bytes"]) == (str(spool), 2, 4)


def test_a_spool_elsewhere_is_found(steps, openclaw, server, tmp_path):
    openclaw.has_plugin(baseUrl=server.url, spoolDir=str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "000001-a.json").write_text("{}")
    assert steps("status")["spool"]["message"].startswith("1 file not sent yet (2 bytes)")
