"""Command lines: what they are called, which options they give, and what is not known of them."""

from __future__ import annotations

from time import process_time

import pytest

from hippocortex_engine.compiler.commands import UNREAD, command_label, is_command, options
from hippocortex_engine.compiler.labels import action, operands
from hippocortex_engine.payloads import tool_use

NOTHING_KNOWN = {UNREAD: ""}


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
        ("git --no-pager log", "$ git log"),
        ("pip -q install x", "$ pip install"),
        ("sh ./deploy/publish.sh site --region eu", "$ sh publish.sh"),
        ("python -u train.py --epochs 3", "$ python train.py"),
        ("python /tmp/tmp8f3a.py", "$ python"),
        ("bash -lc 'run.sh'", "$ bash"),
        ("sudo systemctl restart nginx", "$ systemctl restart"),
        ("cd x", "$ cd"),
        ("env", "$ env"),
        ("", ""),
    ],
)
def test_commands_are_named_without_operands(command, label):
    assert command_label(command) == label


@pytest.mark.parametrize(
    ("command", "label"),
    [
        ("sudo -u www-data sh publish.sh", "$ sh publish.sh"),
        ("sudo -E -- sh publish.sh", "$ sh publish.sh"),
        ("env -i A=b deploy --region eu", "$ deploy"),
        ("time -p deploy", "$ deploy"),
        ("(cd x && deploy --a b)", "$ deploy"),
        ("2>/dev/null deploy", "$ deploy"),
        ("# the site\nsh publish.sh", "$ sh publish.sh"),
        ("kubectl -n prod get pods", "$ kubectl get"),
        ("git -C /x commit -m y", "$ git commit"),
        ("npm --prefix web run build", "$ npm run build"),
        ("docker run -e A=1 -e B=2 img", "$ docker run"),
        ('"C:\\Program Files\\x.exe" --y z', "$ x.exe"),
        ("/", ""),
        ("''", ""),
    ],
)
def test_what_stands_before_a_command_does_not_name_it(command, label):
    assert command_label(command) == label


@pytest.mark.parametrize(
    "command",
    [
        "TOKEN=s3cret",
        "TOKEN=s3cret\nsh publish.sh",
        "TOKEN='so s3cret' deploy",
        'TOKEN="so s3cret deploy',
        'TOKEN="so;s3cret deploy',
        'FOO=1 TOKEN="a && s3cret" deploy',
        '$env:TOKEN="s3cret"; deploy',
        "export TOKEN=s3cret",
        "docker run --env=TOKEN=s3cret img",
        "$(cat s3cret)",
        "echo 's3cret && s3cret'",
        'echo "s3cret; s3cret' + " and more" * 1_000 + '"',
    ],
)
def test_no_value_is_part_of_a_label(command):
    assert "s3cret" not in command_label(command)


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("sh publish.sh site --region eu", {"--region": "eu"}),
        ("tar -xz --file=a.tgz", {"-xz": "true", "--file": "a.tgz"}),
        ('cd x && git commit --all -m "it is done"', {"--all": "true", "-m": "it is done"}),
        ("kill -9 4711", {}),
        ("echo -n x", {"-n": "x"}),
        ("ls", {}),
        ("", {}),
    ],
)
def test_options_of_a_command_have_names_and_values(command, found):
    assert options(command) == found


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (
            "sh publish.sh \\\n  --site a \\\r\n  --region eu\nls --x",
            {"--site": "a", "--region": "eu"},
        ),
        ("sh publish.sh --note 'one; two' --site a", {"--note": "one; two", "--site": "a"}),
        ('sh publish.sh --note "a \\" && b" --site a', {"--note": 'a \\" && b', "--site": "a"}),
        ("sh publish.sh --note='it'\"'\"'s' --site a", {"--note": "it's", "--site": "a"}),
        (
            "sh publish.sh --to $(cat a | head -1) --dry",
            {"--to": "$(cat a | head -1)", "--dry": "true"},
        ),
        ("find . -exec rm {} \\; -print", {"-exec": "rm", "-print": "true"}),
        ("curl http://x/?a=1&b=2 -s", {"-s": "true"}),
        ("deploy --dry & wait --n", {"--dry": "true"}),
    ],
)
def test_a_command_ends_where_a_shell_ends_it(command, found):
    assert options(command) == found


