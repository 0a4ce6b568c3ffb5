"""What documents tell people to type exists: commands, options, sessions, scripts, extras, files.

Transcripts (```` ```console ````) are run by `test_docs.py`.  ```` ```bash ```` blocks are not: they
install, serve, or need a machine of their own.  Here they are read, as are commands in running
text, and compared with what there is.
"""

import ast
import re
import shlex
import sys
from functools import cache
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement

from hippocortex.cli.app import app
from hippocortex.cli.errors import _globals_first

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = None

pytestmark = pytest.mark.skipif(tomllib is None, reason="tomllib came with Python 3.11")
ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "packages/*/README.md")
    for path in ROOT.glob(pattern)
)
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SEPARATORS = "();<>|&\n"
SETTING = re.compile(r"(?P<name>[A-Za-z_]\w*)=.*", re.DOTALL)
OF_OTHERS = set("createdb echo pg_dump pg_restore psql".split())
"""Programs of others; nothing is known of them but their names."""


def typed(text):
    """The words of each command in a piece of shell."""
    text = re.sub(r"(^|\s)#.*$", "", text.replace("\\\n", " "), flags=re.MULTILINE)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=SEPARATORS)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    found, redirected = [[]], False
    for word in lexer:
        if word and set(word) <= set(SEPARATORS):
            redirected = bool(set(word) & set("<>"))
            if not redirected:
                found.append([])
        elif not redirected:
            found[-1].append(word)
    return [words for words in found if words]


def complaints(words, *, strictly):
    """What a command names that does not exist.

    `strictly`: it is shown in whole; else it is spoken of, and values may be missing.
    """
    found = []
    while words and (setting := SETTING.fullmatch(words[0])):
        found += unknown_setting(setting["name"])
        words = words[1:]
    if not words:
        return found
    program, *rest = words
    if program in KNOWN:
        return found + KNOWN[program](rest, strictly=strictly)
    if strictly and program not in OF_OTHERS:
        found.append(f"unknown program {program!r}")
    return found


# --- our own command line -------------------------------------------------------------------------


def hippocortex(words, *, strictly):
    line = shlex.join(words)
    try:
        command, values, unread = parse(
            typer.main.get_command(app), "hippocortex", _globals_first(words)
        )
    except Exception as error:  # noqa: BLE001 - Typer has its parser's under a private name
        said = str(getattr(error, "message", error))
        return [f"{line!r}: {said}"] if strictly or "requires an argument" not in said else []
    missing = [
        param.name
        for param in command.params
        if strictly and param.required and values.get(param.name) in {None, ()}
    ]
    found = [f"{line!r}: unexpected {one!r}" for one in unread]
    return found + [f"{line!r}: {name} is missing" for name in missing]


def parse(command, name, words):
    """The last of the subcommands, its values, and what it cannot read; runs nothing."""
    context = command.context_class(command, info_name=name)
    values, unread, _ = command.make_parser(context).parse_args(args=list(words))
    if not hasattr(command, "commands") or not unread:
        return command, values, unread
    inner = command.get_command(context, unread[0])
    if inner is None:
        raise LookupError(f"no command {unread[0]!r}")
    return parse(inner, unread[0], unread[1:])


@cache
def sources():
    return "\n".join(
        path.read_text(encoding="utf-8") for path in ROOT.glob("packages/*/src/**/*.py")
    )


def unknown_setting(name):
    if not name.startswith("HIPPOCORTEX_") or re.search(rf"\b{name}\b", sources()):
        return []
    return [f"nothing reads {name}"]


def export(words, *, strictly):
    return [one for word in words for one in unknown_setting(word.partition("=")[0])]


def docker(words, *, strictly):
    """A container of ours is given arguments of our own command line."""
    names = {"run": "hippocortex", "compose": "server"}
    image = names.get(words[0] if words else "")
    if image is None or "run" not in words or image not in words:
        return []
    return hippocortex(words[words.index(image) + 1 :], strictly=strictly)


# --- tools of the checkout ------------------------------------------------------------------------


def uv(words, *, strictly):
    if words[:1] == ["run"]:
        return complaints(without_options(words[1:], "--with", "--extra"), strictly=strictly)
    if words[:1] == ["pip"]:
        return pip(words[1:], strictly=strictly)
    known = {"build", "lock", "sync", "venv"}
    return [f"uv {words[0]} is not known here"] if words and words[0] not in known else []


def without_options(words, *with_values):
    """What follows the options that stand first."""
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in with_values else words[1:]
    return words


def pip(words, *, strictly):
    if words[:1] != ["install"]:
        return []
    left, found = iter(words[1:]), []
    for word in left:
        if word in {"-f", "--find-links", "-i", "--index-url"}:
            next(left)
        elif not word.startswith("-") or word.startswith("./"):
            found += unknown_requirement(word)
    return found


