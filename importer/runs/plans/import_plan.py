"""The plan of an import: what exactly would be created, and what of it differs from what would be sent now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from importer.core.errors import PlanRefusedError
from importer.core.states import RowState
from importer.journal import Journal
from importer.profile import KeptProfile, Profile
from importer.runs.after_create import NOT_READY_CODE
from importer.runs.plans.bodies import BodyHashes, Stamp, digests_in, stored_digest
from importer.runs.plans.plan_file import PlanFile, PlanPart, Sha256
from importer.runs.plans.rules import ProgramRules

FILE = "plan.json"
NOT_AS_PLANNED = "what was sent is not what the plan says"


class PlannedSource(PlanPart):
    """The source of an import.

    Args:
        path: absolute, or its address.
        sha256: of its content.
        rows: that were read of it.
        sheet: of a workbook the one that was read.
        corrections: hash of the file of its corrections, which `sha256` is over as well; empty: it has none.
    """

    name: str
    path: str
    sha256: Sha256
    rows: int
    sheet: str = ""
    corrections: str = Field("", exclude_if=lambda found: not found)  # so that earlier plans keep their hash

    def differences(self, now: PlannedSource) -> Iterator[str]:
        """Name what is otherwise now.

        Args:
            now: the source as it is now.
        """
        if self.corrections != now.corrections:
            yield f"the corrections of '{now.name}'"
        elif self.sha256 != now.sha256:
            yield of_content(self.name, now.name)
        if self.sheet != now.sheet:
            yield f"the sheet (then '{self.sheet}', now '{now.sheet}')"


class KnownRows(PlanPart):
    """Rows whose customers an earlier run created, so that no new one is sent.

    Args:
        sha256: over their ordinals.
    """

    count: int
    sha256: Sha256


class PlannedDocuments(PlanPart):
    """The files of the documents that are uploaded.

    Args:
        count: of all.
        at_addresses: how many of them are at addresses: what is there is not bound, only the address is.
        sha256: over the hashes of the others, in the order of the rows; empty: there is none.
    """

    count: int = 0
    at_addresses: int = 0
    sha256: str = ""

    @classmethod
    def of(cls, contents: Iterable[str]) -> Self:
        """Gather them.

        Args:
            contents: as of `Binding.contents`.
        """
        found, count, bound = hashlib.sha256(), 0, 0
        for one in contents:
            count += 1
            bound += bool(one)
            found.update(one.encode())
        return cls(count=count, at_addresses=count - bound, sha256=found.hexdigest() if bound else "")

    @property
    def unbound(self) -> str:
        """What is not bound, in words; empty: everything is."""
        if self.at_addresses == 1:
            return "1 document at an address is not bound to its content"
        many = f"{self.at_addresses:,} documents at addresses are not bound to their content"
        return many if self.at_addresses else ""


class ImportContent(PlanPart):
    """What an import sends, and everything that decides it.

    Args:
        kept: the profile as a run keeps it, and what was decided over the whole source (`KeptProfile`).
        counts: rows by state, and `read`.
    """

    source: PlannedSource
    kept: Mapping[str, Any]
    rules: ProgramRules
    counts: Mapping[str, int]
    bodies: BodyHashes
    known: KnownRows
    documents: PlannedDocuments = PlannedDocuments()

    @property
    def profile(self) -> KeptProfile:
        """The profile, and what was decided over the whole source."""
        return KeptProfile.model_validate(self.kept)

    def differences(self, now: ImportContent) -> list[str]:
        """Name everything that is otherwise now.

        Args:
            now: what would be sent now.
        """
        return list(self._differences(now))

    def _differences(self, now: ImportContent) -> Iterator[str]:
        yield from self.source.differences(now.source)
        yield from _of_mapping(self.profile, now.profile)
        yield from self.rules.differences(now.rules)
        yield from self.bodies.differences(now.bodies)
        if self.known != now.known:
            yield f"the customers that are known from earlier runs (then {self.known.count:,}, now {now.known.count:,})"
        if self.documents != now.documents:
            yield "the files of the documents"
        if self.bodies.root == now.bodies.root and self.counts != now.counts:
            yield "the counts that the plan shows"


class ImportPlan(PlanFile):
    """What an import sends.

    Args:
        content: what is sent, and everything that decides it.
        forecast: how long the sending takes, as it was foreseen.
    """

    what: ClassVar[str] = "a plan of an import"

    format: Literal["import-plan 1"] = "import-plan 1"
    job: Literal["import"] = "import"
    content: ImportContent
    forecast: Mapping[str, Any] = {}

    @property
    def root(self) -> str:
        return self.content.bodies.root

    @property
    def changes(self) -> int:
        content = self.content
        updates = content.kept["settings"]["delivery"]["on_existing"] == "update"
        return content.bodies.count if updates else content.bodies.count - content.known.count

    def require_profile(self, profile: Profile) -> None:
        if keys := profile.sends_otherwise(self.content.kept["settings"]):
            raise refused([of_profile(keys)])

    def deviation(self, journal: Journal, run: int) -> str:
        settings = self.content.kept["settings"]
        stamp, refuses = Stamp.of(settings), settings["idv"]["not_ready"] == "refuse"
        digests = _with_refused(journal, run, stamp) if refuses else digests_in(journal, run, stamp)
        return "" if BodyHashes.of(digests).root == self.root else NOT_AS_PLANNED


def of_content(then: str, now: str) -> str:
    """Say that the content of a file differs, or that another one was named.

    Args:
        then: the name of the file that the plan was made of.
        now: that of the one that is to be sent.
    """
    return f"the content of '{now}'" if then == now else f"the file (the plan is of '{then}', and this is '{now}')"


def of_profile(keys: list[str]) -> str:
    """Say that the profile differs.

    Args:
        keys: those that do, dotted.
    """
    return f"the profile ({', '.join(keys)})"


def refused(differences: list[str]) -> PlanRefusedError:
    """Return the refusal that names what differs."""
    return PlanRefusedError(
        f"This is not what the plan says; nothing was sent. Different are: {'; '.join(differences)}.",
        "Put it back as it was, or make the plan again.",
    )


def _of_mapping(then: KeptProfile, now: KeptProfile) -> Iterator[str]:
    """What the mapping decided otherwise over the whole source, where the profile is the same."""
    decided = ((then.rules, now.rules), (then.orders, now.orders), (then.decimals, now.decimals))
    fields = [name for a, b in decided for name in {**a, **b} if a.get(name) != b.get(name)]
    if fields:
        yield f"the mapping of {', '.join(dict.fromkeys(fields))}"
    if then.columns != now.columns:
        yield "the columns that the function of the profile makes"


def _with_refused(journal: Journal, run: int, stamp: Stamp) -> Iterator[bytes]:
    """The hashes of a run's bodies, of those too that its plan had, and that were refused before they were sent."""
    columns = (column for batch in journal.replay(run).batches() for column in batch.issues.columns())
    refused = {ordinal for one in columns if one.kind.code == NOT_READY_CODE for ordinal in one.ordinals}
    for bodies in journal.steps(run).bodies(set(RowState)):
        yield from (
            stored_digest(one.payload, one.after, stamp)
            for one in bodies
            if one.state is not RowState.INVALID or one.ordinal in refused
        )
