"""Rows of a run are checked again and opened for another pass: those that came back changed, or all that are not done.

Everything is judged first and then written in one commit, so that a kill leaves the run as it was or as it came back.
A row that is done is never opened; one in doubt is looked up as it was sent before it is sent as it is now. Sends
nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pandas as pd

from importer.core.batches import CheckedBatch, RawBatch
from importer.core.contract import occurrence_key
from importer.core.frames import raw_batch, text_frame
from importer.core.issue_codes.checking import DUPLICATE_IN_FILE
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issues import Issue, Severity
from importer.core.results import ResultBatch, RowResult, RunSummary
from importer.core.sources import Grouping, SourceInfo
from importer.core.states import RowState
from importer.journal import (
    Journal,
    Merging,
    ProfileNow,
    RefusedLines,
    ReturnFacts,
    Returns,
    Revision,
    RunFacts,
    RunRows,
    Said,
    StoredRun,
)
from importer.mapping import ColumnMapper, Table, build_mapper, grouping_of
from importer.profile import KeptProfile, Profile
from importer.runs.returns.file import NAMED, Changed, Refusal, ReturnedFile, Sorted, sort_out
from importer.runs.returns.groups import HELD_BY_OTHERS, Member, form, hold
from importer.runs.wiring.checking import comparison
from importer.runs.wiring.clock import today
from importer.validation import DuplicateJudge, Validator, policy_of

_DONE = frozenset({RowState.CREATED, RowState.EXISTING})
_IN_DOUBT = frozenset({RowState.UNKNOWN, RowState.SENDING})
_CHUNK = 4_096
_LINE_CODES = ("returned_row_repeated", "returned_row_done")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a return came to.

    Args:
        held: ordinals of rows in doubt that stay so, since their fixed form cannot be sent.
    """

    facts: ReturnFacts
    held: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Judged:
    """A row that is checked again."""

    was: RowResult
    cells: tuple[str, ...]
    surplus: tuple[str, ...]
    reading: tuple[Issue, ...]
    payload: bytes | None = None
    key: str | None = None
    external_id: str = ""
    leader: int | None = None
    issues: list[Issue] = field(default_factory=list)

    def revision(self, state: RowState) -> Revision:
        """What becomes of it."""
        was = self.was
        issues = tuple(self.issues)
        return Revision(was.ordinal, was.state, state, self.cells, self.surplus, leader=self.leader, issues=issues)

    def refuse(self, issue: Issue) -> None:
        """Add an error: the row cannot be sent."""
        self.issues.append(issue)
        self.payload = None


