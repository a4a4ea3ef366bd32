"""Rows of a run are checked again and opened for another pass: those that came back changed, or all that are not done.

Everything is judged first and then written in one commit, so that a kill leaves the run as it was or as it came back.
A row that is done is never opened; one in doubt is looked up as it was sent before it is sent as it is now. Sends
nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from importer.core.batches import RawBatch
from importer.core.issue_codes.checking import DUPLICATE_IN_FILE
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issues import Issue, Severity
from importer.core.results import RowResult, RunSummary
from importer.core.sources import Grouping, SourceInfo
from importer.core.states import RowState
from importer.core.steps import Step
from importer.journal import (
    IssueChange,
    Journal,
    Merging,
    PlanFacts,
    ProfileNow,
    RefusedLines,
    ReturnFacts,
    Revision,
    RunFacts,
    RunRows,
    StoredRun,
)
from importer.mapping import ColumnMapper, Table, build_mapper, grouping_of
from importer.profile import KeptProfile, Profile
from importer.runs.documents import Binding, with_documents
from importer.runs.plans.return_plan import sent_again
from importer.runs.returns.distinct_keys import keep_apart
from importer.runs.returns.file import NAMED, Changed, Refusal, ReturnedFile, Sorted, sort_out
from importer.runs.returns.groups import because_of_others, form, hold
from importer.runs.returns.rows import ReturnedRow, as_batch, overlaid, take_over
from importer.runs.wiring.checking import comparison
from importer.runs.wiring.clock import today
from importer.validation import DuplicateJudge, Validator, policy_of

_DONE = frozenset({RowState.CREATED, RowState.EXISTING})
_IN_DOUBT = frozenset({RowState.UNKNOWN, RowState.SENDING})
_CHUNK = 4_096
_LINE_CODES = ("returned_row_repeated", "returned_row_done")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a return makes of the rows of a run; nothing is written yet.

    Args:
        revisions: in source order.
        prints: what is compared with earlier runs: kind to ordinal to a keyed hash.
        fixed: the numbers of all rows whose cells are no longer those of the source.
        brought: ordinals of rows that are not checked again to what they bring for after their creates, with their
            documents bound to their content of now; none without a plan.
    """

    mapper: ColumnMapper
    revisions: Sequence[Revision]
    prints: Mapping[str, Mapping[int, int]]
    refused: Sequence[Refusal]
    facts: ReturnFacts
    fixed: Sequence[int]
    brought: Mapping[int, bytes]

    @property
    def held(self) -> frozenset[int]:
        """Ordinals of rows in doubt that stay so, since their fixed form cannot be sent."""
        return frozenset(one.ordinal for one in self.revisions if one.state is RowState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Return:
    """Takes rows back into one run.

    Args:
        profile: the run's own; with `under_profile`, the one that its rows are checked under from now on.
        kept: what the run has kept of its profile; None: an earlier program kept none.
        names: the ids that lines of this run may have.
        under_profile: check every row that is not done again, under this profile.
        binds: documents are bound to their content, for a plan.
    """

    journal: Journal
    stored: StoredRun
    profile: Profile
    secret: bytes
    kept: KeptProfile | None
    names: frozenset[str] = frozenset()
    under_profile: bool = False
    binds: bool = False

    def judge(self, file: ReturnedFile | None) -> Judged:
        """Check what a file brings, and what has to be checked again; writes nothing.

        Raises:
            SourceError: the file cannot be used, or the profile does not fit the run's columns.
        """
        rows = self.journal.rows(self.stored.run)
        brought = Sorted() if file is None else sort_out(file, self.names, self._summary.columns, rows)
        table = self._table(rows)
        mapper = self._mapper(table, rows, brought.changed)
        grouping = grouping_of(self.profile.contract, self.profile.grouping, mapper.rules, table.info.columns)
        judged = list(self._candidates(rows, brought.changed, grouped=grouping is not None))
        prints, groups = self._check(mapper, grouping, judged, rows.leaders())
        returns = self.journal.returns(self.stored)
        keep_apart(judged, self.profile, returns, rows)
        hold(groups)
        revisions = _together(map(partial(self._revision, rows), judged))
        facts = what_came_back(file, brought, revisions)
        fixed = self._fixed(rows, revisions, brought.changed)
        bound = self._bound(mapper, {one.ordinal for one in revisions})
        return Judged(mapper, revisions, prints, brought.refused, facts, fixed, bound)

    def write(self, judged: Judged, plans: tuple[PlanFacts, ...]) -> None:
        """Write what was judged, all in one commit.

        Args:
            plans: those that the rows are sent by from now on; empty: none.

        Raises:
            JournalError: the journal cannot be written; the run is as it was.
        """
        mapper = judged.mapper
        facts = RunFacts(returned=judged.facts, fixed=tuple(judged.fixed), plans=plans)
        self.journal.returns(self.stored).write(
            judged.revisions,
            issues=IssueChange(_LINE_CODES, tuple(_said(judged.refused))),
            prints=judged.prints,
            how=comparison(self.profile, self.stored.header, mapper.columns, self._summary.sheet),
            facts=facts.merged(RunFacts(mapping=mapper.columns)) if self.under_profile else facts,
            profile=self._kept_now(mapper),
            brought=judged.brought,
        )

    def _bound(self, mapper: ColumnMapper, revised: Collection[int]) -> dict[int, bytes]:
        """Bind the documents of rows that are sent again and not checked again."""
        binding = Binding.of(self.profile, mapper.columns, self.stored.header.path) if self.binds else None
        if binding is None:
            return {}
        rows = sent_again(self.journal, self.stored, revised, (Step.DOCUMENTS,))
        return {one.ordinal: binding.bound(one.after) for one in rows if one.after}

    def _fixed(self, rows: RunRows, revisions: Sequence[Revision], changed: Mapping[int, Changed]) -> list[int]:
        """The numbers of all rows whose cells are no longer those of the source."""
        taken = {rows.number_of(one.ordinal) for one in revisions if one.ordinal in changed and one.cells is not None}
        return sorted(taken.union(self.stored.facts.fixed))

    @property
    def _summary(self) -> RunSummary:
        return self.journal.runs.summary(self.stored.run)

    def _candidates(self, rows: RunRows, changed: Mapping[int, Changed], *, grouped: bool) -> Iterator[ReturnedRow]:
        """The rows that are checked again, in source order."""
        if not changed and not self.under_profile:
            return
        leaders = rows.leaders()
        touched = {leaders[ordinal] for ordinal in changed if ordinal in leaders}
        groups = self.profile.contract.identity.groups if grouped else None
        held = because_of_others(groups) | {DUPLICATE_IN_FILE.code}
        for batch in rows.batches():
            for place, state in enumerate(batch.states):
                ordinal = batch.first + place
                if ordinal in changed:
                    one = changed[ordinal]
                    yield ReturnedRow(one.was, one.cells, one.surplus, one.reading)
                elif state not in _DONE:
                    was, whole = batch[place], self.under_profile or leaders.get(ordinal) in touched
                    if whole or (state is RowState.INVALID and _only_because_of_others(was, held)):
                        reading = tuple(issue for issue in (*was.errors, *was.warnings) if issue.code in READING_CODES)
                        yield ReturnedRow(was, tuple(was.cells), was.surplus, reading)

    def _table(self, rows: RunRows) -> Table:
        info = SourceInfo(self.stored.header.source, "", self._summary.columns, self._summary.sheet)
        batches = (RawBatch(batch.first, batch.frame) for batch in rows.batches())
        sample = next(batches, None)
        return Table.of(self.profile.transform, info, sample)

    def _mapper(self, table: Table, rows: RunRows, changed: Mapping[int, Changed]) -> ColumnMapper:
        """The run's own mapper, reading as it did; under another profile, a new one for all its rows."""
        own = None if self.under_profile else self.kept
        rules = own.rules if own and own.rules else self.profile.mapping
        mapper = build_mapper(self.profile.contract, rules, table, today=today(), validation=self.profile.validation)
        mapper = mapper.without_steps(self.profile.after_create.steps_off)
        if own and own.rules:
            return mapper.settled_as(own.orders, own.decimals)
        for batch in rows.batches():
            mapper.observe(RawBatch(batch.first, overlaid(batch, changed)))
        mapper.decide()
        return mapper

    def _check(
        self, mapper: ColumnMapper, grouping: Grouping | None, judged: Sequence[ReturnedRow], leaders: Mapping[int, int]
    ) -> tuple[dict[str, dict[int, int]], list[list[ReturnedRow]]]:
        """Judge rows as any source's.

        Args:
            leaders: ordinal to the one that spoke for it up to now.

        Returns:
            What is compared with earlier runs: kind to ordinal to a keyed hash. And the rows of every business.
        """
        stamp = self.profile.delivery.import_key_metadata
        contract, policy = self.profile.contract, policy_of(self.profile.validation, today())
        plain = Validator(contract, policy, secret=self.secret, stamp=stamp, grouping=grouping)
        path = self.stored.header.path
        validator = with_documents(self.profile, plain, mapper.columns, path, binds=self.binds)
        alike = DuplicateJudge(contract, "allow", columns=mapper.columns)
        prints: dict[str, dict[int, int]] = {}
        for first in range(0, len(judged), _CHUNK):
            part = judged[first : first + _CHUNK]
            batch = as_batch(part, first, self._summary.columns)
            checked = validator.check(mapper.map(batch))
            alike.observe(replace(checked, raw=batch))
            take_over(checked, part, first)
            for kind, numbers in checked.prints.items():
                prints.setdefault(kind, {}).update(
                    {one.was.ordinal: n for one, n in zip(part, numbers, strict=True) if n}
                )
        verdict = alike.judge()
        for issue in verdict.issues:
            one = judged[issue.ordinal]
            said = replace(issue, ordinal=one.was.ordinal)
            one.issues.append(said) if said.severity is Severity.WARNING else one.refuse(said)
        if grouping is None:
            return prints, []
        return prints, form(contract, judged, verdict.leaders, leaders, Merging(stamp, grouping.fields, mapper.columns))

    def _revision(self, rows: RunRows, one: ReturnedRow) -> Revision | None:
        was = one.was
        if one.payload is not None:
            beside = one.leader not in {None, was.ordinal}  # the row that speaks for it decides
            if not beside and was.state is RowState.REJECTED and self._is_the_same(rows.payload(was.ordinal), one):
                return None  # what was refused would be refused again
            state = RowState.SENDING if was.state in _IN_DOUBT else RowState.READY
            return replace(
                one.revision(state), key=one.key, external_id=one.external_id, payload=one.payload, after=one.after
            )
        if was.state not in _IN_DOUBT:
            return one.revision(RowState.INVALID)
        text = "The row may have been created as it was sent, and its fixed form has errors: it was not taken."
        held = Issue(was.ordinal, "returned_in_doubt", text)
        return Revision(was.ordinal, was.state, RowState.UNKNOWN, payload=None, issues=(held, *one.issues))

    def _is_the_same(self, before: bytes, one: ReturnedRow) -> bool:
        if not before or one.payload is None:
            return False
        meaning = self.profile.contract.bodies.meaning
        return meaning(json.loads(before), one.was.key) == meaning(json.loads(one.payload), one.key or "")

    def _kept_now(self, mapper: ColumnMapper) -> ProfileNow | None:
        """The profile that the run has from now on; None: the same as before."""
        if not self.under_profile:
            return None
        kept = mapper.kept(self.profile.settings_to_keep())
        return ProfileNow(kept.model_dump_json(), self.profile.fingerprint)


def _only_because_of_others(was: RowResult, codes: frozenset[str]) -> bool:
    """Whether nothing is wrong with a row but what other rows are: those may have been changed.

    Args:
        codes: of the issues that other rows are the reason of.
    """
    return bool(was.errors) and all(issue.code in codes for issue in was.errors)


def _together(revisions: Iterable[Revision | None]) -> list[Revision]:
    """Leave out rows of a business whose speaking row stays as it is."""
    found = [one for one in revisions if one is not None]
    revised = {one.ordinal for one in found}
    return [one for one in found if one.leader is None or one.leader in revised]


def _said(refused: Sequence[Refusal]) -> Iterator[Issue]:
    """What is said of rows that lines were refused for; of rows that are done it is a warning: they are well."""
    reported: set[tuple[int, str]] = set()
    for one in refused:
        if one.ordinal is not None and (one.ordinal, one.code) not in reported:
            reported.add((one.ordinal, one.code))
            severity = Severity.WARNING if one.code == "returned_row_done" else Severity.ERROR
            yield Issue(one.ordinal, one.code, one.message, severity=severity)


def what_came_back(file: ReturnedFile | None, brought: Sorted, revisions: Sequence[Revision]) -> ReturnFacts:
    """What the run notes of a return for its report; no cell's value."""
    by_code: dict[str, list[Refusal]] = {}
    for one in brought.refused:
        by_code.setdefault(one.code, []).append(one)
    states = Counter(one.state.value for one in revisions)
    return ReturnFacts(
        file="" if file is None else file.name,
        lines=brought.lines,
        changed=len(brought.changed),
        unchanged=brought.unchanged,
        checked=len(revisions),
        ready=states[RowState.READY] + states[RowState.SENDING],
        refused=tuple(
            RefusedLines(
                code=code, message=found[0].message, count=len(found), lines=tuple(one.line for one in found[:NAMED])
            )
            for code, found in by_code.items()
        ),
    )
