from __future__ import annotations


def cancel(session, *, success=True, user=None, order="W100", extra=()):
    run = session(user=user).user_says("I want to cancel an order I placed by mistake.")
    run.agent_says("Could you please give me your order id?").user_says(f"It is #{order}.")
    run.calls_tool("get_order_details", {"status": "pending", "items": 2}, order_id=order)
    for tool in extra:
        run.calls_tool(tool, {"ok": True})
    run.calls_tool(
        "cancel_order", {"status": "cancelled"}, order_id=order, reason="ordered by mistake"
    )
    return run.agent_says("Your order is cancelled. Anything else?").ends(success)


def test_two_successful_runs_make_a_procedure(session, learn):
    [schema] = learn([cancel(session, order="W101"), cancel(session, order="W202")], "task_schema")
    assert schema.title == "Cancel order"
    assert [step["tool"] for step in schema.content["steps"]] == [
        "get_order_details",
        "cancel_order",
    ]
    assert schema.content["preconditions"] == ["`order_id`"]
    assert schema.content["postconditions"] == ["`cancel_order` returns status=cancelled"]
    assert "(2 runs, 2 succeeded)" in schema.text
    assert "Not when" in schema.text


def test_values_of_one_case_do_not_appear(session, learn):
    found = learn([cancel(session, order="W101"), cancel(session, order="W202")])
    assert not any("W101" in one.text + one.index_text + str(one.content) for one in found)


def test_one_success_alone_teaches_no_procedure(session, learn):
    assert learn([cancel(session)], "task_schema") == []


def test_one_unlabelled_run_is_not_enough(session, learn):
    assert learn([cancel(session, success=None)], "task_schema") == []


def test_unlabelled_runs_count_less_than_successes(session, learn):
    unlabelled = learn([cancel(session, success=None) for _ in range(4)], "task_schema")
    passed = learn([cancel(session) for _ in range(4)], "task_schema")
    assert unlabelled[0].confidence < passed[0].confidence


def test_failed_runs_alone_teach_no_procedure(session, learn):
    assert learn([cancel(session, success=False) for _ in range(5)], "task_schema") == []


def test_what_failed_runs_did_otherwise_is_told(session, learn):
    good = [cancel(session) for _ in range(8)]
    bad = [cancel(session, success=False, extra=["skip_verification"]) for _ in range(8)]
    [schema] = learn(good + bad, "task_schema")
    assert any("skip_verification" in line for line in schema.content["not_when"])
    assert "skip_verification" not in [step["tool"] for step in schema.content["steps"]]


def test_optional_steps_are_variations(session, learn):
    runs = [cancel(session) for _ in range(6)]
    runs += [cancel(session, extra=["send_mail"]) for _ in range(3)]
    [schema] = learn(runs, "task_schema")
    assert schema.content["variations"] == ["`send_mail` (3 of 9)"]


def test_a_step_done_for_each_item_is_told_once(session, learn):
    runs = []
    for number in range(3):
        run = session().user_says("Please rename all of these photos for me")
        for name in ("a", "b", "c"):
            run.calls_tool("rename_photo", {"done": True}, photo=f"{name}{number}")
        runs.append(run.ends(True))
    [schema] = learn(runs, "task_schema")
    assert len(schema.content["steps"]) == 1
    assert schema.content["steps"][0]["each"] == "photo"
    assert "once per photo" in schema.text


def fix_bug(session, module):
    run = session().user_says(f"The tests of {module} fail, can you repair them?")
    run.runs(f"rg -n {module}").event("tool_call", {"name": "read_file", "input": {"path": module}})
    run.event("tool_result", {"name": "read_file", "output": "def f(): ..."})
    run.event("file_edit", {"path": f"src/{module}.py", "action": "modified", "diff": "+1 -1"})
    run.event("test_run", {"framework": "pytest", "passed": True, "total": 12})
    return run.runs("git commit -am 'Repair'").ends(True)


def test_coding_agents_get_procedures_from_commands_edits_and_tests(session, learn):
    [schema] = learn([fix_bug(session, "auth"), fix_bug(session, "billing")], "task_schema")
    assert [step["tool"] for step in schema.content["steps"]] == [
        "$ rg",
        "read_file",
        "edit *.py",
        "run tests (pytest)",
        "$ git commit",
    ]
    assert schema.title == "Run git commit"


def test_browser_actions_and_api_calls_are_steps(session, learn):
    def shop(session, number):
        run = session().user_says("put a red scarf into my cart")
        run.event("browser_action", {"action": "navigate", "url": "https://shop.example"})
        run.event("browser_action", {"action": "click", "selector": "#add"})
        run.event("api_result", {"method": "POST", "path": f"/carts/{number}/items", "status": 201})
        return run.ends(True)

    [schema] = learn([shop(session, 17), shop(session, 4711)], "task_schema")
    assert [step["tool"] for step in schema.content["steps"]] == [
        "browser navigate",
        "browser click",
        "POST /carts/{id}/items",
    ]


def test_argument_sources_are_told(session, learn):
    runs = []
    for number in (4711, 4812, 4913):
        run = session().user_says(f"Refund the last order of customer cust{number}")
        run.calls_tool("find_orders", {"orders": [f"ord-{number}"]}, customer=f"cust{number}")
        run.calls_tool("refund_order", {"state": "refunded"}, order=f"ord-{number}")
        runs.append(run.ends(True))
    [schema] = learn(runs, "task_schema")
    assert schema.content["steps"][1]["from"] == {"order": "find_orders"}
    assert "order from `find_orders`" in schema.text


