"""Error bodies: both documented versions, and whatever else a gateway says.

Reads `message`, `errorCode` or `error`, `traceId` and `errors[]` (API facts, section 7) and tolerates
everything. Field paths come out in the profile's names. Never passes on a value that we sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pydantic_core import from_json

from importer.core.outcomes import FieldError
from importer.targets.rocketkor.redaction import Redaction

MAX_FIELD_ERRORS: Final = 50
PATH_CHARS: Final = 200

_BRACKETS = re.compile(r"\[['\"]?([^\]'\"]*)['\"]?\]")
_FIRST_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*"([\w.:-]{1,200})"\s*[,}]')
_PLAIN_PATH = re.compile(r"[\w.\- ]+")
_DUPLICATE = re.compile(
    r"duplicat|already|(?<!not )\bexists\b|not[ _-]?unique|must[ _-]be[ _-]unique|\btaken\b|in[ _-]use", re.IGNORECASE
)
_FURTHER_CONTACT = re.compile(r"contacts\.(\d{1,3})((?:\.|$).*)", re.DOTALL)
_EXTERNAL_ID = re.compile(r"external[ _-]?(id|reference)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What the API said about a refusal, safe to show."""

    message: str = ""
    code: str = ""
    trace_id: str = ""
    fields: tuple[FieldError, ...] = ()

    @property
    def says_already(self) -> bool:
        """Whether its words say that something is there already."""
        return _smells(self.code, self.message)

    @property
    def names_a_duplicate(self) -> bool:
        """Whether it says that the externalId is in use already (API facts, section 2.6: how it says so is unknown)."""
        for error in self.fields:
            if error.path.rpartition(".")[2] == "externalId" and _smells(error.code, error.message):
                return True
        return _EXTERNAL_ID.search(f"{self.code} {self.message}") is not None and _smells(self.code, self.message)


def read_error_body(body: bytes | None, payload: bytes = b"", secrets: Iterable[str] = ()) -> ErrorBody:
    """Read the body of a refusal.

    Args:
        body: as it came; what is not a JSON object reads as an empty one.
        payload: the JSON that was sent: its values are redacted, its addresses and contacts name the paths.
        secrets: what else was sent and must not come back.
    """
    said = load_object(body)
    if not said:
        return ErrorBody()
    sent = load_object(payload)
    redaction = Redaction(sent, secrets)
    return ErrorBody(
        message=redaction.text(said.get("message")),
        code=redaction.identifier(said.get("errorCode") or said.get("error")),
        trace_id=redaction.identifier(said.get("traceId")),
        fields=tuple(_field_errors(said.get("errors"), sent, redaction)),
    )


def profile_path(path: str, sent: Mapping[str, Any]) -> str:
    """Turn the API's path into the profile's name: `addresses[0].zipCode` into `addresses.mailing.zipCode`.

    Args:
        path: in any notation; what reads like none comes out empty.
        sent: the payload, whose entries say which address and which contact are meant.
    """
    dotted = _BRACKETS.sub(r".\1", path[:PATH_CHARS].strip())
    segments = [part for part in re.split(r"[./]", dotted.lstrip("$#")) if part]
    if len(segments) > 1 and segments[1].isascii() and segments[1].isdigit():
        segments[1] = _entry_name(segments[0], int(segments[1]), sent) or segments[1]
    name = ".".join(segments)
    return name if _PLAIN_PATH.fullmatch(name) else ""


def first_id(body: bytes | None) -> str:
    """Return the id of an object that names it before all else, as a new customer does, without reading what follows.

    Empty for what was cut off.
    """
    if not body or not body.rstrip().endswith(b"}"):
        return ""
    match = _FIRST_ID.match(body)
    return match[1].decode() if match else ""


def load_object(text: bytes | None) -> dict[str, Any]:
    """Read a JSON object; empty for anything else."""
    try:
        value = _loaded(text) if text else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _loaded(text: bytes) -> Any:
    """Read JSON: the usual at several times the speed of the standard library, which reads what is odd."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)


def _entry_name(array: str, index: int, sent: Mapping[str, Any]) -> str:
    entries = sent.get(array)
    if not isinstance(entries, list) or index >= len(entries) or not isinstance(entries[index], dict):
        return ""
    entry = entries[index]
    if array == "addresses" and isinstance(entry.get("type"), str):
        return str(entry["type"]).lower()
    if array == "contacts" and (entry.get("primary") is True or len(entries) == 1):
        return "primary"
    return ""


def _field_errors(errors: Any, sent: Mapping[str, Any], redaction: Redaction) -> Iterator[FieldError]:
    for error in islice(errors if isinstance(errors, list) else (), MAX_FIELD_ERRORS):
        if isinstance(error, dict):
            path = error.get("path")
            name = profile_path(path, sent) if isinstance(path, str) else ""
            name = "" if any(redaction.hides(segment) for segment in name.split(".")) else name
            name, message = _of_a_contact(name, redaction.text(error.get("message")))
            yield FieldError(path=name, message=message, code=redaction.identifier(error.get("errorCode")))


def _of_a_contact(name: str, message: str) -> tuple[str, str]:
    """Name the field of a further contact as the profile does: all contacts come from the same columns.

    Which contact it is, the message then says: the main one is the first, the others follow in row order.
    """
    found = _FURTHER_CONTACT.match(name)
    if found is None:
        return name, message
    return f"contacts.primary{found[2]}", f"Contact {int(found[1]) + 1} of the business: {message}"


def _smells(*texts: str) -> bool:
    return any(_DUPLICATE.search(text) for text in texts)
