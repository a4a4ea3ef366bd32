"""What a run notes of itself for its report and for later passes: no cell, no secret.

The journal keeps it as JSON and reads what every earlier program has kept: what is not known here stays as it is, and
what was not noted is not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from importer.core.errors import JournalError
from importer.core.plans import Job, Signature
from importer.core.sources import Detected, SourceInfo


class Noted(BaseModel):
    """Something that a run notes. Immutable; what is true of it is what was set."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)

    def __bool__(self) -> bool:
        """Whether anything was noted."""
        return bool(self.model_fields_set)

    def merged(self, *others: Self) -> Self:
        """Return this with what was noted in others, the last one first."""
        noted = {name: getattr(other, name) for other in others for name in other.model_fields_set}
        return self.model_copy(update=noted)

    def as_json(self) -> dict[str, Any]:
        """Return what was noted in plain JSON types."""
        return self.model_dump(mode="json", exclude_unset=True)


class SourceFacts(Noted):
    """What a source turned out to be.

    Args:
        detected: what was found out, its value, how sure that is (0 to 1), and the evidence.
    """

    format: str = ""
    detected: tuple[tuple[str, str, float, str] | tuple[str, str, float] | tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, info: SourceInfo, decided: tuple[Detected, ...]) -> Self:
        """Note a source.

        Args:
            decided: what the mapping found out over all its rows.
        """
        found = tuple((one.what, one.value, one.confidence, one.note) for one in (*info.detected, *decided))
        return cls(format=info.format, detected=found, warnings=info.warnings)

    def info(self, name: str, columns: tuple[str, ...], sheet: str) -> SourceInfo:
        """The source as it was described when it was read."""
        return SourceInfo(
            name=name,
            format=self.format,
            columns=columns,
            sheet=sheet,
            detected=tuple(Detected(*found) for found in self.detected),
            warnings=self.warnings,
        )


class VerificationFacts(Noted):
    """How many rows are ready for identity verification, and per missing field how many lack it."""

    ready: int = 0
    missing: Mapping[str, int] = {}


class AdaptiveFacts(Noted):
    """What rate an adaptive pass found."""

    found_per_s: float = 0.0
    last_per_s: float = 0.0
    cuts_after_429: int = 0
    cuts_for_latency: int = 0
    told_by_headers_per_s: float | None = None


class AllPasses(Noted):
    """The sum of the receipts of all passes."""

    passes: int = 0
    killed_without_a_receipt: int = 0
    requests: int = 0
    paused_s: float = 0.0
    most_in_flight: int = 0


class RateReceipt(Noted):
    """What the limiter allowed and a pass used.

    Args:
        largest: window to the most request starts in any stretch of its length.
        passes: of the last one, where there were several, those of all; None: it was killed.
        workers: how many workers of a cluster sent; 0: it was sent from the program itself.
    """

    allowance: str = ""
    requests: int = 0
    seconds: float = 0.0
    achieved_per_s: float = 0.0
    most_in_flight: int = 0
    largest: Mapping[str, int] = {}
    pauses: Mapping[str, int] = {}
    paused_s: float = 0.0
    breaker_openings: int = 0
    workers: int = 0
    auto: AdaptiveFacts = Field(default_factory=AdaptiveFacts)
    all_passes: AllPasses = Field(default_factory=AllPasses)
    passes: tuple[RateReceipt | None, ...] = ()


class CanaryFacts(Noted):
    """What the first rows of earlier passes met: codes of errors, and the largest share that was refused."""

    codes: tuple[str, ...] = ()
    share: float = 0.0


class LearnedFacts(Noted):
    """What a pass learned about the target, and what it did not wait for.

    Args:
        unjudged: a sentence: what the profile of identity verification asks for and no row was checked for.
    """

    keeps_metadata: bool | None = None
    latest_arrival_s: float = 0.0
    sent_again: int = 0
    looked_at: int = 0
    duplicated: int = 0
    caution: str = ""
    unjudged: str = ""


class RehearsalFacts(Noted):
    """What the emulator holds, compared with the results of the run.

    Args:
        faults: kind of fault to how often it was injected.
    """

    customers: int = 0
    lost: int = 0
    twice: int = 0
    faults: Mapping[str, int] = {}


class ForecastFacts(Noted):
    """What was to be expected before the last pass sent anything."""

    requests: int = 0
    known: int = 0
    rate_per_s: float = 0.0
    seconds: float = 0.0
    in_time: bool = True
    needed_per_s: float | None = None
    quota_share: float | None = None
    text: str = ""


class RefusedLines(Noted):
    """Lines of a file that came back which were not taken.

    Args:
        lines: the numbers of the first of them, in the file.
    """

    code: str = ""
    message: str = ""
    count: int = 0
    lines: tuple[int, ...] = ()


