"""What is sent of records of one type is written: to be sent, or for its hash alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from importer.core.batches import digest_of
from importer.core.record_json import record_digest, record_json
from importer.validation.part import Values


@dataclass(frozen=True, slots=True)
class Wanted:
    """What anybody wants of rows beside what is wrong with them.

    Args:
        bodies: what is sent; the body of a valid row is empty where nobody will send it.
        digests: the hashes of what is sent.
        prints: what is compared with customers of earlier runs.
    """

    bodies: bool = True
    digests: bool = False
    prints: bool = True


@dataclass(frozen=True, slots=True)
class Writing:
    """Writes what is sent of records of one type.

    Args:
        stamp: writes an import key into a record, under a name.
        name: that name; empty: no body carries an import key.
        write: makes JSON of such records.
        steps: those after the create for which fields are mapped; a record holds what each sends under its name.
        bodies, digests: as of `Wanted`.
    """

    stamp: Callable[[dict[str, Any], str, str], None]
    name: str
    write: Callable[[dict[str, Any]], bytes]
    steps: Collection[str]
    bodies: bool
    digests: bool

    @property
    def kept(self) -> Callable[[dict[str, Any]], Any]:
        """What is kept of a record that was read; the record itself, which takes memory, only where it is sent."""
        if self.bodies:
            return _itself
        if not self.digests:
            return bool
        if self.steps:
            return self._digest_whole
        return record_digest if self.write is record_json else self._digest

    def taken_out(self, values: Values) -> Sequence[bytes | None]:
        """Take out of kept records what steps after the create send, as JSON; None where a record has nothing."""
        if not (self.bodies and self.steps):
            return ()
        return [None if value is None else self._taken_out(value) for value in values]

    def hashed(self, values: list[Any], after: Sequence[bytes | None]) -> Sequence[bytes | None]:
        """The hashes of what is sent of kept records, but for their import keys; made before those are written."""
        if not (self.bodies and self.digests):
            return values if self.digests else ()
        sent = zip(values, after or [None] * len(values), strict=True)
        return [None if value is None else self._digest(value, rest) for value, rest in sent]

    def written(self, values: list[Any], keys: Sequence[str]) -> list[bytes | None]:
        """The bodies of kept records, with their import keys in them; empty where nobody will send them."""
        if not self.bodies:
            return [None if value is None else b"" for value in values]
        if self.name:
            for value, key in zip(values, keys, strict=True):
                if value is not None:
                    self.stamp(value, self.name, key)
        return [None if value is None else self.write(value) for value in values]

    def _taken_out(self, value: dict[str, Any]) -> bytes | None:
        after = {step: value.pop(step) for step in self.steps if step in value}
        return record_json(after) if after else None

    def _digest(self, value: dict[str, Any], after: bytes | None = None) -> bytes:
        return digest_of(self.write(value), after)

    def _digest_whole(self, value: dict[str, Any]) -> bytes:
        return self._digest(value, self._taken_out(value))


def _itself(value: dict[str, Any]) -> dict[str, Any]:
    return value
