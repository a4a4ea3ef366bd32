"""The `issues` table: the issues of many rows in one line, as an Arrow table. Written, read and removed here alone.

A line holds issues of one stretch of rows. What is found later is a further line, together with the lines before it
that are short; of one row, the issues of an earlier line come first. So a stretch has few lines, however many of its
issues were found one by one: whoever looks for those of one row reads all lines of its stretch.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator

from importer.core.issues import Issue, IssueKind, IssueLog, Severity
from importer.journal.sql.database import Connection

STRETCH = 4_096
"""Rows whose issues may share a line: ordinals with the same quotient. As long as a batch is by default."""
_FIELDS = list(IssueKind._fields)
_SEVERITIES = {severity.value: severity for severity in Severity}


def insert_issues(tx: Connection, run: int, issues: Iterable[Issue]) -> None:
    """Append issues to a run."""
    for stretch, found in _stretches(IssueLog.of(issues)):
        log = _with_short_lines(tx, run, stretch, found)
        tx.execute("INSERT INTO issues (run, stretch, log) VALUES (?, ?, ?)", (run, stretch, log))


def _with_short_lines(tx: Connection, run: int, stretch: int, found: IssueLog) -> bytes:
    """Pack issues together with those of the last lines, as long as these are not much longer; those lines go.

    Each line is then at most half as long as the one before it.
    """
    log = pack_issues(found)
    while last := tx.execute(
        "SELECT number, CASE WHEN length(log) < ? THEN log END FROM issues WHERE run = ? AND stretch = ?"
        " ORDER BY number DESC LIMIT 1",
        (2 * len(log), run, stretch),
    ).fetchone():
        number, short = last
        if short is None:
            break
        found = IssueLog.of(unpack_issues(short), found)
        log = pack_issues(found)
        tx.execute("DELETE FROM issues WHERE number = ?", (number,))
    return log


def issues_between(tx: Connection, run: int, first: int, end: int) -> IssueLog:
    """The issues of the rows `first` (included) to `end` (not), by row and then in the order they were found."""
    found = tx.execute(
        "SELECT log FROM issues WHERE run = ? AND stretch BETWEEN ? AND ? ORDER BY number",
        (run, first // STRETCH, (end - 1) // STRETCH),
    )
    return IssueLog.of(*[unpack_issues(log).between(first, end) for (log,) in found])


def remove_issues(
    tx: Connection,
    run: int,
    ordinals: Collection[int] | None = None,
    *,
    codes: Collection[str] = (),
    under: str = "",
    errors_only: bool = False,
) -> None:
    """Remove issues from a run.

    Args:
        ordinals: of which rows; None: of all.
        codes: of which codes; empty: of any.
        under: of which field, or of those in it; empty: of any.
        errors_only: leave warnings as they are.
    """

    def goes(kind: IssueKind) -> bool:
        within = not under or f"{kind.field}.".startswith(f"{under}.")
        return within and (not codes or kind.code in codes) and (not errors_only or kind.severity is Severity.ERROR)

    among = "" if ordinals is None else f" AND stretch IN ({tx.dialect.numbers.format('?')})"
    stretches = [] if ordinals is None else [json.dumps(sorted({ordinal // STRETCH for ordinal in ordinals}))]
    lines = tx.execute(f"SELECT number, log FROM issues WHERE run = ?{among}", (run, *stretches)).fetchall()
    for number, log in lines:
        before = unpack_issues(log)
        left = before.without(goes, ordinals)
        if not left:
            tx.execute("DELETE FROM issues WHERE number = ?", (number,))
        elif len(left) < len(before):
            tx.execute("UPDATE issues SET log = ? WHERE number = ?", (pack_issues(left), number))


def pack_issues(log: IssueLog) -> bytes:
    """Write issues as an Arrow stream of one batch: `ordinal`, and `issue` as a dictionary of the different ones."""
    import pyarrow as pa  # noqa: PLC0415  # 0.2 s to import, which a list of runs need not wait for

    used, which = _used(log)
    kinds = pa.StructArray.from_arrays([pa.array(texts, pa.string()) for texts in zip(*used, strict=True)], _FIELDS)
    numbers = pa.Array.from_buffers(pa.int32(), len(log), [None, pa.py_buffer(which)])
    ordinals = pa.Array.from_buffers(pa.int64(), len(log), [None, pa.py_buffer(log.ordinals)])
    batch = pa.record_batch([ordinals, pa.DictionaryArray.from_arrays(numbers, kinds)], ["ordinal", "issue"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:  # compressed, it takes ten times as long to read
        stream.write_batch(batch)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def unpack_issues(packed: bytes) -> IssueLog:
    """Read what `pack_issues` has written."""
    import pyarrow as pa  # noqa: PLC0415

    batch = pa.ipc.open_stream(packed).read_next_batch()
    ordinals, which = (
        array(typecode, column.to_numpy().tobytes())
        for typecode, column in (("q", batch.column("ordinal")), ("i", batch.column("issue").indices))
    )
    *texts, severities = (part.to_numpy(zero_copy_only=False) for part in batch.column("issue").dictionary.flatten())
    return IssueLog(list(map(IssueKind, *texts, map(_SEVERITIES.__getitem__, severities))), ordinals, which)


def _used(log: IssueLog) -> tuple[list[IssueKind], array[int]]:
    """Leave out the kinds that no row has (any more)."""
    numbers = {number: place for place, number in enumerate(dict.fromkeys(log.which))}
    return [log.kinds[number] for number in numbers], array("i", map(numbers.__getitem__, log.which))


def _stretches(log: IssueLog) -> Iterator[tuple[int, IssueLog]]:
    """Cut a log where lines of the table end."""
    at = 0
    while at < len(log):
        number = log.ordinals[at] // STRETCH
        yield number, log.between(number * STRETCH, (number + 1) * STRETCH)
        at = bisect_left(log.ordinals, (number + 1) * STRETCH, at)
