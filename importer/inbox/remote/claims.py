"""Which files of a remote folder this workspace claimed and has not put away yet: one small file each on this machine.

    claim ─► claimed on the server ─► claim with the copy's SHA-256 ─► claim with the place ─► put away, no claim

Each is written before the step that it records, so that after a kill a claim says which step is next. Holds names,
times and checksums; no cell.
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
from importer.inbox.folder import FileState
from importer.readers.remote.fetching import stamps


@dataclass(frozen=True, slots=True)
class FileClaim:
    """One file that was claimed.

    Args:
        name: in the folder.
        stamps: the state in which it was claimed.
        size: in bytes.
        changed_ns: when it was written, for the order.
        sum_stamps: the state of its `.sha256`; empty where there is none.
        sha256: of the copy that was verified; empty before.
        to: the folder that it goes to, inside the remote one; empty before that is known.
    """

    name: str
    stamps: str
    size: int
    changed_ns: int
    sum_stamps: str = ""
    sha256: str = ""
    to: str = ""

    @staticmethod
    def of(name: str, info: Mapping[str, Any], sum_info: Mapping[str, Any] | None) -> FileClaim:
        """The claim of a file that is about to be claimed.

        Args:
            info: what the store says of it.
            sum_info: what it says of its `.sha256`; None where there is none.
        """
        sum_stamps = "" if sum_info is None else stamps(sum_info)
        return FileClaim(name, stamps(info), int(info["size"]), state_of(info).changed_ns, sum_stamps)


def state_of(info: Mapping[str, Any]) -> FileState:
    """The state of a remote file, in whole seconds: a listing and a look at one file differ in their fractions."""
    tag = str(info.get("ETag") or info.get("generation") or "")
    return FileState(int(info.get("size") or 0), int(_changed_s(info)) * 10**9, zlib.crc32(tag.encode()))


def _changed_s(info: Mapping[str, Any]) -> float:
    changed = info.get("mtime") or info.get("LastModified") or info.get("updated")
    moment = datetime.fromisoformat(changed) if isinstance(changed, str) else changed
    return moment.timestamp() if isinstance(moment, datetime) else 0.0


@dataclass(frozen=True, slots=True)
class FileClaims:
    """The claims of one remote folder.

    Args:
        directory: on this machine.
    """

    directory: Path

    def all(self) -> list[FileClaim]:
        """Every claim, the oldest file first."""
        found = [FileClaim(**json.loads(path.read_text("utf-8"))) for path in self.directory.glob("*.json")]
        return sorted(found, key=lambda claim: (claim.changed_ns, claim.name))

    def of(self, name: str) -> FileClaim | None:
        """The claim of a file, if there is one."""
        path = self._path(name)
        return FileClaim(**json.loads(path.read_text("utf-8"))) if path.exists() else None

    def write(self, claim: FileClaim) -> FileClaim:
        """Have a claim on the disk, in the place of the earlier one of that file."""
        write_file(self._path(claim.name), json.dumps(asdict(claim)).encode())
        return claim

    def drop(self, claim: FileClaim) -> None:
        """Remove a claim."""
        self._path(claim.name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        return self.directory / f"{digest[:32]}.json"
