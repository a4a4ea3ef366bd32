"""Work on the workers of a Dask cluster: the same results in the same order, whatever becomes of the cluster."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.errors import JournalError, UsageError
from importer.engines.dask.connection import Connection
from importer.engines.dask.local_cluster import LocalCluster
from importer.engines.dask.named_cluster import NamedCluster, compare, require_private
from importer.engines.dask.pool import TOGETHER, DaskPool
from importer.engines.dask.sealed import Peer, Sealed, opened, sealed
from importer.engines.dask.worker import about, own_secret, work_on
from tests.dask_cluster import DaskCluster, doubled, fails_on_thirteen, slowly_doubled

SECRET = bytes(range(32))
MANY = 60
SOON_S = 2.0
Work = Callable[[int], tuple[int, int]]


def jobs(work: Work, count: int = MANY) -> Iterator[tuple[Work, int]]:
    return ((work, number) for number in range(count))


def pool_on(cluster: DaskCluster, silence_s: float = 60.0, secret: bytes | None = None) -> DaskPool:
    return DaskPool(NamedCluster(cluster.address), secret, lambda: False, silence_s=silence_s)


def numbers(done: list[tuple[int, tuple[int, int]]]) -> list[tuple[int, int]]:
    return [(item, result[0]) for item, result in done]


RIGHT = [(number, 2 * number) for number in range(MANY)]


# --------------------------------------------------------------------------- what travels


def test_the_secret_does_not_travel() -> None:
    packed = sealed({"secret": SECRET, "rows": [1, 2]}, SECRET)
    assert SECRET not in packed.content
    assert opened(packed, SECRET) == {"secret": SECRET, "rows": [1, 2]}
    assert opened(packed, bytes(32))["secret"] == bytes(32)  # a worker puts its own there


def test_what_travels_shows_nothing() -> None:
    assert "Ann" not in repr(sealed("Ann Example"))
    assert "Ann" not in repr(Sealed(b"Ann Example"))


def test_a_worker_of_another_kind_does_nothing() -> None:
    packed, item = sealed(doubled), sealed(4)
    assert work_on(Peer((("importer", "0.0.1"),), ""), packed, item) is None
    assert work_on(Peer.here(SECRET), packed, item) is None  # this process has no such secret
    result = work_on(Peer.here(None), packed, item)
    assert result is not None
    assert opened(result) == doubled(4)


def test_a_worker_never_fails() -> None:
    assert work_on(Peer.here(None), sealed(fails_on_thirteen), sealed(13)) is None
    assert work_on(Peer.here(None), Sealed(b"?"), sealed(13)) is None


def test_a_worker_has_its_secret_from_its_environment(tmp_path: Path) -> None:
    raw, text = tmp_path / "raw", tmp_path / "text"
    raw.write_bytes(SECRET)
    text.write_text(f"{SECRET.hex()}\n")
    assert own_secret({"IMPORTER_SECRET": SECRET.hex()}) == SECRET
    assert own_secret({"IMPORTER_SECRET_FILE": str(raw)}) == SECRET
    assert own_secret({"IMPORTER_SECRET_FILE": str(text)}) == SECRET
    assert own_secret({}) is None
    assert own_secret({"IMPORTER_SECRET": "short"}) is None
    assert own_secret({"IMPORTER_SECRET_FILE": "/nonexistent"}) is None


def test_a_worker_without_a_secret_finds_that_of_who_asks_and_looks_again_for_another() -> None:
    def is_away() -> bytes | None:
        raise JournalError("The journal cannot be opened.")

    packed, item, other = sealed(doubled), sealed(4), bytes(range(32, 64))
    assert about(Peer.here(other, lambda: None)).key == ""
    assert work_on(Peer.here(other), packed, item) is None
    assert about(Peer.here(other, is_away)).said == "The journal cannot be opened."
    assert work_on(Peer.here(other, is_away), packed, item) is None
    assert about(Peer.here(other, lambda: other)).key == Peer.here(other).key
    assert work_on(Peer.here(other, is_away), packed, item) is not None  # it was found before
    assert work_on(Peer.here(SECRET), packed, item) is None
    assert about(Peer.here(None, is_away)) == Peer.here(None)  # nobody asks for one


# --------------------------------------------------------------------------- whom rows are sent to


def test_workers_that_differ_are_named_with_what_differs() -> None:
    here = Peer((("importer", "1.0"), ("pandas", "3.1")), "key")
    compare("tcp://127.0.0.1:1", here, here)
    with pytest.raises(UsageError, match=r"worker tcp://127\.0\.0\.1:1 has pandas 3\.0, and this process has 3\.1"):
        compare("tcp://127.0.0.1:1", Peer((("importer", "1.0"), ("pandas", "3.0")), "key"), here)
    with pytest.raises(UsageError, match="has no secret"):
        compare("tcp://127.0.0.1:1", Peer(here.versions, ""), here)
    with pytest.raises(UsageError, match="has another secret than this workspace"):
        compare("tcp://127.0.0.1:1", Peer(here.versions, "other"), here)
    with pytest.raises(UsageError, match="does not find the secret of this workspace: The journal is away"):
        compare("tcp://127.0.0.1:1", Peer(here.versions, "", said="The journal is away."), here)


def test_a_cluster_that_other_machines_reach_without_a_certificate_is_refused() -> None:
    require_private("tcp://127.0.0.1:1", ["tcp://127.0.0.1:1", "tcp://[::1]:2", "tls://192.0.2.1:3"])
    for place in ("tcp://192.0.2.1:3", "tcp://127.example.com:3", "ws://192.0.2.1:3"):
        with pytest.raises(UsageError, match="without encryption, at"):
            require_private("tcp://127.0.0.1:1", ["tcp://127.0.0.1:1", place])


# --------------------------------------------------------------------------- real clusters


@pytest.mark.slow
def test_results_come_in_order_from_workers_and_errors_are_met_here(dask_cluster: DaskCluster) -> None:
    dask_cluster.start(2, {"IMPORTER_SECRET": SECRET.hex()})
    with pytest.raises(UsageError, match="has another secret than this workspace"):
        pool_on(dask_cluster, secret=bytes(32)).start()
    pool = pool_on(dask_cluster, secret=SECRET)
    done = list(pool.map(jobs(doubled)))
    assert numbers(done) == RIGHT
    workers = {process.pid for process in dask_cluster.processes[1:]}
    assert {result[1] for _, result in done} <= workers | {os.getpid()}
    assert len({result[1] for _, result in done} & workers) == 2
    with pytest.raises(LookupError, match="Ann Example"):
        list(pool.map(jobs(fails_on_thirteen)))
    pool.close()
    for log in ("scheduler", "worker1", "worker2"):
        assert "Ann Example" not in dask_cluster.log(log)
        assert "Compute Failed" not in dask_cluster.log(log)


@pytest.mark.slow
def test_a_worker_that_hangs_or_dies_and_a_scheduler_that_dies_lose_nothing(dask_cluster: DaskCluster) -> None:
    dask_cluster.start(2)
    pool, began = pool_on(dask_cluster, silence_s=SOON_S), time.monotonic()
    results = pool.map(jobs(slowly_doubled))
    done = list(islice(results, 10))
    dask_cluster.send(1, signal.SIGSTOP)
    done += islice(results, 20)
    dask_cluster.send(1, signal.SIGKILL)
    done += islice(results, 10)
    dask_cluster.send(0, signal.SIGSTOP)
    done += islice(results, 8)
    dask_cluster.send(0, signal.SIGKILL)
    done += results
    assert numbers(done) == RIGHT
    assert len({result[1] for _, result in done}) == 3  # both workers, and this process
    pool.close()
    assert time.monotonic() - began < 100


@pytest.mark.slow
def test_a_local_cluster_ends_with_its_pool() -> None:
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    pool = DaskPool(LocalCluster(2), SECRET, lambda: False, alone=2)
    results = cast("Generator[tuple[int, tuple[int, int]]]", pool.map(jobs(slowly_doubled, 100_000)))
    done = []
    for one in results:
        done.append(one)
        if len({result[1] for _, result in done}) == 3:
            break
    assert numbers(done) == [(number, 2 * number) for number in range(len(done))]
    assert os.getpid() in {result[1] for _, result in done[:2]}
    results.close()
    assert len(list(pool.map(jobs(doubled, 200)))) == 200
    kept = [one for one in gc.get_objects() if isinstance(one, Sealed)]
    assert len(kept) < 100  # Dask remembers messages, and these hold rows
    pool.close()
    for process in {result[1] for _, result in done} - {os.getpid()}:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_nothing_is_waited_for_in_a_run_that_stops() -> None:
    pool = DaskPool(LocalCluster(2), SECRET, lambda: True, alone=MANY)
    assert numbers(list(pool.map(jobs(doubled)))) == RIGHT
    assert pool.workers == 0
    pool.close()
    assert pickle.loads(pickle.dumps(Peer.here(SECRET))).key != Peer.here(None).key  # noqa: S301  # made here


# --------------------------------------------------------------------------- tasks of several items


class Here:
    """A cluster, and the connection to it, that does in this process what it is handed."""

    def __init__(self, workers: int) -> None:
        self.workers, self.handed_out = workers, list[int]()

    def peer(self, secret: bytes | None) -> Peer:
        return Peer.here(secret)

    @contextmanager
    def connected(self, _: bytes | None) -> Iterator[Connection]:
        yield cast("Connection", self)

    def submit(self, work: Callable[..., object], peer: Peer, what: Sealed, items: Sealed) -> Future[object]:
        self.handed_out.append(len(opened(items)))
        done = Future[object]()
        done.set_result(work(peer, what, items))
        return done


@given(
    works=st.lists(st.tuples(st.integers(1, 150), st.sampled_from([doubled, fails_on_thirteen])), max_size=3),
    workers=st.integers(0, 3),
    alone=st.integers(0, 5),
)
@settings(max_examples=30, deadline=None)
def test_tasks_of_several_items_give_each_its_result_in_order(
    works: list[tuple[int, Work]], workers: int, alone: int
) -> None:
    cluster = Here(workers)
    asked = [(work, 100 + number) for count, work in works for number in range(count)]
    done = list(DaskPool(cluster, None, lambda: False, alone=alone).map(asked))
    assert numbers(done) == [(item, 2 * item) for _, item in asked]
    assert sum(cluster.handed_out) == (max(0, len(asked) - alone) if workers else 0)
    assert max(cluster.handed_out, default=1) <= TOGETHER


def test_the_first_items_of_a_source_go_out_one_by_one_and_later_ones_together() -> None:
    cluster = Here(2)
    list(DaskPool(cluster, None, lambda: False).map(jobs(doubled, 400)))
    assert cluster.handed_out[:10] == [1] * 10
    assert cluster.handed_out[-2] == TOGETHER


def test_an_error_of_one_item_among_several_is_raised_where_it_is_met() -> None:
    pool = DaskPool(Here(2), None, lambda: False)
    with pytest.raises(LookupError, match="Ann Example"):
        list(pool.map(jobs(fails_on_thirteen)))
