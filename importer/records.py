"""The frozen values that pass between rooms, and the states a row can be in.

Nothing here opens, waits or decides; a line that seems homeless is usually a value missing here.

Shapes: a batch is columnar (`cells[column][i]`), since a dict per row was measured five times
slower. `ordinal` counts data rows from 0 and is the key inside a run; `row` is the number that a
person sees in the spreadsheet. What is made for every row that is sent is a named tuple: a third of the
cost of a frozen dataclass.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import repeat
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from importer.issues import Issue, IssueLog, Severity

if TYPE_CHECKING:
    import pandas as pd  # half a second to import: only whoever makes a frame pays for it

# --------------------------------------------------------------------------- states


class RowState(StrEnum):
    """The state of a row. The last eight are final and appear in results; `valid` only in dry runs."""

    READY = "ready"
    SENDING = "sending"
    VALID = "valid"
    CREATED = "created"
    EXISTING = "existing"
    INVALID = "invalid"
    REJECTED = "rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


FINAL_STATES: tuple[RowState, ...] = (
    RowState.CREATED,
    RowState.EXISTING,
    RowState.INVALID,
    RowState.REJECTED,
    RowState.FAILED,
    RowState.UNKNOWN,
    RowState.UNSENT,
)
DRY_RUN_STATES: tuple[RowState, ...] = (RowState.VALID, RowState.INVALID)

TRANSITIONS: Mapping[RowState, frozenset[RowState]] = MappingProxyType(
    {
        RowState.READY: frozenset(
            {RowState.SENDING, RowState.EXISTING, RowState.UNSENT, RowState.INVALID, RowState.VALID}
        ),
        # `unsent` after `sending`: the run stopped before the request's first byte left.
        RowState.SENDING: frozenset(
            {
                RowState.CREATED,
                RowState.EXISTING,
                RowState.REJECTED,
                RowState.FAILED,
                RowState.UNKNOWN,
                RowState.UNSENT,
            }
        ),
        RowState.VALID: frozenset(),
        RowState.CREATED: frozenset(),
        RowState.EXISTING: frozenset(),
        RowState.INVALID: frozenset(),
        RowState.REJECTED: frozenset(),
        RowState.FAILED: frozenset(),
        RowState.UNKNOWN: frozenset(),
        RowState.UNSENT: frozenset(),
    }
)
"""What may follow what inside one pass over a run. The journal refuses any other change."""

AMENDMENTS: Mapping[RowState, frozenset[RowState]] = MappingProxyType(
    {
        RowState.CREATED: frozenset({RowState.UNKNOWN}),
        RowState.EXISTING: frozenset({RowState.UNKNOWN}),
        RowState.REJECTED: frozenset({RowState.UNKNOWN, RowState.CREATED}),
        RowState.UNKNOWN: frozenset({RowState.UNKNOWN, RowState.CREATED}),
    }
)
"""What a later look at a row that has ended may make of it."""

REOPENINGS: Mapping[RowState, RowState] = MappingProxyType(
    {
        RowState.FAILED: RowState.READY,
        RowState.UNSENT: RowState.READY,
        RowState.UNKNOWN: RowState.SENDING,
        RowState.INVALID: RowState.READY,
        RowState.REJECTED: RowState.READY,
    }
)
"""What another pass may open again. `unknown` becomes *in doubt*: looked up, never resent blindly. `invalid` and
`rejected` rows are opened by a change of their cells or of the profile alone, and checked anew."""


LEFT_OPEN: Mapping[RowState, RowState] = MappingProxyType(
    {RowState.READY: RowState.UNSENT, RowState.SENDING: RowState.UNKNOWN}
)
"""What a row is that a pass has left open, because it stopped or was cut off: never attempted, or in doubt."""


def as_they_stand(counts: Mapping[str, int]) -> dict[str, int]:
    """Count the rows that a pass has left open as what they are."""
    standing: dict[str, int] = {}
    for name, count in counts.items():
        shown = name if name == "read" else str(LEFT_OPEN.get(RowState(name), name))
        standing[shown] = standing.get(shown, 0) + count
    return standing


# --------------------------------------------------------------------------- files that are handed out

ROW_COLUMN, RUN_COLUMN = "_row", "_run"
"""What a line of a returned file is known by: the row and the run that it is from."""

ADDED_COLUMNS: tuple[str, ...] = (
    ROW_COLUMN,
    "_sheet",
    "_status",
    "_customer_id",
    "_error_code",
    "_error_field",
    "_error_column",
    "_error_message",
    "_warnings",
    "_http_status",
    "_trace_id",
    "_attempts",
    RUN_COLUMN,
)
"""What files for people add at the end of every row, always last and in this order (fixed by the interface)."""

MOST_EXTRA = 20
"""Columns for surplus cells at most: every row of a table pays for the widest one."""

_EXTRA_NAME = re.compile(r"_extra_[1-9]\d*")


def extra_columns(count: int) -> tuple[str, ...]:
    """Name the columns for cells beyond those of the source; they stand between the source's and the added ones."""
    return tuple(f"_extra_{number}" for number in range(1, count + 1))


