from __future__ import annotations

import pytest

MISSING = "Error: missing required argument 'currency'"


def pay(session, *, success=None, fixed=True, user=None, error=MISSING):
    run = session(user=user).user_says("Pay the invoice, please")
    run.calls_tool("create_payment", error, amount=12)
    if fixed:
        run.calls_tool("get_account", {"plan": "basic"})
        run.calls_tool("create_payment", {"state": "paid"}, amount=12, currency="EUR")
    return run if success is None else run.ends(success)


def test_a_failure_recovered_once_already_warns(session, learn):
    [playbook] = learn([pay(session)], "failure_playbook")
    assert playbook.content["root_causes"] == ["`currency` was missing"]
    assert playbook.content["error"] == "missing required argument 'currency'"
    assert "`get_account`, then call `create_payment` again with" in playbook.text
    assert playbook.text.endswith("(seen once)")
    assert 0.35 <= playbook.confidence <= 0.45


def test_a_failure_seen_once_and_never_recovered_is_known_and_little_trusted(session, learn):
    [playbook] = learn([pay(session, fixed=False)], "failure_playbook")
    assert playbook.content["recovery_steps"] == []
    assert playbook.text.endswith(
        "no recovery was seen yet; check the arguments before calling it. (seen once)"
    )
    assert playbook.confidence <= 0.42


def test_of_failures_that_came_once_only_the_newest_few_are_kept(session, learn):
    errors = [
        "card expired",
        "bank closed today",
        "limit of the account reached",
        "wrong currency chosen",
        "recipient unknown here",
        "approval missing from finance",
        "service in maintenance mode",
    ]
    runs = [pay(session, fixed=False, error=f"Error: {error}") for error in errors]
    kept = learn(runs, "failure_playbook")
    assert {one.content["error"] for one in kept} == set(errors[2:])


def test_failures_of_one_user_do_not_push_out_those_of_another(session, learn):
    errors = ["card expired", "bank closed today", "limit reached", "wrong currency", "no approval"]
    own = pay(session, fixed=False, user="bob", error="Error: ledger locked")
    others = [pay(session, fixed=False, user="ann", error=f"Error: {error}") for error in errors]
    kept = {(one.users, one.content["error"]) for one in learn([own, *others], "failure_playbook")}
    assert kept == {(("bob",), "ledger locked"), *((("ann",), error) for error in errors)}


def test_a_recovery_in_a_run_that_failed_is_none(session, learn):
    [once] = learn([pay(session, success=False)], "failure_playbook")
    assert once.content["recovery_steps"] == []
    [playbook] = learn([pay(session, success=False) for _ in range(3)], "failure_playbook")
    assert playbook.content["recovery_steps"] == []
    assert "did not help" in playbook.text


def test_recoveries_of_passing_runs_are_preferred(session, learn):
    runs = [pay(session, success=True), pay(session, success=True)]
    for _ in range(5):
        run = session().user_says("Pay the invoice, please").calls_tool("create_payment", MISSING)
        run.calls_tool("ask_colleague", "no idea").calls_tool("create_payment", "paid", tip=1)
        runs.append(run)
    [playbook] = learn(runs, "failure_playbook")
    assert "get_account" in playbook.content["recovery_steps"][0]
    assert "ask_colleague" not in playbook.text


def test_more_sessions_give_more_confidence(session, learn):
    once = learn([pay(session, success=True)], "failure_playbook")[0]
    often = learn([pay(session, success=True) for _ in range(6)], "failure_playbook")[0]
    assert often.confidence > once.confidence + 0.2
    assert often.key == once.key


def test_errors_that_differ_in_their_values_are_one_class(session, learn):
    runs = [
        pay(session, error=f"Error: account {number} is locked until 2026-01-{number}")
        for number in (11, 12, 13)
    ]
    [playbook] = learn(runs, "failure_playbook")
    assert playbook.content["error"] == "account <n> is locked until <date>"


def test_commands_fail_by_exit_code(session, learn):
    runs = []
    for _ in range(2):
        run = (
            session()
            .user_says("start the service")
            .runs("docker compose up", 1, "port is already allocated")
        )
        run.runs("docker stop old").runs("docker compose up -d", 0, "started")
        runs.append(run.ends(True))
    [playbook] = learn(runs, "failure_playbook")
    assert playbook.content["tool"] == "$ docker compose up"
    assert "`docker stop`" in playbook.text


def test_a_command_that_lacked_an_option_is_told_the_option(session, learn):
    runs = [
        session()
        .user_says("Publish the site, please.")
        .calls_tool("exec", "Error: missing required option", command=f"sh publish.sh {site}")
        .calls_tool("exec", "published", command=f"sh publish.sh {site} --region {region} --yes")
        .ends(True)
        for site, region in (("shop", "eu"), ("blog", "us"), ("docs", "eu"))
    ]
    found = {one.type: one for one in learn(runs)}
    playbook = found["failure_playbook"]
    assert playbook.content["tool"] == "$ sh publish.sh"
    assert playbook.content["root_causes"] == ["`--region` was missing", "`--yes` was missing"]
    assert "Call `sh publish.sh` again with `--region` and `--yes` (3 of 3)" in playbook.text
    assert "1. `sh publish.sh --yes`" in found["task_schema"].text