class AfterCreateFacts(Noted):
    """The steps after a create that a run has.

    Args:
        steps: their names, in their order.
    """

    steps: tuple[str, ...] = ()


UPDATE_JOB = "update"
"""The job of a run whose rows change customers that exist."""


class PlanFacts(Noted):
    """A plan that a run has sent by.

    Args:
        sha256: of the plan, its signatures aside.
        root: over all bodies that it says are sent.
        rows: customers that it creates or changes.
        file: its copy in the run's directory.
        author: who made it, as `user@host`.
        signatures: those that counted when it was used.
    """

    job: Job = "import"
    sha256: str = ""
    root: str = ""
    rows: int = 0
    file: str = ""
    author: str = ""
    signatures: tuple[Signature, ...] = ()


class ReturnFacts(Noted):
    """What came back for a run."""

    file: str = ""
    lines: int = 0
    changed: int = 0
    unchanged: int = 0
    checked: int = 0
    ready: int = 0
    refused: tuple[RefusedLines, ...] = ()
    continues: str = ""


class ActFacts(Noted):
    """What somebody did before or while a run was under way.

    Args:
        at: seconds since the epoch.
        details: counts, names of columns and codes; never a cell.
    """

    at: float
    by: str
    what: str
    details: Mapping[str, JsonValue] = {}


class RunFacts(Noted):
    """Everything that a run notes of itself.

    Args:
        job: what it does with its rows, where that is not to import them: `update`.
        lists_only: of an update: it lists what would change, and sends nothing.
        limit: of the profile: only this many rows were read.
        pace: delivery options of the command line that a later pass keeps.
        faults: the plan of faults of a rehearsal.
        place: of a dry run: the number of the import that it follows, and its number among the dry runs.
        continues: the dry run that an import went on from.
        path: of the file that the annotated workbook marks.
        size_bytes: of the file.
        mapping: customer field to the source column(s) or constant that it came from.
        idv: readiness of the rows for identity verification.
        after_create: the steps after a create.
        plans: those that its rows were sent by, the newest last; empty: rows were taken into it without one.
        acts: who did what, where people prepared it in steps.
        begun_by: the user of the console who began it, else who ran the program, as `user@host`.
        fixed: the numbers of all rows with other cells than in the source.
        at_work_since: when the last pass began, seconds since the epoch.
        passes: the receipt of every pass; None: it was killed.
        rate: the receipt of the last pass; after several, with those of all.
        others: of the newest customers at the target how many another workspace stamped.
        files: name of a file that was written to its SHA-256.
        outgrown: the file went on growing, and is the file of another run now.
        elsewhere: the run belongs to the workspace that this one was copied from.
    """

    job: str = ""
    lists_only: bool = False
    limit: int | None = None
    pace: Mapping[str, JsonValue] = {}
    faults: Mapping[str, JsonValue] = {}
    place: tuple[int, int] = (0, 0)
    continues: str = ""
    path: str = ""
    size_bytes: int = 0
    mapping: Mapping[str, str] = {}
    source: SourceFacts = Field(default_factory=SourceFacts)
    idv: VerificationFacts = Field(default_factory=VerificationFacts)
    returned: ReturnFacts = Field(default_factory=ReturnFacts)
    fixed: tuple[int, ...] = ()
    at_work_since: float | None = None
    forecast: ForecastFacts = Field(default_factory=ForecastFacts)
    others: int = 0
    passes: tuple[RateReceipt | None, ...] = ()
    rate: RateReceipt = Field(default_factory=RateReceipt)
    canary: CanaryFacts = Field(default_factory=CanaryFacts)
    learned: LearnedFacts = Field(default_factory=LearnedFacts)
    rehearsal: RehearsalFacts = Field(default_factory=RehearsalFacts)
    after_create: AfterCreateFacts = Field(default_factory=AfterCreateFacts)
    plans: tuple[PlanFacts, ...] = ()
    acts: tuple[ActFacts, ...] = ()
    begun_by: str = ""
    stopped_by: str = ""
    stopped_message: str = ""
    files: Mapping[str, str] = {}
    outgrown: bool = False
    elsewhere: bool = False

    @classmethod
    def read(cls, kept: str, run_id: str) -> Self:
        """What a journal has kept, of whatever program.

        Raises:
            JournalError: that is damaged.
        """
        try:
            return cls.model_validate_json(kept)
        except ValidationError as error:
            places = ", ".join(sorted({str(one["loc"][0]) if one["loc"] else "all of it" for one in error.errors()}))
            raise JournalError(
                f"What the journal has noted of the run {run_id} cannot be read ({places}).", "Restore a backup."
            ) from None
