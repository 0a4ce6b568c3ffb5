"""`hippocortex openclaw uninstall`: as often as one likes, and the memory stays."""

import pytest


@pytest.fixture
def copies(tmp_path):
    return tmp_path / "state" / "openclaw"


def test_it_removes_the_plugin_its_settings_and_our_copies(run, openclaw, server, copies):
    run("install", "--yes")
    openclaw.forget_calls()

    shown = run("uninstall").stdout

    assert openclaw.changes() == [["plugins", "uninstall", "hippocortex", "--force"]]
    assert openclaw.entry() == {"enabled": False}
    assert not openclaw.plugin.exists()
    assert not copies.exists()
    assert f"what was learned stays at {server.url}" in shown


def test_a_copy_that_is_a_link_goes_without_what_it_leads_to(
    run, openclaw, server, copies, tmp_path
):
    run("install", "--yes")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (copies / "1.9.0").symlink_to(elsewhere)
    run("uninstall")
    assert not copies.exists()
    assert elsewhere.is_dir()


def test_doing_it_again_is_fine(run, steps, openclaw, server):
    openclaw.has_plugin(baseUrl=server.url)
    run("uninstall")
    before = openclaw.config()
    again = steps("uninstall")
    assert again["plugin"]["message"] == "OpenClaw does not have it"
    assert openclaw.config() == before


def test_where_it_never_was_nothing_is_changed(steps, openclaw):
    assert steps("uninstall")["plugin"]["message"] == "OpenClaw does not have it"
    assert not (openclaw.state / "openclaw.json").exists()


def test_a_copy_put_there_by_hand_goes_with_its_settings(run, steps, openclaw, server):
    run("install", "--no-cli", "--yes")
    openclaw.configure(
        allow=["memory-core", "hippocortex"],
        entries={
            "hippocortex": {"enabled": True, "hooks": {"allowConversationAccess": True}},
            "other": {"enabled": True},
        },
    )
    found = steps("uninstall")
    assert found["plugin"]["message"].endswith("extensions/hippocortex is removed")
    assert [*found] == ["settings", "plugin", "copies", "memory"]
    assert not openclaw.plugin.exists()
    assert openclaw.config()["plugins"] == {
        "allow": ["memory-core"],
        "entries": {"other": {"enabled": True}},
    }


def test_after_a_copy_by_hand_openclaw_takes_an_install_again(run, openclaw, server):
    run("install", "--no-cli", "--yes")
    openclaw.configure(entries={"hippocortex": {"enabled": True, "config": {"maxTokens": 700}}})
    run("uninstall")
    run("install", "--yes")
    assert openclaw.entry()["enabled"]


def test_settings_without_a_plugin_go_too(steps, openclaw):
    openclaw.configure(entries={"hippocortex": {"config": {"maxTokens": 700}}})
    assert "settings" in steps("uninstall")
    assert openclaw.config()["plugins"] == {"entries": {}}


def test_what_was_not_sent_yet_stays_and_is_told_of(steps, openclaw, server):
    openclaw.has_plugin(baseUrl=server.url)
    spool = openclaw.state / "hippocortex" / "spool"
    spool.mkdir(parents=True)
    (spool / "000001795226510615-000001-4fd1c2a0.json").write_text("{}")
    assert "; 1 file not sent yet, in " in steps("uninstall")["memory"]["message"]
    assert len(list(spool.iterdir())) == 1


def test_a_refusal_is_an_error(run, fails, openclaw, server, copies):
    run("install", "--yes")
    openclaw.behaves(faults={"plugins uninstall": [1, "Config is managed externally."]})
    line = fails("uninstall")
    assert line.endswith(
        "`openclaw plugins uninstall hippocortex --force` failed: Config is managed externally."
    )
    assert copies.exists()
