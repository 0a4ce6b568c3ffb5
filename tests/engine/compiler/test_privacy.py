"""What is learned from several users shows none of them to the others."""

from __future__ import annotations


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


def test_one_users_pattern_among_several_users_hides_values_too(session, learn):
    alone = [complain(session, *PEOPLE[0]) for _ in range(3)]
    other = session(user="u2").user_says("Please water the plants").calls_tool("water", "ok")
    patterns = [one for one in learn([*alone, other.ends(True)]) if one.type in SHARED]
    assert patterns
    assert not any("alice" in shown(one) or "a-7781" in shown(one) for one in patterns)


def test_an_echoed_argument_becomes_its_slot(session, learn):
    runs = [complain(session, *person) for person in PEOPLE]
    [playbook] = learn(runs, "failure_playbook")
    assert playbook.content["error"] == "customer <name> owns no order <value>"


def test_facts_and_rules_name_their_owner(session, learn):
    said = session(user="u1").user_says("I live in Lima. Always answer in Spanish.")
    found = learn([said])
    assert {one.users for one in found} == {("u1",)}
    assert all("u1" in one.key for one in found)
