"""The endpoints of documents: announce one, and upload its bytes to the address that the answer names.

An upload needs no access token: its address is signed, and a request that brings a token along is refused.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from importer.emulator.answers import Answer, Refusal, encoded, refuse, timestamp
from importer.emulator.application import released
from importer.emulator.checks import Field, Problem, Problems, day, likeness, missing, one_of, record, text
from importer.emulator.customers import parsed
from importer.emulator.related_store import Document
from importer.emulator.routes import UPLOADS, Call, Endpoint, Server
from importer.emulator.rules import METADATA

LARGEST_BYTES = 5_242_880
_PROVES_IDENTITY = ("driving-license", "passport")
_NEEDS_DESCRIPTION = ("formation", "tax", "ownership", "other")


def _length(value: Any, path: str, problems: Problems) -> Any:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= LARGEST_BYTES:
        problems.append(Problem(path, f"must be a whole number from 1 to {LARGEST_BYTES}", "EMU_SIZE"))
    return value


_DOCUMENT = record(
    Field("holderId", text(255), required=True),
    Field("holderType", one_of("BENEFICIARY", "BUSINESS_ACCOUNT", "CUSTOMER"), required=True),
    Field("documentType", one_of(*_PROVES_IDENTITY, *_NEEDS_DESCRIPTION), required=True),
    Field("name", text(40), required=True),
    Field("description", text(100)),
    Field("number", text(255)),
    Field("issuingDate", day),
    Field("issuingCountryCode", text(3, shortest=2)),
    Field("issuingStateCode", text(3, shortest=2)),
    Field("expiryDate", day),
    Field("extension", one_of("JPG", "JPEG", "PNG", "PDF"), required=True),
    Field("contentLength", _length, required=True),
    Field("metadata", METADATA),
)


class Documents:
    """The endpoints of documents."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._store = server.store.related

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Give the endpoints by name."""
        return {"add_document": self._add, "upload": self._upload}

    async def _add(self, call: Call) -> Answer:
        fields = _checked(call)
        self._refuse_unknown_holder(fields)
        document_id, signature = str(uuid.uuid4()), secrets.token_urlsafe(24)
        document = {"id": document_id, **fields, "createdAt": timestamp(call.epoch_s)}
        row = Document(
            document_id,
            fields["holderId"],
            likeness(fields),
            signature,
            "NEW",
            None,
            None,
            encoded(document).decode(),
        )
        self._store.add(row)
        self._server.committed(call.number, document_id, "document")
        url = {"value": f"{call.origin}{UPLOADS}{document_id}?signature={signature}", "method": "PUT"}
        return Answer(201, encoded({**document, "status": "NEW", "url": url}))

    def _refuse_unknown_holder(self, fields: Mapping[str, Any]) -> None:
        if fields["holderType"] == "CUSTOMER":
            self._server.store.found(fields["holderId"])
        elif fields["holderType"] == "BENEFICIARY" and self._store.beneficiary(fields["holderId"]) is None:
            raise Refusal(404, "EMU_NOT_FOUND", "There is no such beneficial owner")

    async def _upload(self, call: Call) -> Answer:
        if call.authorization:
            raise Refusal(403, "EMU_UPLOAD_AUTHORIZATION", "An upload must not carry an Authorization header")
        row = self._store.document(call.ids[0])
        signature = call.query.get("signature", "").encode()
        if row is None or not hmac.compare_digest(signature, row.signature.encode()):
            raise Refusal(403, "EMU_UPLOAD_SIGNATURE", "The signature of this upload is absent or wrong")
        length, whole = len(call.body), len(call.body) == parsed(row.body)["contentLength"]
        status = "UPLOADED" if whole else "INCOMPLETE"
        self._store.replace(row._replace(status=status, length=length, sha256=sha256(call.body).hexdigest()))
        if not whole:
            raise Refusal(400, "EMU_UPLOAD_LENGTH", "The upload has another length than the document's contentLength")
        for application in self._store.applications_held_for(row.holder_id):
            self._store.replace(released(application, call.now_ms))
        self._server.committed(call.number, row.id, "upload")
        return Answer(200, b"")


def _checked(call: Call) -> dict[str, Any]:
    problems: Problems = []
    fields: dict[str, Any] = _DOCUMENT(call.content(), "", problems)
    if fields.get("documentType") in _PROVES_IDENTITY:
        problems += [missing(name) for name in ("number", "issuingCountryCode") if name not in fields]
    elif fields.get("documentType") in _NEEDS_DESCRIPTION and "description" not in fields:
        problems.append(missing("description"))
    if not problems and fields.get("issuingDate", "") > datetime.fromtimestamp(call.epoch_s, UTC).date().isoformat():
        problems.append(Problem("issuingDate", "must not be in the future", "EMU_DATE"))
    refuse(problems, "The document has wrong or missing data")
    return fields


def document_object(row: Document) -> dict[str, Any]:
    """Give a document with its status, and with length and SHA-256 of the bytes that arrived."""
    return {**parsed(row.body), "status": row.status, "length": row.length, "sha256": row.sha256}
