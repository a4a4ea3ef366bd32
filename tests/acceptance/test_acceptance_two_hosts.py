"""Two hosts with one file and one journal in PostgreSQL: one works; when it is cut off, the other one goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import User, Witness, ended, exactly_once, people, sandbox, wait_for, wait_until
from tests.acceptance.hosts import hosts
from tests.postgres import own_server

ROWS = 80
OVER = "SELECT every(expires < clock_timestamp()) FROM importer.leases"


@pytest.mark.slow
def test_the_other_host_is_told_who_works_and_goes_on_when_that_one_is_cut_off_but_lives_and_nobody_is_there_twice(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=["looks_after_s = [0, 0.1, 0.4]"])
    source = user.has("people.csv", people(ROWS))
    with own_server() as server, hosts(user.home, server, witness, "lisbon", "porto") as (url, (lisbon, porto)):
        environ = {**witness.environ, "IMPORTER_JOURNAL": url, "IMPORTER_JOURNAL__LEASE_S": "2"}
        first = lisbon.starts("run", source, *sandbox(profile), "--rate", "3/s", "--json", **environ)
        wait_for(lambda: witness.ledger()["customers"] > 5, first)
        refused = porto.types("run", source, *sandbox(profile), "--json", **environ)

        lisbon.link("down")
        wait_until(lambda: server.asked(OVER, url.rpartition("/")[2]) == [(True,)])
        resumed = porto.types("resume", "last", *sandbox(profile), "--rate", "900/s", "--json", **environ)
        left = ended(first)

    assert refused.code == 7
    assert f"process {first.pid} on lisbon" in refused.json["error"]
    assert left.code == 1
    assert "The journal postgresql://10." in left.json["error"]
    assert resumed.json["counts"]["created"] == ROWS
    exactly_once(witness, porto.user.reads(resumed.json["files"]["results"]))
