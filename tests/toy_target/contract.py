"""What a member of the club is: four fields, who a member is, and how a body carries the import key (in labels)."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, NotRequired, cast

from pydantic import BeforeValidator, TypeAdapter, ValidationInfo
from typing_extensions import TypedDict

from importer.core.batches import RawBatch
from importer.core.contract import (
    Candidate,
    Choice,
    Columns,
    Contract,
    FieldSpec,
    FieldTable,
    Groups,
    Kind,
    Likeness,
    Look,
    Meaning,
    Notes,
    Policy,
    PresenceFields,
    Readiness,
    Reading,
    Renewed,
    RowIdentities,
    Vocabulary,
    keys_of,
)
from importer.core.contract.text import clean
from importer.core.issue_codes.checking import CHECKING_CODES
from importer.core.issues import IssueCode
from importer.core.steps import Difference

MEMBER = "MEMBER"
FIELDS: Mapping[str, FieldSpec] = {
    one.name: one
    for one in (
        FieldSpec("Member reference", Kind.REFERENCE, "ref", max_length=20, example="A-17"),
        FieldSpec("Full name", Kind.TEXT, "fullName", required=True, max_length=60, example="Ada Example"),
        FieldSpec("Mail address", Kind.EMAIL, "mail", required=True, example="ada@example.com"),
        FieldSpec("Joined on", Kind.DATE, "joined", example="2019-04-30"),
    )
}
CODES: Mapping[str, IssueCode] = {
    **CHECKING_CODES,
    "mail_invalid": IssueCode(
        "mail_invalid",
        "Not a mail address",
        "{label} is not an address; write it as in {example}.",
        "Correct the cells of column {column}.",
    ),
    "date_invalid": IssueCode(
        "date_invalid", "Not a date", "{label} is not a date; write it as in {example}.", "Correct column {column}."
    ),
}


# --------------------------------------------------------------------------- bodies


class MemberBodies:
    """Bodies of members. Implements `core.contract.Bodies`."""

    def bears(self, body: Mapping[str, Any], key: str) -> bool:
        return any(label.partition("=")[2] == key for label in _labels(body))

    def stamp_of(self, body: Mapping[str, Any], name: str) -> object | None:
        return next((label.partition("=")[2] for label in _labels(body) if label.startswith(f"{name}=")), None)

    def read_back(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[tuple[str, Difference], ...]:
        sent = json.loads(payload)
        return tuple(
            (name, _how(sent.get(name), body.get(name)))
            for name in sorted(FIELDS)
            if (sent.get(name) or "") != (body.get(name) or "")
        )

    def differences(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[str, ...]:
        return tuple(name for name, _ in self.read_back(payload, body, stamp, loses_metadata=loses_metadata))

    def meaning(self, body: Mapping[str, Any], key: str) -> bytes:
        return json.dumps(self.flat(body), sort_keys=True).encode()

    def flat(self, body: Mapping[str, Any]) -> dict[str, str]:
        return {name: body[name] for name in FIELDS if body.get(name)}

    def stamp_field(self, name: str) -> str:
        return f"labels.{name}"

    def stamp(self, body: dict[str, Any], name: str, key: str) -> None:
        body["labels"] = [f"{name}={key}"]

    def unstamp(self, body: dict[str, Any], name: str) -> None:
        if self.stamp_of(body, name) is not None:
            del body["labels"]


def _how(sent: object, there: object) -> Difference:
    if sent and there:
        return Difference.ANOTHER_VALUE
    return Difference.MISSING_THERE if sent else Difference.NOT_SENT


def _labels(body: Mapping[str, Any]) -> list[str]:
    return body.get("labels") or []


# --------------------------------------------------------------------------- identity


class MemberIdentity:
    """Who members are. Implements `core.contract.Identity`."""

    likenesses: Mapping[str, Likeness] = MappingProxyType({})
    reference_field: str = "ref"
    personal: tuple[str, ...] = ()
    groups: Groups | None = None
    key_rule: int = 1
    changed_fields: tuple[str, ...] = ()

    def prints_of(self, secret: bytes, body: Mapping[str, Any], kinds: Collection[str]) -> dict[str, int]:
        return dict.fromkeys(kinds, 0)

    def renewed(self, secret: bytes, body: Mapping[str, Any], key: str) -> Renewed:
        return Renewed(key, ())

    def former_keys(self, secret: bytes, body: Mapping[str, Any], key: str, region: str | None) -> Iterator[str]:
        return iter(())

    def keys_under(self, secrets: Sequence[bytes], body: Mapping[str, Any], key: str) -> Sequence[str]:
        return ()


class MemberRows:
    """Who some rows are. Implements `core.contract.RowIdentities`."""

    def __init__(self, columns: Columns, secret: bytes) -> None:
        self._columns, self._secret = columns, secret

    def keys(self) -> list[str]:
        rows = zip(*map(self._columns.column, ("ref", "fullName", "mail")), strict=True)
        return keys_of(self._secret, [f"ref {ref}" if ref else f"{name} {mail}" for ref, name, mail in rows])

    def likenesses(self) -> dict[str, Sequence[str]]:
        return {}

    def prints(self) -> dict[str, array[int]]:
        return {}


# --------------------------------------------------------------------------- types


def _read(spec: FieldSpec, text: str) -> Reading:
    reading = clean(text)
    if reading.error:
        return reading
    if not reading.value:
        return reading.refuse("required_missing") if spec.required else reading
    if len(reading.value) > spec.max_chars:
        return reading.refuse("too_long")
    if spec.kind is Kind.EMAIL:
        name, sign, host = reading.value.partition("@")
        return reading.then("mail_lower", reading.value.lower()) if name and sign and host else _refused("mail_invalid")
    if spec.kind is Kind.DATE and (len(reading.value) != 10 or reading.value[4] != "-"):
        return _refused("date_invalid")
    return reading


def _refused(code: str) -> Reading:
    return Reading("", error=code)


def _type(name: str) -> Any:
    spec = FIELDS[name]

    def read(text: str, info: ValidationInfo) -> str:
        notes = cast("Notes", info.context)
        if notes.failed_before(name):
            raise ValueError(name)
        reading = _read(spec, text)
        if reading.error:
            notes.fail(reading.error, name)
            raise ValueError(reading.error)
        if not reading.clean:
            notes.take(name, reading.value, reading.changes, reading.warnings, ())
        return reading.value

    hint = Annotated[str, BeforeValidator(read)]
    return hint if spec.required else NotRequired[hint]


@cache
def _adapter() -> TypeAdapter[dict[str, Any]]:
    return TypeAdapter(cast("Any", TypedDict)("Member", {name: _type(name) for name in FIELDS}))


class MemberChecks:
    """The type of members. Implements `core.contract.Checks`."""

    presence_fields: PresenceFields = MappingProxyType({})
    codes_of_types: Collection[str] = ()

    def read(self, spec: FieldSpec, text: str, policy: Policy) -> Reading:
        return _read(spec, text)

    def adapter(self, record_type: str | None, policy: Policy) -> TypeAdapter[dict[str, Any]]:
        return _adapter()

    def rows(self, record_type: str | None, mapped: Collection[str]) -> Callable[[Columns], Iterator[Any]]:
        names = [name for name, spec in FIELDS.items() if spec.required or name in mapped]

        def rows(columns: Columns) -> Iterator[dict[str, str]]:
            for texts in zip(*map(columns.column, names), strict=True):
                yield {
                    name: text for name, text in zip(names, texts, strict=True) if text.strip() or FIELDS[name].required
                }

        return rows

    def notes(self, columns: Columns, **kept: Any) -> Notes:
        return Notes(**kept)

    def prepare(
        self, record_type: str | None, columns: Columns, notes: Notes, policy: Policy, sources: Mapping[str, str]
    ) -> None:
        """Nothing is looked at by the column."""

    def identities(
        self, record_type: str, columns: Columns, secret: bytes, groups: Sequence[str] = ()
    ) -> RowIdentities:
        return MemberRows(columns, secret)

    def readiness(self, record_type: str, columns: Columns, bad: Collection[int]) -> Readiness | None:
        return None

    def json_schema(self) -> dict[str, Any]:
        return _adapter().json_schema()


# --------------------------------------------------------------------------- names of columns

_NAMES = {
    "ref": ("ref", "Member reference", "member no"),
    "fullName": ("full name", "name", "member"),
    "mail": ("mail", "mail address", "e mail"),
    "joined": ("joined", "joined on", "member since"),
}


def _names() -> Iterable[tuple[str, Meaning]]:
    return [(name, Meaning(field, 0.95)) for field, names in _NAMES.items() for name in (field, *names)]


class MemberMatching:
    """What columns of members are called. Implements `core.contract.Matching`."""

    vocabulary = Vocabulary(_names, lambda: [name for name, _ in _names()])

    def looked_at(self, candidate: Candidate, column: str, look: Look) -> Candidate:
        return candidate

    def readings(self, found: list[Candidate], choice: Choice) -> list[Candidate]:
        return found

    def settle(self, found: Sequence[Candidate], choice: Choice, sample: RawBatch | None) -> None:
        """Nothing goes together."""

    def shared_with(self, name: str) -> str:
        return ""

    def needs_one_of(self, name: str, names: Collection[str]) -> tuple[str, ...]:
        return ()

    def said_by(self, name: str) -> tuple[str, ...]:
        return ()

    def understands(self, spec: FieldSpec) -> Callable[[str], object] | None:
        return None


MEMBERS = Contract(
    "club",
    FieldTable(types={MEMBER: "members"}, sent=FIELDS),
    MemberBodies(),
    MemberIdentity(),
    MemberChecks,
    MemberMatching,
    CODES,
)
