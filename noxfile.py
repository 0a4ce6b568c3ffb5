"""The checks of the project; `uv run nox` runs all that a change must pass."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = bool(os.environ.get("CI"))
nox.options.sessions = ["lint", "typing", "tests"]

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PACKAGES = ("core", "engine", "hippocortex")


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
    """Every test on this Python; arguments go to pytest."""
    _sync(session)
    session.run("pytest", *session.posargs, env={"HIPPOCORTEX_STRICT": "1"})


@nox.session(name="tests-python", python=PYTHONS, tags=["matrix"])
def tests_python(session: nox.Session) -> None:
    """Every test on each supported Python, with the newest dependencies that it allows."""
    session.install(*(f"./packages/{name}" for name in PACKAGES))
    session.install("bpe-openai", "hypothesis", "pytest", "pytest-timeout")
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
