"""Corrections of a source: each is used once, none meets a cell it was not made for, marks go too."""

from __future__ import annotations

from contextlib import closing
from gzip import compress
from pathlib import Path

import pytest

from importer.core.corrections import Correction
from importer.core.errors import SourceError
from importer.core.ports import Reader
from importer.profile.settings import SourceLimits, SourceSettings
from importer.readers import open_handed_out, open_source, read_corrections, write_corrections

PEOPLE = "Name,Phone,Note\nAnn,555-0101,\nBo,#N/A,\nCy,555-0103,x\n"
HEADER = "row,column,before,after\n"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    return tmp_path / "people.csv"


def opened(source: Path, corrections: str | bytes, **how: object) -> Reader:
    path = source.parent / "corrections.csv"
    path.write_bytes(corrections if isinstance(corrections, bytes) else corrections.encode())
    return open_source(source, SourceSettings.model_validate({"corrections": path, **how}))


def rows(reader: Reader) -> list[list[str]]:
    with closing(reader):
        return [list(row) for batch in reader.batches() for row in zip(*batch.cells, strict=True)]


def codes(reader: Reader) -> list[str]:
    with closing(reader):
        return [issue.code for batch in reader.batches() for issue in batch.issues]


def test_cells_are_read_as_corrected_and_what_was_wrong_with_them_is_gone(people: Path) -> None:
    said = HEADER + "3,Phone,#N/A,555-0102\n4,Note,x,\n"

    assert rows(opened(people, said)) == [["Ann", "555-0101", ""], ["Bo", "555-0102", ""], ["Cy", "555-0103", ""]]
    assert codes(open_source(people, SourceSettings())) == ["cell_error"]
    assert codes(opened(people, said)) == []


def test_a_correction_that_damages_a_cell_is_noticed_as_the_file_would_be(people: Path) -> None:
    assert codes(opened(people, HEADER + "2,Phone,555-0101,4.16E+09\n3,Phone,#N/A,\n")) == ["number_shortened"]


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_every_batch_of_every_pass_is_corrected(people: Path, batch_rows: int) -> None:
    with closing(opened(people, HEADER + "2,Name,Ann,A\n4,Name,Cy,C\n", batch_rows=batch_rows)) as reader:
        passes = [[name for batch in reader.batches() for name in batch.cells[0]] for _ in range(2)]

    assert passes == [["A", "Bo", "C"]] * 2


def test_a_packed_file_is_corrected_too(people: Path) -> None:
    packed = people.with_name("people.csv.gz")
    packed.write_bytes(compress(PEOPLE.encode()))

    assert rows(opened(packed, HEADER + "2,Name,Ann,A\n"))[0][0] == "A"


def test_only_what_is_read_has_to_fit(people: Path) -> None:
    assert rows(opened(people, HEADER + "2,Name,Ann,A\n4,Name,Cy,C\n", limit=1)) == [["A", "555-0101", ""]]