@dataclass(frozen=True, slots=True)
class Return:
    """Takes rows back into one run.

    Args:
        profile: the run's own; with `under_profile`, the one that its rows are checked under from now on.
        kept: what the run has kept of its profile; None: an earlier program kept none.
        names: the ids that lines of this run may have.
        under_profile: check every row that is not done again, under this profile.
    """

    journal: Journal
    stored: StoredRun
    profile: Profile
    secret: bytes
    kept: KeptProfile | None
    names: frozenset[str] = frozenset()
    under_profile: bool = False

    def take(self, file: ReturnedFile | None) -> Taken:
        """Take back what a file brings, and check what has to be checked again; all in one commit.

        Raises:
            SourceError: the file cannot be used, or the profile does not fit the run's columns.
            JournalError: the journal cannot be written; the run is as it was.
        """
        rows = self.journal.rows(self.stored.run)
        brought = Sorted() if file is None else sort_out(file, self.names, self._summary.columns, rows)
        table = self._table(rows)
        mapper = self._mapper(table, rows, brought.changed)
        grouping = grouping_of(self.profile.contract, self.profile.grouping, mapper.rules, table.info.columns)
        judged = list(self._candidates(rows, brought.changed, grouped=grouping is not None))
        prints, groups = self._check(mapper, grouping, judged, rows.leaders())
        returns = self.journal.returns(self.stored)
        self._keep_apart(judged, self._used(judged, returns), rows)
        hold(groups)
        revisions = _together(map(partial(self._revision, rows), judged))
        facts = what_came_back(file, brought, revisions)
        returns.write(
            revisions,
            said=Said(_LINE_CODES, tuple(_said(brought.refused))),
            prints=prints,
            how=comparison(self.profile, self.stored.header, mapper.columns, self._summary.sheet),
            facts=self._noted(mapper, facts, self._fixed(rows, revisions, brought.changed)),
            profile=self._kept_now(mapper),
        )
        return Taken(facts, frozenset(one.ordinal for one in revisions if one.state is RowState.UNKNOWN))

    def _noted(self, mapper: ColumnMapper, facts: ReturnFacts, fixed: Sequence[int]) -> RunFacts:
        if self.under_profile:
            return RunFacts(returned=facts, fixed=tuple(fixed), mapping=mapper.columns)
        return RunFacts(returned=facts, fixed=tuple(fixed))

    def _fixed(self, rows: RunRows, revisions: Sequence[Revision], changed: Mapping[int, Changed]) -> list[int]:
        """The numbers of all rows whose cells are no longer those of the source."""
        taken = {rows.number_of(one.ordinal) for one in revisions if one.ordinal in changed and one.cells is not None}
        return sorted(taken.union(self.stored.facts.fixed))

    @property
    def _summary(self) -> RunSummary:
        return self.journal.runs.summary(self.stored.run)

    # ------------------------------------------------------------------ which rows

    def _candidates(self, rows: RunRows, changed: Mapping[int, Changed], *, grouped: bool) -> Iterator[_Judged]:
        """The rows that are checked again, in source order."""
        if not changed and not self.under_profile:
            return
        leaders = rows.leaders()
        touched = {leaders[ordinal] for ordinal in changed if ordinal in leaders}
        held = frozenset({DUPLICATE_IN_FILE.code}) | (HELD_BY_OTHERS if grouped else frozenset())
        for batch in rows.batches():
            for place, state in enumerate(batch.states):
                ordinal = batch.first + place
                if ordinal in changed:
                    one = changed[ordinal]
                    yield _Judged(one.was, one.cells, one.surplus, one.reading)
                elif state not in _DONE:
                    was, whole = batch[place], self.under_profile or leaders.get(ordinal) in touched
                    if whole or (state is RowState.INVALID and _only_because_of_others(was, held)):
                        reading = tuple(issue for issue in (*was.errors, *was.warnings) if issue.code in READING_CODES)
                        yield _Judged(was, tuple(was.cells), was.surplus, reading)

    # ------------------------------------------------------------------ checking

    def _table(self, rows: RunRows) -> Table:
        info = SourceInfo(self.stored.header.source, "", self._summary.columns, self._summary.sheet)
        batches = (RawBatch(batch.first, batch.frame) for batch in rows.batches())
        sample = next(batches, None)
        return Table.of(self.profile.transform, info, sample)

    def _mapper(self, table: Table, rows: RunRows, changed: Mapping[int, Changed]) -> ColumnMapper:
        """The run's own mapper, with dates read as they were; under another profile, a new one for all its rows."""
        own = None if self.under_profile else self.kept
        rules = own.rules if own and own.rules else self.profile.mapping
        mapper = build_mapper(self.profile.contract, rules, table, today=today(), validation=self.profile.validation)
        if own and own.rules:
            return mapper.settled_as(own.orders)
        for batch in rows.batches():
            mapper.observe(RawBatch(batch.first, overlaid(batch, changed)))
        mapper.decide()
        return mapper

    def _check(
        self, mapper: ColumnMapper, grouping: Grouping | None, judged: Sequence[_Judged], leaders: Mapping[int, int]
    ) -> tuple[dict[str, dict[int, int]], list[list[Member]]]:
        """Judge rows as any source's.

        Args:
            leaders: ordinal to the one that spoke for it up to now.

        Returns:
            What is compared with earlier runs: kind to ordinal to a keyed hash. And the rows of every business.
        """
        stamp = self.profile.delivery.import_key_metadata
        contract, policy = self.profile.contract, policy_of(self.profile.validation, today())
        validator = Validator(contract, policy, secret=self.secret, stamp=stamp, grouping=grouping)
        alike = DuplicateJudge(contract, "allow", columns=mapper.columns)
        prints: dict[str, dict[int, int]] = {}
        for first in range(0, len(judged), _CHUNK):
            part = judged[first : first + _CHUNK]
            checked = validator.check(mapper.map(_as_batch(part, first, self._summary.columns)))
            alike.observe(replace(checked, raw=_as_batch(part, first, self._summary.columns)))
            _take_over(checked, part, first)
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

    def _used(self, judged: Sequence[_Judged], returns: Returns) -> dict[str, int]:
        """Import keys that other rows of the run have, with one of those rows' ordinals.

        Where rows of one key may be customers of their own, as many of the key's numbers are looked up as are needed
        for every row to find a free one.
        """
        but = frozenset(one.was.ordinal for one in judged)
        wanted = Counter(one.key for one in judged if one.key)
        used = returns.keys_in_use(frozenset(wanted), but)
        if self.profile.validation.duplicates != "allow":
            return used
        free = Counter({key: -number for key, number in wanted.items() if key in used})
        first, count = 2, 1
        while missing := [key for key, number in free.items() if number < 0]:
            count *= 2
            numbered = {occurrence_key(key, n): key for key in missing for n in range(first, first + count)}
            found = returns.keys_in_use(frozenset(numbered), but)
            free.update(Counter(key for own, key in numbered.items() if own not in found))
            used.update(found)
            first += count
        return used

    def _keep_apart(self, judged: Sequence[_Judged], used: dict[str, int], rows: RunRows) -> None:
        """Keep rows of one key apart: from those of the run that stay as they are, and from each other."""
        policy = self.profile.validation.duplicates
        among = Counter(one.key for one in judged if one.key and one.payload is not None)
        for one in judged:
            if one.key is None or one.payload is None:
                continue
            if policy == "allow":
                _with_own_key(one, used)
            elif one.key in used:
                one.refuse(self._duplicate(one, rows.number_of(used[one.key])))
            elif policy == "reject" and among[one.key] > 1:
                other = next(two for two in judged if two.key == one.key and two is not one)
                one.refuse(self._duplicate(one, other.was.row))
            if one.payload is not None:
                used[one.key] = one.was.ordinal

    def _duplicate(self, one: _Judged, row: int) -> Issue:
        text = f"This customer also appears in row {row} of this file; keep one of them."
        name = self.profile.contract.identity.reference_field
        return Issue(one.was.ordinal, DUPLICATE_IN_FILE.code, text, name, severity=DUPLICATE_IN_FILE.severity)

    # ------------------------------------------------------------------ what becomes of them

    def _revision(self, rows: RunRows, one: _Judged) -> Revision | None:
        was = one.was
        if one.payload is not None:
            beside = one.leader not in {None, was.ordinal}  # the row that speaks for it decides
            if not beside and was.state is RowState.REJECTED and self._is_the_same(rows.payload(was.ordinal), one):
                return None  # what was refused would be refused again
            state = RowState.SENDING if was.state in _IN_DOUBT else RowState.READY
            return replace(one.revision(state), key=one.key, external_id=one.external_id, payload=one.payload)
        if was.state not in _IN_DOUBT:
            return one.revision(RowState.INVALID)
        text = "The row may have been created as it was sent, and its fixed form has errors: it was not taken."
        held = Issue(was.ordinal, "returned_in_doubt", text)
        return Revision(was.ordinal, was.state, RowState.UNKNOWN, payload=None, issues=(held, *one.issues))

    def _is_the_same(self, before: bytes, one: _Judged) -> bool:
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


