"""The plan of a return: what a run sends again, rows that came back fixed among them, and what differs from it now."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from importer.core.states import RowState
from importer.core.steps import AFTER_CREATE, OPEN_STEPS, Step, StepState
from importer.journal import Journal, StoredRun
from importer.profile import Profile
from importer.readers import content_hash
from importer.runs.after_create import new_steps
from importer.runs.documents import Binding
from importer.runs.plans.bodies import BodyHashes, Stamp, stored_digest
from importer.runs.plans.import_plan import NOT_AS_PLANNED, PlannedDocuments, of_content, refused
from importer.runs.plans.plan_file import PlanFile, PlanPart, Sha256
from importer.runs.plans.rules import ProgramRules, rules_of

if TYPE_CHECKING:
    from importer.journal import BodyOfRow, Revision
    from importer.runs.returns.recheck import Judged

_SENT_AGAIN = frozenset({RowState.READY, RowState.SENDING, RowState.UNSENT, RowState.FAILED, RowState.UNKNOWN})
"""States of the rows that a retry opens, or that are open."""
_DONE = frozenset({RowState.CREATED, RowState.EXISTING})
_STEPS = tuple(step for step in (*AFTER_CREATE, Step.UPDATE) if step is not Step.VERIFY)
"""Steps that change something at the target."""
_OPEN_STEPS = OPEN_STEPS | {StepState.FAILED, StepState.DIFFERS, StepState.UNKNOWN}
"""States of the steps that a retry opens, or that are open."""


class ReturnContent(PlanPart):
    """What a run sends again, and everything that decides it.

    Args:
        source: the name of the file that came back; empty: none did.
        sha256: of its content; empty: none came back.
        settings: the profile, as a run keeps it.
        under_profile: whether rows are checked again under that profile, which is not the run's own.
        states: hash over the states of all rows of the run, and of their steps.
        sent: which rows the bodies are of: stretches of ordinals, `0-4,9`.
        others: hash over the bodies of all other rows of the run that have one.
        before: the plan that the run was sent by before, where it is as that says: the return replaces its bodies, by
            which it cannot be checked later; empty: there is none, or the run is not.
        counts: `sent`: rows that are sent; `checked`: rows that were checked again; `refused`: lines that were not
            taken.
    """

    source: str
    sha256: str
    settings: Mapping[str, Any]
    under_profile: bool
    rules: ProgramRules
    states: Sha256
    counts: Mapping[str, int]
    bodies: BodyHashes
    sent: str
    others: Sha256
    before: str = ""
    documents: PlannedDocuments = PlannedDocuments()

    @classmethod
    def of(
        cls,
        journal: Journal,
        stored: StoredRun,
        profile: Profile,
        judged: Judged,
        file: Path | None,
        *,
        other: bool,
        before: str = "",
    ) -> ReturnContent:
        """Gather what would be sent now.

        Args:
            profile: under which rows were checked again.
            file: what came back; None: nothing did.
            other: whether that profile is not the run's own.
            before: as of this class.

        Raises:
            SourceError: the file cannot be read.
            JournalError: the journal cannot be read.
        """
        stamp = Stamp(profile.contract.bodies, profile.delivery.import_key_metadata)
        late = bool(new_steps(profile, stored.facts) - {Step.VERIFY})
        bodies, ordinals = _bodies(journal, stored, judged, stamp, late=late)
        sent = _written(ordinals)
        changed = {one.ordinal for one in judged.revisions if one.payload is not None}
        lines = sum(one.count for one in judged.facts.refused)
        return cls(
            source="" if file is None else file.name,
            sha256="" if file is None else content_hash(file),
            settings=profile.settings_to_keep(),
            under_profile=other,
            rules=rules_of(profile.contract),
            states=_states(journal, stored),
            counts={"sent": bodies.count, "checked": judged.facts.checked, "refused": lines},
            bodies=bodies,
            sent=sent,
            others=_others(journal, stored.run, stamp, _Stretches.of(sent), changed),
            before=before,
            documents=_documents(stored, profile, judged),
        )

    def differences(self, now: ReturnContent) -> list[str]:
        """Name everything that is otherwise now."""
        named = list(self._differences(now))
        return named if named or self.counts == now.counts else ["the counts of the rows"]

    def _differences(self, now: ReturnContent) -> Iterator[str]:
        if self.sha256 != now.sha256:
            yield _of_file(self.source, now.source)
        if self.under_profile != now.under_profile:
            yield "the profile, which is the run's own one" if self.under_profile else "the profile"
        if self.states != now.states:
            yield "the states of the rows: the run has gone on since"
        yield from self.rules.differences(now.rules)
        yield from self.bodies.differences(now.bodies)
        if (self.sent, self.others, self.before) != (now.sent, now.others, now.before):
            yield "what was sent before"
        if self.documents != now.documents:
            yield "the files of the documents"


def _of_file(then: str, now: str) -> str:
    if then and now:
        return of_content(then, now)
    return f"the file '{now}', which the plan does not know" if now else f"the file '{then}', which is not given"


class ReturnPlan(PlanFile):
    """What a run sends again.

    Args:
        content: what is sent, and everything that decides it.
    """

    what: ClassVar[str] = "a plan of rows that are sent again"

    format: Literal["return-plan 1"] = "return-plan 1"
    job: Literal["return"] = "return"
    content: ReturnContent

    @property
    def root(self) -> str:
        return self.content.bodies.root

    @property
    def changes(self) -> int:
        return self.content.bodies.count

    @property
    def sends_nothing(self) -> bool:
        """Whether there is nothing to send, and so nothing to approve."""
        return not self.content.bodies.count

    def require_profile(self, profile: Profile) -> None:
        if keys := profile.sends_otherwise(self.content.settings):
            raise refused([f"the profile ({', '.join(keys)})"])

    def deviation(self, journal: Journal, run: int) -> str:
        stamp, sent = Stamp.of(self.content.settings), _Stretches.of(self.content.sent)
        bodies = chain.from_iterable(journal.steps(run).bodies(set(RowState)))
        digests = (stored_digest(one.payload, one.after, stamp) for one in bodies if one.ordinal in sent)
        if BodyHashes.of(digests).root != self.root:
            return NOT_AS_PLANNED
        if _others(journal, run, stamp, sent) != self.content.others:
            return "rows were sent, or changed since, that the plan does not send"
        return ""


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Ordinals, ascending, as the first and the last ones of stretches."""

    firsts: list[int]
    lasts: list[int]

    @classmethod
    def of(cls, written: str) -> Self:
        """Read them."""
        found = [(int(one.partition("-")[0]), int(one.rpartition("-")[2])) for one in written.split(",") if one]
        return cls([first for first, _ in found], [last for _, last in found])

    def __contains__(self, ordinal: int) -> bool:
        """Whether they hold one."""
        at = bisect_right(self.firsts, ordinal) - 1
        return at >= 0 and ordinal <= self.lasts[at]


