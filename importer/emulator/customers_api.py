"""The endpoints of customers: create, list, get, update, suspend, activate, delete.

Creating is not idempotent: an `Idempotency-Key` is ignored, and the same body twice is two customers.
What a customer's newest application for identity verification says is added to the stored customer when it is read.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from importer.emulator.answers import Answer, Refusal, refuse
from importer.emulator.customers import new_customer, parsed, replaced, row_of, touched, with_blanks, written
from importer.emulator.listing import list_customers
from importer.emulator.routes import Call, Endpoint, Server
from importer.emulator.rules import check_customer


class Customers:
    """The endpoints of customers."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._settings, self._store, self._account_id, self._committed = server

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Give the endpoints by name."""
        return {
            "create": self._create,
            "list": self._list,
            "get": self._get,
            "update": self._update,
            "suspend": self._suspend,
            "activate": self._activate,
            "delete": self._delete,
        }

    async def _create(self, call: Call) -> Answer:
        fields = self._with_metadata(_checked(call))
        self._refuse_taken(fields.get("externalId"))
        customer = new_customer(fields, str(uuid.uuid4()), self._account_id, call.epoch_s)
        body = written(with_blanks(customer))
        times_ms = (call.now_ms, call.now_ms, self._server.visible_ms(call))
        await self._store.add(row_of(customer, body, self._settings.stamp, times_ms))
        self._committed(call.number, customer["id"], "create")
        return Answer(201, body.encode())

    async def _list(self, call: Call) -> Answer:
        return list_customers(call.query, self._store, self._settings, call.epoch_s)

    async def _get(self, call: Call) -> Answer:
        return Answer(200, self._store.with_verification([self._found(call)], call.now_ms)[0].encode())

    async def _update(self, call: Call) -> Answer:
        old = parsed(self._found(call))
        fields = _checked(call)
        if fields["type"] != old["type"]:
            raise Refusal(422, "EMU_TYPE_CHANGE", "A customer cannot change its type")
        self._refuse_taken(fields.get("externalId"), but=old["id"])
        self._rewrite(replaced(old, fields, self._account_id, call.epoch_s), call)
        self._committed(call.number, old["id"], "update")
        return await self._get(call)

    async def _suspend(self, call: Call) -> Answer:
        return self._set_status(call, "SUSPENDED")

    async def _activate(self, call: Call) -> Answer:
        return self._set_status(call, "ACTIVE")

    def _set_status(self, call: Call, status: str) -> Answer:
        old = parsed(self._found(call))
        self._rewrite(touched({**old, "status": status}, self._account_id, call.epoch_s), call)
        self._committed(call.number, old["id"], "suspend" if status == "SUSPENDED" else "activate")
        return Answer(200, f"Customer is {status.lower()}".encode(), "text/plain")

    async def _delete(self, call: Call) -> Answer:
        self._found(call)
        self._store.remove(call.ids[0])
        self._committed(call.number, call.ids[0], "delete")
        return Answer(204, b"")

    def _with_metadata(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Change metadata as this server is set to."""
        metadata, mode = fields.get("metadata"), self._settings.metadata
        if mode == "keep" or not metadata:
            return fields
        kept = {name.lower(): value.lower() for name, value in metadata.items()} if mode == "lower" else {}
        return {**fields, "metadata": kept}

    def _refuse_taken(self, external_id: str | None, but: str = "") -> None:
        if self._settings.enforce_external_id == "off" or external_id is None:
            return
        if self._store.is_taken(external_id, but):
            status = int(self._settings.enforce_external_id)
            raise Refusal(status, "EMU_DUPLICATE_EXTERNAL_ID", "A customer with this externalId exists already")

    def _found(self, call: Call) -> str:
        return self._store.found(call.ids[0])

    def _rewrite(self, customer: dict[str, Any], call: Call) -> None:
        created_ms, visible_ms = self._store.times(customer["id"])
        body = written(with_blanks(customer))
        self._store.replace(row_of(customer, body, self._settings.stamp, (created_ms, call.now_ms, visible_ms)))


def _checked(call: Call) -> dict[str, Any]:
    fields, problems = check_customer(call.content())
    refuse(problems, "The customer has wrong or missing data")
    return {"metadata": {}, **fields}
