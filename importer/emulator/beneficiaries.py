"""The endpoints of beneficial owners, who belong to a business: add, list, get, update.

Adding is not idempotent: the same body twice is two owners.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from importer.emulator.addresses import COUNTRY, addresses
from importer.emulator.answers import Answer, Refusal, encoded, refuse
from importer.emulator.checks import Field, Problems, day, flag, likeness, missing, one_of, pattern, record, text
from importer.emulator.customers import parsed, replaced, server_owned, shown, with_blanks, written
from importer.emulator.related_store import Beneficiary
from importer.emulator.routes import Call, Endpoint, Server
from importer.emulator.rules import EMAIL, NAME, PHONE, PLACE_OF_BIRTH

_OWNER = record(
    Field("firstName", NAME, required=True),
    Field("middleName", NAME),
    Field("lastName", NAME, required=True),
    Field("sex", one_of("MALE", "FEMALE", "NONBINARY")),
    Field("primaryPhoneNumber", PHONE),
    Field("primaryEmail", EMAIL),
    Field("dateOfBirth", day),
    Field("placeOfBirth", PLACE_OF_BIRTH),
    Field("socialId", text(50)),
    Field("socialIdCountryCode", COUNTRY),
    Field("citizenshipCountryCode", COUNTRY),
    Field("title", text(255)),
    Field("ownershipPercentage", pattern(r"100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?", "a number from 0 to 100, as a string")),
    Field("controller", flag),
    Field("addresses", addresses),
)
_SUMMARY = ("id", "firstName", "lastName", "primaryEmail", "title", "ownershipPercentage", "verificationStatus")


class Beneficiaries:
    """The endpoints of beneficial owners."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._store = server.store.related

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Give the endpoints by name."""
        return {
            "add_owner": self._add,
            "list_owners": self._list,
            "get_owner": self._get,
            "update_owner": self._update,
        }

    async def _add(self, call: Call) -> Answer:
        customer_id, fields = self._business(call), _checked(call)
        owner_id, account_id = str(uuid.uuid4()), self._server.account_id
        said = shown(fields)
        owner = {"id": owner_id, "customerId": customer_id, **said, **server_owned(account_id, call.epoch_s)}
        body = written(with_blanks(owner))
        self._store.add(Beneficiary(owner_id, customer_id, likeness(said), self._server.visible_ms(call), body))
        self._server.committed(call.number, owner_id, "beneficiary")
        return Answer(201, body.encode())

    async def _list(self, call: Call) -> Answer:
        seen = [row for row in self._store.beneficiaries(self._business(call)) if row.visible_ms <= call.now_ms]
        owners = (parsed(row.body) for row in seen)
        return Answer(200, encoded([{name: owner[name] for name in _SUMMARY if name in owner} for owner in owners]))

    async def _get(self, call: Call) -> Answer:
        return Answer(200, self._found(call).body.encode())

    async def _update(self, call: Call) -> Answer:
        row, fields = self._found(call), _checked(call)
        body = written(with_blanks(replaced(parsed(row.body), fields, self._server.account_id, call.epoch_s)))
        self._store.replace(row._replace(body=body))
        return Answer(200, body.encode())

    def _business(self, call: Call) -> str:
        """The id of the customer in the path, a business."""
        if parsed(self._server.store.found(call.ids[0]))["type"] != "BUSINESS":
            raise Refusal(422, "EMU_NOT_A_BUSINESS", "Only a business has beneficial owners")
        return call.ids[0]

    def _found(self, call: Call) -> Beneficiary:
        row = self._store.beneficiary(call.ids[1])
        if row is None or row.customer_id != self._business(call):
            raise Refusal(404, "EMU_NOT_FOUND", "This customer has no such beneficial owner")
        return row


def _checked(call: Call) -> dict[str, Any]:
    problems: Problems = []
    fields: dict[str, Any] = _OWNER(call.content(), "", problems)
    if "socialId" in fields and "socialIdCountryCode" not in fields:
        problems.append(missing("socialIdCountryCode"))
    refuse(problems, "The beneficial owner has wrong or missing data")
    return fields
