"""What outlives the process: customers and their uniqueness, after an end in order and after a kill."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from importer.emulator import Emulator, EmulatorSettings
from tests.emulator.client import BAKERY, SARAH, served

_SERVE = """
import asyncio, os, signal, sys
from pathlib import Path
from typing import Any
from importer.emulator import EmulatorSettings
from tests.emulator.client import served

async def main():
    async with served(EmulatorSettings(store=Path(sys.argv[1]))) as caller:
        for number in range(40):
            assert (await caller.create(externalId=str(number))).status == 201
        business = await caller.business(externalId="B")
        limit = (await caller.limits(business))["DAILY USD"]["id"]
        assert (await caller.add_owner(business)).status == 201
        assert (await caller.call("PUT", "/v1/limits", json={limit: {"amount": "5"}})).status == 200
        assert (await caller.submit(business)).status == 201
        url = (await caller.add_document(business)).json["url"]["value"]
        assert (await caller.upload(url, b"%PDF-1.")).status == 200
        print("answered", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_customers_and_external_ids_outlive_the_process(tmp_path: Path) -> None:
    settings = EmulatorSettings(store=tmp_path / "store.db")
    async with served(settings) as caller:
        created = (await caller.create(externalId="A-1")).json
    async with served(settings) as again:
        assert (await again.get(created["id"])).json == created
        assert (await again.create(externalId="A-1")).status == 409
        assert await again.found(primaryEmail="sgreen@abc.com") == [created["id"]]
        assert again.emulator.ledger.commits == 0


async def test_everything_that_was_answered_survives_a_kill(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", _SERVE, store, stdout=subprocess.PIPE)
    out, _ = await killed.communicate()

    assert (killed.returncode, out) == (-signal.SIGKILL, b"answered\n")
    async with Emulator(EmulatorSettings(store=store)) as emulator:
        assert [customer["externalId"] for customer in emulator.customers()] == [*map(str, range(40)), "B"]
        assert emulator.numbers()["stored"] == {
            "customers": 41, "beneficiaries": 1, "limits": 1, "documents": 1, "applications": 1, "uploads": 1,
        }  # fmt: skip


async def test_a_store_that_runs_already_is_refused(tmp_path: Path) -> None:
    settings = EmulatorSettings(store=tmp_path / "store.db")
    async with Emulator(settings):
        with pytest.raises(ValueError, match=r"store\.db cannot be used .*still runs"):
            await Emulator(settings).start()


async def test_files_that_are_not_a_store_are_refused_and_left_alone(tmp_path: Path) -> None:
    text, other = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("Not a database, but long enough to be looked at as one. " * 30)
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE notes (line TEXT)")
    database.close()
    content = text.read_bytes()

    with pytest.raises(ValueError, match=r"notes\.txt cannot be used"):
        await Emulator(EmulatorSettings(store=text)).start()
    with pytest.raises(ValueError, match=r"other\.db was written by another program"):
        await Emulator(EmulatorSettings(store=other)).start()
    with pytest.raises(ValueError, match="cannot be opened"):
        await Emulator(EmulatorSettings(store=tmp_path / "missing" / "store.db")).start()
    assert text.read_bytes() == content


async def test_the_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    async with Emulator(EmulatorSettings(store=tmp_path / "store.db")):
        assert {oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {"0o600"}  # noqa: ASYNC240


async def test_memory_forgets_at_the_end() -> None:
    settings = EmulatorSettings()
    async with served(settings) as caller:
        await caller.create()
    async with served(settings) as again:
        assert await again.found() == []


async def test_all_customers_are_given_in_the_order_of_their_creation() -> None:
    async with served() as caller:
        ids = [(await caller.create(SARAH)).json["id"] for _ in range(7)]

        assert [customer["id"] for customer in caller.emulator.customers()] == ids


async def test_all_that_belongs_to_a_customer_outlives_the_process(tmp_path: Path) -> None:
    settings = EmulatorSettings(store=tmp_path / "store.db", idv_s=0)
    async with served(settings) as caller:
        business = await caller.business()
        await caller.add_owner(business)
        limit_id = (await caller.limits(business))["DAILY USD"]["id"]
        await caller.call("PUT", "/v1/limits", json={limit_id: {"amount": "5.25"}})
        path = await caller.submitted(business)
        document = (await caller.add_document(business)).json
        await caller.upload(document["url"]["value"], b"%PDF-1.")
        before = _all(caller.emulator, business)
    async with served(settings) as again:
        assert _all(again.emulator, business) == before
        assert (await again.call("GET", path)).json["outcome"] == "Approved"
        assert (await again.get(business)).json["verificationStatus"]["status"] == "APPROVED"
        assert again.emulator.numbers()["committed"] == {}
        signed = document["url"]["value"].partition("/uploads/")[2]
        assert (await again.upload(f"{again.emulator.base_url}/uploads/{signed}", b"%PDF-1.")).status == 200


def _all(emulator: Emulator, business: str) -> list[list[dict[str, Any]]]:
    objects = [emulator.customers(), emulator.beneficiaries(), emulator.applications(), emulator.documents()]
    return [*map(list, objects), emulator.limits(business)]


async def test_a_store_of_the_first_version_keeps_its_customers(tmp_path: Path) -> None:
    settings = EmulatorSettings(store=tmp_path / "store.db")
    async with served(settings) as caller:
        created = (await caller.create(BAKERY, externalId="A-1")).json
    with closing(sqlite3.connect(tmp_path / "store.db")) as database:
        for table in ("beneficiaries", "limits", "documents", "applications"):
            database.execute(f"DROP TABLE {table}")
        database.execute("PRAGMA user_version = 1")
    for _ in range(2):
        async with served(settings) as again:
            assert list(again.emulator.customers()) == [created]
            assert (await again.add_owner(created["id"])).status == 201


async def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with closing(sqlite3.connect(store)) as database:
        database.execute("CREATE TABLE customers (id TEXT)")
        database.execute("PRAGMA user_version = 99")

    with pytest.raises(ValueError, match=r"store\.db was written by a newer version: choose another file"):
        await Emulator(EmulatorSettings(store=store)).start()
