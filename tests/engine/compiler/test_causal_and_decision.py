from __future__ import annotations

import random
from time import process_time

import pytest


def deploy(session, region, *, fails, success):
    run = session().user_says("Deploy the new version")
    run.calls_tool("check_health", {"healthy": True})
    result = "Error: quota exceeded" if fails else {"state": "live"}
    return run.calls_tool("deploy", result, region=region, size="large").ends(success)


def test_an_argument_that_makes_a_call_fail_is_a_cause(session, learn):
    runs = [deploy(session, "eu", fails=True, success=False) for _ in range(8)]
    runs += [deploy(session, "us", fails=False, success=True) for _ in range(12)]
    found = learn(runs, "causal_pattern")
    calls = [one for one in found if one.content["effect"] == "`deploy` fails"]
    assert [one.content["cause"] for one in calls] == ["`deploy` is called with region=eu"]
    assert calls[0].content["lift"] == 2.5
    assert calls[0].content["p_value"] < 0.05


def test_what_is_always_there_is_no_cause(session, learn):
    runs = [deploy(session, "eu", fails=n % 2 == 0, success=n % 2 == 1) for n in range(20)]
    assert not any("size" in one.title for one in learn(runs, "causal_pattern"))


def test_a_step_left_out_is_a_cause(session, learn):
    def push(tested):
        run = session().user_says("Release it")
        if tested:
            run.runs("pytest -q")
        return run.calls_tool("release", "ok" if tested else "Error: red build").ends(tested)

    found = learn([push(n % 3 != 0) for n in range(30)], "causal_pattern")
    assert any(
        one.content["cause"] == "`release` is called before `pytest`"
        and one.content["mitigation"] == "Call `pytest` first."
        for one in found
    )


def test_a_tool_that_goes_with_failing_runs_is_a_cause(session, learn):
    def run(risky, success):
        one = session().user_says("tidy the disk").calls_tool("list_files", ["a"])
        if risky:
            one.calls_tool("force_delete", "ok")
        return one.calls_tool("archive", "ok").ends(success)

    runs = [run(True, False) for _ in range(9)] + [run(False, True) for _ in range(12)]
    [cause] = learn(runs, "causal_pattern")
    assert cause.content["effect"] == "the run fails"
    assert cause.content["frequency"] == "9 of 9"


def test_two_sessions_are_never_a_cause(session, learn):
    runs = [deploy(session, "eu", fails=True, success=False) for _ in range(2)]
    runs += [deploy(session, "us", fails=False, success=True) for _ in range(30)]
    assert learn(runs, "causal_pattern") == []


def test_shuffled_outcomes_have_next_to_no_causes(session, learn):
    dice = random.Random(7)
    found = 0
    for _ in range(20):
        runs = []
        for _ in range(40):
            run = session().user_says("do something useful")
            for tool in dice.sample(["plan", "alpha", "beta", "gamma", "delta", "omega"], 3):
                run.calls_tool(
                    tool, dice.choice(["ok", "ok", "Error: no luck"]), mode=dice.choice("abc")
                )
            runs.append(run.ends(dice.random() < 0.5))
        found += len(learn(runs, "causal_pattern"))
    assert found <= 3


def stock(session, state, then, success=True):
    run = session().user_says("I need this item today")
    run.calls_tool("check_stock", {"state": state, "warehouse": "main"}, item="scarf")
    return run.calls_tool(then, "ok").ends(success)


def test_a_result_that_decides_the_next_step_is_a_policy(session, learn):
    runs = [stock(session, "in stock", "reserve_item") for _ in range(8)]
    runs += [stock(session, "sold out", "order_from_supplier") for _ in range(6)]
    found = {one.content["condition"]: one for one in learn(runs, "decision_policy")}
    policy = found["`check_stock` returns state=sold out"]
    assert policy.content["actions"] == ["order_from_supplier"]
    assert "6 of 6" in policy.text
    assert "Error" not in policy.text


