"""A caller of the emulator for its tests: plain HTTP, nothing of the importer's own client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any, NamedTuple

import aiohttp

from importer.emulator import Emulator, EmulatorSettings

SARAH: Mapping[str, Any] = {
    "type": "INDIVIDUAL",
    "firstName": "Sarah",
    "lastName": "Green",
    "primaryPhoneNumber": {"number": "+15556589", "type": "MOBILE"},
    "primaryEmail": {"value": "sgreen@abc.com"},
}
"""The vendor's own example of the least that an individual needs."""

BAKERY: Mapping[str, Any] = {
    "type": "BUSINESS",
    "businessName": "Corner Bakery",
    "contacts": [
        {
            "firstName": "Ada",
            "lastName": "Baker",
            "primary": True,
            "primaryPhoneNumber": {"number": "+12125550123", "type": "WORK"},
            "primaryEmail": {"value": "ada@bakery.example.com"},
        }
    ],
}

HOME: Mapping[str, Any] = {
    "type": "PHYSICAL",
    "streetLine1": "1 Main Street",
    "cityName": "Springfield",
    "stateCode": "IL",
    "countryCode": "USA",
    "zipCode": "62701",
}

PASSPORT: Mapping[str, Any] = {
    "holderType": "CUSTOMER",
    "documentType": "passport",
    "name": "Passport",
    "number": "X0000001",
    "issuingCountryCode": "USA",
    "extension": "PDF",
    "contentLength": 7,
}
"""The least that a passport needs; its bytes are 7."""


class Reply(NamedTuple):
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def problems(self) -> set[tuple[str, str]]:
        """Path and code of every wrong field."""
        return {(problem["path"], problem["errorCode"]) for problem in self.json.get("errors", [])}


class Caller:
    """Calls one emulator, with a token that it fetched at the start."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.session = session
        self.token = ""

    async def call(self, method: str, path: str, **options: Any) -> Reply:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        url = self.emulator.base_url + path
        async with self.session.request(method, url, headers=headers, allow_redirects=False, **options) as response:
            return Reply(response.status, response.headers, await response.text())

    async def exchange(self, key: str | None = None, secret: str | None = None) -> Reply:
        auth = aiohttp.encode_basic_auth(key or self.emulator.api_key, secret or self.emulator.api_secret)
        reply = await self.call("POST", "/v1/api-keys/exchange", headers={"Authorization": auth})
        self.token = reply.json.get("access_token", "") if reply.status == 200 else self.token
        return reply

    async def create(self, body: Mapping[str, Any] = SARAH, **changes: Any) -> Reply:
        return await self.call("POST", "/v1/customers", json={**body, **changes})

    async def get(self, customer_id: str) -> Reply:
        return await self.call("GET", f"/v1/customers/{customer_id}")

    async def listed(self, **params: Any) -> Reply:
        return await self.call("GET", "/v1/customers", params=params)

    async def business(self, **changes: Any) -> str:
        """Create a business, and give its id."""
        return str((await self.create(BAKERY, **changes)).json["id"])

    async def add_owner(self, customer_id: str, **changes: Any) -> Reply:
        path = f"/v1/customers/{customer_id}/beneficiaries"
        return await self.call("POST", path, json={"firstName": "Olga", "lastName": "Owner", **changes})

    async def limits(self, customer_id: str) -> dict[str, Any]:
        """The limits of a customer by type and currency."""
        params = {"scopeId": customer_id, "scopeType": "CUSTOMER"}
        listed = (await self.call("GET", "/v1/limits", params=params)).json
        return {f"{limit['limitType']} {limit['currency']}": limit for limit in listed}

    async def submit(self, account_id: str, profile: str = "Standard") -> Reply:
        """Submit an application for a verification profile by its name."""
        profiles = (await self.call("GET", "/v1/identity-verification-profiles")).json
        profile_id = next(one["id"] for one in profiles if one["name"] == profile)
        body = {"accountId": account_id, "identityVerificationProfileId": profile_id}
        return await self.call("POST", "/v1/identity-verifications", json=body)

    async def submitted(self, account_id: str, profile: str = "Standard") -> str:
        """Submit an application, and give its path."""
        return str((await self.submit(account_id, profile)).headers["Location"])

    async def add_document(self, holder_id: str, **changes: Any) -> Reply:
        return await self.call("POST", "/v1/documents", json={**PASSPORT, "holderId": holder_id, **changes})

    async def upload(self, url: str, content: bytes | BytesIO, **headers: str) -> Reply:
        """Upload to an address, with no headers but these."""
        async with self.session.put(url, data=content, headers=headers) as response:
            return Reply(response.status, response.headers, await response.text())

    async def until_arrived(self, kind: str) -> None:
        """Wait until the ledger has a request of a kind, answered or not."""
        while not self.emulator.ledger.count(kind):
            await self.call("GET", "/_emulator/ledger")

    async def found(self, **params: Any) -> list[str]:
        """The ids on the first page of a list."""
        return [customer["id"] for customer in (await self.listed(**params)).json["content"]]


@asynccontextmanager
async def served(
    settings: EmulatorSettings | None = None, *, clock: Callable[[], float] | None = None, token: bool = True
) -> AsyncIterator[Caller]:
    """Start an emulator and a caller, and stop both at the end."""
    connector = aiohttp.TCPConnector(limit=0)
    async with Emulator(settings, clock=clock) as emulator, aiohttp.ClientSession(connector=connector) as session:
        caller = Caller(emulator, session)
        if token:
            await caller.exchange()
        yield caller
