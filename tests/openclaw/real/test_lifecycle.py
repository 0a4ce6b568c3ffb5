"""The plugin comes into a gateway that runs, learns there, and goes out of it again."""

import pytest

from hippocortex_core.testing.llm_server import Answer

pytestmark = pytest.mark.timeout(600)

BEFORE, DURING, AFTER = (f"agent:main:{name}" for name in ("before", "during", "after"))
QUESTION = "When do we deploy?"
OPENING = "<hippocortex_memory>"


@pytest.fixture(scope="module")
def memory(new_memory):
    one = new_memory()
    one.knows("We always deploy on Tuesdays.")
    return one


@pytest.fixture(scope="module")
def gateway(new_openclaw, memory):
    """A gateway that has heard something before it got the plugin."""
    with new_openclaw(memory).gateway() as one:
        turn = one.says(QUESTION, "Someday.", session=BEFORE)
        assert OPENING not in turn.prompt
        yield one


@pytest.fixture(scope="module")
def report(gateway):
    """What was said when the plugin was installed."""
    return gateway.hippocortex("openclaw", "install", "--yes", "--store-key")


def test_a_plugin_that_is_installed_works_at_once(gateway, memory, report, brief):
    assert report["ok"], report
    assert memory.key not in str(report)
    turn = gateway.says(QUESTION, "On Tuesdays.", session=DURING)
    assert "deploy on Tuesdays" in turn.prompt
    said = [brief(event) for event in memory.captured(DURING, 2)]
    assert said == [("user", QUESTION), ("assistant", "On Tuesdays.")]
    assert memory.events(BEFORE) == []


def test_the_log_does_not_end_with_a_complaint_that_is_no_longer_true(gateway, report, eventually):
    """The configuration changes in steps, and the gateway takes up each one."""
    assert report["ok"]
    complaint, end = "may neither recall nor capture", "may recall and capture now"

    def said():
        lines = gateway.logged.splitlines()
        return [one for line in lines for one in (complaint, end) if one in line]

    eventually(lambda: said() in ([], [complaint, end]), "the end of the complaint")


def test_installing_it_again_changes_nothing(gateway, report):
    before = gateway.config.read_text(encoding="utf-8")
    again = gateway.hippocortex("openclaw", "install", "--yes")
    assert again["ok"], again
    assert [step["name"] for step in again["steps"]] == [step["name"] for step in report["steps"]]
    assert _untimed(gateway.config.read_text(encoding="utf-8")) == _untimed(before)


def test_status_says_that_all_is_well(gateway, memory, report):
    assert report["ok"]
    found = gateway.hippocortex("openclaw", "status")
    assert found["ok"], found
    assert found["plugin"]["status"] == "loaded"
    assert found["plugin"]["conversationAccess"]
    assert found["server"]["url"] == memory.url
    assert found["spool"]["files"] == 0
    assert memory.key not in str(found)


SCRIPT = """
case "$*" in
  *--region*) echo "published" ;;
  *) echo "error: missing required option --region"; exit 2 ;;
esac
"""


def publish(*options):
    command = " ".join(["sh publish.sh site", *options])
    return Answer(calls=[("call_1", "exec", {"command": command})])


def obedient_model(messages):
    """Publishes without the option, unless something in the request says that it is needed."""
    answers = [one["content"] for one in messages if one["role"] == "tool"]
    if answers:
        return Answer(f"It says: {answers[-1]}")
    return publish("--region eu") if "--region" in str(messages[1:]) else publish()


def test_a_failure_that_was_put_right_is_avoided_the_next_time(gateway, memory, report):
    assert report["ok"]
    gateway.workspace.joinpath("publish.sh").write_text(SCRIPT, encoding="utf-8")
    words = "Publish the site, please."
    first = gateway.says(words, obedient_model, session="agent:main:publishing-0")
    assert "missing required option" in first.reply

    for number in (1, 2, 3):
        session = f"agent:main:publishing-{number}"
        gateway.says(words, publish(), publish("--region eu"), "It is published.", session=session)
        memory.captured(session, 6)
    memory.client.learn()
    playbooks = memory.client.list_artifacts(type="failure_playbook").artifacts
    assert any("missing required option --region" in one.content["error"] for one in playbooks)

    later = gateway.says(words, obedient_model, session="agent:main:publishing-4")
    _, heading, failures = later.prompt.partition("## Known failures\n")
    assert heading
    assert "missing required option --region" in failures.partition("\n## ")[0]
    assert later.reply == "It says: published"


def test_a_plugin_that_is_gone_neither_recalls_nor_captures(gateway, memory, report):
    assert report["ok"]
    gone = gateway.hippocortex("openclaw", "uninstall")
    assert gone["ok"], gone
    turn = gateway.says(QUESTION, "Never.", session=AFTER)
    assert turn.reply == "Never."
    assert OPENING not in turn.prompt
    assert gateway.hippocortex("openclaw", "uninstall")["ok"]

    captured = len(memory.events())
    assert memory.events(AFTER) == []
    summary = gateway.hippocortex("openclaw", "import")["summary"]
    assert [len(memory.events(session)) for session in (BEFORE, AFTER)] == [2, 2]
    assert (summary["ingested"], summary["duplicates"]) == (4, captured)


def _untimed(config):
    """A configuration without when anything in it was written."""
    return [line for line in config.splitlines() if 'At":' not in line]
