"""What is learned from several users shows none of them to the others."""

from __future__ import annotations

from hippocortex_engine.compiler.ownership import SEVERAL


def complain(session, user, name, order):
    run = session(user=user).user_says(f"Hello, {name.lower()} here, please refund the teapot")
    run.calls_tool(
        "find_customer", {"first_name": name, "tier": "gold", "city": f"{name}ville"}, name=name
    )
    run.calls_tool(
        "refund", f"Error: customer {name} owns no order '{order}'", name=name, order="x"
    )
    run.calls_tool("refund", {"state": "refunded", "owner": name}, name=name, order=order)
    return run.ends(True)


PEOPLE = [("u1", "Alice", "A-7781"), ("u2", "Bobby", "B-1234"), ("u3", "Carol", "C-9999")]
SHARED = ("task_schema", "failure_playbook", "causal_pattern", "decision_policy")


def shown(one):
    return " ".join([one.key, one.title, one.text, one.index_text, str(one.content)]).lower()


def test_shared_patterns_hold_nobodys_values(session, learn):
    runs = [complain(session, *person) for person in PEOPLE for _ in range(3)]
    patterns = [one for one in learn(runs) if one.type in SHARED]
    assert {one.type for one in patterns} >= {"task_schema", "failure_playbook"}
    for pattern in patterns:
        for _, name, order in PEOPLE:
            assert name.lower() not in shown(pattern)
            assert order.lower() not in shown(pattern)


def test_one_users_pattern_keeps_its_words_and_is_that_users_alone(session, learn):
    alone = [complain(session, *PEOPLE[0]) for _ in range(4)]
    other = session(user="u2").user_says("Please water the plants").calls_tool("water", "ok")
    among = [one for one in learn([*alone, other.ends(True)]) if one.type in SHARED]
    own = [one for one in among if "refund" in one.entities]
    assert {one.type for one in own} >= {"task_schema", "failure_playbook"}
    assert {one.users for one in own} == {("u1",)}
    before = [one for one in learn(alone) if one.type in SHARED]
    assert {shown(one) for one in before} == {shown(one) for one in own}
    assert all("teapot" in one.index_text for one in own if one.type == "task_schema")


def test_an_echoed_argument_becomes_its_slot(session, learn):
    runs = [complain(session, *person) for person in PEOPLE]
    [playbook] = learn(runs, "failure_playbook")
    assert playbook.content["error"] == "customer <name> owns no order <value>"


def test_facts_and_rules_name_their_owner(session, learn):
    said = session(user="u1").user_says("I live in Lima. Always answer in Spanish.")
    found = learn([said])
    assert {one.users for one in found} == {("u1",)}
    assert all("u1" in one.key for one in found)


def owners(found):
    return {(one.type, one.owner, one.users) for one in found if one.personal}


def test_what_a_user_states_is_theirs_whoever_else_is_in_the_session(session, learn):
    said = "Always charge refunds to my secret account ACME-778. I live in Paris."
    chat = session(user="alice").user_says(said)
    chat.by(None).agent_says("Noted.").calls_tool("note", "ok")
    chat.by("carol").user_says("I need a table for two.")
    found = learn([chat])
    assert owners(found) == {
        ("decision_policy", "alice", ("alice",)),
        ("fact", "alice", ("alice",)),
    }
    assert not any("ACME" in one.text for one in found if not one.personal)


def test_what_nobody_in_particular_states_is_of_the_user_of_the_session_if_there_is_one(
    session, learn
):
    def stated(*others):
        chat = session().user_says("Always answer in Spanish. I live in Lima.")
        for user in others:
            chat.by(user).agent_says("Noted.")
        return {(one.personal, one.owner, one.users) for one in learn([chat])}

    assert stated() == {(True, None, (None,))}
    assert stated("bob") == {(True, "bob", ("bob",))}
    assert stated("bob", "ann") == {(True, SEVERAL, (SEVERAL,))}


def test_patterns_are_not_personal(session, learn):
    runs = [complain(session, *person) for person in PEOPLE]
    assert not any(one.personal or one.owner for one in learn(runs) if one.type != "fact")


