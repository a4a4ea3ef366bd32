"""One long task on each worker of a cluster: workers come and go, and some of them cannot do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from threading import Event
from typing import Any, cast

import pytest

from importer.core.errors import TryLaterError, UsageError
from importer.engines.dask.connection import Connection
from importer.engines.dask.long_task import LongTask
from importer.engines.dask.sealed import Peer, Sealed, sealed
from importer.engines.dask.worker import answer

LOOK_S, PATIENCE_S = 0.005, 20.0


def all_is_well() -> str:
    return ""


def lacks() -> str:
    return "ROCKETKOR_API_KEY is not set."


def refuses() -> str:
    raise UsageError("It cannot.", "Do this.")


def breaks() -> str:
    raise LookupError("Ann Example")


class ScriptedCluster:
    """A scheduler whose workers come and go as a test says, and whose tasks end when it says so."""

    def __init__(self, *workers: str) -> None:
        self.found = list(workers)
        self.tasks: dict[str, list[Future[str]]] = {}
        self.is_over = self.is_lost = False
        self.connections = 0

    def peer(self, secret: bytes | None) -> Peer:
        return Peer.here(secret)

    def connected(self, secret: bytes | None) -> AbstractContextManager[Connection]:
        assert secret is None
        return self._connected()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if self.is_lost:
            raise TryLaterError("No scheduler answers.")
        self.connections, self.is_over = self.connections + 1, False
        yield cast("Connection", self)

    def places(self) -> list[str]:
        return list(self.found)

    def ask_all(self, question: Callable[..., str], *arguments: Any, wait_s: float) -> dict[str, Future[str]]:
        assert wait_s > 0
        return {place: self._ended(question(*arguments)) for place in self.found}

    def submit(self, work: Callable[..., str], *arguments: Any, worker: str = "") -> Future[str]:
        assert isinstance(arguments[-1], Sealed)
        self.tasks.setdefault(worker, []).append(Future())
        return self.tasks[worker][-1]

    def _ended(self, said: str) -> Future[str]:
        future = Future[str]()
        future.set_result(said)
        return future


def until(what: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE_S / LOOK_S)):
        if what():
            return
        Event().wait(LOOK_S)
    pytest.fail("it never happened")


@pytest.fixture
def cluster() -> ScriptedCluster:
    return ScriptedCluster("a", "b")


@pytest.fixture
def kept(cluster: ScriptedCluster) -> Iterator[LongTask]:
    task = LongTask(cluster, all_is_well, all_is_well, LOOK_S)
    task.check()
    task.start()
    yield task
    task.close()


def counts(cluster: ScriptedCluster) -> dict[str, int]:
    return {place: len(tasks) for place, tasks in cluster.tasks.items()}


def test_each_worker_has_one_and_one_that_has_ended_or_was_lost_gets_another(
    cluster: ScriptedCluster, kept: LongTask
) -> None:
    until(lambda: counts(cluster) == {"a": 1, "b": 1})
    cluster.tasks["a"][0].set_result("")
    cluster.tasks["b"][0].set_exception(OSError("lost"))

    until(lambda: counts(cluster) == {"a": 2, "b": 2})
    assert (kept.workers, kept.refused()) == (2, {})


def test_a_worker_that_comes_gets_one_and_that_of_one_that_is_gone_is_given_up(
    cluster: ScriptedCluster, kept: LongTask
) -> None:
    until(lambda: counts(cluster) == {"a": 1, "b": 1})
    cluster.found = ["b", "c"]

    until(lambda: counts(cluster) == {"a": 1, "b": 1, "c": 1})
    until(cluster.tasks["a"][0].cancelled)
    assert kept.workers == 2


def has(said: dict[str, str], kept: LongTask) -> bool:
    said |= kept.refused()
    return bool(said)


def test_one_that_cannot_is_reported_once_and_left_alone_for_a_while(cluster: ScriptedCluster, kept: LongTask) -> None:
    until(lambda: counts(cluster) == {"a": 1, "b": 1})
    cluster.tasks["a"][0].set_result("It cannot.")
    cluster.tasks["b"][0].set_result("")

    until(lambda: counts(cluster)["b"] == 2)
    said: dict[str, str] = {}
    until(lambda: has(said, kept))
    assert (said, kept.refused(), counts(cluster)["a"]) == ({"a": "It cannot."}, {}, 1)


def test_a_scheduler_that_comes_back_is_found_again(cluster: ScriptedCluster, kept: LongTask) -> None:
    until(lambda: counts(cluster) == {"a": 1, "b": 1})
    cluster.is_lost = cluster.is_over = True
    until(lambda: kept.workers == 0)
    cluster.is_lost = False

    until(lambda: counts(cluster) == {"a": 2, "b": 2})
    assert cluster.connections == 2


def test_a_worker_that_lacks_something_is_named_before_anything_is_done(cluster: ScriptedCluster) -> None:
    task = LongTask(cluster, lacks, all_is_well)
    with pytest.raises(UsageError, match="The Dask worker a cannot send: ROCKETKOR_API_KEY is not set"):
        task.check()
    task.close()
    assert cluster.tasks == {}


def test_an_answer_is_a_sentence_and_never_an_exception() -> None:
    here = Peer.here(None)
    assert answer(here, sealed(all_is_well)) == ""
    assert answer(here, sealed(refuses)) == "It cannot. Do this."
    assert answer(here, sealed(breaks)) == "It stopped with an error (LookupError)."
    assert "same versions" in answer(Peer((("importer", "0.0.1"),), ""), sealed(all_is_well))
