"""Records that do not fit their header: what is blank beyond it is nothing, what is text is never lost."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from importer.core.columns import MOST_EXTRA
from importer.core.errors import SourceError
from importer.core.issues import Severity
from importer.profile.settings import SourceSettings
from importer.readers import open_source

HEADER = "firstName,lastName,phone,email"
ANN = "Ann,Green,+14155550101,ann@example.com"
BOB = "Bob,Grey,+14155550102,bob@example.com"
CY = "Cy,Grey,+14155550103,cy@example.com"


@dataclass
class Read:
    """What a reader made of a source."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    numbers: list[int]
    errors: dict[int, list[str]]
    warnings: dict[int, list[str]]
    surplus: dict[int, tuple[str, ...]]
    detected: dict[str, str]


def read(source: Path | str, **settings: object) -> Read:
    """Read a file, or lines of text."""
    stdin = io.BytesIO(source.encode()) if isinstance(source, str) else None
    with closing(open_source("-" if stdin else source, SourceSettings.model_validate(settings), stdin=stdin)) as reader:
        batches = list(reader.batches())
        info = reader.info
    found = Read(info.columns, [], [], {}, {}, {}, {one.what: one.value for one in info.detected})
    for batch in batches:
        found.rows += zip(*batch.cells, strict=True)
        found.numbers += batch.rows
        found.surplus |= {batch.first + place: cells for place, cells in batch.surplus.items()}
        for issue in batch.issues:
            kind = found.errors if issue.severity is Severity.ERROR else found.warnings
            kind.setdefault(issue.ordinal, []).append(issue.code)
    return found


def text(*lines: str) -> str:
    return "\n".join([*lines, ""])


class TestBlankSurplusCells:
    @pytest.mark.parametrize("trail", [",", ",,,", ", ,"])
    @pytest.mark.parametrize("count", [1, 2, 40])
    def test_delimiters_at_the_end_of_all_lines_are_nothing(self, trail: str, count: int) -> None:
        found = read(text(HEADER + trail, *[ANN + trail] * count, "," * 4, "," * 4))

        assert found.columns == tuple(HEADER.split(","))
        assert found.rows == [tuple(ANN.split(","))] * count
        assert not found.errors
        assert not found.warnings
        assert not found.surplus

    @pytest.mark.parametrize("count", [2, 40])
    def test_delimiters_at_the_end_of_all_rows_are_nothing_where_the_header_has_none(self, count: int) -> None:
        found = read(text(HEADER, *[ANN + ","] * count))

        assert found.rows == [tuple(ANN.split(","))] * count
        assert not found.errors
        assert not found.warnings

    def test_a_header_with_delimiters_at_its_end_alone_is_nothing(self) -> None:
        found = read(text(HEADER + ",,", ANN, BOB))

        assert found.columns == tuple(HEADER.split(","))
        assert not found.errors

    def test_one_delimiter_too_many_in_one_row_is_a_warning_since_its_cells_may_be_shifted(self) -> None:
        found = read(text(HEADER, ANN, BOB + ",", CY, CY))

        assert found.rows[1] == tuple(BOB.split(","))
        assert found.warnings == {1: ["row_too_long"]}
        assert not found.errors

    def test_it_is_an_error_where_the_cells_are_plainly_under_wrong_names(self) -> None:
        shifted = "Cy,Junior,Grey,+14155550103,cy@example.com"
        lines = [f"{line},x" for line in (ANN, BOB, CY, ANN)]
        found = read(text(HEADER + ",note", *lines, shifted + ",", *lines))

        assert found.errors == {4: ["row_too_long"]}

    def test_blank_cells_in_a_workbook_beyond_its_table_are_nothing(self, tmp_path: Path) -> None:
        found = read(workbook(tmp_path, [*ANN.split(","), None, "", "  "]))

        assert not found.errors
        assert not found.warnings
        assert not found.surplus