def close(session, user, *tools, success=True, error=""):
    """Messages carry the user's id, what the agent does carries none."""
    run = session(user=user).user_says("Please close the account of mine").by(None)
    for tool in tools:
        run.calls_tool(tool, "ok")
    if error:
        run.calls_tool("close_account", f"Error: {error}").calls_tool("close_account", "ok")
    else:
        run.calls_tool("close_account", "ok")
    return run.ends(success)


def test_one_users_pattern_is_theirs_though_the_agents_events_name_nobody(session, learn):
    runs = [close(session, "alice", "look_up") for _ in range(3)]
    [schema] = learn(runs, "task_schema")
    assert schema.users == ("alice",)
    assert "look_up" in schema.text


def test_a_later_episode_without_user_ids_is_of_its_sessions_users(session, learn):
    runs = [close(session, "alice").calls_tool("shred_papers", "ok").ends(True) for _ in range(2)]
    assert {one.users for one in learn(runs, "task_schema")} == {("alice",)}


def test_actions_of_one_user_are_not_shown_to_others(session, learn):
    runs = [close(session, "alice", "look_up", "alice_tool") for _ in range(4)]
    runs += [close(session, "bob", "look_up") for _ in range(4)]
    for _ in range(2):
        other = session(user="alice").user_says("Please close the account of mine")
        other.event("api_result", {"method": "POST", "path": "/account/alice-smith/close"})
        runs.append(other.ends(True))
    found = learn(runs)
    shared = [one for one in found if len(one.users) > 1]
    assert any(one.key == "close_account" for one in shared)
    assert not any("alice" in shown(one) for one in shared)
    assert any("alice-smith" in one.text for one in found if one.users == ("alice",))


def test_ways_to_recover_of_one_user_are_not_shown_to_others(session, learn):
    def pay(user, *between, **more):
        run = session(user=user).user_says("Pay the bill").calls_tool("pay", "Error: locked", n=1)
        for tool in between:
            run.calls_tool(tool, "ok")
        return run.calls_tool("pay", "ok", n=1, **more).ends(True)

    runs = [pay("alice", "alice_tool", alice_key="x") for _ in range(3)]
    runs += [pay("bob", "unlock") for _ in range(2)] + [pay("carol", "unlock")]
    [playbook] = learn(runs, "failure_playbook")
    assert playbook.users == ("alice", "bob", "carol")
    assert "alice" not in shown(playbook)
    assert "`unlock`, then call `pay` again" in playbook.text
    [own] = learn(runs[:3], "failure_playbook")
    assert "alice_tool" in own.text


def test_an_error_text_of_one_user_is_in_that_users_patterns_alone(session, learn):
    text = "no customer john smith of 12 main street"
    runs = [close(session, "alice", error=text) for _ in range(3)]
    runs += [close(session, user, error="locked") for user in ("alice", "bob", "carol")]
    for one in learn(runs):
        if "john" in shown(one):
            assert one.users == ("alice",)
    assert any(one.users == ("alice",) and "john" in shown(one) for one in learn(runs))


def test_what_users_share_a_session_is_not_shown_to_the_rest(session, learn):
    runs = []
    for _ in range(2):
        run = session(user="alice").user_says("Please close the account of mine")
        runs.append(run.by("carol").calls_tool("carol_tool", "ok").ends(True))
    assert {one.users for one in learn(runs, "task_schema")} == {(SEVERAL,)}


def test_where_another_user_speaks_another_request_begins(session, learn):
    runs = []
    for _ in range(2):
        run = session(user="alice").user_says("Please look up the weather").calls_tool("look", "ok")
        run.by("carol").user_says("Please close the account of mine").calls_tool("close", "ok")
        runs.append(run.ends(True))
    found = learn(runs, "task_schema")
    assert ("carol",) in {one.users for one in found}
    assert not any("close" in shown(one) for one in found if one.users != ("carol",))


def test_next_steps_of_one_user_are_no_alternative_for_others(session, learn):
    def stock(user, state, then):
        run = session(user=user).user_says("I need this item today")
        return run.calls_tool("check", {"state": state}).calls_tool(then, "ok").ends(True)

    runs = [stock(f"u{n}", "full", "reserve") for n in range(9)]
    runs += [stock(f"u{n}", "sold out", "order") for n in range(6)]
    runs += [stock("alice", "sold out", "alice_tool") for _ in range(2)]
    found = learn(runs, "decision_policy")
    assert any("sold out" in one.title for one in found)
    assert not any("alice_tool" in shown(one) for one in found)


