"""What the user's own function returned is held against what it was given: the same rows, and text. Shows no cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from importer.core.errors import TransformError
from importer.core.labels import named, quotable
from importer.profile.transform import TransformSettings

_TEXT: Final = "str"
"""The type that a column of texts has in pandas."""
_OTHER_ROWS = (
    "It must return the rows that it was given, in their order and with their index;"
    " after a merge, .set_axis(frame.index) puts the index back."
)


def refused(settings: TransformSettings, what: str, hint: str = "") -> TransformError:
    """Make the error that says what a function did."""
    return TransformError(f"{settings.key} {what}.", hint)


def checked(settings: TransformSettings, given: pd.DataFrame, made: Any) -> pd.DataFrame:
    """Take what a function returned, as text.

    Args:
        given: the rows that it got.

    Raises:
        TransformError: they are not those rows, or not text.
    """
    if not isinstance(made, pd.DataFrame):
        raise refused(settings, f"returned {_kind(made)} instead of a DataFrame", "Let it end with: return frame")
    if len(made) != len(given):
        raise refused(settings, f"returned {len(made):,} rows for {len(given):,}", _OTHER_ROWS)
    if not made.index.equals(given.index):
        raise refused(settings, "returned its rows in another order, or with another index", _OTHER_ROWS)
    _check_names(settings, list(made.columns))
    texts = {name: _texts(settings, made.iloc[:, place]) for place, name in enumerate(made.columns)}
    return pd.DataFrame(texts, index=given.index, copy=False)


def _check_names(settings: TransformSettings, names: Sequence[Any]) -> None:
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise refused(
            settings,
            f"returned a column that is named by {_kind(wrong[0])} instead of a text",
            'Name every column: frame.columns = ["…", "…"]',
        )
    twice = quotable(name for name in dict.fromkeys(names) if names.count(name) > 1)
    if len(set(names)) < len(names):
        raise refused(
            settings,
            f"returned several columns of one name{f': {named(twice[0])}' if twice else ''}",
            "Rename or drop all of them but one.",
        )


def _texts(settings: TransformSettings, column: pd.Series[Any]) -> pd.Series[Any]:
    """A column as texts.

    Raises:
        TransformError: not every value is one.
    """
    blank = column.isna()
    if blank.any():
        raise _no_text(settings, column, int(blank.to_numpy().argmax()), '.fillna("") makes it blank')
    if column.dtype == _TEXT:
        return column
    if not isinstance(column.dtype, pd.StringDtype):
        others = (place for place, value in enumerate(column) if not isinstance(value, str))
        if (place := next(others, None)) is not None:
            raise _no_text(settings, column, place, '.astype("str") makes texts of a column')
    try:
        return column.astype(_TEXT)
    except UnicodeError:
        raise refused(settings, f"returned texts in column {named(str(column.name))} that are not Unicode") from None


def _no_text(settings: TransformSettings, column: pd.Series[Any], place: int, how: str) -> TransformError:
    what = f"{_kind(column.iloc[place])} instead of a text"
    return refused(
        settings,
        f"returned {what} in column {named(str(column.name))}, row {column.index[place]}",
        f"Every cell must be a text: {how}.",
    )


def _kind(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT:
        return str(value)
    return "NaN" if isinstance(value, float) and value != value else f"a value of type {type(value).__name__}"  # noqa: PLR0124
