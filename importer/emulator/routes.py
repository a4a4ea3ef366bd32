"""The table of paths: which kind of request each method and path is, and which endpoint answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from multidict import MultiMapping

from importer.emulator.answers import Answer, Refusal
from importer.emulator.settings import EmulatorSettings
from importer.emulator.store import Store


class Call(NamedTuple):
    """One request, as the endpoints see it.

    Args:
        number: its number in the ledger.
        ids: from the path, in their order.
        origin: scheme, host and port that it was sent to.
        epoch_s: when it is processed.
        lag_s: how much later than usual a created object appears in lists.
    """

    number: int
    ids: tuple[str, ...]
    authorization: str
    origin: str
    query: MultiMapping[str]
    body: bytes
    epoch_s: float
    lag_s: float

    @property
    def now_ms(self) -> int:
        """When it is processed, in milliseconds since the epoch."""
        return int(self.epoch_s * 1000)

    def content(self) -> dict[str, Any]:
        """Read the body, a JSON object.

        Raises:
            Refusal: 400, it is something else.
        """
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Refusal(400, "EMU_MALFORMED", "The body is not JSON") from None
        if not isinstance(body, dict):
            raise Refusal(400, "EMU_MALFORMED", "The body is not a JSON object")
        return body


Endpoint = Callable[[Call], Awaitable[Answer]]
Committed = Callable[[int, str, str], None]


class Server(NamedTuple):
    """What all endpoints of one server share.

    Args:
        account_id: the service account that asks.
        committed: gets the request's number, the id of the object that is durable now, and the kind of request.
    """

    settings: EmulatorSettings
    store: Store
    account_id: str
    committed: Committed

    def visible_ms(self, call: Call) -> int:
        """When lists show what this request creates, in milliseconds since the epoch."""
        return call.now_ms + int((self.settings.list_lag_s + call.lag_s) * 1000)


class Route(NamedTuple):
    """The endpoint of a method and path.

    Args:
        kind: of request, as faults and the ledger name it.
        path: without its values.
        endpoint: its name.
        changes: whether it needs a role that may change things.
        token: whether it needs an access token.
    """

    kind: str
    method: str
    path: str
    endpoint: str
    changes: bool = False
    token: bool = True


UPLOADS = "/uploads/"
_EXCHANGE, _CUSTOMERS = "/v1/api-keys/exchange", "/v1/customers"
_ONE, _OWNERS, _OWNER = (
    f"{_CUSTOMERS}/{{id}}",
    f"{_CUSTOMERS}/{{id}}/beneficiaries",
    f"{_CUSTOMERS}/{{id}}/beneficiaries/{{id}}",
)
_LIMITS, _APPLICATIONS = "/v1/limits", "/v1/identity-verifications"
ROUTES: tuple[Route, ...] = (
    Route("token", "POST", _EXCHANGE, "exchange", token=False),
    Route("create", "POST", _CUSTOMERS, "create", changes=True),
    Route("list", "GET", _CUSTOMERS, "list"),
    Route("get", "GET", _ONE, "get"),
    Route("update", "PUT", _ONE, "update", changes=True),
    Route("delete", "DELETE", _ONE, "delete", changes=True),
    Route("suspend", "PUT", f"{_ONE}/suspend", "suspend", changes=True),
    Route("activate", "PUT", f"{_ONE}/activate", "activate", changes=True),
    Route("beneficiary", "POST", _OWNERS, "add_owner", changes=True),
    Route("beneficiaries", "GET", _OWNERS, "list_owners"),
    Route("get", "GET", _OWNER, "get_owner"),
    Route("update", "PUT", _OWNER, "update_owner", changes=True),
    Route("limits", "GET", _LIMITS, "limits"),
    Route("limits_set", "PUT", _LIMITS, "set_limits", changes=True),
    Route("limits", "GET", f"{_LIMITS}/utilisation", "utilisation"),
    Route("idv_profiles", "GET", "/v1/identity-verification-profiles", "profiles"),
    Route("idv_submit", "POST", _APPLICATIONS, "submit", changes=True),
    Route("idv_list", "GET", _APPLICATIONS, "list_applications"),
    Route("idv_get", "GET", f"{_APPLICATIONS}/{{id}}", "get_application"),
    Route("document", "POST", "/v1/documents", "add_document", changes=True),
    Route("upload", "PUT", f"{UPLOADS}{{id}}", "upload", token=False),
)


def _by_path() -> dict[str, dict[str, Route]]:
    table: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        table.setdefault(route.path, {})[route.method] = route
    return table


_BY_PATH: Mapping[str, Mapping[str, Route]] = _by_path()
_FIXED = {path: methods for path, methods in _BY_PATH.items() if "{" not in path}
_WITH_IDS = [
    (re.compile(path.replace("{id}", "([^/]+)")).fullmatch, methods)
    for path, methods in _BY_PATH.items()
    if "{" in path
]


def find_route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Find where a request leads, and the ids in its path; an unknown path leads to `unknown`."""
    methods, ids = _matching(path)
    if not methods:
        return Route("other", method, "(unknown)", "unknown"), ()
    if method not in methods:
        return Route("other", method, next(iter(methods.values())).path, "not_allowed"), ()
    return methods[method], ids


def _matching(path: str) -> tuple[Mapping[str, Route], tuple[str, ...]]:
    if path in _FIXED:
        return _FIXED[path], ()
    for matching, methods in _WITH_IDS:
        if match := matching(path):
            return methods, match.groups()
    return {}, ()


def allowed_methods(path: str) -> str:
    """Name the methods of a path, for the header `Allow`."""
    return ", ".join(sorted(_BY_PATH[path]))
