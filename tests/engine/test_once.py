"""Attributes made on first use are made once, whoever comes first."""

import threading

from hippocortex_engine.once import once, unmake


class Thing:
    def __init__(self):
        self.made = 0
        self.waiting = threading.Barrier(4)

    @once
    def part(self):
        self.made += 1
        return object()


def test_threads_that_come_together_get_the_same():
    thing, found = Thing(), []

    def use():
        thing.waiting.wait()
        found.append(thing.part)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert thing.made == 1
    assert len(set(map(id, found))) == 1


def test_what_was_unmade_is_made_anew():
    thing = Thing()
    first = thing.part
    unmake(thing, "part")
    assert thing.part is not first
    assert thing.made == 2
