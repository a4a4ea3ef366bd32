"""The HTTP side: threads and plain sockets, every fault carried out, uploads on a port of their own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.stub_api import faults, shapes
from tests.stub_api.held import PROFILES, Held, Object, RefusedError

API_KEY, API_SECRET = "stub-key", "stub-secret-77aa"
_ID = r"([0-9a-f-]{36})"
_LARGEST_PAGE, _USUAL_PAGE = 50, 20
_KINDS = (
    ("token", "POST", "/v1/api-keys/exchange"),
    ("create", "POST", "/v1/customers"),
    ("list", "GET", "/v1/customers"),
    ("get", "GET", f"/v1/customers/{_ID}"),
    ("update", "PUT", f"/v1/customers/{_ID}"),
    ("owner", "POST", f"/v1/customers/{_ID}/beneficiaries"),
    ("owners", "GET", f"/v1/customers/{_ID}/beneficiaries"),
    ("owner_get", "GET", f"/v1/customers/{_ID}/beneficiaries/{_ID}"),
    ("limits", "GET", "/v1/limits"),
    ("limits_set", "PUT", "/v1/limits"),
    ("idv_profiles", "GET", "/v1/identity-verification-profiles"),
    ("idv_submit", "POST", "/v1/identity-verifications"),
    ("idv_list", "GET", "/v1/identity-verifications"),
    ("idv_get", "GET", f"/v1/identity-verifications/{_ID}"),
    ("document", "POST", "/v1/documents"),
    ("upload", "PUT", f"/bytes/{_ID}"),
)


@dataclass(frozen=True)
class Answer:
    """One answer; `content` is written as JSON, None as an empty body."""

    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Stub:
    """The server's state, and what it answers. One lock: requests are worked on one after another."""

    held: Held
    plan: faults.FaultPlan
    base_url: str = ""
    upload_url: str = ""
    tokens: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer | None:
        """Work on one request; None: its connection is cut."""
        with self.lock:
            parts = urlsplit(target)
            if parts.path.startswith("/_witness"):
                return Answer(200, self.counts() if parts.path.endswith("/counts") else self.witness())
            kind, ids = _kind_of(method, parts.path)
            self.asked[kind] += 1
            try:
                return self._fated(kind, ids, parts.query, headers, body)
            except RefusedError as refused:
                self.refused[f"{kind} {refused.word}"] += 1
                return _error(refused.status, refused.word)

    def _fated(self, kind: str, ids: tuple[str, ...], query: str, headers: Any, body: bytes) -> Answer | None:
        fault = self.plan.fate(kind)
        if fault == faults.EXPIRED:
            self.tokens.clear()
        if fault == faults.CUT_BEFORE:
            return None
        if fault in {faults.OFFLINE, faults.BUSY, faults.BUSY_UNTIL}:
            wait = {"Retry-After": "1"} if fault == faults.BUSY_UNTIL else {}
            return _error(503 if fault == faults.OFFLINE else 429, "TRY_LATER", wait)
        self._authorize(kind, headers.get("Authorization", ""))
        answer = self._answered(kind, ids, query, headers, body)
        if fault == faults.CUT_AFTER:
            return None
        return _error(500, "UNEXPECTED") if fault == faults.FAILS_AFTER else answer

    def _authorize(self, kind: str, given: str) -> None:
        if kind == "token":
            if given != "Basic " + base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode():
                raise RefusedError(401, "CREDENTIALS")
        elif kind == "upload":
            if given:
                raise RefusedError(400, "AUTHORIZATION_AT_THE_UPLOAD_HOST")
        elif given.removeprefix("Bearer ") not in self.tokens:
            raise RefusedError(401, "TOKEN")

    def _answered(self, kind: str, ids: tuple[str, ...], query: str, headers: Any, body: bytes) -> Answer:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        if kind == "upload":
            return self._upload(ids[0], asked, headers, body)
        sent = _object(body) if kind in {"create", "update", "owner", "limits_set", "idv_submit", "document"} else {}
        answer = getattr(self, f"_{kind}")(*ids, sent or asked)
        return answer if isinstance(answer, Answer) else Answer(200, answer)

    def _token(self, _: Object) -> Object:
        token = f"stub-token-{secrets.token_hex(12)}"
        self.tokens.add(token)
        return {"expires_in": 1800, "scope": "all", "access_token": token}

    def _create(self, body: Object) -> Answer:
        made = self.held.create(body)
        return Answer(200, shapes.customer(made), {"Location": f"{self.base_url}/v1/customers/{made['id']}"})

    def _list(self, asked: Object) -> Object:
        tests: dict[str, Callable[[Object, str], bool]] = {
            "externalId": lambda one, text: bool(one.get("externalId") == text),
            "type": lambda one, text: bool(one["type"] == text),
            "primaryEmail": lambda one, text: text.casefold() in json.dumps(one).casefold(),
            "createdAtFrom": lambda one, text: bool(one["createdAt"][:10] >= text),
        }
        chosen = [(test, asked[name]) for name, test in tests.items() if name in asked]
        found = [
            shapes.summary(one)
            for one in self.held.customers.values()
            if self.held.is_listed(one) and all(test(one, text) for test, text in chosen)
        ]
        return _page(found, asked)

    def _get(self, customer_id: str, _: Object) -> Object:
        return shapes.customer(self.held.customer(customer_id))

    def _update(self, customer_id: str, body: Object) -> Object:
        return shapes.customer(self.held.change(customer_id, body))

    def _owner(self, customer_id: str, body: Object) -> Answer:
        return Answer(201, shapes.person(self.held.add_owner(customer_id, body)))

    def _owners(self, customer_id: str, _: Object) -> list[Object]:
        return [shapes.owner_summary(one) for one in self.held.owners_of(customer_id) if self.held.is_listed(one)]

    def _owner_get(self, customer_id: str, owner_id: str, _: Object) -> Object:
        if self.held.owners.get(owner_id, {}).get("customerId") != customer_id:
            raise RefusedError(404, "NO_SUCH_OWNER")
        return shapes.person(self.held.owners[owner_id])

    def _limits(self, asked: Object) -> list[Object]:
        if asked.get("scopeType") != "CUSTOMER":
            raise RefusedError(400, "SCOPE")
        return self.held.limits_of(asked.get("scopeId", ""))

    def _limits_set(self, body: Object) -> list[Object]:
        return self.held.set_limits(body)

    def _idv_profiles(self, _: Object) -> list[Object]:
        return list(PROFILES)

    def _idv_submit(self, body: Object) -> Answer:
        made = self.held.submit(body)
        return Answer(201, None, {"Location": f"{self.base_url}/v1/identity-verifications/{made['id']}"})

    def _idv_list(self, asked: Object) -> Object:
        profile, day = asked.get("identityVerificationProfileId"), asked.get("createdDateFrom", "")
        found = [
            shapes.application(one, self.held)
            for one in self.held.applications.values()
            if profile in {None, one["profileId"]} and one["createdAt"][:10] >= day and self.held.is_listed(one)
        ]
        return _page(found, asked)

    def _idv_get(self, application_id: str, _: Object) -> Object:
        if application_id not in self.held.applications:
            raise RefusedError(404, "NO_SUCH_APPLICATION")
        return shapes.application(self.held.applications[application_id], self.held)

    def _document(self, body: Object) -> Answer:
        made = self.held.add_document(body)
        url = {"expiresAt": made["createdAt"], "value": f"{self.upload_url}/bytes/{made['id']}?signature=canary-signed"}
        return Answer(201, {"status": "NEW", "url": url, "id": made["id"], "holderId": made["holderId"]})

    def _upload(self, document_id: str, asked: Object, headers: Any, body: bytes) -> Answer:
        document = self.held.documents.get(document_id)
        if document is None or asked.get("signature") != "canary-signed":
            raise RefusedError(403, "SIGNATURE")
        if len(body) != document["contentLength"] or headers.get("Content-Length") != str(len(body)):
            raise RefusedError(400, "LENGTH")
        document |= {"status": "UPLOADED", "sha256": hashlib.sha256(body).hexdigest()}
        return Answer(200)

    def counts(self) -> Object:
        """How many requests of each kind came, and how many of them met a fault."""
        return {"asked": self.asked, "refused": self.refused, "faults": self.plan.met}

    def witness(self) -> Object:
        """Everything there is, as it is kept."""
        held = self.held
        return {
            "customers": list(held.customers.values()),
            "owners": list(held.owners.values()),
            "limits": [{**held.limit(one), "amount": str(held.amounts[one])} for one in held.limits],
            "applications": list(held.applications.values()),
            "documents": list(held.documents.values()),
        }