def is_extra(name: str) -> bool:
    """Tell whether a column holds surplus cells of an earlier reading."""
    return _EXTRA_NAME.fullmatch(name) is not None


def is_added(name: str) -> bool:
    """Tell whether a column is one of those that the importer adds: a fixed file that comes back carries them."""
    return name in ADDED_COLUMNS or is_extra(name)


def surplus_of(cells: Sequence[str], width: int) -> tuple[str, ...]:
    """Return what stands in a record beyond its table's width, without blank cells.

    Of more than `MOST_EXTRA` cells the last one holds the rest, joined with ` | `.
    """
    found = [cell for cell in cells[width:] if cell.strip()]
    if len(found) > MOST_EXTRA:
        found[MOST_EXTRA - 1 :] = [" | ".join(found[MOST_EXTRA - 1 :])]
    return tuple(found)


# --------------------------------------------------------------------------- source


@dataclass(frozen=True, slots=True)
class Detected:
    """One thing the reader found out about a source.

    Args:
        what: `encoding`, `delimiter`, `sheet`, `header_row`, …
        value: what was found, as text.
        confidence: 0 to 1; 1 where the profile said so or the file proves it.
        note: the evidence, for people; empty when obvious.
    """

    what: str
    value: str
    confidence: float = 1.0
    note: str = ""


SUMMARY_SHEET = "Import summary"
"""The sheet of an annotated workbook that says what was found; it is not a table of customers."""


