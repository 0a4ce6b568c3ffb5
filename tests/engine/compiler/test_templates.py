from __future__ import annotations

import pytest

from hippocortex_engine.compiler.commands import command_label, options
from hippocortex_engine.compiler.labels import changes_something
from hippocortex_engine.compiler.templates import generalise, template


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


def test_three_templates_that_differ_in_one_word_are_one():
    lines = [f"cannot connect to {name} now" for name in ("redis", "kafka", "mysql")]
    assert set(generalise(lines).values()) == {"cannot connect to <*> now"}
    assert generalise(lines[:2]) == {line: line for line in lines[:2]}


@pytest.mark.parametrize(
    ("command", "label"),
    [
        ("git commit -am 'x'", "$ git commit"),
        ("cd src && npm run build", "$ npm run build"),
        ("FOO=1 pytest -q tests", "$ pytest"),
        ("/usr/bin/python3 -m http.server", "$ python3 -m http.server"),
        ("cat a.txt | grep x", "$ cat"),
        ("kubectl rollout status deploy/x", "$ kubectl rollout status"),
        ("gh pr create --fill", "$ gh pr create"),
        ("sh ./deploy/publish.sh site --region eu", "$ sh publish.sh"),
        ("python -u train.py --epochs 3", "$ python train.py"),
        ("python /tmp/tmp8f3a.py", "$ python"),
        ("bash -lc 'run.sh'", "$ bash"),
        ("", ""),
    ],
)
def test_commands_are_named_without_operands(command, label):
    assert command_label(command) == label


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("sh publish.sh site --region eu", {"--region": "eu"}),
        ("tar -xz --file=a.tgz", {"-xz": "true", "--file": "a.tgz"}),
        ('cd x && git commit --all -m "it is done"', {"--all": "true", "-m": "it is done"}),
        ("kill -9 4711", {}),
        ("echo -n x", {"-n": "x"}),
        ("say 'it --is", {"--is": "true"}),
        ("ls", {}),
        ("", {}),
    ],
)
def test_options_of_a_command_have_names_and_values(command, found):
    assert options(command) == found


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
    ],
)
def test_actions_that_change_something_are_told_by_their_verb(action, effect):
    assert changes_something(action) is effect
