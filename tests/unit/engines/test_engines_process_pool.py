"""The processes that share the work: same results in the same order, whatever becomes of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from importer.engines import process_pool
from importer.engines import worker as worker_process
from importer.engines.process_pool import ALONE, ProcessPool

ROOT = Path(__file__).resolve().parents[3]
MANY = 60


def doubled(number: int) -> tuple[int, int]:
    return number * 2, os.getpid()


def tripled(number: int) -> tuple[int, int]:
    return number * 3, os.getpid()


def fails_on_thirteen(number: int) -> tuple[int, int]:
    if number == 13:
        raise LookupError("thirteen")
    return doubled(number)


def ends_its_process(number: int) -> tuple[int, int]:
    """Kills any process but the one that runs the test."""
    if os.getpid() != int(os.environ["THE_TEST"]):
        os.kill(os.getpid(), signal.SIGKILL)
    return doubled(number)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers import what they are sent from where we have it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setenv("THE_TEST", str(os.getpid()))
    module = sys.modules[__name__]
    monkeypatch.setitem(sys.modules, "test_engines_process_pool", module)
    for function in (doubled, tripled, fails_on_thirteen, ends_its_process):
        monkeypatch.setattr(function, "__module__", "test_engines_process_pool")


def jobs(
    work: Callable[[int], tuple[int, int]], count: int = MANY
) -> Iterator[tuple[Callable[[int], tuple[int, int]], int]]:
    return ((work, number) for number in range(count))


def pool_of(processes: int) -> ProcessPool:
    """A pool that waits for its workers: what is to be seen is what they do."""
    return ProcessPool(processes, patience_s=30)


def test_results_come_in_order_and_from_several_processes() -> None:
    with pool_of(3) as pool:
        done = list(pool.map(jobs(doubled)))
    assert [(item, result[0]) for item, result in done] == [(number, 2 * number) for number in range(MANY)]
    assert os.getpid() in {result[1] for _, result in done[:ALONE]}
    assert len({result[1] for _, result in done}) > 1


def test_few_items_start_no_worker() -> None:
    with pool_of(3) as pool:
        done = list(pool.map(jobs(doubled, ALONE)))
        assert pool.workers == 0
    assert {result[1] for _, result in done} == {os.getpid()}


def test_one_process_is_this_one() -> None:
    with pool_of(1) as pool:
        done = list(pool.map((doubled, number) for number in range(MANY)))
    assert {result[1] for _, result in done} == {os.getpid()}


def test_the_work_may_change_on_the_way() -> None:
    def changing() -> Iterator[tuple[Callable[[int], tuple[int, int]], int]]:
        for number, (_, item) in enumerate(jobs(doubled)):
            yield (tripled if number > 30 else doubled), item

    with pool_of(2) as pool:
        done = list(pool.map(changing()))
    assert [result[0] for _, result in done] == [number * (3 if number > 30 else 2) for number in range(MANY)]


def test_workers_serve_one_map_after_the_other() -> None:
    with pool_of(2) as pool:
        list(pool.map(jobs(doubled)))
        before = list(pool._workers or ())
        again = list(pool.map((tripled, number) for number in range(MANY)))
        assert pool._workers == before
    assert [result[0] for _, result in again] == [3 * number for number in range(MANY)]


def test_only_so_many_items_are_under_way() -> None:
    taken = 0

    def counted() -> Iterator[tuple[Callable[[int], tuple[int, int]], int]]:
        nonlocal taken
        for job in jobs(doubled):
            taken += 1
            yield job

    with pool_of(2) as pool:
        for given, _ in enumerate(pool.map(counted())):
            assert taken - given <= pool._most + 1


def test_an_error_of_the_work_is_raised_here() -> None:
    done: list[int] = []
    with pool_of(2) as pool, pytest.raises(LookupError, match="thirteen"):
        done.extend(item for item, _ in pool.map(jobs(fails_on_thirteen)))
    assert done == list(range(len(done)))
    assert len(done) <= 13


def test_a_worker_that_dies_costs_no_item() -> None:
    with pool_of(3) as pool:
        done = list(pool.map(jobs(ends_its_process)))
        assert pool.workers == 0
    assert [result for _, result in done] == [(2 * number, os.getpid()) for number in range(MANY)]


def test_where_no_worker_can_be_started_the_work_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pool_of(3) as pool:
        assert len(list(pool.map((doubled, number) for number in range(MANY)))) == MANY


def test_workers_get_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCKETKOR_API_SECRET", "plainly-fake")
    with pool_of(2) as pool:
        list(pool.map((doubled, number) for number in range(ALONE + 1)))
        worker = (pool._workers or [])[0]
        seen = Path(f"/proc/{worker.process.pid}/environ")
        if seen.exists():
            assert b"plainly-fake" not in seen.read_bytes()
        assert "plainly-fake" not in str(worker.process.args)


def test_no_worker_is_left_after_the_block() -> None:
    with pool_of(3) as pool:
        list(pool.map(jobs(doubled)))
        processes = [worker.process for worker in pool._workers or ()]
    assert [process.returncode for process in processes] == [0, 0]


_MASTER = """
import json, os, sys
from importer.engines import process_pool
from importer.engines.process_pool import ProcessPool
with ProcessPool(3, patience_s=30) as pool:
    for number, _ in enumerate(pool.map((abs, number) for number in range(process_pool.ALONE + 1))):
        pass
    print(json.dumps([worker.process.pid for worker in pool._workers]), flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for processes of another process")
def test_workers_end_with_the_process_they_work_for_even_when_it_is_killed() -> None:
    import select

    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _MASTER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True) as master:
        assert master.stdout is not None
        workers = [os.pidfd_open(pid) for pid in json.loads(master.stdout.readline())]
        try:
            assert len(workers) == 2
            master.kill()
            for worker in workers:
                assert select.select([worker], [], [], 20)[0], "a worker outlived the process it works for"
        finally:
            for worker in workers:
                os.close(worker)


def test_every_processor_that_may_be_used_is_counted() -> None:
    assert 1 <= process_pool.cores() <= (os.cpu_count() or 1)


def test_a_worker_that_is_stopped_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_pool, "_SILENCE_S", 0.2)
    monkeypatch.setattr(worker_process, "_GRACE_S", 0.1)
    with pool_of(2) as pool:
        pool.start()
        (worker,) = list(pool._workers or [])
        os.kill(worker.process.pid, signal.SIGSTOP)
        done = list(pool.map(jobs(doubled)))
        assert pool.workers == 0
        assert worker.process.poll() is not None
    assert [result[0] for _, result in done] == [2 * number for number in range(MANY)]


def test_workers_may_be_started_before_there_is_work() -> None:
    with pool_of(2) as pool:
        pool.start()
        before = list(pool._workers or ())
        done = list(pool.map(jobs(doubled)))
        assert pool._workers == before
    assert len(before) == 1
    assert len({result[1] for _, result in done[:ALONE]}) > 1


def test_a_map_may_say_how_much_is_done_here_before_others_start() -> None:
    with pool_of(2) as pool:
        done = list(pool.map(jobs(doubled), alone=MANY))
        assert pool.workers == 0
    assert len(done) == MANY