def unknown_requirement(text):
    if text.startswith("."):
        folder, _, extras = text.partition("[")
        if not (ROOT / folder / "pyproject.toml").is_file():
            return [f"{folder!r} is no package"]
        asked, version = set(filter(None, extras.rstrip("]").split(","))), ""
        name = project(ROOT / folder)["name"]
    else:
        wanted = Requirement(text)
        name, asked, version = wanted.name, wanted.extras, str(wanted.specifier)
    if not name.startswith("hippocortex"):
        return []
    found = [one for one in map(project, ROOT.glob("packages/*")) if one["name"] == name]
    if not found:
        return [f"no distribution {name!r}"]
    known = found[0].get("optional-dependencies", {})
    wrong = [f"{name} has no extra {extra!r}" for extra in sorted(asked) if extra not in known]
    if version not in {"", f"=={found[0]['version']}"}:
        wrong.append(f"{name} is at {found[0]['version']}, not {version}")
    return wrong


@cache
def project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@cache
def sessions():
    """The names and the tags of all sessions."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    found = {"-s": set(), "-t": set()}
    for function in ast.walk(tree):
        for decorator in getattr(function, "decorator_list", ()):
            if ast.unparse(decorator).startswith("nox.session"):
                given = {one.arg: one.value for one in getattr(decorator, "keywords", ())}
                name, tags = given.get("name"), given.get("tags")
                found["-s"].add(ast.literal_eval(name) if name else function.name)
                found["-t"] |= set(ast.literal_eval(tags) if tags else ())
    return found


def nox(words, *, strictly):
    option, found = "", []
    for word in words:
        if word == "--":
            break
        if word.startswith("-"):
            option = word
        elif word.partition("(")[0] not in sessions().get(option, ()):
            found.append(f"nox {option} knows no {word!r}")
    return found


def python(words, *, strictly):
    words = without_options(words, "-m", "-c", "-W")
    if not words:
        return []
    script = ROOT / words[0]
    if not script.is_file():
        return [f"{words[0]!r} does not exist"]
    asked = {word.partition("=")[0] for word in words[1:] if word.startswith("--")}
    return [f"{words[0]} has no {option}" for option in sorted(asked - options_of(script))]


def options_of(script):
    """What the script, and what beside it that it imports, give to argparse."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    found = {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }
    imported = {
        getattr(node, "module", None) or node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
    }
    beside = [path / f"{name}.py" for path in script.parents[:2] for name in imported]
    return found.union(*(options_of(path) for path in beside if path.is_file()))


def pytest_(words, *, strictly):
    paths = [word.partition("::")[0] for word in words if not word.startswith("-") and "/" in word]
    return [f"{path!r} does not exist" for path in paths if not (ROOT / path).exists()]


KNOWN = {
    "docker": docker,
    "export": export,
    "hippocortex": hippocortex,
    "nox": nox,
    "pip": pip,
    "pytest": pytest_,
    "python": python,
    "uv": uv,
}


def shown(path):
    """The commands of the bash blocks, and those that the text speaks of."""
    text = path.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        if match["info"] == "bash":
            yield from ((words, True) for words in typed(match["body"]))
    for span in SPAN.findall(FENCE.sub("", text)):
        if span.partition(" ")[0] in KNOWN:
            yield from ((words, False) for words in typed(span))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_document_tells_to_type_exists(path):
    found = [
        (shlex.join(words), complaints(words, strictly=strictly)) for words, strictly in shown(path)
    ]
    assert [one for one in found if one[1]] == []


@pytest.mark.parametrize(
    "line",
    [
        "hippocortex learns",
        "hippocortex keys make",
        "hippocortex serve --prot 80",
        "hippocortex synthesize",
        "hippocortex learn everything",
        "HIPPOCORTEX_BASE=x hippocortex learn",
        "docker compose run --rm server keys make",
        "uv run nox -s test",
        "uv run nox -t matrices",
        "uv run python benchmarks/capture/runs.py",
        "uv run python benchmarks/server/run.py --second 60",
        "uv run pytest tests/cores -q",
        "uv pip install ./packages/care",
        "pip install 'hippocortex[langraph]'",
        "pip install hippocortex==1.0.0",
        "pip install hippocortex-langchain",
        "conda install hippocortex",
    ],
)
def test_what_does_not_exist_is_found(line):
    assert [one for words in typed(line) for one in complaints(words, strictly=True)] != []


def test_every_program_of_others_is_used_somewhere():
    used = {words[0] for path in DOCUMENTS for words, _ in shown(path)}
    assert used >= OF_OTHERS