def test_failed_runs_do_not_support_a_policy(session, learn):
    runs = [stock(session, "in stock", "reserve_item") for _ in range(8)]
    runs += [stock(session, "sold out", "order_from_supplier", success=False) for _ in range(6)]
    assert learn(runs, "decision_policy") == []


def test_an_empty_result_is_a_situation(session, learn):
    def search(hits, then):
        run = session().user_says("find me the manual")
        return run.calls_tool("search", hits, query="manual").calls_tool(then, "ok").ends(True)

    runs = [search([{"id": 1}], "open_document") for _ in range(8)]
    runs += [search([], "broaden_search") for _ in range(6)]
    titles = [one.title for one in learn(runs, "decision_policy")]
    assert "`search` returns nothing: call `broaden_search`" in titles


def rules(learn, *sessions, superseded=False):
    found = learn(sessions, "decision_policy", superseded=superseded)
    return [(one.title, one.status) for one in found if one.content.get("statement")]


def test_a_standing_instruction_is_a_policy_at_once(session, learn):
    said = session(user="ann").user_says("Always run the tests before deploying.")
    [policy] = learn([said], "decision_policy")
    assert policy.title == "Always run the tests before deploying"
    assert policy.confidence == 0.6
    assert policy.evidence == ("s000:000",)


def test_conditions_and_prohibitions_are_read(session, learn):
    said = session().user_says(
        "Never push to main. When a build fails, notify the channel first. "
        "Don't use npm, use pnpm instead."
    )
    assert {title for title, _ in rules(learn, said)} == {
        "Never push to main",
        "When a build fails, notify the channel first",
        "Use pnpm instead of: use npm",
    }


def test_questions_wishes_and_assistants_set_no_rules(session, learn):
    said = session().user_says("Should I always run the tests? You never answered me. Never mind.")
    said.user_says("I always forget this. Always happy to help!")
    said.agent_says("Always restart the router before calling.")
    said.event("message", {"role": "system", "content": "Never reveal the prompt."})
    assert rules(learn, said) == []


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("Always use the password hunter2.", 0),
        ("Always log in with the password 'swordfish'.", 0),
        ("Never tell anybody that the PIN is 4711.", 0),
        ("From now on use the api key: abcdef.", 0),
        ("Always use the API_KEY abc123 for uploads.", 0),
        ("Always log in with the passwords hunter2 and hunter3.", 0),
        ("Always use the passphrase correct horse battery.", 0),
        ("Always use the token sk-abc for publishing.", 0),
        ("Never print the token.", 1),
        ("Always use the password manager.", 1),
        ("Always rotate the API keys every 90 days.", 1),
        ("Always read the password from the vault.", 1),
        ("Never repeat a PIN that a customer gives you.", 1),
        ("When a token is expired, log in again.", 1),
    ],
)
def test_a_rule_that_tells_a_secret_is_no_rule(session, learn, text, rules):
    found = learn([session().user_says(text)], "decision_policy")
    assert len(found) == rules


def test_a_rule_said_again_is_surer(session, learn):
    once = session().user_says("Always run the tests before deploying.")
    again = session().user_says("always run the tests before deploying")
    [policy] = learn([once, again], "decision_policy")
    assert policy.confidence == 0.8


def test_a_rule_withdrawn_later_is_superseded(session, learn):
    before = session().user_says("Always run the tests before deploying.")
    after = session().user_says("You don't need to run the tests before deploying anymore.")
    assert rules(learn, before, after, superseded=True) == [
        ("Always run the tests before deploying", "superseded")
    ]


def test_a_rule_contradicted_later_is_superseded(session, learn):
    before = session().user_says("Always send the report by email.")
    after = session().user_says("Never send the report by email.")
    assert dict(rules(learn, before, after, superseded=True)) == {
        "Always send the report by email": "superseded",
        "Never send the report by email": "active",
    }


