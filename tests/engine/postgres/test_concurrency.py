"""Threads and processes on one PostgreSQL: nothing lost, nothing twice, nobody in the way."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from hippocortex_core import CaptureEvent, LearnOptions
from hippocortex_engine import Database, Engine, Tenants, open_engine
from hippocortex_engine.storage.migrating import migrate
from hippocortex_engine.storage.revision import HEAD_REVISION


def message(number, session="s1", key=None):
    return CaptureEvent(
        "message", session, {"role": "user", "content": f"event {number}"}, idempotency_key=key
    )


def together(count, work):
    """Run `work(number)` in threads that begin at the same moment; what they return."""
    ready = threading.Barrier(count)

    def run(number):
        ready.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def processes(count, code, *args):
    """Run Python code in processes; what they print."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), *args, str(number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    said = []
    for process in started:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        said.append(out)
    return said


def sequence(engine):
    """Sequence numbers in the order of arrival."""
    with engine._database.read() as connection:
        rows = connection.execute(text("SELECT seq FROM events ORDER BY seq"))
        return [row[0] for row in rows]


def test_one_idempotency_key_from_eight_engines_at_once_is_one_event(postgres_url):
    engines = [open_engine(postgres_url) for _ in range(8)]
    for key in ("a", "b", "c"):
        results = together(8, lambda n, key=key: engines[n].capture(message(1, f"s{n}", key)))
        assert sorted(one.status for one in results) == ["duplicate"] * 7 + ["ingested"]
        assert len({one.event_id for one in results}) == 1
    assert engines[0].list_events().pagination.total == 3
    for engine in engines:
        engine.close()


def test_one_idempotency_key_from_eight_threads_of_one_engine_is_one_event(postgres_url):
    engine = open_engine(postgres_url)
    for key in ("a", "b", "c"):
        results = together(8, lambda n, key=key: engine.capture(message(1, f"s{n}", key)))
        assert sorted(one.status for one in results) == ["duplicate"] * 7 + ["ingested"]
    assert engine.list_events().pagination.total == 3
    engine.close()


def test_sequence_numbers_have_no_gaps_and_follow_the_order_of_commits(postgres_url):
    engines = [open_engine(postgres_url) for _ in range(4)]
    seen = []

    def write(number):
        for step in range(25):
            engines[number].capture(message(step, f"s{number}", f"{number}-{step}"))
            engines[number].capture_batch([message(step, f"b{number}")] * 3)
            seen.append(sequence(engines[number]))

    together(4, write)
    assert sequence(engines[0]) == list(range(1, 401))
    # Whatever anybody saw at any time was without gaps: a reader can go on from the last number.
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen)
    for engine in engines:
        engine.close()


def test_every_engine_finds_what_the_others_have_stored(postgres_url):
    engines = [open_engine(postgres_url) for _ in range(3)]
    for number, engine in enumerate(engines):
        engine.capture(message(number, key=f"k{number}"))
        engine.capture(message(number + 10))
    for engine in engines:
        assert len(engine.synthesize("event").entries) == 6
        engine.close()


def test_novelty_is_judged_alike_by_one_engine_and_by_several(postgres_url, new_postgres_url):
    one, others = open_engine(new_postgres_url()), [open_engine(postgres_url) for _ in range(3)]
    for step in range(30):
        event = message(step % 4, f"s{step % 2}")
        expected = one.capture(event).salience_score
        assert others[step % 3].capture(event).salience_score == expected
    for engine in (one, *others):
        engine.close()


def test_processes_and_threads_migrate_an_empty_database_at_once(new_postgres_url):
    url = new_postgres_url(migrated=False)
    code = """
        import sys
        from hippocortex_engine.storage.migrating import migrate
        print(migrate(sys.argv[1]).before)
    """
    found = [None if said == "None\n" else said.strip() for said in processes(2, code, url)]
    found += [one.before for one in together(4, lambda _: migrate(url))]
    assert sorted(map(str, found)) == [HEAD_REVISION] * 5 + ["None"]
    open_engine(url).close()