@dataclass(frozen=True, slots=True)
class OtherTable:
    """A sheet that is not read and holds a table.

    Args:
        columns: its header's texts in order.
    """

    sheet: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source is, known once it is open and before the first batch.

    Args:
        name: the file's name without its folder (`-` for standard input).
        format: the reader that opened it (`csv`, `excel`).
        columns: header texts in order, made unique, the importer's own added columns dropped.
        sheet: the sheet's name; empty for text files.
        detected: everything that was detected, for `inspect` and the run's first line.
        warnings: sentences about the file as a whole.
        other_tables: the visible sheets of a workbook that hold tables, too, and are not read.
    """

    name: str
    format: str
    columns: tuple[str, ...]
    sheet: str = ""
    detected: tuple[Detected, ...] = ()
    warnings: tuple[str, ...] = ()
    other_tables: tuple[OtherTable, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RawBatch:
    """Consecutive data rows as text, columnar.

    Args:
        first: ordinal of the first row.
        frame: one column of pandas' `str` type for each column of the source, under its name; a blank cell is "". The
            index holds the row numbers that a person sees, ascending. Never shown: it holds values.
        issues: what reading itself found wrong with rows (ragged, undecodable, error cells).
        surplus: place in the batch to the cells that this row has beyond the source's columns (see `surplus_of`).
    """

    first: int
    frame: pd.DataFrame = field(repr=False)
    issues: Sequence[Issue] = ()
    surplus: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    _texts: list[list[str]] = field(default_factory=list, init=False, repr=False)

    @property
    def rows(self) -> list[int]:
        """The row numbers that a person sees."""
        return self.frame.index.tolist()

    @property
    def cells(self) -> list[list[str]]:
        """The columns as lists of texts; made once."""
        if not self._texts:
            self._texts.extend(series.tolist() for _, series in self.frame.items())
        return self._texts

    def __len__(self) -> int:
        return len(self.frame)


# --------------------------------------------------------------------------- validation


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which rows of one source are one business, with a contact from each.

    Args:
        fields: customer fields, dotted, that are equal in the rows of a group.
        indices: places of columns that are equal as well (in `MappedBatch.seen`).
        main: the place of the column that marks the row of the main contact; None: the first row's is.
        column: the name of that column, for messages.
    """

    fields: tuple[str, ...]
    indices: tuple[int, ...]
    main: int | None = None
    column: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One normalisation that altered a value: nothing is changed silently.

    Args:
        rule: the rule that did it (`trim`, `phone_e164`, `email_domain_lower`, …).
        before: the value as it came from the source.
        after: the value as it will be sent.
    """

    ordinal: int
    rule: str
    field: str
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeColumn:
    """All changes that one rule made in one column of a batch, columnar: a changed column costs no object a row.

    Args:
        ordinals: the rows, ascending; `before` and `after` are as long.
    """

    rule: str
    field: str
    column: str
    ordinals: Sequence[int]
    before: Sequence[str]
    after: Sequence[str]

    def __len__(self) -> int:
        return len(self.ordinals)

    def __getitem__(self, index: int) -> Change:
        return Change(self.ordinals[index], self.rule, self.field, self.column, self.before[index], self.after[index])


class ChangeLog(Sequence[Change]):
    """The changes of a batch, made into `Change` objects only as they are read.

    Pickled, only the totals survive: they are all that a run keeps, and the values of cells need not travel.

    Args:
        columns: the changes.
        counted: totals by rule, field and column of changes that are not here.
    """

    __slots__ = ("_counted", "columns")

    def __init__(
        self, columns: Sequence[ChangeColumn] = (), counted: Mapping[tuple[str, str, str], int] = MappingProxyType({})
    ) -> None:
        self.columns = tuple(columns)
        self._counted = counted

    def totals(self) -> dict[tuple[str, str, str], int]:
        """How many values each rule altered, by rule, field and column."""
        totals = dict(self._counted)
        for one in self.columns:
            place = (one.rule, one.field, one.column)
            totals[place] = totals.get(place, 0) + len(one)
        return totals

    def __reduce__(self) -> tuple[Any, ...]:
        return ChangeLog, ((), self.totals())

    def __len__(self) -> int:
        return sum(map(len, self.columns))

    def __iter__(self) -> Iterator[Change]:
        return (column[index] for column in self.columns for index in range(len(column)))

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Change]: ...
    def __getitem__(self, index: int | slice) -> Change | Sequence[Change]:
        return tuple(self)[index]


@dataclass(frozen=True, slots=True, eq=False)
class MappedBatch:
    """A batch with its columns turned into customer fields, still text.

    Args:
        frame: one column of pandas' `str` type for each field, under the API's dotted name; index as of `raw.frame`.
        columns: API dotted name to the source column(s) it came from, for messages.
        issues: what mapping itself found wrong (an unmapped enum value, a date that does not fit its format).
        changes: what mapping took away before a rule of the profile read a text.
        seen: the columns that fields were looked for in, which `Grouping` counts: the source's, or those that the
            user's own function made of them; None: the source's.
    """

    raw: RawBatch
    frame: pd.DataFrame = field(repr=False)
    columns: Mapping[str, str]
    issues: Sequence[Issue] = ()
    changes: tuple[ChangeColumn, ...] = ()
    seen: pd.DataFrame | None = field(default=None, repr=False)
    _texts: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)

    def texts(self, name: str) -> list[str]:
        """A field's texts, one a row; made once."""
        if name not in self._texts:
            self._texts[name] = self.frame[name].tolist()
        return self._texts[name]

    def looked_in(self, index: int) -> list[str]:
        """The texts of one of the columns that fields were looked for in."""
        frame = self.raw.frame if self.seen is None else self.seen
        texts: list[str] = frame.iloc[:, index].tolist()
        return texts


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A batch after validation, one entry per row.

    Args:
        payloads: the request body as UTF-8 JSON in the API's names; None where the row is invalid.
        keys: the import key; None where the row is invalid.
        external_ids: the normalised `externalId`, "" where there is none.
        issues: all errors and warnings of all rows, in row order; an `IssueLog`, where there are many.
        changes: every normalisation that altered a value; a `ChangeLog`, where there are many.
        likenesses: kind (`email`, `phone`, `name_birth`, `business`) to one normalised text a row, "" where blank:
            equal texts may mean the same customer. Rows of any verdict have them.
        prints: kind to one keyed hash a row, 0 where blank: what is compared with earlier runs (`customers.likeness`).
        groups: for every row the group of rows that it is one customer with, "" for a row of its own; empty: rows are
            not grouped. Rows of any verdict have it.
        mains: ordinals of rows whose contact is marked as the group's main one.
        idv_ready: for every row whether it has what identity verification asks for; invalid rows have not.
            None: not judged.
        idv_missing: what verification asks for to the number of valid rows of this batch that lack it.
    """

    raw: RawBatch
    payloads: Sequence[bytes | None]
    keys: Sequence[str | None]
    external_ids: Sequence[str]
    issues: Sequence[Issue] = ()
    changes: Sequence[Change] = ()
    likenesses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    prints: Mapping[str, array[int]] = field(default_factory=dict)
    groups: Sequence[str] = ()
    mains: Sequence[int] = ()
    idv_ready: Sequence[bool] | None = None
    idv_missing: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """One row, checked by itself.

    Args:
        body: what is sent; empty where the row has errors.
        key: its import key; empty where it has none.
        changes: what each rule altered, in the order of the fields.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class DuplicateVerdict:
    """What the duplicates of a source come to.

    Args:
        issues: errors (same import key, unless allowed) and warnings (same email, phone, or name and birth date).
        rekeyed: ordinal to its own import key, for allowed duplicates from the second on.
        groups: ordinals of allowed duplicates, those of one key together.
        leaders: for every ordinal the one whose row speaks for its group, -1 for a row of its own; empty: rows are
            not grouped.
    """

    issues: Sequence[Issue] = ()
    rekeyed: Mapping[int, str] = field(default_factory=dict)
    groups: Sequence[Sequence[int]] = field(default=(), compare=False)
    leaders: Sequence[int] = ()


