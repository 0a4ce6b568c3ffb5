"""What is in the repository, and what must not be."""

import re

MAX_BYTES = 1_000_000
SOMEBODYS = re.compile(rb"/home/[a-z]\w*/|/Users/[A-Za-z]\w*/|/root/|[A-Z]:\\Users\\[A-Za-z]")


def test_no_file_holds_a_path_into_somebodys_home(repo):
    found = [
        f"{path.relative_to(repo.root).as_posix()}: {match.group().decode()}"
        for path in repo.files
        if (match := SOMEBODYS.search(path.read_bytes()))
    ]
    assert [one for one in found if not one.startswith("tests/repo/")] == []


def test_every_package_says_that_it_is_typed(repo):
    for folder in repo.packages:
        for package in repo.sources(folder):
            assert (package / "py.typed").is_file(), package.name


def test_every_package_has_a_readme_that_says_what_it_is(repo):
    for folder in repo.packages:
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert len(text.split()) >= 20, folder.name


def test_no_file_is_larger_than_a_megabyte(repo):
    large = {
        path.name: size
        for path in repo.files
        if (size := path.stat().st_size) > MAX_BYTES and path.name != "uv.lock"
    }
    assert large == {}


def test_no_database_and_no_archive_is_committed(repo):
    unwanted = {".db", ".sqlite", ".whl", ".zip", ".gz", ".pyc"}
    assert [path.name for path in repo.files if path.suffix in unwanted] == []


def test_text_files_end_with_a_line_break_and_hold_no_carriage_returns(repo):
    texts = {".py", ".md", ".toml", ".json", ".jsonl", ".txt", ".mako"}
    wrong = [
        path.relative_to(repo.root).as_posix()
        for path in repo.files
        if path.suffix in texts
        for data in (path.read_bytes(),)
        if data and (not data.endswith(b"\n") or b"\r" in data)
    ]
    assert wrong == []