class TestSurplusText:
    def test_it_is_an_error_of_its_row_and_handed_on(self) -> None:
        found = read(text(HEADER, ANN, f"{BOB},extra, and more ,", CY))

        assert found.errors == {1: ["row_too_long"]}
        assert found.surplus == {1: ("extra", " and more ")}
        assert found.rows == [tuple(line.split(",")) for line in (ANN, BOB, CY)]

    def test_so_it_is_under_a_header_that_has_a_nameless_column_there(self) -> None:
        found = read(text(HEADER + ",", ANN + ",call back", BOB + ","))

        assert found.columns == tuple(HEADER.split(","))
        assert found.errors == {0: ["row_too_long"]}
        assert found.surplus == {0: ("call back",)}

    def test_a_nameless_column_that_most_rows_fill_is_a_column(self) -> None:
        found = read(text(HEADER + ",", ANN + ",call back", BOB + ",vip", CY + ",vip"))

        assert found.columns == (*HEADER.split(","), "column 5")
        assert not found.errors

    def test_a_row_wholly_beyond_the_header_is_a_row_and_an_error(self) -> None:
        found = read(text(HEADER, ANN, f",,,,{BOB}", ",,,,,,,", CY))

        assert found.numbers == [2, 3, 5]
        assert found.errors == {1: ["row_too_long"]}
        assert found.surplus == {1: tuple(BOB.split(","))}

    def test_so_are_the_first_rows_that_lie_wholly_beyond_it(self) -> None:
        found = read(text(HEADER, ",,,,call back", ",,,,+14155550101", ANN))

        assert found.columns == tuple(HEADER.split(","))
        assert found.surplus == {0: ("call back",), 1: ("+14155550101",)}
        assert found.errors == {0: ["row_too_long"], 1: ["row_too_long"]}

    def test_so_is_one_in_a_workbook(self, tmp_path: Path) -> None:
        found = read(workbook(tmp_path, ANN.split(","), [None] * 6 + ["call back"], BOB.split(",")))

        assert found.numbers == [2, 3, 4]
        assert found.errors == {1: ["cell_outside_table"]}
        assert found.surplus == {1: ("call back",)}

    @pytest.mark.parametrize("column", [5, 26, 700])
    def test_a_cell_beside_a_row_of_a_workbook_is_reported_however_far_it_lies(
        self, tmp_path: Path, column: int
    ) -> None:
        beside = [*ANN.split(","), *[None] * (column - 5), "call back"]
        found = read(workbook(tmp_path, beside, BOB.split(",")))

        assert found.columns == tuple(HEADER.split(","))
        assert found.warnings == {0: ["cell_outside_table"]}
        assert found.surplus == {0: ("call back",)}
        assert found.rows[0] == tuple(ANN.split(","))

    def test_the_last_of_very_many_surplus_cells_holds_the_rest(self) -> None:
        many = [f"x{number}" for number in range(MOST_EXTRA + 5)]
        found = read(text(HEADER, ANN, BOB, ",".join([CY, *many])))

        assert found.surplus[2][:-1] == tuple(many[: MOST_EXTRA - 1])
        assert found.surplus[2][-1].split(" | ") == many[MOST_EXTRA - 1 :]

    def test_it_stays_with_its_row_however_rows_are_cut_into_batches(self) -> None:
        lines = [f"{ANN},x{number}" if number % 3 == 0 else ANN for number in range(40)]
        found = read(text(HEADER, *lines, "Total,,,40"), batch_rows=7)

        assert found.surplus == {number: (f"x{number}",) for number in range(0, 40, 3)}


class TestFilesThatComeBack:
    def test_the_columns_that_were_added_are_left_out(self) -> None:
        found = read(text(f"{HEADER},_extra_1,_extra_2,_row,_warnings,_run", f"{ANN},,,2,,r-1", f"{BOB},,,3,x: y,r-1"))

        assert found.columns == tuple(HEADER.split(","))
        assert not found.errors
        assert not found.surplus

    def test_surplus_cells_that_are_still_in_their_columns_are_surplus_cells_again(self) -> None:
        found = read(text(f"{HEADER},_extra_1,_extra_2,_row", f"{ANN},,,2", f"{BOB},call,back,3"))

        assert found.errors == {1: ["row_too_long"]}
        assert found.surplus == {1: ("call", "back")}

    def test_a_cell_beside_the_table_of_a_workbook_is_not_an_error_when_it_comes_back_in_a_text(self) -> None:
        found = read(text(f"{HEADER},_extra_1,_row,_sheet", f"{ANN},call back,2,Customers", f"{BOB},,3,Customers"))

        assert found.warnings == {0: ["cell_outside_table"]}
        assert not found.errors
        assert found.surplus == {0: ("call back",)}

    def test_cells_between_a_workbooks_table_and_columns_added_behind_it_stay_surplus_cells(
        self, tmp_path: Path
    ) -> None:
        ann, bob = [*ANN.split(","), None, "call back", "r-1", "2"], [*BOB.split(","), None, None, "r-1", "3"]
        path = workbook(tmp_path, ann, bob, [None] * 5 + ["far", "r-1", "4"])
        book = openpyxl.load_workbook(path)
        book.worksheets[0]["G1"], book.worksheets[0]["H1"] = "_run", "_row"
        book.save(path)
        found = read(path)

        assert found.columns == tuple(HEADER.split(","))
        assert found.warnings == {0: ["cell_outside_table"]}
        assert found.errors == {2: ["cell_outside_table"]}
        assert found.surplus == {0: ("call back",), 2: ("far",)}