def overlaid(batch: ResultBatch, changed: Mapping[int, Changed]) -> pd.DataFrame:
    """The rows of a batch with those that came back changed."""
    here = [ordinal for ordinal in range(batch.first, batch.first + len(batch)) if ordinal in changed]
    if not here:
        return batch.frame
    columns = [list(column) for column in batch.cells]
    for ordinal in here:
        for column, text in zip(columns, changed[ordinal].cells, strict=True):
            column[ordinal - batch.first] = text
    return text_frame(list(batch.frame.columns), columns, batch.rows)


def _as_batch(part: Sequence[_Judged], first: int, names: Sequence[str]) -> RawBatch:
    """Rows from here and there as if they followed each other; `first`: their place among all of them."""
    cells = list(zip(*[one.cells for one in part], strict=True))
    issues = [replace(issue, ordinal=first + at) for at, one in enumerate(part) for issue in one.reading]
    return raw_batch(first, [one.was.row for one in part], cells, tuple(issues), names=names)


def _take_over(checked: CheckedBatch, part: Sequence[_Judged], first: int) -> None:
    for place, one in enumerate(part):
        one.payload, one.key, one.external_id = (
            checked.payloads[place],
            checked.keys[place],
            checked.external_ids[place],
        )
    for issue in checked.issues:
        one = part[issue.ordinal - first]
        one.issues.append(replace(issue, ordinal=one.was.ordinal))


def _with_own_key(one: _Judged, used: Mapping[str, int]) -> None:
    """Give a row that may be a customer of its own, as the profile says, a key that no other row of the run has."""
    key, number = one.key or "", 1
    while one.key in used:
        number += 1
        one.key = occurrence_key(key, number)
    if one.key != key and one.payload is not None:
        one.payload = one.payload.replace(key.encode(), (one.key or "").encode())


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