def test_runs_that_nobody_judged_are_not_said_to_have_failed(session, learn):
    def publish(success):
        run = session().user_says("Publish the site.").calls_tool("publish", "Error: locked", n=1)
        return run.calls_tool("publish", "ok", n=2).ends(success)

    [unjudged] = learn([publish(None), publish(None)], "failure_playbook")
    assert unjudged.text.endswith("(twice in 2 runs, 2 recovered)")
    [judged] = learn([publish(None), publish(True)], "failure_playbook")
    assert judged.text.endswith("(twice in 2 runs, 2 recovered, 1 succeeded)")


def test_identical_retries_are_advised_against(session, learn):
    runs = []
    for _ in range(2):
        run = session().user_says("deploy").calls_tool("deploy", "Error: locked", env="prod")
        run.calls_tool("deploy", "Error: locked", env="prod")
        run.calls_tool("unlock", "ok").calls_tool("deploy", "ok", env="prod")
        runs.append(run.ends(True))
    [playbook] = learn(runs, "failure_playbook")
    assert any("do not repeat the identical call" in line for line in playbook.content["avoid"])


def test_evidence_is_the_failing_call_and_all_that_led_on_from_it(session, learn):
    [playbook] = learn([pay(session)], "failure_playbook")
    assert playbook.evidence == tuple(f"s000:{number:03d}" for number in range(1, 7))


def test_the_verdicts_that_are_counted_are_evidence(session, learn):
    [playbook] = learn([pay(session, success=True)], "failure_playbook")
    assert playbook.evidence[-1] == "s000:007"
    assert playbook.first_at < playbook.last_at or len(playbook.evidence) > 1


def give_up(session, *, success):
    run = (
        session().user_says("Pay the invoice, please").calls_tool("create_payment", "Error: closed")
    )
    return run.calls_tool("transfer_to_human", "ok").ends(success)


def test_a_way_out_is_told_with_the_runs_it_failed_in(session, learn):
    runs = [give_up(session, success=True) for _ in range(3)] + [give_up(session, success=False)]
    [playbook] = learn(runs, "failure_playbook")
    assert "go on with `transfer_to_human` instead of insisting (3 of 4 " in playbook.text.lower()


def test_a_way_out_that_mostly_fails_is_not_advised(session, learn):
    runs = [give_up(session, success=n == 0) for n in range(4)]
    [playbook] = learn(runs, "failure_playbook")
    assert playbook.content["recovery_steps"] == []


def test_a_recovery_that_rarely_solves_the_task_says_so(session, learn):
    runs = [pay(session, success=n == 0) for n in range(6)]
    [playbook] = learn(runs, "failure_playbook")
    assert "rarely enough (1 of 6 runs succeeded)" in playbook.text


LONG = "word " * 1_000
NINE = " ".join(f"--{letter} 1" for letter in "abcdefgh")


@pytest.mark.parametrize(
    "worked",
    [
        f"sh publish.sh --message '{LONG}' --region eu --site a",
        f"sh publish.sh {NINE} --site a",
        "sh publish.sh --note it's --site a",
    ],
)
def test_nothing_is_said_of_options_where_a_line_was_not_read_whole(session, learn, worked):
    runs = [
        session()
        .user_says("Publish the site, please.")
        .runs("sh publish.sh --site a", 1, "not allowed here")
        .runs(worked, 0, "ok")
        .ends(True)
        for _ in range(4)
    ]
    found = {one.type: one for one in learn(runs)}
    playbook = found["failure_playbook"].content
    assert playbook["root_causes"] == []
    assert playbook["recovery_steps"] == ["call `sh publish.sh` again (4 of 4)"]
    assert found["task_schema"].content["steps"][0]["args"] == {}
    assert "causal_pattern" not in found


def test_a_continued_line_gives_all_its_options(session, learn):
    runs = [
        session()
        .user_says("Publish the site, please.")
        .runs("sh publish.sh --site a", 1, "not allowed here")
        .runs("sh publish.sh \\\n  --site a \\\n  --region eu", 0, "ok")
        .ends(True)
        for _ in range(3)
    ]
    [playbook] = learn(runs, "failure_playbook")
    assert playbook.content["root_causes"] == ["`--region` was missing"]


def test_a_bare_option_does_not_make_one_error_two(session, learn):
    runs = [
        session()
        .user_says("Publish the site, please.")
        .runs(command, 1, "expected true but got nothing")
        .ends(False)
        for command in ("sh publish.sh", "sh publish.sh --force")
    ]
    [playbook] = learn(runs, "failure_playbook")
    assert playbook.content["error"] == "expected true but got nothing"
