"""Real copies of the plugin.

OpenClaw refuses files with a second name (hard links), which is how several package managers
install: what it is given must be copied, byte by byte.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Traversable

_FILE, _FOLDER = 0o644, 0o755
_LEFT_OUT = frozenset({"__pycache__", "node_modules"})


def copy_plugin(source: Traversable, target: Path) -> bool:
    """Make `target` a copy of the plugin, all at once; False if it is one already.

    Raises:
        OSError: The folder cannot be written.
    """
    wanted = dict(_contents(source))
    if _is_copy(target, wanted):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".copying-", dir=target.parent) as scratch:
        fresh = Path(scratch) / "new"
        _write(fresh, wanted)
        if os.path.lexists(target):
            target.rename(Path(scratch) / "old")
        fresh.rename(target)
    return True


def remove_copies(folder: Path, *, keep: Path | None = None) -> bool:
    """Remove the copies in the folder, except the one of the version in `keep`."""
    versions = [place for place in _listed(folder) if place != keep]
    for place in versions:
        if place.is_symlink():
            place.unlink()  # what it leads to is not ours
        else:
            shutil.rmtree(place)
    if not _listed(folder) and folder.is_dir():
        folder.rmdir()
    return bool(versions)


def _contents(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        name = f"{prefix}{entry.name}"
        if entry.name.startswith(".") or entry.name in _LEFT_OUT:
            continue
        if entry.is_dir():
            yield from _contents(entry, f"{name}/")
        else:
            yield name, entry.read_bytes()


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    folder.mkdir()
    folder.chmod(_FOLDER)  # whatever the umask says: OpenClaw refuses what others may write
    for name, data in contents.items():
        path = folder / name
        for missing in reversed([place for place in path.parents if not place.exists()]):
            missing.mkdir()
            missing.chmod(_FOLDER)
        path.write_bytes(data)
        path.chmod(_FILE)


def _is_copy(folder: Path, wanted: dict[str, bytes]) -> bool:
    """Whether the folder holds these files, unchanged, unlinked and nothing else."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    found = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    names = {path.relative_to(folder).as_posix(): path for path in found}
    return names.keys() == wanted.keys() and all(
        _is_plain(path) and path.read_bytes() == wanted[name] for name, path in names.items()
    )


def _is_plain(path: Path) -> bool:
    if path.is_symlink():
        return False
    status = path.stat()
    return status.st_nlink == 1 and not status.st_mode & 0o022


def _listed(folder: Path) -> list[Path]:
    return [place for place in folder.iterdir() if place.is_dir()] if folder.is_dir() else []