class TestTheHeaderDecides:
    def test_a_small_ragged_file_has_row_errors(self) -> None:
        found = read(text(HEADER, ANN, f"{BOB},extra", "Cy,Grey,+14155550103"))

        assert found.detected["delimiter"] == ","
        assert found.errors == {1: ["row_too_long"], 2: ["row_too_short"]}

    @pytest.mark.parametrize("count", [2, 3])
    def test_a_row_is_not_taken_for_the_header_because_it_is_much_wider(self, count: int) -> None:
        wide = ",".join(["Ann", "Grey", *[f"x{n}" for n in range(7)]])

        with pytest.raises(SourceError, match="has 4 names, but its rows have 9 cells"):
            read(text(HEADER, *[wide] * count))

    def test_a_line_above_the_header_and_one_below_do_not_hide_a_small_table(self) -> None:
        found = read(text("# exported 2024", HEADER, ANN, "# end"))

        assert found.columns == tuple(HEADER.split(","))
        assert found.rows[0] == tuple(ANN.split(","))

    @pytest.mark.parametrize("delimiter", [";", "\t", "|"])
    def test_so_it_has_with_any_delimiter_though_its_cells_hold_commas(self, delimiter: str) -> None:
        lines = [
            "name;street;phone;email",
            "Ann Green;Main St, Apt 1;+14155550101;ann@example.com",
            "Bob Grey;Main St, Apt 2;+14155550102",
            "Cy Grey;Main St, Apt 3;+14155550103;cy@example.com;x",
        ]
        found = read(text(*lines).replace(";", delimiter))

        assert found.columns == ("name", "street", "phone", "email")
        assert sorted(found.errors) == [1, 2]

    @pytest.mark.parametrize("value", ["10:30", "https://ann.example.com", "10:30:15", "a:b"])
    def test_colons_in_cells_are_not_delimiters(self, value: str) -> None:
        lines = [f"Ann,Green,{value},x,y", f"Bob,Grey,{value}", f"Cy,Grey,{value},x"]
        found = read(text("firstName,lastName,site,note", *lines))

        assert found.detected["delimiter"] == ","
        assert found.columns == ("firstName", "lastName", "site", "note")
        assert sorted(found.errors) == [0, 1]

    @pytest.mark.parametrize("value", ["10:30", "https://ann.example.com"])
    def test_a_single_column_of_them_is_a_column(self, value: str) -> None:
        found = read(text("website", *[value] * 5))

        assert found.columns == ("website",)
        assert found.rows == [(value,)] * 5

    def test_a_file_with_quotes_that_were_not_doubled_has_row_errors(self) -> None:
        lines = [f'{number},"Ann "The Ant" Green",+1415555010{number}' for number in range(3)]
        found = read(text("id,name,phone", *lines, '3,"Bob Grey",+14155550103'))

        assert found.columns == ("id", "name", "phone")
        assert found.errors == {number: ["quotes_broken"] for number in range(3)}
        assert found.rows[3] == ("3", "Bob Grey", "+14155550103")

    def test_a_text_that_is_not_a_table_is_still_refused(self) -> None:
        with pytest.raises(SourceError, match="no delimiter"):
            read(text("Dear customers,", "we moved, as you know, to a new place", "Yours, Ann", "P.S., call us, do"))


class TestAQuotedCellWithoutItsDelimiter:
    HEADER = "name,tag,street,city"
    GOOD = 'Ann Green,vip,"1 Main St, Apt 4",Boston'

    def test_the_row_is_broken_though_it_has_as_many_cells_as_the_others(self) -> None:
        broken = 'Bob Grey,vip"1 Main St, Apt 4",Boston'
        found = read(text(self.HEADER, self.GOOD, broken, self.GOOD))

        assert found.errors == {1: ["quotes_broken"]}
        assert found.rows[0] == ("Ann Green", "vip", "1 Main St, Apt 4", "Boston")

    def test_it_is_so_behind_a_cell_of_several_lines(self) -> None:
        several = 'Cy Grey,vip,"1 Main St,\nApt 4",Boston'
        found = read(text(self.HEADER, several, 'Bob Grey,vip"1 Main St, Apt 4",Boston', several))

        assert found.errors == {1: ["quotes_broken"]}

    @pytest.mark.parametrize(
        "sound",
        [
            'Ann Green,5" pipe,"1 Main St, Apt 4",Boston',
            'Ann Green,"says ""hi, you"", often","1 Main St",Boston',
            'Ann Green,"x, y",z,"w"',
            'Ann Green,Robert "Bob" Grey,Main St,Boston',
            'Ann Green,"",",",""',
            'Ann Green,"""a"", b","c, ""d""",e',
            '"a, b",5",x,y',
        ],
    )
    def test_sound_quotation_marks_are_left_alone(self, sound: str) -> None:
        found = read(text(self.HEADER, self.GOOD, sound, self.GOOD))

        assert not found.errors
        assert not found.warnings


def workbook(folder: Path, *rows: Sequence[str | None]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADER.split(","))
    for at, row in enumerate(rows, 2):
        for place, value in enumerate(row, 1):
            if value is not None:
                sheet.cell(at, place, value)
    path = folder / "customers.xlsx"
    book.save(path)
    return path
