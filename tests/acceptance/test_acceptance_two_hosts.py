"""Two hosts with one file and one journal in PostgreSQL: one works; when it is cut off, the other one goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import User, Witness, ended, exactly_once, people, sandbox, wait_for, wait_until
from tests.acceptance.hosts import hosts
from tests.postgres import own_server

ROWS = 40
OVER = "SELECT every(expires < clock_timestamp()) FROM importer.leases"


@pytest.mark.slow
@pytest.mark.parametrize("fate", ["dies", "is cut off from the database, and lives"])
def test_the_other_host_is_told_who_works_and_goes_on_when_it_is_gone_and_each_customer_is_created_once(
    user: User, witness: Witness, profile_for: Callable[..., Path], fate: str
) -> None:
    profile = profile_for(witness, delivery=["looks_after_s = [0, 0.1, 0.4]"])
    source = user.has("people.csv", people(ROWS))
    with own_server() as server, hosts(user.home, server, witness, "lisbon", "porto") as (url, (lisbon, porto)):
        environ = {**witness.environ, "IMPORTER_JOURNAL": url, "IMPORTER_JOURNAL__LEASE_S": "2"}
        first = lisbon.starts("run", source, *sandbox(profile), "--rate", "4/s", "--json", **environ)
        wait_for(lambda: witness.ledger()["customers"] > 5, first)
        refused = porto.types("run", source, *sandbox(profile), "--json", **environ)

        first.kill() if fate == "dies" else lisbon.link("down")
        wait_until(lambda: server.asked(OVER, url.rpartition("/")[2]) == [(True,)])
        resumed = porto.types("resume", "last", *sandbox(profile), "--rate", "900/s", "--json", **environ)
        left = ended(first)

    assert refused.code == 7
    assert f"process {first.pid} on lisbon" in refused.json["error"]
    if fate == "dies":
        assert left.code == -signal.SIGKILL
    else:
        assert left.code == 1
        assert "The journal postgresql://10." in left.json["error"]
    assert resumed.json["counts"]["created"] == ROWS
    exactly_once(witness, porto.user.reads(resumed.json["files"]["results"]))