def test_the_index_holds_words_of_requests_and_tools(session, learn):
    [schema] = learn([cancel(session), cancel(session)], "task_schema")
    assert {"mistake", "cancel", "order"} <= set(schema.index_text.split())


def test_failed_runs_that_are_counted_are_evidence(session, learn):
    runs = []
    for number in range(4):
        run = session().user_says("close the ticket").calls_tool("close_ticket", "ok")
        runs.append(run.ends(number > 0))
    [schema] = learn(runs, "task_schema")
    assert schema.content["support"] == {"sessions": 4, "passed": 3, "failed": 1}
    assert {"s000:001", "s000:003"} <= set(schema.evidence)


def pay(session, *, slips, order):
    """Half of the runs slip once and look up the account before they try again."""
    run = session().user_says("Please pay the invoice of the supplier.")
    run.calls_tool("get_invoice", {"state": "open"}, invoice=order)
    if slips:
        run.calls_tool("pay_invoice", "Error: unknown payment method", invoice=order, method="card")
        run.calls_tool("get_account", {"plan": "basic"})
    return run.calls_tool("pay_invoice", {"state": "paid"}, invoice=order, method="sepa").ends(True)


def test_what_only_recovers_is_told_as_a_recovery_and_is_no_step(session, learn):
    runs = [pay(session, slips=n % 2 == 0, order=f"INV-{n}00") for n in range(8)]
    [schema] = learn(runs, "task_schema")
    assert [step["tool"] for step in schema.content["steps"]] == ["get_invoice", "pay_invoice"]
    assert schema.content["variations"] == []
    told = (
        '`pay_invoice` fails with "unknown payment method": `get_account` before the next try '
        "(4 runs)"
    )
    assert schema.content["on_failure"] == [told]
    assert "If `pay_invoice` fails with" in schema.text


def test_what_nearly_every_run_does_between_failure_and_success_is_a_step(session, learn):
    runs = [pay(session, slips=n > 0, order=f"INV-{n}00") for n in range(8)]
    [schema] = learn(runs, "task_schema")
    assert [step["tool"] for step in schema.content["steps"]] == [
        "get_invoice",
        "get_account",
        "pay_invoice",
    ]
    assert schema.content["on_failure"] == []


def test_repeated_attempts_at_one_case_weigh_as_one(session, learn):
    often = [cancel(session, order="W90000", extra=["send_gift"]) for _ in range(6)]
    once = [cancel(session, order=f"W1000{n}") for n in range(3)]
    [schema] = learn(often + once, "task_schema")
    assert "send_gift" not in [step["tool"] for step in schema.content["steps"]]


def test_how_often_a_step_is_taken_is_told(session, learn):
    runs = []
    for n in range(4):
        run = session().user_says("Tidy my mailbox, please.").calls_tool("list_mails", ["a", "b"])
        for _ in range(3):
            run.calls_tool("archive_mail", "ok")
        runs.append(run.calls_tool("send_report", "ok", number=n).ends(True))
    [schema] = learn(runs, "task_schema")
    assert [step["times"] for step in schema.content["steps"]] == [1, 3, 1]
    assert "`archive_mail` (usually 3 times)" in schema.text


def test_a_change_that_waits_for_the_users_word_says_so(session, learn):
    runs = []
    for n in range(3):
        run = session().user_says("Cancel my order, please.").calls_tool("get_order", {"id": n})
        run.agent_says("Shall I cancel it?").user_says("Yes, please.")
        runs.append(run.calls_tool("cancel_order", {"status": "cancelled"}).ends(True))
    [schema] = learn(runs, "task_schema")
    assert [step["ask"] for step in schema.content["steps"]] == [False, True]
    assert "`cancel_order` (after the user has agreed)" in schema.text


def test_the_index_holds_common_words_of_requests_telling_or_not(session, learn):
    [schema] = learn([cancel(session, order=f"W10{n}") for n in range(3)], "task_schema")
    assert {"order", "placed", "mistake"} <= set(schema.index_text.split())


def test_a_session_that_does_a_task_again_and_again_is_one_case(session, learn):
    again = session()
    for number in range(50):
        again.user_says(f"Please cancel order W{number}00").calls_tool("get_order", "ok")
        again.calls_tool("cancel_order", {"status": "cancelled"}).ends(True)
    assert learn([again], "task_schema") == []


def test_a_part_of_a_task_names_what_others_need_and_nothing_that_is_no_action(session, learn):
    def put(*tools, request):
        run = session(user="ann").user_says(request)
        for tool in (*tools, "put_thing"):
            run.calls_tool(tool, "ok")
        return run.ends(True)

    runs = [put("heat_thing", request="please put a hot potato on the table") for _ in range(12)]
    runs += [put(request="please put some fresh flowers on the table") for _ in range(12)]
    schemas = learn(runs, "task_schema")
    assert {one.content["task"] for one in schemas} >= {
        "heat thing, then put thing",
        "put thing without heat thing",
    }
    assert not any("?" in one.text for one in schemas)
