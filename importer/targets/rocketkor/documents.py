"""Documents of a customer: announced to the API, then uploaded where it says (API facts, section 8).

Documents cannot be looked up: an attempt whose answer was lost stays in doubt. One attempt a call; the file is read and
judged before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from yarl import URL

from importer.core.outcomes import FieldError, Reply, Verdict
from importer.core.ports import Files
from importer.core.step_tasks import FILE_SHA256, StepReply, StepTask, UnreadFile
from importer.core.steps import STEP_RULES, Step
from importer.targets.rocketkor.bodies import load_object, read_error_body
from importer.targets.rocketkor.classification import created_id
from importer.targets.rocketkor.http import Answer
from importer.targets.rocketkor.session import Session
from importer.targets.rocketkor.step_answers import done, judge_step, with_names
from importer.targets.rocketkor.uploads import Uploads

MOST_BYTES: Final = 5_242_880
"""The largest document (K)."""

EXTENSIONS: Final[Mapping[bytes, str]] = MappingProxyType(
    {b"\xff\xd8\xff": "JPG", b"\x89PNG\r\n\x1a\n": "PNG", b"%PDF-": "PDF"}
)
"""How a file of each kind that the API takes (K) begins."""

TYPES: Final[Mapping[str, str]] = MappingProxyType({"drivingLicense": "driving-license"})
"""The types of documents (K) that the profile writes in another way."""

_HOLDER: Final = "CUSTOMER"
_CODE: Final = "document_failed"
_OF_THE_FILE: Final = frozenset({"contentLength", "extension", "url"})
_OF_THE_ROW: Final = frozenset({"holderId", "holderType", "documentType"})
_NO_FILES = UnreadFile("Nothing says where the files of documents are.")
_EMPTY = UnreadFile("The file is empty.")
_TOO_LARGE = UnreadFile(f"The file has more than {MOST_BYTES:,} bytes.")
_OTHER_KIND = UnreadFile("The file is neither a JPEG nor a PNG nor a PDF.")


class Content(NamedTuple):
    """The bytes of a document, and the extension that the API calls their kind by."""

    data: bytes
    extension: str


class Announced(NamedTuple):
    """A document that the API knows of.

    Args:
        address: where it may be uploaded, as the API gave it: a secret.
        reply: what the API said.
    """

    reference: str
    address: object
    reply: Reply

    def __repr__(self) -> str:
        """Without the address."""
        return f"Announced({self.reference!r})"


class Documents:
    """The step `documents`.

    Args:
        session: makes the requests to the API.
        uploads: puts the bytes where the API says.

    Attributes:
        files: where the bytes come from; None: nowhere.
    """

    def __init__(self, session: Session, uploads: Uploads) -> None:
        self.files: Files | None = None
        self._announced: dict[tuple[int, str], Announced] = {}
        """Documents whose bytes are not where they belong yet; an address is kept here alone, and gone with a kill."""
        self._session = session
        self._uploads = uploads
        self._url = URL(f"{session.api}/documents")

    async def attempt(self, task: StepTask) -> StepReply:
        """Announce one document, and upload it."""
        document = load_object(task.payload)
        content = await self._content(str(document.pop("file", "")), str(document.pop(FILE_SHA256, "")))
        if isinstance(content, UnreadFile):
            return StepReply(_unread(content, f"documents.{task.part}.file"))
        announced = self._announced.get((task.ordinal, task.part)) or await self._announce(task, document, content)
        if isinstance(announced, Reply):
            return StepReply(announced)
        return await self._upload(task, announced, content)

    async def _announce(self, task: StepTask, document: Mapping[str, Any], content: Content) -> Announced | Reply:
        payload = json.dumps(described(task, document, content)).encode()
        answer = await self._session.ask("POST", self._url, payload)
        if isinstance(answer, Reply):
            return answer
        body = load_object(answer.body) if 200 <= answer.status < 300 else {}
        reference, url = created_id(answer, self._url.name) if body else "", body.get("url")
        if not (reference or url):
            return self._judged(task, answer)
        address = url.get("value") if isinstance(url, dict) else url
        return Announced(reference, address, done(answer, self._session.now()))

    async def _upload(self, task: StepTask, announced: Announced, content: Content) -> StepReply:
        """Put the bytes where they belong; where that may work later, the next attempt does this alone."""
        said = await self._uploads.put(announced.address, content.data)
        self._announced.pop((task.ordinal, task.part), None)
        if said.verdict is Verdict.RETRY:
            self._announced[task.ordinal, task.part] = announced
        if said.verdict is not Verdict.ACCEPT:
            return StepReply(said, reference=announced.reference)
        return StepReply(announced.reply, reference=announced.reference)

    async def _content(self, name: str, sha256: str) -> Content | UnreadFile:
        data = _NO_FILES if self.files is None else await self.files.read(name, MOST_BYTES, sha256)
        if isinstance(data, UnreadFile):
            return data
        if not 0 < len(data) <= MOST_BYTES:
            return _TOO_LARGE if data else _EMPTY
        extension = next((kind for start, kind in EXTENSIONS.items() if data.startswith(start)), "")
        return Content(data, extension) if extension else _OTHER_KIND

    def _judged(self, task: StepTask, answer: Answer) -> Reply:
        said = read_error_body(answer.body, task.payload, self._session.secrets)
        said = with_names(said, lambda path: _field(path, task))
        return judge_step(answer, said, self._session.now(), STEP_RULES[Step.DOCUMENTS])


def described(task: StepTask, document: Mapping[str, Any], content: Content) -> dict[str, Any]:
    """Describe a document as the API asks for it; without a name of its own it is called by its type."""
    kind = TYPES.get(task.part, task.part)
    return {
        "holderId": task.customer_id,
        "holderType": _HOLDER,
        "documentType": kind,
        "name": kind,
        **document,
        "extension": content.extension,
        "contentLength": len(content.data),
    }


def _unread(why: UnreadFile, field: str) -> Reply:
    verdict = Verdict.RETRY if why.later else Verdict.REJECT
    code = why.code or _CODE
    error = FieldError(field, why.message, code)
    return Reply(verdict, error_code=code, message=why.message, field_errors=(error,))


def _field(path: str, task: StepTask) -> str:
    if path in _OF_THE_ROW or not path:
        return f"documents.{task.part}"
    return f"documents.{task.part}.{'file' if path in _OF_THE_FILE else path}"
