import threading

from hippocortex_core.recorder.breaker import Breaker


def test_it_opens_after_failures_in_a_row_and_only_then(timer):
    breaker = Breaker(3, timer=timer)
    for outcome in (breaker.failure, breaker.failure, breaker.success, breaker.failure):
        outcome()
        assert (breaker.state, breaker.permit()) == ("closed", "go")
    breaker.failure()
    breaker.failure()
    assert (breaker.state, breaker.permit()) == ("open", "no")


def test_one_trip_opens_it(timer):
    breaker = Breaker(3, cooldown=5, timer=timer)
    breaker.trip()
    assert (breaker.permit(), breaker.remaining) == ("no", 5)


def test_after_the_cooldown_one_probe_is_let_through_and_closes_it(timer):
    breaker = Breaker(1, cooldown=5, timer=timer)
    breaker.failure()
    timer.pass_by(4.9)
    assert breaker.permit() == "no"
    timer.pass_by(0.1)
    assert breaker.state == "half-open"
    assert [breaker.permit() for _ in range(3)] == ["probe", "no", "no"]
    breaker.success()
    assert (breaker.state, breaker.permit()) == ("closed", "go")


def test_the_cooldown_doubles_with_each_failed_probe_up_to_its_most(timer):
    breaker = Breaker(1, cooldown=5, max_cooldown=15, timer=timer)
    breaker.failure()
    waits = []
    for _ in range(4):
        waits.append(breaker.remaining)
        timer.pass_by(breaker.remaining)
        assert breaker.permit() == "probe"
        breaker.failure()
    assert waits == [5, 10, 15, 15]
    timer.pass_by(15)
    breaker.permit()
    breaker.success()
    breaker.failure()
    assert breaker.remaining == 5


def test_calls_that_were_under_way_when_it_opened_do_not_prolong_it(timer):
    breaker = Breaker(1, cooldown=5, timer=timer)
    breaker.failure()
    timer.pass_by(3)
    breaker.failure()
    breaker.trip()
    assert breaker.remaining == 2


def test_it_waits_as_long_as_the_service_asks_but_not_for_hours(timer):
    breaker = Breaker(1, cooldown=5, max_cooldown=60, timer=timer)
    breaker.failure(retry_after=20)
    assert breaker.remaining == 20
    breaker.success()
    breaker.failure(retry_after=86_400)
    assert breaker.remaining == 60


def test_of_a_hundred_threads_one_gets_the_probe(timer):
    breaker = Breaker(1, cooldown=5, timer=timer)
    breaker.failure()
    timer.pass_by(5)
    start = threading.Barrier(100)
    permits = []

    def ask():
        start.wait()
        permits.append(breaker.permit())

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(permits) == ["no"] * 99 + ["probe"]
