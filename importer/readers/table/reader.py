"""The reader of every format: numbered records become batches under named columns. Judges tables, never customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from importer.core.batches import RawBatch
from importer.core.columns import Keeps
from importer.core.errors import EmptySourceError, SourceError
from importer.core.frames import frame_of
from importer.core.issues import Issue, Severity
from importer.core.labels import counted
from importer.core.sources import Detected, SourceInfo
from importer.profile.settings import SourceSettings
from importer.readers.corrections import read_corrections
from importer.readers.table.blocks import Block, Mark, Origin
from importer.readers.table.columns import Columns, name_columns, own_end
from importer.readers.table.corrected import Correcting
from importer.readers.table.damage import Damage
from importer.readers.table.header import Header, Numbered, find_header, last_filled, table_width
from importer.readers.table.ragged import Ragged
from importer.readers.table.row_filter import after, hold_footer, join, without_blank, without_header_again

_SAMPLE_ROWS = 300


class TableReader:
    """Reads one origin as a table with a header.

    Args:
        origin: the open file; closed with the reader.
        settings: `[source]` of the profile.
        name: the source's name for people.
        keeps: which of the importer's own added columns are read like any others.
        header: the header, of an origin that knows it and has data rows only; None: it is to be found.

    Raises:
        SourceError: no header, no data row, too many columns, or corrections that do not fit.
    """

    def __init__(
        self,
        origin: Origin,
        settings: SourceSettings,
        name: str,
        *,
        keeps: Keeps = "none",
        header: Header | None = None,
    ) -> None:
        self._origin = origin
        self._settings = settings
        self._name = name
        self._keeps = keeps
        self._noticed: dict[int, Sequence[Mark]] = {}
        self._is_known = header is not None
        sample = [] if header else self._sample()
        self._header = header or find_header(sample, settings.header_row, name)
        self._require_sound_header()
        below = [cells for number, cells in sample if number > self._header.number]
        self._columns = self._name_columns(below)
        self._ragged = Ragged(self._columns, len(self._header.cells), below, grid=origin.grid)
        self._found_later: tuple[str, ...] | None = None
        self._corrections = read_corrections(settings.corrections, settings.limits) if settings.corrections else None
        self._require_data()

    @property
    def info(self) -> SourceInfo:
        """What the source is; its warnings grow once all batches were read."""
        header = self._header
        found = [] if self._is_known else [Detected("header_row", str(header.number), header.confidence, header.note)]
        if self._corrections is not None:
            found.append(self._corrections.detected)
        return SourceInfo(
            name=self._name,
            format=self._origin.format,
            columns=self._columns.names,
            sheet=self._origin.sheet,
            detected=(*self._origin.detected, *found),
            warnings=tuple(
                dict.fromkeys((*self._origin.warnings, *self._columns.warnings, *(self._found_later or ())))
            ),
            sheets=tuple(getattr(self._origin, "sheets", ())),  # formats of third parties may be older
            other_tables=tuple(getattr(self._origin, "other_tables", ())),
        )

    def batches(self) -> Iterator[RawBatch]:
        """Yield the data rows; from the start at every call."""
        ordinal = 0
        damage = Damage(self._columns, counting=self._found_later is None)
        for block in self._data_blocks(damage):
            for batch in self._cut(block, ordinal):
                ordinal += len(batch)
                yield batch
            self._check_rows(ordinal)
            if ordinal == self._settings.limit:
                return

    def close(self) -> None:
        """Release the file."""
        self._origin.close()

    def _sample(self) -> list[Numbered]:
        """Return the first records, and remember what was noticed about them."""
        sample: list[Numbered] = []
        wanted = self._settings.header_row
        size = _SAMPLE_ROWS + (0 if wanted == "auto" else wanted)
        for block in self._origin.blocks():
            for i, numbered in enumerate(zip(block.numbers, block.as_rows(), strict=True)):
                sample.append(numbered)
                self._noticed[numbered[0]] = block.marks.get(i, ())
            if len(sample) >= size:
                break
        if not self._origin.grid:
            self._check_width(max((len(cells) for _, cells in sample), default=0))
        return sample[:size]

    def _require_sound_header(self) -> None:
        for mark in self._noticed.get(self._header.number, ()):
            if mark.severity is Severity.ERROR:
                raise SourceError(f"The header of '{self._name}' cannot be read.", mark.message)

    def _name_columns(self, below: Sequence[Sequence[str]]) -> Columns:
        own, added = own_end(self._header.cells)
        if own == added:
            width = table_width(self._header, below, grid=self._origin.grid, name=self._name)
            beyond = range(0)
        else:  # a returned file: its added columns are behind the table
            table = replace(self._header, cells=self._header.cells[:added])
            inside = [cells[:added] for cells in below]
            beyond = range(table_width(table, inside, grid=self._origin.grid, name=self._name), added)
            width = last_filled(self._header.cells)
        self._check_width(width)
        cells = list(self._header.cells[:width])
        names = cells + [""] * (width - len(cells))
        return name_columns(names, self._header.groups, beyond, keeps=self._keeps)

    def _check_width(self, width: int) -> None:
        limit = self._settings.limits.max_columns
        if width > limit:
            raise SourceError(
                f"'{self._name}' has {width:,} columns, more than the {limit:,} that are allowed.",
                "Remove the columns that are not needed, or raise max_columns in [source.limits].",
            )

    def _require_data(self) -> None:
        if not any(block.numbers for block in self._data_blocks(Damage(self._columns))):
            raise EmptySourceError(
                f"'{self._name}' has a header but no data rows.", "Add the customers under it, or export them again."
            )

    def _data_blocks(self, damage: Damage) -> Iterator[Block]:
        """Yield blocks of data rows only: no header, no blank rows, no footer, all of one width."""
        if self._is_known:
            yield from self._known_blocks(damage)
            return
        held: Block | None = None
        again = cut = 0
        for raw in self._records():
            block = without_blank(raw)
            block, repeats = without_header_again(block, self._header.cells)
            again += repeats
            cut = block.numbers[-1] if block.unterminated and block.numbers else 0
            if not block.numbers:
                continue
            block, held = hold_footer(join(held, block), self._columns.width)
            if block.numbers:
                yield self._watched(block, damage)
        if self._found_later is None:
            self._found_later = (*damage.warnings(), *_left_out(held), *_repeated(again), *_unterminated(cut))

    def _known_blocks(self, damage: Damage) -> Iterator[Block]:
        """The same where every record is a data row: nothing but blank rows is left out."""
        for raw in self._records():
            block = without_blank(raw)
            if block.numbers:
                yield self._watched(block, damage)
        if self._found_later is None:
            self._found_later = damage.warnings()

    def _records(self) -> Iterator[Block]:
        """Yield the records below the header, all of one width, with their corrections."""
        fitted = (self._ragged.fit(after(raw, self._header.number)) for raw in self._origin.blocks())
        if self._corrections is None:
            yield from fitted
            return
        correcting = Correcting(self._corrections, self._columns, self._name)
        yield from map(correcting.block, fitted)
        correcting.end()

    def _watched(self, block: Block, damage: Damage) -> Block:
        found = damage.observe(block)
        for i, marks in found.items():
            before = block.marks.get(i, ())
            known = {(mark.code, mark.column) for mark in before}
            fresh = (mark for mark in marks if (mark.code, mark.column) not in known)
            block.marks = {**block.marks, i: [*before, *fresh]}
        return block

    def _cut(self, block: Block, ordinal: int) -> Iterator[RawBatch]:
        size, limit, count = self._settings.batch_rows, self._settings.limit, len(block.numbers)
        total = count if limit is None else min(count, limit - ordinal)
        table = block.named(self._columns.picks, self._columns.names)
        for at in range(0, total, size):
            to = min(at + size, total)
            issues = _issues(block.marks, at, to, ordinal, self._columns) if block.marks else ()
            surplus = {i - at: found for i, found in block.surplus.items() if at <= i < to}
            yield RawBatch(ordinal + at, frame_of(table.slice(at, to - at), block.numbers[at:to]), issues, surplus)

    def _check_rows(self, count: int) -> None:
        limit = self._settings.limits.max_rows
        if count > limit:
            raise SourceError(
                f"'{self._name}' has more than the {limit:,} rows that are allowed.",
                "Split the file, or raise max_rows in [source.limits].",
            )


def _left_out(footer: Block | None) -> tuple[str, ...]:
    if footer is None or not footer.numbers:
        return ()
    first, last = footer.numbers[0], footer.numbers[-1]
    where = f"Row {first:,} looks" if first == last else f"Rows {first:,} to {last:,} look"
    return (f"{where} like totals or a remark under the table, and was left out.",)


def _repeated(again: int) -> tuple[str, ...]:
    if not again:
        return ()
    were = "was" if again == 1 else "were"
    return (f"The header is repeated in {counted(again, 'row')} below it, which {were} left out.",)


def _unterminated(row: int) -> tuple[str, ...]:
    if not row:
        return ()
    return (f"The file ends without a line end: if it was cut off, its last row ({row:,}) is not complete.",)


def _issues(marks: Mapping[int, Sequence[Mark]], at: int, to: int, ordinal: int, columns: Columns) -> tuple[Issue, ...]:
    names = dict(zip(columns.picks, columns.names, strict=True))
    return tuple(
        Issue(ordinal + i, mark.code, mark.message, column=names.get(mark.column, ""), severity=mark.severity)
        for i in sorted(marks)
        if at <= i < to
        for mark in marks[i]
    )