def test_the_reader_says_that_cells_are_corrected(people: Path) -> None:
    with closing(opened(people, HEADER + "2,Name,Ann,A\n")) as reader:
        found = [(one.value, one.note) for one in reader.info.detected if one.what == "corrections"]

    assert found == [("corrections.csv", "1 cell")]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("2,Name,Anna,A\n", "corrects row 2, column 'Name', and 'people.csv' does not hold there what it says."),
        ("5,Name,Di,D\n", "corrects row 5, and 'people.csv' has no such row."),
        ("1,Name,Name,N\n", "corrects row 1, and 'people.csv' has no such row."),
        ("2,Names,Ann,A\n", "corrects the column 'Names', which 'people.csv' does not have; did you mean 'Name'?"),
        ("2,_extra_1,a,\n", "corrects row 2, column '_extra_1', and 'people.csv' does not hold there what it says."),
        ("2,Name,Ann,A\n2,Name,Ann,B\n", "Line 3 of 'corrections.csv' corrects a cell that an earlier line"),
        ("x,Name,Ann,A\n", "Line 2 of 'corrections.csv' names no row"),
        ("2,Name,Ann\n", "Line 2 of 'corrections.csv' has only 3 cells."),
        ('2,Name,"Ann"x,A\n', "Line 2 of 'corrections.csv' cannot be read as CSV."),
        ("2,Name,Ann,A\0\n", "Line 2 of 'corrections.csv' holds a zero byte."),
    ],
)
def test_what_does_not_fit_is_refused_without_a_cell_in_the_message(people: Path, said: str, message: str) -> None:
    with pytest.raises(SourceError) as refused:
        rows(opened(people, HEADER + said))

    assert message in str(refused.value)
    assert "Ann" not in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"row,column,after\n2,Name,A\n", "The file of corrections 'corrections.csv' has no column 'before'."),
        (b"", "is empty"),
        (HEADER.encode() + b"2,Name,Ann,\xe9\n", "The corrections in 'corrections.csv' are not UTF-8 text."),
    ],
)
def test_a_file_that_holds_no_corrections_is_refused(people: Path, content: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message.replace(".", r"\.")):
        opened(people, content)


def test_corrections_that_are_not_there_are_refused(people: Path) -> None:
    with pytest.raises(SourceError, match="There is no file"):
        open_source(people, SourceSettings(corrections=people.with_name("gone.csv")))


def test_a_spreadsheet_program_may_have_saved_the_corrections(people: Path) -> None:
    said = '\ufeffRow;Column;Before;After;Why\r\n\r\n2;Name;Ann;"A;\r\nB";as told\r\n'

    assert rows(opened(people, said))[0][0] == "A;\r\nB"


# --------------------------------------------------------------------------- the shape of rows


def test_a_row_with_surplus_cells_is_in_shape_once_they_are_corrected_to_blank_ones(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Name,Street,City\n" + "Ann,Main St 1,Springfield\n" * 4 + "Bo,Main St 2, Apt 3,Springfield\n")
    moved = "6,Street,Main St 2,Main St 2 Apt 3\n6,City, Apt 3,Springfield\n"
    gone = "6,_extra_1,Springfield,\n"

    assert codes(opened(path, HEADER + moved)) == ["row_too_long"]
    assert codes(opened(path, HEADER + moved + gone)) == []
    assert rows(opened(path, HEADER + moved + gone))[-1] == ["Bo", "Main St 2 Apt 3", "Springfield"]


def test_a_short_row_is_in_shape_once_its_last_cell_is_corrected_or_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Name,Street,City\n" + "Ann,Main St 1,Springfield\n" * 4 + "Bo,Springfield\n")

    assert codes(opened(path, HEADER + "6,Name,Bo,Bob\n")) == ["row_too_short"]
    assert codes(opened(path, HEADER + "6,Street,Springfield,\n6,City,,Springfield\n")) == []
    assert codes(opened(path, HEADER + "6,City,,\n")) == []


# --------------------------------------------------------------------------- files that came back


def test_what_came_back_fixed_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    path.write_text("Name,_row,_run\nAnn,2,R\n")
    write_corrections([Correction(2, "Name", "Ann", "A")], tmp_path / "corrections.csv")
    settings = SourceSettings(corrections=tmp_path / "corrections.csv")

    back = open_handed_out(path, settings)
    assert back is not None
    assert rows(back)[0][0] == "Ann"
    assert rows(open_source(path, settings)) == [["A"]]


def test_no_more_of_a_file_of_corrections_is_read_than_its_limit(people: Path) -> None:
    path, limits = people.with_name("corrections.csv"), SourceLimits(max_file_bytes=10)
    path.write_text(HEADER + "2,Name,Ann,A\n")

    with pytest.raises(SourceError, match="larger than the 10 bytes"):
        read_corrections(path, limits)