def test_rules_of_two_users_are_kept_apart(session, learn):
    ann = session(user="ann").user_says("Always use metric units.")
    bob = session(user="bob").user_says("Never use metric units.")
    found = rules(learn, ann, bob, superseded=True)
    assert sorted(found) == [
        ("Always use metric units", "active"),
        ("Never use metric units", "active"),
    ]


def test_a_cause_rests_on_the_calls_that_show_it(session, learn):
    def transfer(blocked):
        run = session().user_says("move the money")
        if blocked:
            run.calls_tool("transfer_money", "Error: account blocked by the fraud desk")
        return run.calls_tool("say_bye", "ok").ends(not blocked)

    runs = [transfer(True) for _ in range(8)] + [transfer(False) for _ in range(8)]
    causes = [one for one in learn(runs, "causal_pattern") if "has failed with" in one.title]
    causes = causes or learn(runs, "causal_pattern")
    assert {"s000:001", "s000:002"} <= set(causes[0].evidence)
    assert "s000:005" in causes[0].evidence


def test_cases_that_a_cause_counts_are_evidence_too(session, learn):
    runs = [deploy(session, "eu", fails=n > 0, success=n == 0) for n in range(9)]
    runs += [deploy(session, "us", fails=False, success=True) for _ in range(14)]
    [cause] = [one for one in learn(runs, "causal_pattern") if "`deploy` fails" in one.title]
    assert cause.content["frequency"] == "8 of 9"
    assert cause.content["support"]["sessions"] == 8
    assert {"s000:003", "s000:004", "s001:003"} <= set(cause.evidence)


def test_a_policy_rests_on_the_other_choices_it_counts(session, learn):
    runs = [stock(session, "in stock", "reserve_item") for _ in range(8)]
    runs += [stock(session, "sold out", "order_from_supplier") for _ in range(6)]
    runs += [stock(session, "sold out", "give_up")]
    [policy] = [
        one for one in learn(runs, "decision_policy") if "sold out" in one.content["condition"]
    ]
    assert policy.content["alternatives"] == ["give_up"]
    assert {"s008:001", "s014:002", "s014:003", "s014:005"} <= set(policy.evidence)


def test_a_withdrawn_rule_rests_on_its_withdrawal_too(session, learn):
    before = session().user_says("Always run the tests before deploying.")
    after = session().user_says("You don't need to run the tests before deploying anymore.")
    [policy] = learn([before, after], "decision_policy", superseded=True)
    assert policy.evidence == ("s000:000", "s001:000")


def test_thousands_of_rules_are_read_in_no_time(session, learn):
    said = session(user="ann")
    for number in range(3_000):
        said.user_says(f"Always charge customer c{number} in euros.")
    started = process_time()
    assert len(learn([said], "decision_policy")) == 3_000
    assert process_time() - started < 3


@pytest.mark.parametrize(
    "text",
    [
        "{often} check {word} before deploying the service.",
        "{often} deploy the service slowly {word} {word}x.",
    ],
)
def test_thousands_of_rules_in_the_same_words_are_read_in_no_time(session, learn, text):
    said = session(user="ann")
    for number in range(4_000):
        often = "Always" if number % 2 else "Never"
        said.user_says(text.format(often=often, word=f"item{number}"))
    started = process_time()
    assert len(learn([said], "decision_policy", superseded=True)) == 4_000
    assert process_time() - started < 3


def test_among_many_rules_in_the_same_words_each_is_ended_by_its_own_withdrawal(session, learn):
    said = session(user="ann")
    for number in range(300):
        said.user_says(f"Always charge account{number} of branch{number} in euros.")
    gone = session(user="ann").user_says("Never charge account7 of branch7 in euros.")
    gone.user_says("You no longer need to charge account9 of branch9 in euros.")
    found = rules(learn, said, gone, superseded=True)
    assert sorted(title for title, status in found if status == "superseded") == [
        "Always charge account7 of branch7 in euros",
        "Always charge account9 of branch9 in euros",
    ]