class EarlierForm(NamedTuple):
    """What may have been sent of a row before it came back fixed; arguments as of `Record`."""

    key: str
    external_id: str
    payload: bytes


class Record(NamedTuple):
    """One valid row, ready to be delivered. Survives pickling.

    Args:
        key: the import key, hex of a keyed hash: the row's identity across runs.
        payload: the request body, UTF-8 JSON.
        in_doubt: an earlier pass may have sent it; it must be looked up before it is sent.
        doubt_since: when that may have happened at the earliest, by the target's clock, seconds since the epoch;
            None when not in doubt.
        doubt_elsewhere: only another run may have sent it, not this one.
        prior_attempts: requests that earlier passes made for this row.
        known_id: the customer that an earlier run created for this key, where somebody wants to know whether it is
            still there; the record is looked up by it and never sent.
        sent_unstamped: the run that may have sent it put no import key into its customers; none there proves nothing.
        earlier: other forms of the row that may have been sent: it is looked up as each of them.
    """

    ordinal: int
    row: int
    key: str
    payload: bytes
    external_id: str = ""
    in_doubt: bool = False
    doubt_since: float | None = None
    doubt_elsewhere: bool = False
    prior_attempts: int = 0
    known_id: str = ""
    sent_unstamped: bool = False
    earlier: tuple[EarlierForm, ...] = ()


# --------------------------------------------------------------------------- delivery