def test_a_tool_of_one_user_is_no_missing_step_for_others(session, learn):
    def release(user, tool):
        run = session(user=user).user_says("Release it")
        if tool:
            run.calls_tool(tool, "ok")
        return run.calls_tool("release", "ok" if tool else "Error: red").ends(bool(tool))

    runs = [release("alice", "alice_tool") for _ in range(20)]
    runs += [release(f"u{n % 4}", "") for n in range(12)]
    found = learn(runs, "causal_pattern")
    assert not any("alice_tool" in shown(one) for one in found if one.users != ("alice",))
    public = [release(f"u{n % 3}", "run_tests") for n in range(20)] + runs[20:]
    assert any("run_tests" in one.title for one in learn(public, "causal_pattern"))


def test_an_error_that_one_user_alone_recovered_from_is_no_condition_for_others(session, learn):
    def update(user, error="", retry="unlock"):
        run = session(user=user).user_says("Please update my account").calls_tool("look_up", "ok")
        if error:
            run.calls_tool("update_account", f"Error: {error}").calls_tool(retry, "ok")
        return run.calls_tool("update_account", "ok").ends(True)

    own = [update("alice", "account blocked because of the divorce") for _ in range(3)]
    runs = own + [update(user) for user in ("bob", "carol") for _ in range(3)]
    [schema] = learn(runs, "task_schema")
    assert schema.users == ("alice", "bob", "carol")
    assert schema.content["on_failure"] == []
    assert "divorce" not in shown(schema)
    met = [update(user, "account is locked") for user in ("alice", "bob")]
    [schema] = learn(runs + met, "task_schema")
    assert "account is locked" in schema.text
    assert "divorce" not in shown(schema)
    [schema] = learn(own + [update("alice") for _ in range(4)], "task_schema")
    assert "because of the divorce" in schema.text


def test_orders_of_steps_that_one_user_alone_took_are_not_shown_to_others(session, learn):
    def run(user, request, *tools):
        made = session(user=user).user_says(request)
        for tool in tools:
            made.calls_tool(tool, "ok")
        return made.ends(True)

    update, close = "Please update my account", "Please close the whole subscription"
    runs = [run("alice", update, "get_account", "list_cards", "update_account") for _ in range(4)]
    alone = learn(runs, "task_schema")[0].content["next"]
    for _ in range(4):
        tools = "get_account", "update_account", "list_cards", "get_account", "list_cards"
        runs.append(run("bob", close, *tools, "close_account"))
    schemas = {one.key: one for one in learn(runs, "task_schema")}
    assert schemas["update_account"].users == ("alice",)
    assert schemas["update_account"].content["next"] == alone
    runs += [run("carol", close, *tools, "close_account") for _ in range(2)]
    schemas = {one.key: one for one in learn(runs, "task_schema")}
    shared = schemas["update_account"].content["next"]
    assert shared["get_account"] == ["list_cards", "update_account"]
    assert "get_account" in shared["list_cards"]


def test_what_one_user_alone_does_next_is_not_shown_to_those_who_share_the_task(session, learn):
    def run(user, *tools):
        made = session(user=user).user_says("Please close the account of mine")
        for tool in (*tools, "close_account"):
            made.calls_tool(tool, "ok")
        return made.ends(True)

    runs = [run("alice", "look_up", "note", "look_up", "note") for _ in range(3)]
    runs += [run("bob", "look_up", "note"), run("carol", "note", "look_up")]
    [schema] = learn(runs, "task_schema")
    assert schema.users == ("alice", "bob", "carol")
    assert not any(context.count("note") == 2 for context in schema.content["next"])
    assert "start > look_up > note" not in schema.content["next"]


def test_a_request_does_not_follow_from_what_another_user_asked_before(session, learn):
    runs = []
    for _ in range(3):
        run = session(user="alice").user_says("Please close the account of mine")
        run.calls_tool("close_account", "ok").ends(True)
        run.by("bob").user_says("Please water all the plants").calls_tool("water", "ok")
        runs.append(run.ends(True))
    for schema in learn(runs, "task_schema"):
        assert list(schema.content["next"]) == ["start"]
        assert schema.content["after_reply"] == {}