def _kind_of(method: str, path: str) -> tuple[str, tuple[str, ...]]:
    for kind, of, pattern in _KINDS:
        found = re.fullmatch(pattern, path)
        if found and of == method:
            return kind, found.groups()
    return "unknown", ()


def _object(body: bytes) -> Object:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not value:
        raise RefusedError(400, "NOT_AN_OBJECT")
    return value


def _page(found: list[Object], asked: Object) -> Object:
    ordered = sorted(found, key=lambda one: str(one["createdAt"]), reverse="ASC" not in asked.get("sort", ""))
    size = min(int(asked.get("size", _USUAL_PAGE)), _LARGEST_PAGE)
    return shapes.page(ordered, int(asked.get("page", 0)), size)


def _error(status: int, word: str, headers: dict[str, str] | None = None) -> Answer:
    """The body of the older documents."""
    content = {"message": "This request was not accepted.", "error": word, "traceId": "2026-01-01T00:00:00Z"}
    return Answer(status, content, headers or {})


class StubServer(ThreadingHTTPServer):
    """One port of the stub."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Reads requests and writes answers."""

    server: StubServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_POST(self) -> None:  # the library's name
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.stub.answer(self.command, self.path, self.headers, body)
        if answer is None:
            self.close_connection = True
            return
        content = b"" if answer.content is None else json.dumps(answer.content).encode()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Type": "application/json;charset=UTF-8"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST  # noqa: N815  # the library's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
