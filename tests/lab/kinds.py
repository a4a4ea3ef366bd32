"""The kinds of target that the lab can play: what their bodies look like, and what their answers mean.

Verdicts come from the tables that production uses, so that the lab tests those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from importer.core.contract import Contract
from importer.core.outcomes import Reply
from importer.customers.contract import CUSTOMERS
from importer.targets.rocketkor.classification_rules import Rule, rule_for_exception, rule_for_status
from tests.toy_target.answers import no_answer, refusal
from tests.toy_target.contract import MEMBERS

STAMP = "importKey"

Body = dict[str, Any]


class LabKind(Protocol):
    """What the lab has to know of a target."""

    contract: Contract

    def payload(self, name: str, email: str, external_id: str, key: str) -> bytes:
        """What is sent of a row.

        Args:
            external_id: empty: the row has none.
            key: its import key.
        """
        ...

    def name(self, body: Mapping[str, Any]) -> str:
        """What tells the customers of a row, with or without a stamp."""
        ...

    def external_id(self, body: Mapping[str, Any]) -> str:
        """What may not be there twice; empty: nothing."""
        ...

    def is_wanted(self, body: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        """Whether a look-up finds a customer: by its external id where there is one, else by its email address."""
        ...

    def without_stamp(self, body: Body) -> Body:
        """What a server keeps that loses stamps."""
        ...

    def status(self, status: int, retry_after_s: float | None = None) -> Reply:
        """What a status means."""
        ...

    def failure_reply(self, error: BaseException) -> Reply:
        """What it means that no answer came."""
        ...


class RocketKor:
    """RocketKOR: customers."""

    contract: Contract = CUSTOMERS

    def payload(self, name: str, email: str, external_id: str, key: str) -> bytes:
        body: Body = {
            "type": "INDIVIDUAL",
            "firstName": name,
            "lastName": "Example",
            "primaryEmail": {"value": email},
            "metadata": {STAMP: key},
        }
        return json.dumps(body | ({"externalId": external_id} if external_id else {})).encode()

    def name(self, body: Mapping[str, Any]) -> str:
        return str(body["firstName"])

    def external_id(self, body: Mapping[str, Any]) -> str:
        return str(body.get("externalId", ""))

    def is_wanted(self, body: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        if external_id := self.external_id(wanted):
            return self.external_id(body) == external_id
        return bool(body["primaryEmail"] == wanted["primaryEmail"])

    def without_stamp(self, body: Body) -> Body:
        return {**body, "metadata": {}}

    def status(self, status: int, retry_after_s: float | None = None) -> Reply:
        return _reply(rule_for_status(status))._replace(http_status=status, retry_after_s=retry_after_s)

    def failure_reply(self, error: BaseException) -> Reply:
        return _reply(rule_for_exception(error))


def _reply(rule: Rule) -> Reply:
    return Reply(rule.verdict, error_code=rule.code, message=rule.sentence)


class Club:
    """The target of the tests' own: members."""

    contract: Contract = MEMBERS

    def payload(self, name: str, email: str, external_id: str, key: str) -> bytes:
        body: Body = {"fullName": name, "mail": email, "labels": [f"{STAMP}={key}"]}
        return json.dumps(body | ({"ref": external_id} if external_id else {})).encode()

    def name(self, body: Mapping[str, Any]) -> str:
        return str(body["fullName"])

    def external_id(self, body: Mapping[str, Any]) -> str:
        return str(body.get("ref", ""))

    def is_wanted(self, body: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        name = "ref" if self.external_id(wanted) else "mail"
        return bool(body.get(name) == wanted[name])

    def without_stamp(self, body: Body) -> Body:
        return {**body, "labels": []}

    def status(self, status: int, retry_after_s: float | None = None) -> Reply:
        return refusal(status, retry_after_s)

    def failure_reply(self, error: BaseException) -> Reply:
        return no_answer(error)


KINDS: Mapping[str, LabKind] = {"rocketkor": RocketKor(), "club": Club()}
