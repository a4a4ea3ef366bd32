"""The file of a plan: what all kinds of plans have in common, its hash, and the signatures under it. Judges none.

A plan holds hashes, counts, row numbers and settings, and nothing of a customer. Its hash covers all of it but the
signatures, which are added later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from importer.core.atomic_files import storage_error, write_file
from importer.core.errors import PlanRefusedError, UsageError
from importer.core.locks import locked_to_replace
from importer.core.plans import Approvable, Job, Moment, Signature
from importer.profile import Profile

if TYPE_CHECKING:
    from importer.journal import Journal

_MOST_BYTES = 1 << 30

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PlanPart(BaseModel):
    """A part of a plan: what it does not know it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PlanFile(PlanPart):
    """What every plan says.

    Args:
        run_id: the run that it is of: the dry run that made it, or the one whose rows it changes.
        made_at: seconds since the epoch.
        expires_at: seconds since the epoch.
        author: who made it, as `user@host`.
        host: of the target; empty: the emulator inside the run.
        scope: target and account.
        rows: customers that it creates or changes.
        sha256: of all else but the signatures.
    """

    what: ClassVar[str] = "a plan"

    format: str
    job: Job
    run_id: str
    made_at: Moment
    expires_at: Moment
    author: str
    target: str
    host: str
    scope: str
    rows: int
    sha256: str = ""
    signatures: tuple[Signature, ...] = ()

    @property
    def approvable(self) -> Approvable:
        """What approvals are judged by."""
        return Approvable(self.sha256, self.job, self.host, self.rows, self.made_at, self.expires_at)

    @property
    def root(self) -> str:
        """The hash over all bodies that are sent by it; empty: it lists customers instead."""
        return ""

    @property
    def signed_by(self) -> str:
        """Who has signed it as its author; empty: nobody has."""
        return next((one.name for one in self.signatures if one.role == "author"), "")

    @property
    def changes(self) -> int:
        """Customers that are created or changed, by all that it says: `rows` has to be the same."""
        return self.rows

    def require_profile(self, profile: Profile) -> None:
        """Refuse a profile by which something else might be sent than the plan says; by default it decides nothing.

        Raises:
            PlanRefusedError: it is one; every key that differs is named.
        """

    def deviation(self, journal: Journal, run: int) -> str:  # noqa: ARG002  # of plans with bodies
        """Say in what a run of this plan is not as it says, by the bodies in the journal; empty: in nothing.

        Raises:
            JournalError: the journal cannot be read.
        """
        return ""

    def computed(self) -> str:
        """The hash that the plan must bear."""
        said = self.model_dump(mode="json", exclude={"sha256", "signatures"})
        return hashlib.sha256(_canonical(said)).hexdigest()

    def sealed(self) -> Self:
        """Return the same plan with its hash."""
        return self.model_copy(update={"sha256": self.computed()})

    def signed(self, signature: Signature) -> Self:
        """Return the same plan with one signature more; a person's newer one takes the place of the older."""
        others = (one for one in self.signatures if (one.role, one.name) != (signature.role, signature.name))
        return self.model_copy(update={"signatures": (*others, signature)})

    def is_expired(self, now: float, valid_s: float) -> bool:
        """Whether it is too old.

        Args:
            now: seconds since the epoch.
            valid_s: how long a plan is good at most, in seconds.
        """
        return now > min(self.expires_at, self.made_at + valid_s)

    def write(self, path: Path, *, instead: bool = False) -> None:
        """Write the file, for its owner alone.

        Args:
            instead: in the place of another plan too that somebody has approved.

        Raises:
            UsageError: that name is of another plan that somebody has approved, or of a file that is not a plan.
            StorageError: it cannot be written.
        """
        with alone_at(path):
            self.put(path, instead=instead)

    def put(self, path: Path, *, instead: bool = False) -> None:
        """Write the file where `alone_at` is held already; arguments and errors as of `write`."""
        require_replaceable(path, None if instead else self.sha256)
        content = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1).encode()
        try:
            write_file(path, content + b"\n")
        except OSError as error:
            raise storage_error(error, path.parent) from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            PlanRefusedError: it is not there, is not such a plan, or was edited.
        """
        return cls.of_content(content_of(path), path)

    @classmethod
    def of_content(cls, content: bytes, path: Path) -> Self:
        """Read what a file holds; arguments and errors as of `read`."""
        try:
            plan = cls.model_validate_json(content)
        except ValidationError:
            raise PlanRefusedError(f"'{path}' is not {cls.what} that this program can read.", MAKE_AGAIN) from None
        if plan.sha256 != plan.computed():
            raise PlanRefusedError(f"The plan '{path}' was edited since it was made; nothing was sent.", MAKE_AGAIN)
        if plan.rows != plan.changes:  # people approve up to a number of customers
            raise PlanRefusedError(
                f"The plan '{path}' contradicts itself: its number of customers is {plan.rows:,}, and it is of"
                f" {plan.changes:,}.",
                MAKE_AGAIN,
            )
        return plan


MAKE_AGAIN = "Make the plan again."
_REPLACED = "Choose another name with --out, or remove that file first."
NAME_ONE = "Name the file of a plan, as it was shown when the plan was made."


@contextmanager
def alone_at(path: Path) -> Iterator[None]:
    """Have nobody else sign or replace the plan of a file while the block runs: two signatures at once are both kept.

    Raises:
        StorageError: the file cannot be locked.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked_to_replace(path))
        except OSError as error:
            raise storage_error(error, path.parent) from error
        yield


def require_replaceable(path: Path | None, sha256: str | None = "") -> None:
    """Refuse to write a plan over what must not be lost: what people have approved, and any file that is not a plan.

    Args:
        path: None: of a new file.
        sha256: of the plan that is written; None: it takes the place of an approved one, as somebody knows.

    Raises:
        UsageError: the source, for one, may have been named by mistake.
    """
    if path is None or not path.exists():
        return
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        said = None
    if not (isinstance(said, dict) and {"format", "sha256"} <= said.keys()):
        raise UsageError(f"'{path}' is not a plan, and is not replaced by one.", _REPLACED)
    if sha256 is not None and said["sha256"] != sha256 and (names := _approvers_in(said)):
        raise UsageError(
            f"'{path}' is a plan that {names} has approved, and is not replaced.",
            _REPLACED,
        )


def _approvers_in(said: dict[str, Any]) -> str:
    found = said.get("signatures")
    signatures = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return " and ".join(str(one.get("name")) for one in signatures if one.get("role") == "approver")


def content_of(path: Path) -> bytes:
    """Return what the file of a plan holds.

    Raises:
        PlanRefusedError: it is not there, cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PlanRefusedError(f"'{path}' is too large for a plan.", NAME_ONE)
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise PlanRefusedError(f"There is no plan '{path}': that file does not exist.", NAME_ONE) from None
    except IsADirectoryError:
        raise PlanRefusedError(f"'{path}' is a folder, not a plan.", NAME_ONE) from None
    except PermissionError:
        hint = "A plan is written for whoever makes it alone: have them give you a copy."
        raise PlanRefusedError(f"You may not read the plan '{path}'.", hint) from None
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise PlanRefusedError(f"The plan '{path}' cannot be read: {reason}.") from None


def moment(seconds: float) -> str:
    """A time of a plan for people, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M UTC}"


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
