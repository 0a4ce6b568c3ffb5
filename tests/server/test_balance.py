"""Who takes the next connection."""

import os
import subprocess
import sys

import pytest

from hippocortex_server.balance import Crowd

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers share a socket on POSIX only")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "connections"


def test_alone_nobody_has_fewer(file):
    crowd = Crowd(file)
    crowd.enter()
    assert not crowd.is_fuller


def test_whoever_has_more_lets_the_others_go_first(file):
    one, other = Crowd(file), Crowd(file)
    one.enter()
    assert (one.is_fuller, other.is_fuller) == (True, False)
    other.enter()
    assert (one.is_fuller, other.is_fuller) == (False, False)
    one.leave()
    assert (one.is_fuller, other.is_fuller) == (False, True)


def test_a_worker_that_starts_anew_takes_the_place_of_a_dead_one(file):
    code = "import sys; from hippocortex_server.balance import Crowd; Crowd(sys.argv[1]).enter()"
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    alone = Crowd(file)
    alone.enter()
    assert not alone.is_fuller