class Verdict(StrEnum):
    """What one answer means. The question is always: could the server have acted?"""

    ACCEPT = "accept"
    """Created; the reply carries the customer's id."""
    DUPLICATE = "duplicate"
    """Refused since such a customer exists: look it up and compare."""
    RETRY = "retry"
    """Known not created; the same request may succeed later."""
    REJECT = "reject"
    """Known not created; the same request can never succeed."""
    IN_DOUBT = "in_doubt"
    """May or may not have been created: look before any further send."""
    ABORT = "abort"
    """Known not created; no request of this run can succeed (credentials, role)."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field the API refused; `path` is its name in the profile (`addresses.mailing.zipCode`), empty for the row."""

    path: str
    message: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class RateHint:
    """What the headers of an answer tell about the server's allowance; None for what they do not tell.

    Args:
        limit: requests in a window.
        remaining: what is left of it.
        reset_s: seconds until more is allowed again.
        window_s: the window, in seconds.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_s: float | None = None
    window_s: float | None = None


class Reply(NamedTuple):
    """The answer to one attempt to create a customer, judged.

    Args:
        customer_id: set with ACCEPT, and nowhere else.
        http_status: None when no status line arrived.
        error_code: the API's code as text, or ours (`timeout`, `connection_reset`, …).
        message: a sentence for people about this answer, not about the row's fate, which later looks may settle;
            never the body, never a value that we sent.
        retry_after_s: what the server asked for, in seconds; None when it did not.
        allowance: what its headers said about the rate; None when they said nothing.
        took_s: from the request's start to its answer, in seconds, without any wait for a slot; None: not measured.
        warnings: what is odd about an answer that says yes.
        shared: the trouble of a token exchange, the same for all who waited for it: none of them made a request, and
            the pool has learned it (`ports.Limiter.learn`).
    """

    verdict: Verdict
    customer_id: str = ""
    http_status: int | None = None
    error_code: str = ""
    message: str = ""
    field_errors: tuple[FieldError, ...] = ()
    trace_id: str = ""
    retry_after_s: float | None = None
    allowance: RateHint | None = None
    took_s: float | None = None
    shared: bool = False
    warnings: tuple[FieldError, ...] = ()

    @property
    def throttled(self) -> bool:
        """Whether the server asks for fewer requests (429): it is alive, and nothing was done."""
        return self.http_status == 429 and self.verdict is Verdict.RETRY

    @property
    def overloaded(self) -> bool:
        """Whether the server can take no more for the moment (503), be it down or just asked for too much."""
        return self.http_status == 503 and self.verdict in {Verdict.RETRY, Verdict.IN_DOUBT}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer that a look-up returned: its id and its whole body as the API gave it.

    Args:
        created_at: when it was created, by the target's clock, seconds since the epoch; None: not known, or it is not
            known how that clock stands to ours.
    """

    customer_id: str
    body: Mapping[str, Any]
    created_at: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to one look-up: the candidates, or a reply that says why there is none to trust.

    Args:
        allowance: what the headers of the last answer said about the rate; None when they said nothing.
        took_s: the time all its requests took together, in seconds, without any wait for a slot; None: not measured.
    """

    candidates: tuple[Candidate, ...] = ()
    trouble: Reply | None = None
    allowance: RateHint | None = None
    took_s: float | None = None


class Attempt(NamedTuple):
    """One request that was made for a row.

    Args:
        number: from 1, over all passes of the run.
        kind: `create` or `find`.
        started_at: seconds since the epoch.
        verdict: for `find`: `accept` when it answered, else the trouble's verdict.
    """

    number: int
    kind: str
    started_at: float
    duration_s: float
    verdict: Verdict
    http_status: int | None = None
    error_code: str = ""
    trace_id: str = ""


class Outcome(NamedTuple):
    """How one record ended. Survives pickling.

    Args:
        state: one of the final states.
        errors: code, field, message of what went wrong; empty for created and existing.
        candidates: ids of the customers that could be this row, where it is `unknown`.
        warnings: the same as `errors` for what does not keep a row from being imported.
    """

    ordinal: int
    key: str
    state: RowState
    customer_id: str = ""
    errors: tuple[FieldError, ...] = ()
    http_status: int | None = None
    trace_id: str = ""
    attempts: tuple[Attempt, ...] = ()
    candidates: tuple[str, ...] = ()
    warnings: tuple[FieldError, ...] = ()


class Resent(NamedTuple):
    """One row that was sent more than once although an earlier create may have arrived: to be looked at again.

    Args:
        record: as it was sent; `in_doubt`, since its first send.
        state: how it ended.
        sent_at: when it was sent last, seconds since the epoch, by our own clock.
    """

    record: Record
    state: RowState
    customer_id: str
    sent_at: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim took from the journal.

    Args:
        records: durably marked as being sent.
        known: rows that ended without a request, since an earlier run created them.
    """

    records: tuple[Record, ...] = ()
    known: tuple[Outcome, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.records or self.known)


