from __future__ import annotations

import pytest

from hippocortex_engine.compiler.labels import changes_something
from hippocortex_engine.compiler.templates import generalise, template
from hippocortex_engine.synthesizer.matching import Known, met


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Error: flight HAT069 not available on date 2024-05-20",
            "flight <id> not available on date <date>",
        ),
        ("Error: total price is 1,305.50, but paid 255", "total price is <n>, but paid <n>"),
        ("fatal: path 'src/app.py' does not exist", "path <value> does not exist"),
        ("open /var/log/app.log: permission denied", "open <path>: permission denied"),
        ("user ann@example.com not found", "user <email> not found"),
        ("GET https://api.example.com/v1/x failed with 503", "GET <url> failed with <n>"),
        ("job 3f2b8c1e-1111-4222-8333-abcdefabcdef lost", "job <uuid> lost"),
        ("commit 9fceb02d0ae598e95dc970b74767f19372d61af8 is bad", "commit <hex> is bad"),
        ("charged $12.50 twice", "charged <money> twice"),
        ("KeyError: 'price'", "KeyError: 'price'"),
        ("missing required argument 'date'", "missing required argument 'date'"),
        ("'amount' is a required property", "'amount' is a required property"),
        ("", "failed"),
        (
            'Traceback (most recent call last):\n  File "/a/b.py", line 3, in f\nValueError: bad value 7',
            "ValueError: bad value <n>",
        ),
    ],
)
def test_what_varies_is_masked(text, expected):
    assert template(text) == expected


def test_arguments_in_the_text_become_slots():
    line = template("Error: no seats in business class", {"cabin": "business"})
    assert line == "no seats in <cabin> class"


@pytest.mark.parametrize(
    ("name", "slot"),
    [
        ("a\\d", "<a_d>"),
        ("\\1", "<_1>"),
        ("\\g<0>", "<_g_0_>"),
        ("--region", "<region>"),
        ("--s3-bucket", "<s3_bucket>"),
        ("größe.x", "<größe_x>"),
        ("deadbeef1", "<value>"),
        ("--", "<value>"),
    ],
)
def test_the_slot_of_an_argument_is_one_word_whatever_its_name(name, slot):
    line = template("the region europe is closed", {name: "europe"})
    assert line == f"the region {slot} is closed"
    found = met([Known(0, "x", line)], "x said the region australia is closed today")
    assert found == {0}


def test_slots_do_not_nest():
    echoes = {"--region": "europe", "--kind": "region"}
    assert template("cannot find region europe", echoes) == "cannot find <kind> <region>"


@pytest.mark.parametrize("value", ["true", "false", "null"])
def test_what_says_nothing_of_an_argument_becomes_no_slot(value):
    line = template(f"expected {value} but got nothing", {"--force": value})
    assert line == f"expected {value} but got nothing"


def test_three_templates_that_differ_in_one_word_are_one():
    lines = [f"cannot connect to {name} now" for name in ("redis", "kafka", "mysql")]
    assert set(generalise(lines).values()) == {"cannot connect to <*> now"}
    assert generalise(lines[:2]) == {line: line for line in lines[:2]}


@pytest.mark.parametrize(
    ("action", "effect"),
    [
        ("get_user_details", False),
        ("searchFlights", False),
        ("mcp__github__get_issue", False),
        ("mcp__github__create_issue", True),
        ("cancel_order", True),
        ("$ git status", False),
        ("$ git push", True),
        ("$ kubectl rollout status", False),
        ("$ docker compose up", True),
        ("$ pytest", False),
        ("edit *.py", True),
        ("GET /users/{id}", False),
        ("POST /users", True),
        ("browser navigate", False),
        ("browser click", True),
        ("run tests (pytest)", False),
        ("think", False),
        ("$web_search", False),
    ],
)
def test_actions_that_change_something_are_told_by_their_verb(action, effect):
    assert changes_something(action) is effect
