"""A DataFrame as a source: the texts of its values, what is refused, and what it keeps of the reading of a file."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from importer.core.errors import EmptySourceError, SourceError
from importer.core.issues import Issue, Severity
from importer.profile.settings import SourceLimits, SourceSettings
from importer.readers import is_frame, is_returned, open_frame, open_source
from importer.readers.dataframe.origin import frame_hash, write_csv
from importer.readers.dataframe.reading import read_frame

SETTINGS = SourceSettings()


def texts(values: Any) -> list[str]:
    """What a column is read as, its blank cells among them."""
    frame = pd.DataFrame({"Key": "k", "Value": values})
    return [cell for batch in open_frame(frame, SETTINGS).batches() for cell in batch.frame["Value"]]


def refusal(values: Any) -> SourceError:
    with pytest.raises(SourceError) as caught:
        texts(values)
    return caught.value


def issues(frame: pd.DataFrame, **settings: Any) -> list[tuple[int, Issue]]:
    reader = open_frame(frame, SourceSettings(**settings))
    return [(batch.rows[one.ordinal - batch.first], one) for batch in reader.batches() for one in batch.issues]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", " b ", ""], ["a", " b ", ""]),
        (pd.Series(["a", None, "c"], dtype="str"), ["a", "", "c"]),
        (pd.Series(["a", pd.NA, "c"], dtype="string"), ["a", "", "c"]),
        (pd.Series(["a", None, np.nan], dtype=object), ["a", "", ""]),
        ([7, 0, -3], ["7", "0", "-3"]),
        (pd.Series([2**53 + 1, 1], dtype="int64"), ["9007199254740993", "1"]),
        (pd.Series([7, None], dtype="Int64"), ["7", ""]),
        (pd.Series([2**64 - 1], dtype="uint64"), ["18446744073709551615"]),
        ([4155550100.0, np.nan, -0.0], ["4155550100", "", "0"]),
        ([True, False], ["TRUE", "FALSE"]),
        (pd.Series([True, None], dtype="boolean"), ["TRUE", ""]),
        (pd.to_datetime(["1984-02-03", ""]), ["1984-02-03", ""]),
        ([date(1984, 2, 3), None], ["1984-02-03", ""]),
        (pd.Series([datetime(1984, 2, 3), "later", 5, None], dtype=object), ["1984-02-03", "later", "5", ""]),  # noqa: DTZ001
        (pd.Categorical(["x", None, "y"]), ["x", "", "y"]),
        (pd.Categorical([3, 4, 3]), ["3", "4", "3"]),
        (pd.Series(["a", None], dtype=pd.ArrowDtype(__import__("pyarrow").string())), ["a", ""]),
        (pd.Series([np.int8(3), np.float64(4.0), np.str_("s")], dtype=object), ["3", "4", "s"]),
    ],
)
def test_values_are_read_as_the_one_text_that_they_mean(values: Any, expected: list[str]) -> None:
    assert texts(values) == expected


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([1.0, 2.5], "decimal numbers"),
        ([float("inf"), 1.0], "decimal numbers"),
        ([1.0, 1e15], "more than 15 digits"),
        (pd.to_datetime(["1984-02-03 10:30"]), "times of day"),
        (pd.to_datetime(["1984-02-03"]) + pd.Timedelta(1, "ns"), "times of day"),
        (pd.to_datetime(["1984-02-03"]).tz_localize("UTC"), "a time zone"),
        ([datetime(1984, 2, 3, tzinfo=UTC)], "a time zone"),
        ([Decimal("1.50")], "the type Decimal"),
        ([b"bytes"], "the type bytes"),
        ([["a", "b"]], "the type list"),
        (pd.to_timedelta(["1 day"]), "the type Timedelta"),
        (pd.period_range("2020-01", periods=1, freq="M"), "the type Period"),
        ([1 + 2j], "the type complex"),
    ],
)
def test_what_can_be_written_in_several_ways_is_refused_with_the_column_and_a_way_out(values: Any, what: str) -> None:
    error = refusal(values)

    assert what in error.message
    assert "The column 'Value' of 'frame'" in error.message
    assert "(the first in row " in error.message
    assert "frame['Value'] = frame['Value']" in error.hint


def test_a_refusal_names_the_row_and_quotes_no_value() -> None:
    frame = pd.DataFrame({"Key": "k", "dana@example.com": [1.0, 2.0, 3.75]}, index=[5, 8, 13])

    with pytest.raises(SourceError, match="the first in row 13") as caught:
        list(open_frame(frame, SETTINGS).batches())
    assert "3.75" not in str(caught.value)
    assert "dana" not in str(caught.value)


def test_half_of_a_character_is_refused() -> None:
    assert "half a character" in refusal(pd.Series(["ok", "\ud800"], dtype=object)).message


def test_a_cell_that_is_too_long_is_refused() -> None:
    frame = pd.DataFrame({"A": ["x" * 11]})
    with pytest.raises(SourceError, match="more than the 10 characters"):
        open_frame(frame, SourceSettings(limits=SourceLimits(max_cell_chars=10)))


@pytest.mark.parametrize(
    ("limits", "message"),
    [(SourceLimits(max_columns=1), "2 columns"), (SourceLimits(max_rows=2), "more than the 2 rows")],
)
def test_the_limits_of_files_hold(limits: SourceLimits, message: str) -> None:
    frame = pd.DataFrame({"A": ["x"] * 3, "B": ["y"] * 3})
    with pytest.raises(SourceError, match=message):
        list(open_frame(frame, SourceSettings(limits=limits)).batches())


# --------------------------------------------------------------------------- shape


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame([["a", "b"]]), "Column 1 of the DataFrame 'frame' has no name"),
        (pd.DataFrame([["a", "b"]], columns=["A", " "]), "Column 2 of the DataFrame 'frame' has no name"),
        (pd.DataFrame([["a", "b"]], columns=["A", None]), "Column 2 of the DataFrame 'frame' has no name"),
        (pd.DataFrame([["a", "b"]], columns=["A", "A"]), "Column 2 of the DataFrame 'frame' has the name of another"),
        (pd.DataFrame([["a", "b"]], columns=pd.MultiIndex.from_tuples([("x", "A"), ("x", "B")])), "of 2 levels"),
    ],
)
def test_columns_that_cannot_be_named_are_refused(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        open_frame(frame, SETTINGS)
    assert caught.value.hint


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame(columns=["A", "B"]), pd.DataFrame(index=[1, 2])])
def test_a_frame_without_rows_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(EmptySourceError, match="has no rows"):
        open_frame(frame, SETTINGS)


def test_rows_that_are_blank_are_left_out_and_leave_their_numbers() -> None:
    frame = pd.DataFrame({"A": ["x", None, "z"], "B": ["1", "", "3"]})

    (batch,) = open_frame(frame, SETTINGS).batches()

    assert batch.rows == [0, 2]
    with pytest.raises(EmptySourceError, match="no data rows"):
        open_frame(frame.iloc[1:2], SETTINGS)


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (None, [0, 1, 2]),
        ([2, 5, 9], [2, 5, 9]),
        (pd.Index([7, 8, 9], dtype="Int64"), [7, 8, 9]),
        ([3, 1, 2], [1, 2, 3]),
        ([1, 1, 2], [1, 2, 3]),
        ([-1, 0, 1], [1, 2, 3]),
        (["a", "b", "c"], [1, 2, 3]),
        ([1.0, 2.0, 3.5], [1, 2, 3]),
        (pd.MultiIndex.from_product([[1], [1, 2, 3]]), [1, 2, 3]),
    ],
)
def test_the_index_numbers_the_rows_where_it_can(index: Any, rows: list[int]) -> None:
    reader = open_frame(pd.DataFrame({"A": ["x", "y", "z"]}, index=index), SETTINGS)

    assert [row for batch in reader.batches() for row in batch.rows] == rows
    numbered = index is None or rows != [1, 2, 3]
    assert any("numbered from 1" in warning for warning in reader.info.warnings) != numbered


def test_nothing_of_the_rows_is_taken_for_a_header_or_a_footer() -> None:
    frame = pd.DataFrame({"Name": ["Name", "Ann", "Total"], "Mail": ["Mail", "ann@example.com", ""]})

    (batch,) = open_frame(frame, SETTINGS).batches()

    assert batch.frame["Name"].tolist() == ["Name", "Ann", "Total"]


def test_only_the_first_rows_with_a_limit() -> None:
    reader = open_frame(pd.DataFrame({"A": [str(n) for n in range(20_000)]}), SourceSettings(limit=9_000))

    assert sum(map(len, reader.batches())) == 9_000


def test_the_frame_is_neither_changed_nor_followed() -> None:
    frame = pd.DataFrame({"A": ["x", "y"], "B": [1, 2]})
    before = frame.copy()
    reader = open_frame(frame, SETTINGS)
    pd.testing.assert_frame_equal(frame, before)

    frame.loc[0, "A"] = "changed"
    del frame["B"]

    assert [cells for batch in reader.batches() for cells in batch.cells] == [["x", "y"], ["1", "2"]]
    reader.close()
    reader.close()


# --------------------------------------------------------------------------- content


def test_the_same_content_has_the_same_hash_whatever_its_types_and_index() -> None:
    frame = pd.DataFrame({"A": ["1", "", "3"], "B": ["x", "y", "z"]})
    typed = pd.DataFrame({"A": [1, None, 3], "B": pd.Categorical(["x", "y", "z"])}, index=[4, 5, 9])

    assert frame_hash(frame) == frame_hash(typed)


def test_other_content_has_another_hash() -> None:
    base = {"A": ["ab", "c"], "B": ["", "x"]}
    frames = [
        base,
        {"A": ["a", "bc"], "B": ["", "x"]},
        {"A": ["ab", "c"], "B": ["x", ""]},
        {"B": ["", "x"], "A": ["ab", "c"]},
        {"A": ["ab", "c"], "C": ["", "x"]},
        {"A": ["ab", "c", ""], "B": ["", "x", ""]},
    ]

    assert len({frame_hash(pd.DataFrame(one)) for one in frames}) == len(frames)


def test_a_path_is_not_a_frame() -> None:
    assert not is_frame("a.csv")
    assert not is_frame(Path("a.csv"))
    assert is_frame(pd.DataFrame())


# --------------------------------------------------------------------------- what reading found

RAGGED = b'Name,Mail,City\nAnn,ann@example.com,Bath\nBob\nCy,cy@example.com,Rome,extra,more\nDi,"di@example.com,York\n'


def read(tmp_path: Path, content: bytes = RAGGED, name: str = "a.csv") -> pd.DataFrame:
    path = tmp_path / name
    path.write_bytes(content)
    with closing(open_source(path, SETTINGS)) as reader:
        return read_frame(reader, SETTINGS)


def test_a_sound_file_has_its_own_columns_alone(tmp_path: Path) -> None:
    frame = read(tmp_path, b"Name;Mail\nAnn;\n\nBob;bob@example.com\n")

    assert list(frame.columns) == ["Name", "Mail"]
    assert {str(kind) for kind in frame.dtypes} == {"str"}
    assert frame.index.tolist() == [2, 4]
    assert frame.index.name == "row"
    assert frame.loc[2, "Mail"] == ""  # and not a missing value
    assert frame.attrs["name"] == "a.csv"
    assert frame.attrs["detected"]["delimiter"] == ";"
    assert (frame.attrs["format"], frame.attrs["sheet"]) == ("csv", "")


def test_what_is_broken_is_in_columns_of_its_own(tmp_path: Path) -> None:
    frame = read(tmp_path)

    assert list(frame.columns)[3:5] == ["_extra_1", "_extra_2"]
    assert [frame.loc[4, name] for name in ("_extra_1", "_extra_2")] == ["extra", "more"]
    assert frame.loc[3, "_error_code"] == "row_too_short"
    assert frame.loc[5, "_error_code"] == "quotes_broken"
    assert frame.loc[[2, 4], "_error_code"].tolist() == ["", ""]


def test_broken_rows_are_held_until_their_cells_are_made_blank(tmp_path: Path) -> None:
    frame = read(tmp_path)
    assert {row: one.code for row, one in issues(frame)} == {
        3: "row_too_short",
        4: "row_too_long",
        5: "quotes_broken",
    }

    frame.loc[[3, 5], "_error_code"] = ""
    frame.loc[4, ["_extra_1", "_extra_2"]] = ""

    assert issues(frame) == []


def test_broken_rows_are_held_wherever_they_go(tmp_path: Path) -> None:
    frame = read(tmp_path).sort_values("Name", ascending=False, ignore_index=True)
    both = pd.concat([frame, read(tmp_path, b"Name,Mail,City\nEd,ed@example.com,Ulm\n")], ignore_index=True)

    found = {both.loc[row, "Name"]: one.code for row, one in issues(both)}

    assert found == {"Bob": "row_too_short", "Cy": "row_too_long", "Di": "quotes_broken"}


def test_a_cell_that_shows_its_flaw_is_judged_by_what_it_holds_now(tmp_path: Path) -> None:
    frame = read(tmp_path, b"Name,Mail\nAnn,#N/A\nBob,bob@example.com\n")
    assert list(frame.columns) == ["Name", "Mail"]
    assert [(row, one.code, one.column) for row, one in issues(frame)] == [(2, "cell_error", "Mail")]

    frame.loc[2, "Mail"] = "ann@example.com"

    assert issues(frame) == []


def test_verdicts_of_validation_do_not_hold_a_row() -> None:
    frame = pd.DataFrame(
        {"Name": ["Ann"], "_error_code": ["phone_invalid | row_torn"], "_warnings": ["x | zero_byte in 'Name': Odd."]}
    )

    found = [(one.code, one.severity, one.column) for _, one in issues(frame)]

    assert found == [("row_torn", Severity.ERROR, ""), ("zero_byte", Severity.WARNING, "Name")]
    assert open_frame(frame, SETTINGS).info.columns == ("Name",)


def test_a_frame_names_the_run_it_returns_to_and_becomes_a_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Name": ["Ann, or so", None], "_row": [2, 3], "_run": "r", "_http_status": [201.0, None]})
    assert is_returned(frame)
    assert not is_returned(frame.drop(columns="_row"))

    write_csv(frame, tmp_path / "a.csv", SETTINGS)

    assert (tmp_path / "a.csv").read_bytes() == (b'Name,_row,_run,_http_status\r\n"Ann, or so",2,r,201\r\n,3,r,\r\n')


def test_attrs_of_other_programs_do_no_harm() -> None:
    frame = pd.DataFrame({"A": ["x"]})
    frame.attrs = {"name": 5, "sheet": None, "warnings": "none", "other": object()}

    info = open_frame(frame, SETTINGS).info

    assert (info.name, info.sheet, info.warnings) == ("frame", "", ())
