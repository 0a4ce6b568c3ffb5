import os
import stat
import sys

import pytest

from hippocortex_core.recorder.spool import Spool


def lines(*names):
    return [f"{name}\n".encode() for name in names]


def take_all(spool):
    found = []
    while peeked := spool.peek(3, 1 << 20):
        found += [line.decode().strip() for line in peeked]
        spool.ack(len(peeked))
    return found


@pytest.fixture
def spool_in(tmp_path):
    opened = []

    def open_spool(**options):
        spool = Spool(tmp_path / "spool", **options)
        spool.torn = spool.open()
        opened.append(spool)
        return spool

    yield open_spool
    for spool in opened:
        spool.close()


def test_lines_come_out_in_the_order_they_went_in(spool_in):
    spool = spool_in()
    spool.append(lines("a", "b"))
    spool.append(lines("c"))
    assert spool.pending == 3
    assert spool.peek(2, 1 << 20) == lines("a", "b")
    spool.append(lines("d"))
    spool.ack(1)
    assert take_all(spool) == ["b", "c", "d"]
    assert spool.pending == 0


def test_a_request_is_bounded_in_bytes_but_never_empty(spool_in):
    spool = spool_in()
    spool.append(lines("x" * 100, "y", "z"))
    assert spool.peek(3, 10) == lines("x" * 100)


def test_what_is_done_with_takes_no_space_and_close_leaves_nothing(spool_in, tmp_path):
    spool = spool_in()
    for _ in range(100):
        spool.append(lines("x" * 1000))
        take_all(spool)
    sizes = [path.stat().st_size for path in (tmp_path / "spool").iterdir()]
    assert sizes == [0, 0]
    spool.close()
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_only_the_owner_can_read_it(spool_in, tmp_path):
    spool = spool_in()
    spool.append(lines("a"))
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "spool").iterdir()]
    assert modes == [0o600, 0o600]
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700


def test_what_a_closed_spool_holds_is_taken_over_ahead_of_new_lines(spool_in, tmp_path):
    ticks = iter(range(100))
    first = spool_in(max_bytes=64, now=lambda: next(ticks))
    for name in "abc":
        first.append(lines(name * 10))
    first.close()
    second = spool_in()
    second.append(lines("d"))
    assert take_all(second) == ["a" * 10, "b" * 10, "c" * 10, "d"]
    second.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_two_living_spools_share_a_folder_and_leave_each_other_alone(spool_in):
    first, second = spool_in(), spool_in()
    first.append(lines("a"))
    second.append(lines("b"))
    third = spool_in()
    assert [take_all(spool) for spool in (third, second, first)] == [[], ["b"], ["a"]]


def test_segments_without_a_lock_are_taken_over(spool_in, tmp_path):
    first = spool_in()
    first.append(lines("a"))
    first.close()
    next((tmp_path / "spool").glob("*.lock")).unlink()
    assert take_all(spool_in()) == ["a"]


def test_segments_that_two_processes_began_in_the_same_moment_are_both_taken_over(spool_in):
    dead = [spool_in(now=lambda: 1.0) for _ in range(3)]
    for number, spool in enumerate(dead):
        spool.append(lines(f"{number}"))
    for spool in dead:
        spool.close()
    heir = spool_in()
    assert heir.pending == 3
    heir.close()
    assert sorted(take_all(spool_in())) == ["0", "1", "2"]


def test_a_torn_last_line_is_left_out_and_counted(spool_in, tmp_path):
    first = spool_in()
    first.append(lines("a", "b"))
    first.close()
    (segment,) = (tmp_path / "spool").glob("*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"half')
    second = spool_in()
    assert (second.torn, second.pending) == (1, 2)
    second.append(lines("c"))
    assert take_all(second) == ["a", "b", "c"]


def test_beyond_its_bound_the_oldest_are_dropped_and_counted(spool_in):
    spool = spool_in(max_bytes=800)
    for number in range(200):
        spool.append(lines(f"{number:09d}"))
    assert spool.pending + spool.dropped == 200
    assert 700 <= spool.pending * 10 <= 800
    kept = take_all(spool)
    assert kept == [f"{number:09d}" for number in range(200 - len(kept), 200)]


def test_lines_that_are_being_sent_are_not_dropped(spool_in):
    spool = spool_in(max_bytes=80)
    spool.append(lines("head"))
    assert spool.peek(1, 100) == lines("head")
    for number in range(100):
        spool.append(lines(f"{number:09d}"))
    spool.ack(1)
    assert spool.pending + spool.dropped == 100
    assert take_all(spool)[-1] == "000000099"


def test_without_a_folder_lines_wait_in_memory_up_to_a_bound():
    spool = Spool(None, max_memory=3)
    spool.open()
    spool.append(lines("a", "b"))
    assert spool.peek(1, 100) == lines("a")
    spool.append(lines("c", "d", "e"))
    spool.ack(1)
    assert (take_all(spool), spool.dropped) == (["d", "e"], 2)


def test_a_folder_that_cannot_be_used_is_as_none(tmp_path):
    (tmp_path / "spool").write_text("a file")
    spool = Spool(tmp_path / "spool")
    spool.open()
    assert isinstance(spool.error, OSError)
    spool.append(lines("a"))
    assert take_all(spool) == ["a"]
    spool.close()


def test_where_files_cannot_be_locked_lines_wait_in_memory(tmp_path, monkeypatch):
    def refuse(fd):
        raise OSError(37, "no locks available")

    monkeypatch.setattr("hippocortex_core.recorder.locks._lock", refuse)
    spool = Spool(tmp_path / "spool")
    spool.open()
    spool.append(lines("a"))
    assert take_all(spool) == ["a"]
    assert spool.error is not None
    assert list((tmp_path / "spool").iterdir()) == []


def test_while_the_disk_is_full_lines_wait_in_memory_in_order(spool_in, monkeypatch):
    spool = spool_in()
    spool.append(lines("a"))
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[: len(data) // 2]))
    spool.append(lines("b", "c"))
    assert spool.error is not None
    assert spool.pending == 3
    monkeypatch.undo()
    spool.append(lines("d"))
    assert spool.error is None
    assert take_all(spool) == ["a", "b", "c", "d"]


def test_a_segment_that_disappears_is_counted_and_the_rest_goes_on(spool_in, tmp_path):
    spool = spool_in(max_bytes=64)
    for name in "abc":
        spool.append(lines(name * 10))
    min((tmp_path / "spool").glob("*.jsonl")).unlink()
    assert take_all(spool) == ["b" * 10, "c" * 10]
    assert spool.dropped == 1
