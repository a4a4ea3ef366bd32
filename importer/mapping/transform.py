"""The user's own function goes over the rows, before columns are mapped: from a table of texts to a table of texts.

It gets the rows chunk by chunk, cut anywhere, and so it has to act on every row by itself. What it returns is held
against what it was given; where it fails, the first row on which it does is looked for. No message holds a cell.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from importer.errors import TransformError
from importer.frames import text_frame
from importer.labels import named, quotable
from importer.mapping.source_cells import SourceColumns
from importer.mapping.user_code import FAILURES, Function, load, module_text, what_happened, where
from importer.profile.transform import TransformSettings
from importer.records import Issue, RawBatch, SourceInfo

_TEXT: Final = "str"
"""The type that a column of texts has in pandas."""
_OTHER_ROWS = (
    "It must return the rows that it was given, in their order and with their index;"
    " after a merge, .set_axis(frame.index) puts the index back."
)


@dataclass(slots=True)
class Transform:
    """The function of one profile, for one source.

    Args:
        settings: where it stands.
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
        return cls(settings, info.columns, tuple(tried._made_of(rows).columns))  # its own class

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
            raise self._refused(
                f"returned other columns from row {made.index[0]} on than for the first rows: {what}",
                "It must make the same columns of any rows, whatever stands in them.",
            )
        return made if tuple(made.columns) == self.makes else made[list(self.makes)]

    # ------------------------------------------------------------------ the call

    def _made_of(self, given: pd.DataFrame) -> pd.DataFrame:
        function = load(self.settings)
        try:
            made = _called(function, given)
        except FAILURES as error:
            raise self._failed(function, given, error) from None
        return self._checked(given, made)

    def _failed(self, function: Function, given: pd.DataFrame, error: BaseException) -> TransformError:
        failure, rows = _first_failure(function, given, error)
        place = f"{what_happened(failure)} in {where(self.settings, failure)}"
        hint = "Fix that line. What the error says is not shown: it may hold a cell's text."
        if rows.empty:
            return self._refused(f"failed on a table without rows: {place}", hint)
        if len(rows) == 1:
            return self._refused(f"failed on row {rows.index[0]}: {place}", hint)
        return self._refused(
            f"failed on rows {rows.index[0]} to {rows.index[-1]} together: {place}",
            "It gets the rows in chunks that end anywhere, so it must act on every row by itself.",
        )

    # ------------------------------------------------------------------ what it returned

    def _checked(self, given: pd.DataFrame, made: Any) -> pd.DataFrame:
        if not isinstance(made, pd.DataFrame):
            raise self._refused(f"returned {_kind(made)} instead of a DataFrame", "Let it end with: return frame")
        if len(made) != len(given):
            raise self._refused(f"returned {len(made):,} rows for {len(given):,}", _OTHER_ROWS)
        if not made.index.equals(given.index):
            raise self._refused("returned its rows in another order, or with another index", _OTHER_ROWS)
        self._check_names(list(made.columns))
        texts = {name: self._texts(made.iloc[:, place]) for place, name in enumerate(made.columns)}
        return pd.DataFrame(texts, index=given.index, copy=False)

    def _check_names(self, names: Sequence[Any]) -> None:
        wrong = [name for name in names if not isinstance(name, str)]
        if wrong:
            raise self._refused(
                f"returned a column that is named by {_kind(wrong[0])} instead of a text",
                'Name every column: frame.columns = ["…", "…"]',
            )
        twice = quotable(name for name in dict.fromkeys(names) if names.count(name) > 1)
        if len(set(names)) < len(names):
            raise self._refused(
                f"returned several columns of one name{f': {named(twice[0])}' if twice else ''}",
                "Rename or drop all of them but one.",
            )

    def _texts(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """A column as texts.

        Raises:
            TransformError: not every value is one.
        """
        blank = column.isna()
        if blank.any():
            raise self._no_text(column, int(blank.to_numpy().argmax()), '.fillna("") makes it blank')
        if column.dtype == _TEXT:
            return column
        if not isinstance(column.dtype, pd.StringDtype):
            others = (place for place, value in enumerate(column) if not isinstance(value, str))
            if (place := next(others, None)) is not None:
                raise self._no_text(column, place, '.astype("str") makes texts of a column')
        try:
            return column.astype(_TEXT)
        except UnicodeError:
            raise self._refused(f"returned texts in column {named(str(column.name))} that are not Unicode") from None

    def _no_text(self, column: pd.Series[Any], place: int, how: str) -> TransformError:
        what = f"{_kind(column.iloc[place])} instead of a text"
        return self._refused(
            f"returned {what} in column {named(str(column.name))}, row {column.index[place]}",
            f"Every cell must be a text: {how}.",
        )

    def _refused(self, what: str, hint: str = "") -> TransformError:
        return TransformError(f"{self.settings.key} {what}.", hint)


def _kind(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT:
        return str(value)
    return "NaN" if isinstance(value, float) and value != value else f"a value of type {type(value).__name__}"  # noqa: PLR0124


# --------------------------------------------------------------------------- the call


def _called(function: Function, frame: pd.DataFrame) -> Any:
    with redirect_stdout(sys.stderr):  # what it prints is no part of what a command says
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
        sample: its first rows; None: there are none, or they are not at hand.
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
