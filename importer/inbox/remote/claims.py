"""What a night took from a remote folder and has not put away yet: one small file each, written before the deed.

    ticket ─► claimed on the server ─► ticket with the copy's SHA-256 ─► ticket with the place ─► put away, no ticket

A kill between two steps leaves a ticket that says which step is next. Holds names, times and sums; no cell.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from importer.core.atomic_files import write_file
from importer.inbox.folder import Seen
from importer.readers.remote.fetching import stamps


@dataclass(frozen=True, slots=True)
class Ticket:
    """One file.

    Args:
        name: in the folder.
        stamps: the state in which it was taken.
        size: in bytes.
        changed_ns: when it was written, for the order.
        sum_stamps: the state of its `.sha256`; empty where there is none.
        sha256: of the copy that was proved; empty before.
        to: the folder that it goes to, inside the remote one; empty before that is known.
    """

    name: str
    stamps: str
    size: int
    changed_ns: int
    sum_stamps: str = ""
    sha256: str = ""
    to: str = ""


def ticket_of(name: str, info: Mapping[str, Any], summed: Mapping[str, Any] | None) -> Ticket:
    """The ticket of a file that is about to be taken.

    Args:
        info: what the store says of it.
        summed: what it says of its `.sha256`; None where there is none.
    """
    beside_it = "" if summed is None else stamps(summed)
    return Ticket(name, stamps(info), int(info["size"]), seen(info).changed_ns, beside_it)


def seen(info: Mapping[str, Any]) -> Seen:
    """A look at a remote file, in whole seconds: a listing and a question about one file differ in their fractions."""
    tag = str(info.get("ETag") or info.get("generation") or "")
    return Seen(int(info.get("size") or 0), int(_changed_s(info)) * 10**9, zlib.crc32(tag.encode()))


def _changed_s(info: Mapping[str, Any]) -> float:
    changed = info.get("mtime") or info.get("LastModified") or info.get("updated")
    moment = datetime.fromisoformat(changed) if isinstance(changed, str) else changed
    return moment.timestamp() if isinstance(moment, datetime) else 0.0


@dataclass(frozen=True, slots=True)
class Tickets:
    """The tickets of one remote folder.

    Args:
        folder: on this machine.
    """

    folder: Path

    def all(self) -> list[Ticket]:
        """Every ticket, the oldest file first."""
        found = [Ticket(**json.loads(path.read_text("utf-8"))) for path in self.folder.glob("*.json")]
        return sorted(found, key=lambda ticket: (ticket.changed_ns, ticket.name))

    def of(self, name: str) -> Ticket | None:
        """The ticket of a file, if it has one."""
        path = self._path(name)
        return Ticket(**json.loads(path.read_text("utf-8"))) if path.exists() else None

    def write(self, ticket: Ticket) -> Ticket:
        """Have a ticket on the disk, whole, in the place of the one before."""
        write_file(self._path(ticket.name), json.dumps(asdict(ticket)).encode())
        return ticket

    def drop(self, ticket: Ticket) -> None:
        """Forget a ticket."""
        self._path(ticket.name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.json"
