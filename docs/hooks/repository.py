"""What the documentation is on the repository's host, made into a site, without copies.

* Pages of the root of the repository (`PAGES`) are pages of the site, too.
* Links to other files of the repository must lead to a file; they go to `repo_url` where
  `mkdocs.yml` names one, and else are plain text.
* The kinds of code blocks that tests tell apart (`tests/repo/test_docs.py`) are shown as people
  read them.
* Long names in tables may be broken at their joints, so that what stands beside them has room.
"""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changes.md"}
"""Files of the root of the repository, and where they stand in the site."""

TITLED = {"text output": 'text title="Output"'}
"""Kinds of code blocks that have a title; of others only the language is shown."""

_log = logging.getLogger("mkdocs.hooks.repository")
_FENCE = re.compile(r"^```(?P<kind>[^\n`]*)\n.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?P<before>(?<!!)\[(?P<text>[^\]\n]*)\]\()(?P<target>[^)\s]+)\)")
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
_LONG_NAME = re.compile(r"(?<=<code>)[^<>\s]{36,}(?=</code>)")
_ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:|#|/")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand elsewhere."""
    for source, target in PAGES.items():
        files.append(File.generated(config, target, abs_src_path=str(_root(config) / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """The page as the site understands it."""
    source = _source(page, config)
    pieces: list[str] = []
    end = 0
    for fence in _FENCE.finditer(markdown):
        pieces += [_linked(markdown[end : fence.start()], source, config), _shown(fence)]
        end = fence.end()
    return "".join([*pieces, _linked(markdown[end:], source, config)])


def on_page_content(html: str, **_: Any) -> str:
    """The page as a browser gets it."""
    return _TABLE.sub(lambda table: _LONG_NAME.sub(_jointed, table[0]), html)


def _jointed(name: re.Match[str]) -> str:
    return re.sub(r"(?<=[/_:])(?=[^/_:])", "<wbr>", name[0])


def _shown(fence: re.Match[str]) -> str:
    kind = fence["kind"]
    language = kind.partition(" ")[0]
    return fence[0].replace(kind, TITLED.get(kind.strip(), language), 1)


def _linked(prose: str, source: Path, config: MkDocsConfig) -> str:
    return _LINK.sub(lambda link: _link(link, source, config), prose)


def _link(link: re.Match[str], source: Path, config: MkDocsConfig) -> str:
    name, hash_, anchor = link["target"].partition("#")
    if _ELSEWHERE.match(link["target"]):
        return link[0]
    root, docs = _root(config), Path(config.docs_dir)
    there = (source.parent / name).resolve()
    path = there.relative_to(root).as_posix() if there.is_relative_to(root) else name
    if there.is_relative_to(docs) or path in PAGES:
        page = PAGES.get(path) or there.relative_to(docs).as_posix()
        return f"{link['before']}{posixpath.relpath(page, _folder(source, docs))}{hash_}{anchor})"
    if not there.exists():
        _log.warning("%s: a link to %r, which does not exist", source.name, link["target"])
    if not config.repo_url:
        return link["text"]
    kind = "tree" if there.is_dir() else "blob"
    return f"{link['before']}{config.repo_url.rstrip('/')}/{kind}/HEAD/{path}{hash_}{anchor})"


def _folder(source: Path, docs: Path) -> str:
    """Where the page stands in the site, which may not be where it stands in the repository."""
    return source.parent.relative_to(docs).as_posix() if source.is_relative_to(docs) else "."


def _source(page: Page, config: MkDocsConfig) -> Path:
    """Where the page's text stands in the repository."""
    found = {target: source for source, target in PAGES.items()}.get(page.file.src_uri)
    return _root(config) / found if found else Path(config.docs_dir) / page.file.src_uri


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path).parent
