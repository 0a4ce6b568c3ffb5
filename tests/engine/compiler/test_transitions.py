from __future__ import annotations

import sys

from hippocortex_engine.compiler.compile import mine
from hippocortex_engine.compiler.digest import digest_session


def table(learn, runs, name="next"):
    [schema] = learn(runs, "task_schema")
    return schema.content[name]


def search(session, *tools, success=True):
    run = session().user_says("Find me a hotel and book it.")
    for tool in tools:
        run.calls_tool(tool, "ok")
    return run.calls_tool("book_hotel", {"state": "booked"}).ends(success)


def test_what_usually_follows_is_told_from_the_start_on(session, learn):
    runs = [search(session, "get_profile", "find_hotels") for _ in range(3)]
    assert table(learn, runs) == {
        "start": ["get_profile"],
        "get_profile": ["find_hotels"],
        "find_hotels": ["book_hotel"],
    }


def test_a_longer_context_is_kept_only_where_it_says_something_else(session, learn):
    runs = [search(session, "find_hotels", "find_hotels") for _ in range(4)]
    assert table(learn, runs) == {
        "start": ["find_hotels"],
        "find_hotels": ["book_hotel", "find_hotels"],
        "start > find_hotels": ["find_hotels"],
    }


def test_one_session_alone_shows_no_habit(session, learn):
    runs = [search(session, "find_hotels") for _ in range(3)]
    runs.append(search(session, "find_hotels", "find_hotels", "ask_oracle", "find_hotels"))
    assert "ask_oracle" not in str(table(learn, runs))


def test_calls_after_the_users_answer_are_counted_apart(session, learn):
    runs = []
    for _ in range(3):
        run = session().user_says("Book me the hotel.").calls_tool("find_hotels", ["a"])
        run.calls_tool("find_hotels", ["b"])
        run.agent_says("Is that one fine?").user_says("Yes, it is.")
        runs.append(run.calls_tool("book_hotel", {"state": "booked"}).ends(True))
    assert table(learn, runs)["find_hotels"] == ["find_hotels"]
    assert table(learn, runs, "after_reply") == {"find_hotels": ["book_hotel"]}


def test_habits_of_other_tasks_fill_the_gaps_but_never_name_their_tools(session, learn):
    runs = [search(session, "get_profile", "find_hotels") for _ in range(2)]
    for _ in range(5):
        other = session().user_says("Tell me about the town.").calls_tool("get_profile", "ok")
        runs.append(other.calls_tool("find_hotels", "ok").calls_tool("send_guide", "ok").ends(True))
    [booking] = [one for one in learn(runs, "task_schema") if one.title == "Book hotel"]
    assert booking.content["next"]["find_hotels"] == ["book_hotel"]
    assert "send_guide" not in str(booking.content["next"])


def test_many_tasks_that_begin_alike_take_as_much_more_work_as_there_are_more_of_them(session):
    def work(tasks):
        digests = []
        for number in range(tasks):
            word = f"{chr(97 + number // 26)}{chr(97 + number % 26)}"
            for _ in range(3):
                run = session().user_says(f"Please run the job of {word}")
                run.calls_tool("get_jobs", "ok").calls_tool(f"get_{word}", "ok")
                run.calls_tool(f"update_{word}", "ok").ends(True)
                digests.append((run.id, digest_session(run.events)))
        return calls(lambda: mine(digests, ["task_schema"]))

    assert work(120) < 2.4 * work(60)


def calls(do):
    """How many functions are called, which is the same on any machine."""
    counted = 0

    def count(_frame, event, _argument):
        nonlocal counted
        counted += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(None)
    return counted
