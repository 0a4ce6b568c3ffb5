"""What the tests of the repository itself look at."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Repo:
    """The checkout."""

    root: Path

    @property
    def files(self) -> list[Path]:
        """Every file that is committed, or would be."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        paths = (self.root / name for name in listed.split("\0") if name)
        return sorted(path for path in paths if path.is_file())

    @property
    def packages(self) -> list[Path]:
        """The folder of each distribution."""
        return sorted(path.parent for path in self.root.glob("packages/*/pyproject.toml"))

    def sources(self, package: Path) -> list[Path]:
        """The importable packages of a distribution."""
        return sorted(path for path in (package / "src").iterdir() if path.is_dir())


@pytest.fixture(scope="session")
def repo() -> Repo:
    return Repo(ROOT)