# --------------------------------------------------------------------------- replay


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row of the source with everything known about it: what a results file is made of."""

    ordinal: int
    row: int
    cells: Sequence[str]
    state: RowState
    customer_id: str = ""
    key: str = ""
    external_id: str = ""
    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    http_status: int | None = None
    trace_id: str = ""
    attempts: int = 0
    candidates: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ResultBatch:
    """Consecutive rows of the source with everything known about them, columnar; what is rare is kept by place.

    Args:
        first: ordinal of the first row.
        frame: as of `RawBatch`; every sequence here is as long. Without columns where they were purged.
        issues: of these rows, in the order they were found.
        candidates: place to the ids of the customers that could be that row.
        surplus: place to the cells that this row has beyond the source's columns.
        spoken_for: places of rows that are one customer with another row, which was sent for them.
    """

    first: int
    frame: pd.DataFrame = field(repr=False)
    states: Sequence[RowState]
    customer_ids: Sequence[str]
    keys: Sequence[str]
    external_ids: Sequence[str]
    http_statuses: Sequence[int | None]
    trace_ids: Sequence[str]
    attempts: Sequence[int]
    issues: IssueLog = field(default_factory=IssueLog)
    candidates: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    surplus: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    spoken_for: Collection[int] = ()
    _numbers: list[int] = field(default_factory=list, init=False, repr=False)
    _texts: list[list[str]] = field(default_factory=list, init=False, repr=False)

    @property
    def rows(self) -> list[int]:
        """The row numbers that a person sees; made once."""
        if not self._numbers:
            self._numbers.extend(self.frame.index.tolist())
        return self._numbers

    @property
    def cells(self) -> list[list[str]]:
        """The columns as lists of texts; made once."""
        if not self._texts:
            self._texts.extend(series.tolist() for _, series in self.frame.items())
        return self._texts

    def __len__(self) -> int:
        return len(self.frame)

    def __iter__(self) -> Iterator[RowResult]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, place: int) -> RowResult:
        return self._result(place, tuple([column[place] for column in self.cells]))

    def at(self, places: Sequence[int]) -> list[RowResult]:
        """The rows in some places: the cells of all others are left as they are."""
        columns = [series.tolist() for _, series in self.frame.iloc[list(places)].items()] if places else []
        cells = zip(*columns, strict=True) if columns else repeat(())
        return [self._result(place, tuple(texts)) for place, texts in zip(places, cells, strict=False)]

    def _result(self, place: int, cells: tuple[str, ...]) -> RowResult:
        ordinal = self.first + place
        issues = self.issues.between(ordinal, ordinal + 1)
        return RowResult(
            ordinal=ordinal,
            row=self.rows[place],
            cells=cells,
            state=self.states[place],
            customer_id=self.customer_ids[place],
            key=self.keys[place],
            external_id=self.external_ids[place],
            errors=tuple([issue for issue in issues if issue.severity is Severity.ERROR]),
            warnings=tuple([issue for issue in issues if issue.severity is Severity.WARNING]),
            http_status=self.http_statuses[place],
            trace_id=self.trace_ids[place],
            attempts=self.attempts[place],
            candidates=self.candidates.get(place, ()),
            surplus=self.surplus.get(place, ()),
        )


@dataclass(frozen=True, slots=True)
class Cluster:
    """All issues of one code, field and column: the full count, and the first rows as examples (at most 20)."""

    code: str
    field: str
    column: str
    severity: Severity
    message: str
    count: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in a line: what `runs` lists and every report begins with.

    Args:
        run_id: `YYYYMMDDTHHMMSSZ-xxxxxx`.
        state: `running`, `finished`, `stopped` or `crashed`.
        counts: `read`, then the count of every final state (or `valid` and `invalid`).
        exit_code: None while the run has not ended.
        purged_at: when its personal data was removed; None: it is all there.
        extra: how many surplus cells its widest row has (see `surplus_of`).
        path: where the source lay: absolute, or an address.
    """

    run_id: str
    source: str
    target: str
    dry_run: bool
    state: str
    started_at: float
    ended_at: float | None
    counts: Mapping[str, int]
    exit_code: int | None
    columns: tuple[str, ...] = ()
    sheet: str = ""
    purged_at: float | None = None
    extra: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for listeners: logs, progress, metrics. Never asked for a decision, never a value.

    Args:
        name: `run_started`, `batch_read`, `batch_checked`, `row_settled`, `request_done`, `paused`, `run_ended`, …
        data: numbers, codes and ids only.
    """

    name: str
    data: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def balance(counts: Mapping[str, int], states: Iterable[RowState]) -> bool:
    """Tell whether the counts of `states` add up to `counts["read"]`."""
    return sum(counts.get(state, 0) for state in states) == counts["read"]