def test_a_new_tenant_is_registered_once_whoever_comes_first(postgres_url):
    database = Database(postgres_url)
    engines = [
        Engine(database, tenant_id="new", owns_database=False, embedder=None) for _ in range(8)
    ]
    together(8, lambda n: engines[n].capture(message(n)))
    with database.read() as connection:
        rows = connection.execute(text("SELECT tenant_id, head FROM tenants")).all()
    assert [tuple(row) for row in rows] == [("new", 8)]
    database.close()


def test_learning_and_capturing_at_once_end_where_learning_last_does(postgres_url):
    engines = [open_engine(postgres_url) for _ in range(3)]
    for engine in engines:
        engine.health()
    batches = [
        [
            CaptureEvent(
                "message",
                f"s{batch}",
                {"role": "user", "content": f"My favourite colour number {batch} is blue {n}."},
                idempotency_key=f"{batch}-{n}",
            )
            for n in range(5)
        ]
        for batch in range(30)
    ]

    def work(number):
        for batch in batches[number::3]:
            engines[number].capture_batch(batch)
            engines[number].learn()

    together(3, work)
    engines[0].learn()
    found = _artifacts(engines[0])
    engines[1].learn(LearnOptions(scope="full"))
    assert _artifacts(engines[1]) == found
    assert engines[2].list_events().pagination.total == 150
    for engine in engines:
        engine.close()


def test_forgetting_while_others_capture_leaves_nothing_of_the_session(postgres_url):
    engines = [open_engine(postgres_url) for _ in range(3)]

    def work(number):
        for step in range(20):
            if number == 0:
                engines[0].forget(session_id="doomed")
            else:
                engines[number].capture(message(step, "doomed"))
                engines[number].capture(message(step, "kept"))

    together(3, work)
    engines[1].forget(session_id="doomed")
    assert {one.session_id for one in engines[2].list_events(limit=100).events} == {"kept"}
    assert engines[2].list_events().pagination.total == 40
    for engine in engines:
        engine.close()


def test_counters_of_several_engines_add_up(postgres_url):
    database = Database(postgres_url)
    engines = [Engine(database, owns_database=False) for _ in range(6)]

    def work(number):
        for _ in range(5):
            engines[number].synthesize("event")
            engines[number].write_meter()

    together(6, work)
    usage = engines[0].get_metrics().usage
    assert usage.syntheses == 30
    database.close()


def test_one_tenants_transaction_does_not_hold_up_another(postgres_url):
    tenants = Tenants(Database(postgres_url))
    for name in ("slow", "fast"):
        tenants.engine(name).capture(message(0))
    with tenants._database.write("slow"):
        assert tenants.engine("fast").capture(message(1)).status == "ingested"
    tenants.close()
    tenants._database.close()


def test_many_threads_share_a_small_pool(postgres_url):
    engine = open_engine(postgres_url + "&pool_size=2")

    def work(number):
        for step in range(5):
            engine.capture(message(step, f"s{number}"))
            engine.synthesize("event")

    together(16, work)
    assert engine.list_events().pagination.total == 80
    engine.close()


def test_processes_capture_and_recall_at_once_without_loss(postgres_url):
    code = """
        import sys
        from hippocortex_core import CaptureEvent
        from hippocortex_engine import open_engine
        engine, me = open_engine(sys.argv[1]), sys.argv[2]
        for start in range(0, 400, 20):
            event = lambda n: CaptureEvent("message", me, {"content": f"note {n}"},
                                           idempotency_key=f"{me}-{n}")
            assert engine.capture(event(start)).status == "ingested"
            again = engine.capture_batch([event(n) for n in range(start, start + 20)])
            assert again.summary.duplicates == 1 and again.summary.ingested == 19
            assert engine.synthesize("note").entries
        engine.close()
    """
    processes(2, code, postgres_url)
    engine = open_engine(postgres_url)
    assert sequence(engine) == list(range(1, 801))
    engine.close()


def _artifacts(engine):
    return {
        (one.id, one.title, one.status, one.confidence, one.evidence_count)
        for one in engine.list_artifacts(limit=100).artifacts
    }
