"""Processes that are killed, fork, end or share a spool."""

import signal
import sys

import pytest

unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither fork nor SIGKILL")


@unix
def test_a_process_killed_with_events_in_its_spool_loses_none_and_doubles_none(
    script, stored, tmp_path
):
    done = script(
        """
        class Hanging(InMemoryService):
            def capture_batch(self, events):
                threading.Event().wait()
        recorder = Recorder(Hanging(), spool_dir=spool)
        for number in range(50):
            recorder.record(UserMessage(f"{number}"))
        until(lambda: lines() == 50)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    said = script(
        """
        recorder = Recorder(engine, spool_dir=spool)
        recorder.record(UserMessage("50"))
        assert recorder.flush(30)
        print(recorder.stats().replayed)
        """
    )
    assert said.stdout == "50\n"
    assert list(stored().items()) == [(f"{number}", 1) for number in range(51)]
    assert list((tmp_path / "spool").iterdir()) == []


@unix
def test_a_process_killed_after_the_service_stored_but_before_it_knew_doubles_none(script, stored):
    done = script(
        """
        class Deadly:
            def __init__(self):
                self.engine = engine()
            def capture_batch(self, events):
                self.engine.capture_batch(events)
                os.kill(os.getpid(), signal.SIGKILL)
        recorder = Recorder(Deadly(), spool_dir=spool)
        for number in range(50):
            recorder.record(UserMessage(f"{number}"))
        threading.Event().wait()
        """,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    script("assert Recorder(engine, spool_dir=spool).flush(30)")
    assert list(stored().items()) == [(f"{number}", 1) for number in range(50)]


@unix
@pytest.mark.parametrize("after", [100, 1_000])
def test_a_process_killed_in_the_middle_loses_at_most_its_last_moments(script, stored, after):
    done = script(
        f"""
        recorder = Recorder(engine, spool_dir=spool, flush_interval=0.0)
        for number in range({after} + 1):
            recorder.record(UserMessage(f"{{number}}"))
            if number % 50 == 0:
                recorder.flush(0.001)
        written = lines() or recorder.stats().delivered
        os.write(1, str(recorder.stats().delivered).encode())
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    script("assert Recorder(engine, spool_dir=spool).flush(30)")
    found = stored()
    assert list(found.items()) == [(f"{number}", 1) for number in range(len(found))]
    assert len(found) >= int(done.stdout)


@unix
def test_while_a_process_lives_nobody_takes_its_events(script, stored):
    script(
        """
        import subprocess
        class Down(InMemoryService):
            def capture_batch(self, events):
                raise UnavailableError("down")
        recorder = Recorder(Down(), spool_dir=spool)
        recorder.record(UserMessage("mine"))
        until(lambda: lines() == 1)
        other = Recorder(engine, spool_dir=spool)
        other.record(UserMessage("other"))
        assert other.flush(30) and other.stats().replayed == 0
        recorder.close(0.1)
        """
    )
    assert stored() == {"other": 1}
    script("assert Recorder(engine, spool_dir=spool).flush(30)")
    assert stored() == {"other": 1, "mine": 1}


@unix
def test_the_child_of_a_fork_starts_empty_and_the_parent_delivers_its_own(script, stored):
    said = script(
        """
        recorder = Recorder(engine, spool_dir=spool, flush_interval=60)
        recorder.record(UserMessage("warm"))
        assert recorder.flush(30)
        session_id = recorder.scope().session_id
        for number in range(20):
            recorder.record(UserMessage(f"parent {number}"))
        child = os.fork()
        if child == 0:
            assert recorder.stats().pending == recorder.stats().recorded == 0
            assert recorder.scope().session_id != session_id
            recorder.record(UserMessage("child"))
            recorder.recall("parent")
            os._exit(0 if recorder.flush(30) and recorder.stats().delivered == 1 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert recorder.scope().session_id == session_id
        assert recorder.flush(30)
        print(recorder.stats().delivered)
        """
    )
    assert said.stdout == "21\n"
    assert stored() == {"warm": 1, "child": 1, **{f"parent {n}": 1 for n in range(20)}}


@unix
def test_forks_out_of_busy_threads_neither_hang_nor_double(script, stored):
    script(
        """
        recorder = Recorder(engine, spool_dir=spool, flush_interval=0.0)
        stop = threading.Event()
        def busy(name):
            count = 0
            while not stop.is_set():
                recorder.record(UserMessage(f"parent {name} {count}"))
                count += 1
                stop.wait(0.001)
        threads = [threading.Thread(target=busy, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for number in range(10):
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                recorder.record(UserMessage(f"child {number}"))
                os._exit(0 if recorder.flush(50) else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, number
        stop.set()
        for thread in threads:
            thread.join()
        assert recorder.flush(50)
        """
    )
    found = stored()
    assert set(found.values()) == {1}
    assert {f"child {number}" for number in range(10)} <= set(found)


@unix
def test_a_dead_parents_events_are_found_though_its_child_lives(script, stored):
    done = script(
        """
        class Hanging(InMemoryService):
            def capture_batch(self, events):
                threading.Event().wait()
        recorder = Recorder(Hanging(), spool_dir=spool)
        recorder.record(UserMessage("orphan"))
        until(lambda: lines() == 1)
        if os.fork() == 0:
            os.close(1), os.close(2)
            signal.alarm(60)
            threading.Event().wait()
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    script("assert Recorder(engine, spool_dir=spool).flush(30)")
    assert stored() == {"orphan": 1}


@unix
def test_the_child_of_multiprocessing_flushes_when_it_ends(script, stored):
    script(
        """
        import multiprocessing
        recorder = Recorder(engine, spool_dir=spool, flush_interval=60, on_exit_deadline=60)
        def work():
            for number in range(5):
                recorder.record(UserMessage(f"{number}"))
        recorder.record(UserMessage("parent"))
        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        process.join()
        assert process.exitcode == 0
        """
    )
    # Two processes that make one database at the same time may get in each other's way.
    script("assert Recorder(engine, spool_dir=spool).flush(30)")
    assert stored() == {"parent": 1, **{f"{number}": 1 for number in range(5)}}


def test_a_process_that_ends_delivers_what_it_recorded(script, stored, tmp_path):
    script(
        """
        import atexit
        recorder = Recorder(engine, spool_dir=spool, flush_interval=60, on_exit_deadline=30)
        atexit.register(lambda: recorder.record(UserMessage("by a handler")))
        def late():
            threading.Event().wait(0.2)
            recorder.record(UserMessage("by a thread"))
        threading.Thread(target=late).start()
        for number in range(100):
            recorder.record(UserMessage(f"{number}"))
        """
    )
    texts = [f"{number}" for number in range(100)] + ["by a thread", "by a handler"]
    assert list(stored().items()) == [(text, 1) for text in texts]


def test_a_first_step_at_the_very_end_is_not_lost(script, stored):
    script(
        """
        import atexit
        recorder = Recorder(engine, spool_dir=spool, on_exit_deadline=30)
        atexit.register(lambda: recorder.record(UserMessage("last words")))
        """
    )
    script("assert Recorder(engine, spool_dir=spool).flush(30)")
    assert stored() == {"last words": 1}


def test_a_hanging_service_holds_up_the_end_for_the_deadline_only(script, stored):
    said = script(
        """
        import atexit, time
        class Hanging(InMemoryService):
            def capture_batch(self, events):
                threading.Event().wait()
            def synthesize(self, query, options=None):
                threading.Event().wait()
        recorder = Recorder(Hanging(), spool_dir=spool, on_exit_deadline=0.3, recall_deadline=0.1)
        recorder.record(UserMessage("kept"))
        recorder.recall("x")
        begin = time.perf_counter()
        import hippocortex_core.recorder.exit as ends
        atexit.unregister(ends._at_exit)
        atexit.register(lambda: print(time.perf_counter() - begin < 2))
        atexit.register(ends._at_exit)
        """
    )
    assert said.stdout == "True\n"
    script("assert Recorder(engine, spool_dir=spool).flush(30)")
    assert stored() == {"kept": 1}


def test_the_process_does_not_end_in_the_middle_of_a_recall_that_came_too_late(script):
    said = script(
        """
        class Slow(InMemoryService):
            def synthesize(self, query, options=None):
                threading.Event().wait(0.5)
                print("answered")
        Recorder(Slow(), recall_deadline=0.05, on_exit_deadline=30).recall("x")
        print("the program's end")
        """
    )
    assert said.stdout == "the program's end\nanswered\n"


@unix
def test_a_full_disk_loses_nothing_while_the_process_lives(script):
    script(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        class Down(InMemoryService):
            down = True
            def capture_batch(self, events):
                if self.down:
                    raise UnavailableError("down")
                return super().capture_batch(events)
        service = Down()
        recorder = Recorder(service, spool_dir=spool)
        for number in range(200):
            recorder.record(UserMessage(f"{number}"))
            if number % 10 == 0:
                recorder.flush(0.01)
        assert not recorder.flush(0.1)
        assert recorder.stats().pending == 200
        assert recorder.stats().dropped == 0
        service.down = False
        assert recorder.flush(30)
        assert [e.payload["content"] for e in service.events] == [f"{n}" for n in range(200)]
        """
    )


def test_several_processes_share_a_spool_and_everything_arrives_once(script, stored):
    script(
        """
        import subprocess
        body = '''
        import pathlib, sys
        from hippocortex_core import *
        class Down:
            def capture_batch(self, events):
                raise UnavailableError("down")
        recorder = Recorder(Down(), spool_dir=pathlib.Path(sys.argv[1]))
        for number in range(20):
            recorder.record(UserMessage(f"{sys.argv[2]}/{number}"))
        recorder.close(0.05)
        '''
        import textwrap
        args = [sys.executable, "-c", textwrap.dedent(body), str(spool)]
        running = [subprocess.Popen([*args, str(name)]) for name in range(4)]
        assert [one.wait(60) for one in running] == [0] * 4
        together = [Recorder(engine, spool_dir=spool) for _ in range(3)]
        assert all(recorder.flush(30) for recorder in together)
        """
    )
    assert stored() == {f"{name}/{number}": 1 for name in range(4) for number in range(20)}
