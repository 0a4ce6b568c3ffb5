"""The documentation as a site: every page is found in it, and the reference names all that is public.

That it builds, and that no link in it is broken, is checked by `nox -s docs`.
"""

import ast
import re

import pytest

NAMED = re.compile(r"^::: (?P<path>[\w.]+)$", re.MULTILINE)
PAGE = re.compile(r"(?:: |- )(?P<path>[\w./-]+\.md)\b")
ELSEWHERE = {"contributing.md", "changes.md"}
"""Pages that stand in the root of the repository; `docs/hooks/repository.py` adds them."""
PUBLIC = {
    "packages/hippocortex/src/hippocortex/__init__.py",
    "packages/hippocortex/src/hippocortex/types.py",
    "packages/core/src/hippocortex_core/testing/__init__.py",
    "packages/langgraph/src/hippocortex_langgraph/__init__.py",
    "packages/openai-agents/src/hippocortex_openai_agents/__init__.py",
    "packages/crewai/src/hippocortex_crewai/__init__.py",
    "packages/autogen/src/hippocortex_autogen/__init__.py",
    "packages/agent-framework/src/hippocortex_agent_framework/__init__.py",
    "packages/openclaw/src/hippocortex_openclaw/__init__.py",
    "packages/server/src/hippocortex_server/__init__.py",
}


def exported(path):
    """What a module's `__all__` lists, read without importing it."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


@pytest.fixture(scope="module")
def reference(repo):
    pages = (repo.root / "docs" / "reference").glob("*.md")
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def test_every_page_is_in_the_navigation_once(repo):
    docs = repo.root / "docs"
    pages = {path.relative_to(docs).as_posix() for path in docs.glob("**/*.md")}
    navigation = (repo.root / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    named = PAGE.findall(navigation)
    assert sorted(named) == sorted(pages | ELSEWHERE)


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_the_reference_holds_every_public_name(repo, reference, path):
    shown = {name.rpartition(".")[2] for name in NAMED.findall(reference)}
    mentioned = set(re.findall(r"`(\w+)`", reference))  # another name of something
    assert exported(repo.root / path) - shown - mentioned - {"__version__"} == set()


def test_the_site_takes_nothing_from_elsewhere(repo):
    settings = (repo.root / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in settings
    assert re.findall(r"https?://\S+", settings) == []
    # Material draws these with a script that it loads from a public server.
    assert [
        page.name
        for page in (repo.root / "docs").glob("**/*.md")
        if "```mermaid" in page.read_text(encoding="utf-8")
    ] == []