def _written(ordinals: Iterable[int]) -> str:
    """Write ordinals down, which ascend."""
    stretches: list[list[int]] = []
    for one in ordinals:
        if stretches and stretches[-1][1] == one - 1:
            stretches[-1][1] = one
        else:
            stretches.append([one, one])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in stretches)


def _states(journal: Journal, stored: StoredRun) -> str:
    found = hashlib.sha256()
    for batch in journal.rows(stored.run).batches():
        found.update(f"{batch.first} {' '.join(batch.states)}\n".encode())
    for step in _STEPS:
        for (ordinal, part), state in sorted(journal.steps(stored.run).states(step).items()):
            found.update(f"{step}{f' {part}' if part else ''} {ordinal} {state}\n".encode())
    return found.hexdigest()


def _bodies(
    journal: Journal, stored: StoredRun, judged: Judged, stamp: Stamp, *, late: bool
) -> tuple[BodyHashes, array[int]]:
    """Hash what is sent, and return the ordinals too: rows as they came back, others that are or get open.

    Args:
        late: rows that are done get steps that the run has not had before.
    """
    ordinals, rows = array("Q"), array("Q")

    def digests() -> Iterator[bytes]:
        for ordinal, row, digest in _sent(journal, stored, judged, stamp, late=late):
            ordinals.append(ordinal)
            rows.append(row)
            yield digest

    return BodyHashes.of(digests(), rows), ordinals  # a row is there before it is asked for


def _others(journal: Journal, run: int, stamp: Stamp, sent: _Stretches, changed: Collection[int] = frozenset()) -> str:
    """Hash the bodies of a run that are not sent again.

    Args:
        changed: ordinals of rows that have other bodies from now on, or none.
    """
    return BodyHashes.of(
        stored_digest(one.payload, one.after, stamp)
        for one in chain.from_iterable(journal.steps(run).bodies(set(RowState) - {RowState.INVALID}))
        if one.ordinal not in sent and one.ordinal not in changed
    ).root


def _sent(
    journal: Journal, stored: StoredRun, judged: Judged, stamp: Stamp, *, late: bool
) -> Iterator[tuple[int, int, bytes]]:
    """Ordinal, row and digest of every row that is sent, in their order; arguments as of `_bodies`."""
    rows = journal.rows(stored.run)
    new = (
        (one.ordinal, rows.number_of(one.ordinal), stored_digest(one.payload, one.after, stamp))
        for one in _revised(judged)
        if one.payload is not None
    )
    old = (
        (one.ordinal, one.row, stored_digest(one.payload, judged.brought.get(one.ordinal, one.after), stamp))
        for one in sent_again(journal, stored, {one.ordinal for one in judged.revisions}, late=late)
    )
    return merge(new, old)


def _revised(judged: Judged) -> Iterator[Revision]:
    """The rows that are sent as they came back, or as they were checked again."""
    return (
        one
        for one in judged.revisions
        if one.payload and one.state in _SENT_AGAIN and one.leader in {None, one.ordinal}
    )


def sent_again(
    journal: Journal,
    stored: StoredRun,
    revised: Collection[int],
    steps: Iterable[Step] = _STEPS,
    *,
    late: bool = False,
) -> Iterator[BodyOfRow]:
    """The rows that a retry sends as they are, or of which a step is open or is opened again.

    Args:
        revised: ordinals of rows that are left out.
        steps: these count.
        late: rows that are done get steps that the run has not had before.
    """
    of_run = journal.steps(stored.run)
    states = chain.from_iterable(of_run.states(step).items() for step in steps)
    with_steps = {ordinal for (ordinal, _), state in states if state in _OPEN_STEPS}
    return (
        one
        for one in chain.from_iterable(of_run.bodies(_SENT_AGAIN | _DONE))
        if one.ordinal not in revised and (late or one.state not in _DONE or one.ordinal in with_steps)
    )


def _documents(stored: StoredRun, profile: Profile, judged: Judged) -> PlannedDocuments:
    binding = Binding.of(profile, judged.mapper.columns, stored.header.path)
    if binding is None:
        return PlannedDocuments()
    afters = {**judged.brought, **{one.ordinal: one.after for one in _revised(judged)}}
    return PlannedDocuments.of(binding.contents(after for _, after in sorted(afters.items())))
