"""All distributions are released together: one version, and pins to it."""

import re
from importlib.metadata import version

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    tomllib = None

pytestmark = pytest.mark.skipif(tomllib is None, reason="tomllib came with Python 3.11")

APART = {"hippocortex-agent-framework", "hippocortex-autogen", "hippocortex-crewai"}
"""Of frameworks that the development environment cannot hold."""


def project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(found):
    extras = found.get("optional-dependencies", {}).values()
    return [*found.get("dependencies", []), *(one for extra in extras for one in extra)]


def test_every_distribution_has_the_version_of_the_workspace(repo):
    wanted = project(repo.root)["version"]
    versions = {found["name"]: found["version"] for found in map(project, repo.packages)}
    assert versions == dict.fromkeys(versions, wanted)


def test_distributions_require_each_other_in_exactly_that_version(repo):
    wanted = project(repo.root)["version"]
    ours = {project(folder)["name"] for folder in repo.packages}
    for folder in repo.packages:
        for requirement in requirements(project(folder)):
            name = re.match(r"[\w.-]+", requirement)[0]
            if name in ours:
                pinned = re.sub(r"\[[^\]]*\]", "", requirement)
                assert pinned == f"{name}=={wanted}", folder.name


def test_what_is_installed_is_that_version(repo):
    for found in map(project, repo.packages):
        if found["name"] not in APART:
            assert version(found["name"]) == found["version"]


def test_the_lock_file_knows_that_version(repo):
    locked = tomllib.loads((repo.root / "uv.lock").read_text(encoding="utf-8"))["package"]
    versions = {one["name"]: one.get("version") for one in locked}
    for found in map(project, repo.packages):
        assert versions[found["name"]] == found["version"]


def test_the_changelog_opens_with_that_version(repo):
    changelog = (repo.root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert (
        re.search(r"^## \[?([\d.]+)", changelog, re.MULTILINE)[1] == project(repo.root)["version"]
    )


def test_every_distribution_supports_the_same_pythons(repo):
    wanted = project(repo.root)["requires-python"]
    for folder in repo.packages:
        assert project(folder)["requires-python"] == wanted, folder.name
