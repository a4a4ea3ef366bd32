"""The user's own function goes over the rows, before columns are mapped: from a table of texts to a table of texts.

It gets the rows chunk by chunk, cut anywhere, and so it has to act on every row by itself. What it returns is held
against what it was given; where it fails, the first row on which it does is looked for. No message holds a cell.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from importer.core.batches import RawBatch
from importer.core.errors import TransformError
from importer.core.frames import text_frame
from importer.core.issues import Issue
from importer.core.labels import named
from importer.core.sources import SourceInfo
from importer.mapping.source_cells import SourceColumns
from importer.mapping.transform_result import checked, refused
from importer.mapping.user_code import FAILURES, Function, load, module_text, what_happened, where
from importer.profile.transform import TransformSettings


@dataclass(slots=True)
class Transform:
    """The function of one profile, for one source.

    Args:
        settings: where it is.
        takes: the names of the source's columns.
        makes: the names of the columns that it returns.
    """

    settings: TransformSettings
    takes: tuple[str, ...]
    makes: tuple[str, ...] = ()
    _last: tuple[RawBatch, RawBatch] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: TransformSettings, info: SourceInfo, sample: RawBatch | None) -> Transform:
        """See what a function makes of a source.

        Args:
            sample: its first rows; None: it has none, and the function is tried on an empty table.

        Raises:
            ProfileError: it cannot be loaded.
            TransformError: it fails on the sample.
        """
        tried = cls(settings, info.columns)
        rows = _given(sample) if sample else text_frame(info.columns, [[]] * len(info.columns), [])
        made = tried._made_of(rows)  # its own class
        transform = cls(settings, info.columns, tuple(made.columns))
        transform._require_row_by_row(rows, made)
        return transform

    def __call__(self, batch: RawBatch) -> RawBatch:
        """Make the rows that are mapped of those of the source.

        Returns:
            The rows as the function returned them; of the issues, those of cells that it left as they were.

        Raises:
            TransformError: the function fails on them.
        """
        if self._last is None or self._last[0] is not batch:
            given = _given(batch)
            made = self._as_at_first(self._made_of(given))
            self._last = batch, replace(batch, frame=made, issues=_standing(batch, given, made))
        return self._last[1]

    def __reduce__(self) -> tuple[Any, ...]:
        return Transform, (self.settings, self.takes, self.makes)

    def _as_at_first(self, made: pd.DataFrame) -> pd.DataFrame:
        missing = [name for name in self.makes if name not in made.columns]
        new = [name for name in made.columns if name not in self.makes]
        if missing or new:
            what = f"{named(missing[0])} is missing" if missing else f"{named(new[0])} is new"
            raise refused(
                self.settings,
                f"returned other columns from row {made.index[0]} on than for the first rows: {what}",
                "It must make the same columns of any rows, whatever they hold.",
            )
        return made if tuple(made.columns) == self.makes else made[list(self.makes)]

    def _require_row_by_row(self, given: pd.DataFrame, made: pd.DataFrame) -> None:
        """Refuse a function of which a row's texts depend on the rows around it, or on chance."""
        half = len(given) // 2
        parts = [self._as_at_first(self._made_of(part)) for part in (given.iloc[:half], given.iloc[half:]) if len(part)]
        if len(parts) < 2:
            return
        differs = (pd.concat(parts) != made).any(axis="columns")
        if differs.any():
            raise refused(
                self.settings,
                f"returned other texts for row {differs.idxmax()} when it got fewer rows at once",
                "It gets the rows in chunks that end anywhere, and more than once:"
                " a row's texts must depend on that row alone.",
            )

    # ------------------------------------------------------------------ the call

    def _made_of(self, given: pd.DataFrame) -> pd.DataFrame:
        function = load(self.settings)
        try:
            made = _called(function, given)
        except FAILURES as error:
            raise self._failed(function, given, error) from None
        return checked(self.settings, given, made)

    def _failed(self, function: Function, given: pd.DataFrame, error: BaseException) -> TransformError:
        failure, rows = _first_failure(function, given, error)
        place = f"{what_happened(failure)} in {where(self.settings, failure)}"
        hint = "Fix that line. What the error says is not shown: it may hold a cell's text."
        if rows.empty:
            return refused(self.settings, f"failed on a table without rows: {place}", hint)
        if len(rows) == 1:
            return refused(self.settings, f"failed on row {rows.index[0]}: {place}", hint)
        return refused(
            self.settings,
            f"failed on rows {rows.index[0]} to {rows.index[-1]} together: {place}",
            "It gets the rows in chunks that end anywhere, so it must act on every row by itself.",
        )


# --------------------------------------------------------------------------- the call


def _called(function: Function, frame: pd.DataFrame) -> Any:
    with redirect_stdout(sys.stderr):  # what it prints is not part of what a command says
        return function(frame.copy(deep=False))  # copied where it is written to: the rows stay the source's


def _first_failure(function: Function, frame: pd.DataFrame, error: BaseException) -> tuple[BaseException, pd.DataFrame]:
    """Find the first row on which it fails, by halves; several rows, where it takes each half of them."""
    if len(frame) < 2:
        return error, frame
    half = len(frame) // 2
    for part in (frame.iloc[:half], frame.iloc[half:]):
        try:
            _called(function, part)
        except FAILURES as failure:
            return _first_failure(function, part, failure)
    return error, frame


# --------------------------------------------------------------------------- rows as a table


def _given(batch: RawBatch) -> pd.DataFrame:
    """The rows as the function gets them. A cell that shows an error, or was never calculated, holds nothing."""
    frame, source = batch.frame.copy(deep=False), SourceColumns(batch)
    for name in {issue.column for issue in batch.issues}.intersection(frame.columns):
        frame[name] = source.column(name)
    return frame


def _standing(batch: RawBatch, given: pd.DataFrame, made: pd.DataFrame) -> tuple[Issue, ...]:
    """The issues of cells that are as they were, so that what was found wrong with them still counts."""
    of_cells = {issue.column for issue in batch.issues}.intersection(given.columns)
    same = {name: (given[name] == made[name]).to_numpy() for name in of_cells.intersection(made.columns)}
    return tuple(
        issue
        for issue in batch.issues
        if issue.column not in of_cells or (issue.column in same and same[issue.column][issue.ordinal - batch.first])
    )


@dataclass(frozen=True, slots=True)
class Table:
    """A source as columns are looked for in it: as it is, or as the user's own function returns it.

    Args:
        info: what it is, with the columns that are looked for.
        sample: its first rows; None: there are none, or they are not available.
        transform: the function; None: there is none.
    """

    info: SourceInfo
    sample: RawBatch | None = None
    transform: Transform | None = None

    @classmethod
    def of(
        cls, settings: TransformSettings, info: SourceInfo, sample: RawBatch | None = None, makes: Sequence[str] = ()
    ) -> Table:
        """See a source as a profile has it seen.

        Args:
            info: the source's own.
            sample: the same.
            makes: the columns that the function makes, where they are known; empty: they are seen on the sample.

        Raises:
            ProfileError: the function cannot be loaded, or fails.
            SourceChangedError: it is not the one that the profile found.
        """
        if not settings.function:
            return cls(info, sample)
        module_text(settings)
        transform = Transform(settings, info.columns, tuple(makes)) if makes else Transform.of(settings, info, sample)
        seen = replace(info, columns=transform.makes)
        return cls(seen, transform(sample) if sample else None, transform)

    def rows(self, batches: Iterable[RawBatch]) -> Iterable[RawBatch]:
        """Batches of the source with the columns that are looked for."""
        return batches if self.transform is None else map(self.transform, batches)
