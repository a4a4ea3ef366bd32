"""All steps after the creates, with faults and kills: every customer, limit, owner and application exactly once.

Against the emulator, and against a server that shares no code with it (`tests.stub_api`).
"""

from __future__ import annotations

import hashlib
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.after_create import (
    EVERYTHING,
    SERVERS,
    Server,
    There,
    expected,
    profile,
    row,
    scan_of,
    source,
)
from tests.acceptance.conftest import Ran, User, ended, wait_for

KILLS: Sequence[tuple[str, float]] = (
    ("create", 0.3),
    ("beneficiary", 0.04),
    ("limits_set", 0.3),
    ("document", 0.02),
    ("idv_submit", 0.3),
    ("idv_get", 0.2),
)
"""When the process dies: so many requests of this kind came, as a share of the rows."""

STORIES = [
    pytest.param("stub", 60, 1.5, KILLS[1::2], id="stub, 60 rows"),
    pytest.param("emulator", 240, 6.0, KILLS, id="emulator, 240 rows"),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "count", "idv_s", "kills"), STORIES)
@pytest.mark.slow
def test_every_step_is_done_exactly_once_whatever_fails_and_however_often_the_process_dies(
    user: User, name: str, count: int, idv_s: float, kills: Sequence[tuple[str, float]]
) -> None:
    rows = [row(number) for number in range(count)]
    with SERVERS[name](user, share=0.05, idv_s=idv_s) as server:
        ids = {"externalId": '"ID"'} if name == "emulator" else {}
        options = profile(user, server.base_url, steps=STEPS, mapping={**EVERYTHING, **ids}, delivery=SLOWER)
        stopped = _live_and_die(user, server, source(user, rows), options, [(kind, count * at) for kind, at in kills])
        assert stopped.code == 3  # before 75: limits failed
        followed = _follow(user, server, options)

        assert (followed.code, followed.json["follow_up"]["open"]) == (3, 0)
        results = {one["Email"]: one for one in user.reads(followed.json["files"]["results"])}
        assert list(results) == [one["Email"] for one in rows]
        assert {one["_status"] for one in results.values()} == {"created"}
        there = server.there()
        for cells in rows:
            _as_it_should_be(cells, results[cells["Email"]], there)
        _adds_up(followed.json, list(results.values()))


STEPS = ("verify = true", "limits = true", 'identity_verification = "Standard"', 'follow_up = "2s"')
SLOWER = ("concurrency = 8", "looks_after_s = [0, 0.2, 0.6, 1.5]")


def _live_and_die(
    user: User,
    server: Server,
    path: Path,
    options: tuple[str | Path, ...],
    kills: Sequence[tuple[str, float]],
) -> Ran:
    """Run, and die and resume as often as is asked; the last process ends by itself."""
    process = user.starts("run", path, *options, "--quiet", **server.environ)
    for kind, reached in kills:
        wait_for(_asked(server, kind, reached), process)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process = user.starts("resume", "last", *options, "--json", **server.environ)
    return ended(process)


def _asked(server: Server, kind: str, reached: float) -> Callable[[], bool]:
    return lambda: server.asked().get(kind, 0) >= reached


def _follow(user: User, server: Server, options: tuple[str | Path, ...]) -> Ran:
    """Follow until no step is open."""
    for _ in range(30):
        ran = user.types("follow", "last", *options, "--json", **server.environ)
        if not ran.json["follow_up"]["open"]:
            return ran
    pytest.fail("steps stay open")


def _as_it_should_be(cells: Mapping[str, str], result: Mapping[str, str], there: There) -> None:
    """Hold one row's results against what is at the server, and both against its cells."""
    want, customer = expected(cells), there.by_email()[cells["Email"]]
    customer_id = str(customer["id"])
    assert result["_customer_id"] == customer_id
    assert (result["_verified"], result["_differences"]) == ("same", ""), cells["ID"]
    assert result["_limits"] == want.limits
    amounts = {"DAILY": float(cells["Daily"]), "SINGLE": float(cells["Single"])} if want.limits == "set" else {}
    assert there.limits[customer_id] == amounts
    owners = [one for one in there.owners if one["customerId"] == customer_id]
    assert [one["lastName"] for one in owners] == [cells["Owner Last"]] * want.owners
    documents = [one for one in there.documents if one["holderId"] == customer_id]
    lost = "document_unknown" in result["_warnings"] or "may have" in result["_warnings"]
    applications = [one["id"] for one in there.applications if one["accountId"] == customer_id]
    if want.scan and result["_idv_status"] == "failed":  # its document is in doubt, and nothing can be looked up
        assert len(documents) <= 1
        assert (applications, result["_idv_id"]) == ([], "")
        assert lost or result["_warnings"]
        return
    assert (result["_idv_status"], result["_idv_outcome"]) == (want.status, want.outcome), cells["ID"]
    assert applications == ([result["_idv_id"]] if result["_idv_id"] else [])
    assert bool(result["_idv_id"]) == (want.status != "not_ready")
    if want.scan:
        (document,) = documents
        assert (document["status"], document["sha256"]) == ("UPLOADED", hashlib.sha256(scan_of(cells)).hexdigest())


def _adds_up(report: Mapping[str, Any], results: Sequence[Mapping[str, str]]) -> None:
    """Hold the funnel against the rows."""
    steps, outcomes = report["follow_up"]["steps"], report["follow_up"]["outcomes"]
    assert steps["verify"] == {"done": len(results)}
    limits = Counter(one["_limits"] for one in results)
    assert steps["limits"] == {"done": limits["set"], "failed": limits["failed"]}
    assert outcomes == Counter(one["_idv_outcome"] for one in results if one["_idv_outcome"])
    statuses = Counter(one["_idv_status"] for one in results)
    assert steps["verification"]["not_ready"] == statuses["not_ready"]
    assert steps["verification"]["done"] == statuses["COMPLETED"] == sum(outcomes.values())
    assert steps["verification"]["needs_person"] == statuses["PENDING_REVIEW"] + statuses["PENDING_DOCUMENTS"]
    assert sum(steps["verification"].values()) == len(results)
    failed = [states.get(state, 0) for states in steps.values() for state in ("failed", "unknown", "differs")]
    assert report["follow_up"]["failed"] == sum(failed)
