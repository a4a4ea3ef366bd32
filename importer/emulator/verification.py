"""The endpoints of identity verification: profiles, submit, read one application, list them.

Submitting is not idempotent: twice the same is two applications, unless the server is set to refuse a second one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.emulator.answers import Answer, Refusal, encoded, refuse
from importer.emulator.application import STATUS_SQL, STATUSES, Party, released, shown, submitted
from importer.emulator.checks import Field, Problem, Problems, record, text
from importer.emulator.customers import parsed, written
from importer.emulator.idv_profiles import ACCOUNT_TYPES, find_profile, profiles_for, refuse_unfit
from importer.emulator.list_query import Page, days, order_by
from importer.emulator.routes import Call, Endpoint, Server

_SUBMISSION = record(
    Field("accountId", text(255), required=True), Field("identityVerificationProfileId", text(255), required=True)
)
_COMPLETED = "CASE WHEN completed_ms <= :now THEN completed_ms END"
_ORDERS: Mapping[str, str] = {"createdAt": "created_ms", "completedAt": _COMPLETED, "id": "id"}
_FILTERS: Mapping[str, str] = {
    "identityVerificationProfileId": "profile_id",
    "status": STATUS_SQL,
    "outcome": "CASE WHEN completed_ms <= :now THEN upper(outcome) END",
}


class Verification:
    """The endpoints of identity verification."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._settings = server.settings
        self._store = server.store.related

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Give the endpoints by name."""
        return {
            "profiles": self._profiles,
            "submit": self._submit,
            "get_application": self._get,
            "list_applications": self._list,
        }

    async def _profiles(self, call: Call) -> Answer:
        problems: Problems = []
        account_types = _words(call, "identityAccountTypes", ACCOUNT_TYPES, problems)
        refuse(problems, "The request has wrong parameters")
        return Answer(200, encoded(profiles_for(account_types, self._settings.individual_party)))

    async def _submit(self, call: Call) -> Answer:
        problems: Problems = []
        fields = _SUBMISSION(call.content(), "", problems)
        refuse(problems, "The application has wrong or missing data")
        account = parsed(self._server.store.found(fields["accountId"]))
        profile = find_profile(fields["identityVerificationProfileId"])
        refuse_unfit(profile, account)
        refuses = self._settings.second_application == "409"
        if refuses and self._store.has_application(account["id"], profile["id"], call.now_ms):
            raise Refusal(409, "EMU_DUPLICATE_APPLICATION", "This account has an open application of this profile")
        application_id = self._submitted(account, profile, call)
        self._server.committed(call.number, application_id, "idv_submit")
        return Answer(201, b"", headers={"Location": f"/v1/identity-verifications/{application_id}"})

    def _submitted(self, account: Mapping[str, Any], profile: Mapping[str, Any], call: Call) -> str:
        application = submitted(
            (str(uuid.uuid4()), account["id"], profile["id"]),
            [*_parties(account), *self._owners(account["id"])],
            call.now_ms,
            int(self._settings.idv_s * 1000),
            self._server.visible_ms(call),
        )
        if application.holder_id and self._store.has_document(application.holder_id):
            application = released(application, call.now_ms)
        self._store.add(application)
        return application.id

    def _owners(self, customer_id: str) -> Iterator[Party]:
        for row in self._store.beneficiaries(customer_id):
            owner = parsed(row.body)
            yield Party(row.id, "BENEFICIARY", _names(owner), owner["lastName"].upper())

    async def _get(self, call: Call) -> Answer:
        application = self._store.application(call.ids[0])
        if application is None:
            raise Refusal(404, "EMU_NOT_FOUND", "There is no such application")
        return Answer(200, encoded(shown(application, call.now_ms)))

    async def _list(self, call: Call) -> Answer:
        problems: Problems = []
        where, values = _conditions(call, problems)
        where += ["visible_ms <= :now"] if self._store.is_lagging(call.now_ms) else []
        order = order_by(call.query, _ORDERS, problems)
        page = Page.of(call.query, self._settings, problems)
        refuse(problems, "The request has wrong parameters")
        total, found = self._store.select_applications(" AND ".join(where) or "1", values, order, page.size, page.skip)
        return Answer(200, page.envelope([written(shown(one, call.now_ms)) for one in found], total))


def _parties(account: Mapping[str, Any]) -> Iterator[Party]:
    if account["type"] == "INDIVIDUAL":
        yield Party(account["id"], "INDIVIDUAL", _names(account), account["lastName"].upper())
        return
    names = {"businessName": account["businessName"]}
    steering = " ".join(contact["lastName"].upper() for contact in account["contacts"])
    yield Party(account["id"], "BUSINESS", names, steering)


def _names(person: Mapping[str, Any]) -> dict[str, str]:
    return {name: person[name] for name in ("firstName", "middleName", "lastName") if name in person}


def _conditions(call: Call, problems: Problems) -> tuple[list[str], dict[str, str | int]]:
    """Turn the filters into SQL with named marks, and give its values."""
    where: list[str] = []
    values: dict[str, str | int] = {"now": call.now_ms}
    for word, column in (("created", "created_ms"), ("completed", _COMPLETED)):
        first, last = days(call.query, f"{word}DateFrom", f"{word}DateTo", problems)
        where += [f"{column} >= {first:d}"] if first is not None else []
        where += [f"{column} < {last:d}"] if last is not None else []
    for name, sql in _FILTERS.items():
        if given := call.query.get(name):
            where.append(f"{sql} = :{name}")
            values[name] = given.upper() if name == "outcome" else given
    _words(call, "status", STATUSES, problems)
    account_types = _words(call, "accountTypes", ACCOUNT_TYPES, problems)
    if account_types and not problems:
        where.append(f"account_type IN ({', '.join(repr(word) for word in account_types)})")
    return where, values


def _words(call: Call, name: str, allowed: Sequence[str], problems: Problems) -> list[str]:
    """Read a list of words with commas between them; an unknown one is a problem."""
    words = [word.strip() for word in call.query.get(name, "").split(",") if word.strip()]
    if not set(words) <= set(allowed):
        problems.append(Problem(name, f"must be one of {', '.join(allowed)}", "EMU_ENUM"))
    return words
