"""Which files of a remote folder this workspace claimed and has not put away yet, and the copies of them.

    claim ─► claimed on the server ─► claim with the copy's SHA-256 ─► claim with the place ─► put away, no claim

Each claim is a small file on this machine, written before the step that it records, so that after a kill it says which
step is next. It holds names, times and checksums; no cell.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from importer.core.atomic_files import write_file
from importer.core.errors import StorageError
from importer.inbox.folder import FileState
from importer.readers.remote.fetching import stamps

RESULTS = "results-"
"""How directories begin in which results are gathered for an upload."""
_COPIES, _OWNER = "processing", "owner"
_CLAIMS = "tickets"
"""The directory of the claims; its name is the one that earlier versions gave it."""


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


class FileClaims:
    """The claims of one remote folder, and the copies of the claimed files.

    Args:
        home: their directory in the workspace.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._claims, self._copies = home / _CLAIMS, home / _COPIES

    def open(self, address: str, team: str = "") -> None:
        """Make what is needed on this machine.

        Args:
            address: of the remote folder, for people.
            team: the name on the server of all hosts that share a journal, taken where no claim is open under another
                one; empty: this workspace has its own.

        Raises:
            StorageError: the workspace cannot be written.
        """
        try:
            for directory in (self._copies, self._claims):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.home / "address").write_text(f"{address}\n", "utf-8")
            if not (self.home / _OWNER).exists() or (team and not self.all()):
                (self.home / _OWNER).write_text(team or secrets.token_hex(4), "ascii")
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise StorageError(
                f"Copies of the files cannot be kept in {self.home}: {reason}.", "Check --workspace."
            ) from error

    @property
    def owner(self) -> str:
        """The name of this workspace, or of its team, on the server."""
        return (self.home / _OWNER).read_text("ascii")

    def all(self) -> list[FileClaim]:
        """Every claim, the oldest file first."""
        found = [FileClaim(**json.loads(path.read_text("utf-8"))) for path in self._claims.glob("*.json")]
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
        """Remove a claim, and the copy of its file."""
        shutil.rmtree(self.copy(claim).parent, ignore_errors=True)
        self._path(claim.name).unlink(missing_ok=True)

    def copy(self, claim: FileClaim) -> Path:
        """Where the copy of a claimed file is: the path says nothing about another file of that name."""
        state = f"{claim.name}|{claim.stamps}".encode("utf-8", "surrogateescape")
        return self._copies / hashlib.sha256(state).hexdigest()[:16] / claim.name

    def tidy(self) -> None:
        """Remove what a killed pass left and no claim names."""
        claimed = {self.copy(claim).parent for claim in self.all()}
        for directory in (*self._copies.iterdir(), *self.home.glob(f"{RESULTS}*")):
            if directory not in claimed:
                shutil.rmtree(directory)

    def _path(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        return self._claims / f"{digest[:32]}.json"