def test_a_message_written_in_place_hides_no_option():
    message = '"$(cat <<\'EOF\'\nFix --it and "that" (twice)\nEOF\n)"'
    assert options(f"git commit -m {message} --no-verify").keys() == {"-m", "--no-verify"}


@pytest.mark.parametrize(
    "command",
    ["deploy --force > out.log 2>&1", "deploy --force 2>/dev/null", "deploy &>x --force < in"],
)
def test_redirections_are_no_values(command):
    assert options(command) == {"--force": "true"}


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("docker run -e A=1 -e B=2 img", {"-e": ""}),
        ("sh ./pub.sh --region=eu --region=us --x 1", {"--region": "", "--x": "1"}),
        ("ssh -v -v host", {"-v": ""}),
        ("ssh -v -v", {"-v": "true"}),
    ],
)
def test_an_option_given_twice_has_no_single_value(command, found):
    assert options(command) == found


@pytest.mark.parametrize(
    "command",
    [
        "deploy --a 1 --b 2 --c 3 --d 4 --e 5 --f 6 --g 7 --dry-run --token S3cret",
        "deploy --message '" + "word " * 1_000 + "' --site a",
        "deploy --message " + "word " * 1_000,
        "deploy --message 'it --site a",
        "deploy --size $(((1 + 2) * 3)) --site a",
    ],
)
def test_of_a_line_that_is_not_read_to_its_end_no_option_is_known(command):
    assert options(command) == NOTHING_KNOWN
    assert command_label(command) == "$ deploy"


def test_what_follows_a_command_may_be_of_any_length():
    assert options("sh publish.sh --site a <<EOF\n" + "it's\n" * 2_000) == {"--site": "a"}


@pytest.mark.parametrize(
    "unit",
    [
        " ",
        "\n",
        "a=",
        "-a",
        "'",
        '"',
        '\\"',
        '"$(',
        '")$(',
        "$(",
        "(a",
        "`a",
        "a1",
        "> ",
        "1>",
        "&",
        "\\",
        "# ",
        "/",
    ],
)
@pytest.mark.parametrize("lead", ["", "a", "--x "])
def test_the_time_to_read_a_line_is_linear(unit, lead):
    line = lead + unit * (200_000 // len(unit)) + "b"
    started = process_time()
    command_label(line)
    options(line)
    assert process_time() - started < 0.1


@pytest.mark.parametrize(
    ("label", "expected"),
    [("$ ls", True), ("$", True), ("$web_search", False), ("$1", False), ("ls", False)],
)
def test_a_tool_whose_name_begins_with_a_dollar_sign_is_no_command(label, expected):
    assert is_command(label) is expected


def seen(payload, kind="command_exec"):
    use = tool_use(payload)
    return action(kind, payload, use), dict(operands(kind, payload, use))


@pytest.mark.parametrize(
    ("command", "label", "found"),
    [
        (["sh", "publish.sh", "--region", "eu"], "$ sh publish.sh", {"--region": "eu"}),
        (["deploy", "--note", "it's; so"], "$ deploy", {"--note": "it's; so"}),
        (["bash", "-lc", "ls -la"], "$ bash", {"-lc": "ls -la"}),
        (["cd src", "npm test --quiet"], "$ npm test", {"--quiet": "true"}),
    ],
)
def test_a_list_is_the_words_of_a_command_or_several_commands(command, label, found):
    assert seen({"command": command}) == (label, found)
    assert seen({"command": command}, "test_run") == (label, found)


def test_options_come_before_the_many_arguments_of_a_tool():
    environment = {f"NAME_{number}": "x" for number in range(20)}
    payload = {"tool": "exec", "args": {**environment, "command": "deploy --site a"}}
    assert next(iter(seen(payload, "tool_call")[1])) == "--site"


def test_a_tools_name_is_read_in_bounded_time():
    started = process_time()
    assert seen({"tool": "a" + " " * 400_000 + "b"})[0] == "$ a"
    assert process_time() - started < 0.1
