"""What the emulator returns for the bodies of the corpora: no difference is invented."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import Any

import pytest

from importer.core.contract import Policy
from importer.core.frames import raw_batch
from importer.customers.bodies import CustomerBodies
from importer.customers.contract import CUSTOMERS
from importer.customers.grouping import merge
from importer.emulator import EmulatorSettings
from importer.validation.validator import Validator
from tests.batches import mapped_batch
from tests.benchmarks.people import people
from tests.emulator.client import Caller, served
from tests.property.test_validation_properties import batch_of, table_of

STAMP = "importKey"
VALIDATOR = Validator(CUSTOMERS, Policy(today=date(2026, 11, 22)), secret=b"0" * 32, stamp=STAMP)
RECOGNITION = CustomerBodies()
FIELDS = (
    "externalId", "type", "firstName", "lastName", "primaryEmail.value", "primaryPhoneNumber.number", "dateOfBirth",
    *(f"addresses.mailing.{part}" for part in ("streetLine1", "apartmentNumber", "cityName", "stateCode", "zipCode",
                                               "countryCode")),
)  # fmt: skip
AT_ONCE = 16


def of_people(rows: int) -> Iterator[bytes]:
    """Bodies of the benchmarks' people."""
    columns = list(zip(*(line.split(",") for line in people(rows)), strict=True))
    table = {**dict(zip(FIELDS, columns, strict=True)), "primaryPhoneNumber.type": ["MOBILE"] * rows}
    batch = mapped_batch(raw_batch(0, range(2, 2 + rows), ()), table, dict.fromkeys(table, "column"))
    yield from filter(None, VALIDATOR.check(batch).payloads)


def of_random_tables(dice: Random) -> Iterator[bytes]:
    """Bodies of the validator's property tests, without end: every field, both types, clean and dirty; some merged."""
    while True:
        sent = [one for one in VALIDATOR.check(batch_of(table_of(dice))).payloads if one is not None]
        yield from sent
        shops = [body for body in map(json.loads, sent) if body["type"] == "BUSINESS"]
        if len(shops) > 1:
            contacts = [{"type": "BUSINESS", "businessName": "One", "contacts": shop["contacts"]} for shop in shops]
            merged = merge(contacts, 1, stamp=STAMP, key="f" * 32)
            assert isinstance(merged, dict)
            yield json.dumps(merged).encode()


async def invented(caller: Caller, payload: bytes) -> tuple[object, ...] | None:
    """What differs between a body and what is read back of it; None: the server did not take it."""
    made = await caller.call("POST", "/v1/customers", data=payload, headers={"Content-Type": "application/json"})
    if made.status != 201:
        return None
    there: dict[str, Any] = (await caller.get(made.json["id"])).json
    return RECOGNITION.read_back(payload, there, STAMP)


async def read_back(bodies: Iterator[bytes], wanted: int) -> Sequence[tuple[object, ...]]:
    """Send bodies until enough were taken; what differs of each."""
    found: list[tuple[object, ...]] = []

    async def worker(caller: Caller) -> None:
        while len(found) < wanted and (payload := next(bodies, None)) is not None:
            differs = await invented(caller, payload)
            found.extend(() if differs is None else (differs,))

    async with served(EmulatorSettings(enforce_external_id="off")) as caller:
        await asyncio.gather(*(worker(caller) for _ in range(AT_ONCE)))
    return found


@pytest.mark.parametrize("rows", [100, pytest.param(1_000, marks=pytest.mark.slow)])
async def test_no_difference_is_invented_of_the_people_of_the_benchmarks(rows: int) -> None:
    found = await read_back(of_people(rows + rows // 20), rows)
    assert len(found) >= rows
    assert not any(found)


@pytest.mark.parametrize("rows", [100, pytest.param(400, marks=pytest.mark.slow)])
async def test_no_difference_is_invented_of_bodies_of_every_field(rows: int) -> None:
    found = await read_back(of_random_tables(Random(19)), rows)
    assert len(found) >= rows
    assert not any(found)
