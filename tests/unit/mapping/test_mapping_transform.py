"""The user's own function: what it gets, what it may return, and what is said where it fails."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from importer.core.batches import RawBatch
from importer.core.errors import ExitCode, ProfileError, SourceChangedError, TransformError
from importer.core.frames import raw_batch
from importer.core.issues import Issue, Severity
from importer.core.sources import SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.mapping import ColumnMapper, Table, build_mapper, grouping_of
from importer.profile import Profile, TransformSettings
from importer.profile.mapping_rules import GroupingSettings
from tests.unit.mapping.test_mapping_mapper import REQUIRED, TODAY

COLUMNS = ("Name", "Phone", "Note")
ROWS = (("Ada Adams", "202 555 0101", "a"), ("Bob Brown", "202 555 0102", ""), ("Cid Clark", "202 555 0103", "c"))
INFO = SourceInfo("x.csv", "csv", COLUMNS)
SECRET = "4111 1111"
"""A cell; it must stand in no message."""


def batch(*rows: Sequence[str], first: int = 0, issues: Sequence[Issue] = ()) -> RawBatch:
    columns = [list(column) for column in zip(*(rows or ROWS), strict=True)]
    numbers = range(first + 2, first + 2 + len(columns[0]))
    return raw_batch(first, numbers, columns, issues, names=COLUMNS)


Write = Callable[..., TransformSettings]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Write a module beside a profile."""

    def write(code: str, function: str = "our_rules:clean") -> TransformSettings:
        path = tmp_path / f"{function.partition(':')[0].replace('.', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(code))
        (tmp_path / "profile.toml").write_text(f'[mapping]\ntransform = "{function}"\n')
        return Profile.load(tmp_path / "profile.toml", environ={}).transform

    return write


def clean(body: str) -> str:
    """The module of a function with a body."""
    return f"import pandas as pd\n\ndef clean(frame):\n    {body}\n    return frame\n"


def made(settings: TransformSettings, raw: RawBatch | None = None) -> RawBatch:
    """What the function makes of rows, as seen by whoever looks for columns."""
    table = Table.of(settings, INFO, raw or batch())
    assert table.sample is not None
    return table.sample


def refusal(settings: TransformSettings, raw: RawBatch | None = None) -> str:
    with pytest.raises(ProfileError) as caught:
        made(settings, raw)
    assert SECRET not in str(caught.value)
    assert str(caught.value).startswith('[mapping] transform = "our_rules:clean"')
    return str(caught.value)


# --------------------------------------------------------------------------- what it may do


def test_it_splits_looks_up_merges_renames_and_drops(written: Write) -> None:
    settings = written("""
        def clean(frame):
            frame[["First", "Last"]] = frame["Name"].str.partition(" ")[[0, 2]]
            frame["Kind"] = frame["Note"].map({"a": "MOBILE"}).fillna("")
            frame["All"] = frame["Name"] + "/" + frame["Note"]
            return frame.drop(columns=["Name"]).rename(columns={"Phone": "Tel"})
    """)

    table = Table.of(settings, INFO, batch())

    assert table.info.columns == ("Tel", "Note", "First", "Last", "Kind", "All")
    assert table.sample is not None
    assert dict(zip(table.info.columns, table.sample.cells, strict=True))["First"] == ["Ada", "Bob", "Cid"]
    assert table.sample.cells[4:] == [["MOBILE", "", ""], ["Ada Adams/a", "Bob Brown/", "Cid Clark/c"]]


def test_it_gets_text_with_the_row_numbers_that_people_see(written: Write) -> None:
    settings = written(
        clean('frame["Note"] = [f"{row} {kind}" for row, kind in zip(frame.index, [frame.dtypes.iloc[0]] * 3)]')
    )

    assert made(settings, batch(first=40)).cells[2] == ["42 str", "43 str", "44 str"]


def test_the_rows_of_the_source_stay_as_they_are(written: Write) -> None:
    settings = written(clean('frame.loc[:, "Name"] = "x"; frame.columns = ["A", "B", "C"]; del frame["B"]'))
    raw = batch()

    assert made(settings, raw).cells == [["x", "x", "x"], ["a", "", "c"]]
    assert list(raw.frame.columns) == list(COLUMNS)
    assert raw.frame["Name"].tolist() == [row[0] for row in ROWS]


def test_texts_of_any_type_that_pandas_has_are_taken(written: Write) -> None:
    settings = written(
        clean(
            'frame["Name"] = frame["Name"].astype("string"); frame["Note"] = frame["Note"].astype(object);'
            ' frame["Phone"] = frame["Phone"].astype("category")'
        )
    )

    assert made(settings).cells == batch().cells


def test_columns_may_come_in_another_order_later(written: Write) -> None:
    settings = written(clean("frame = frame[sorted(frame.columns, reverse=bool(frame.index[0] > 2))]"))
    table = Table.of(settings, INFO, batch())
    assert table.transform is not None

    assert table.transform(batch(first=10)).cells == table.transform(batch()).cells


def test_a_source_without_rows_is_tried_on_an_empty_table(written: Write) -> None:
    settings = written(clean('frame["New"] = ""'))

    assert Table.of(settings, INFO, None).info.columns == (*COLUMNS, "New")
    assert refused_without_rows(written(clean("frame.iloc[0]"))).startswith(
        "failed on a table without rows: IndexError"
    )


def refused_without_rows(settings: TransformSettings) -> str:
    with pytest.raises(TransformError) as caught:
        Table.of(settings, INFO, None)
    return caught.value.message.removeprefix(f"{settings.key} ")


def test_what_it_prints_is_not_mixed_with_what_a_command_says(
    written: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    made(written("print('loaded')\n" + clean("print('called')")))

    assert capsys.readouterr().out == ""


def test_it_is_loaded_once_and_leaves_no_trace(written: Write, tmp_path: Path) -> None:
    (tmp_path / "our_tables.py").write_text("NAMES = {'a': 'x'}\n")
    settings = written(
        "from our_tables import NAMES\nprint('once')\n" + clean('frame["Note"] = frame["Note"].map(NAMES).fillna("")')
    )
    path, modules = list(sys.path), set(sys.modules)

    assert made(settings).cells[2] == ["x", "", ""]
    assert sys.path == path
    assert not {"our_rules", "our_tables"} & (set(sys.modules) - modules)
    assert not (tmp_path / "__pycache__" / "our_rules.pyc").exists()


def test_profiles_of_two_folders_each_have_a_module_of_one_name(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "our_tables.py").write_text(f"WORD = '{name}'\n")
        (folder / "our_rules.py").write_text("import our_tables\n" + clean('frame["Note"] = our_tables.WORD'))
        (folder / "profile.toml").write_text('[mapping]\ntransform = "our_rules:clean"\n')
        texts.append(made(Profile.load(folder / "profile.toml", environ={}).transform).cells[2][0])

    assert texts == ["one", "two"]


def test_a_module_of_a_package_imports_from_its_package(written: Write, tmp_path: Path) -> None:
    settings = written("from ours.tables import WORD\n" + clean('frame["Note"] = WORD'), "ours.rules:clean")
    (tmp_path / "ours" / "tables.py").write_text("WORD = 'x'\n")

    assert made(settings).cells[2] == ["x", "x", "x"]


# --------------------------------------------------------------------------- where it fails


@pytest.mark.parametrize("wrong", [0, 1, 6, 7, 99])
def test_the_first_row_on_which_it_fails_is_named_with_the_line(written: Write, wrong: int) -> None:
    rows = [(SECRET if place >= wrong else str(place), "1", "") for place in range(100)]
    settings = written(clean('[int(text) for text in frame["Name"]]'))

    said = refusal(settings, batch(*rows))

    assert f"failed on row {wrong + 2}: ValueError in our_rules.py, line 4." in said
    assert "may hold a cell's text" in said


def test_it_is_a_wrong_profile(written: Write) -> None:
    with pytest.raises(TransformError) as caught:
        made(written(clean("raise KeyError(frame['Name'].iloc[0])")))

    assert caught.value.exit_code == ExitCode.USAGE


def test_a_failure_below_the_function_is_named_by_the_users_own_line(written: Write, tmp_path: Path) -> None:
    (tmp_path / "our_tables.py").write_text("def look(text):\n    raise LookupError(text)\n")
    by_pandas = written(clean('frame["Gone"]'))
    assert "failed on row 2: KeyError in our_rules.py, line 4." in refusal(by_pandas)

    by_neighbour = written("from our_tables import look\n" + clean('frame["Name"].map(look)'))
    assert "failed on row 2: LookupError in our_rules.py, line 5." in refusal(by_neighbour)


def test_a_function_that_fails_on_rows_together_alone_is_shown_how_rows_come(written: Write) -> None:
    settings = written(clean("assert len(frame) < 3"))

    said = refusal(settings)

    assert "failed on rows 2 to 4 together: AssertionError" in said
    assert "act on every row by itself" in said


@pytest.mark.parametrize(
    ("body", "row"),
    [
        ('frame["Note"] = frame["Note"].where(frame["Note"] != "").ffill().fillna("none")', 3),
        ('frame["Note"] = [str(place) for place in range(len(frame))]', 3),
        ('import uuid; frame["Note"] = [str(uuid.uuid4()) for _ in frame.index]', 2),
    ],
)
def test_a_row_whose_texts_depend_on_other_rows_or_on_chance_is_refused(written: Write, body: str, row: int) -> None:
    said = refusal(written(clean(body)))

    assert f"returned other texts for row {row} when it got fewer rows at once" in said
    assert "must depend on that row alone" in said


def test_leaving_the_program_is_a_failure(written: Write) -> None:
    assert "SystemExit in our_rules.py, line 4" in refusal(written(clean("raise SystemExit(3)")))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return None", "returned None instead of a DataFrame"),
        ('return frame["Name"]', "returned a value of type Series instead of a DataFrame"),
        ("return frame.iloc[1:]", "returned 2 rows for 3"),
        ("return frame.iloc[::-1]", "in another order, or with another index"),
        ("return frame.reset_index(drop=True)", "after a merge, .set_axis(frame.index) puts the index back"),
        ('frame = pd.concat([frame, frame["Note"]], axis=1)', "several columns of one name: 'Note'"),
        ("frame[0] = frame['Name']", "a column that is named by a value of type int instead of a text"),
        ('frame["Age"] = 5', "a value of type int64 instead of a text in column 'Age', row 2"),
        ('frame["Age"] = ["x", 5, None]', "None instead of a text in column 'Age', row 4"),
        ('frame["Age"] = ["x", 5.0, "y"]', "a value of type float instead of a text in column 'Age', row 3"),
        ('frame["Note"] = frame["Note"].where(frame["Note"] != "")', "NaN instead of a text in column 'Note', row 3"),
        ('frame["Note"] = pd.Series(["\\udc80"] * 3, frame.index, object)', "in column 'Note' that are not Unicode"),
    ],
)  # fmt: skip
def test_what_it_returns_is_held_against_what_it_was_given(written: Write, body: str, said: str) -> None:
    assert said in refusal(written(clean(body)))


def test_how_to_fix_a_value_that_is_not_text_is_said(written: Write) -> None:
    assert '.astype("str")' in refusal(written(clean('frame["Age"] = 5')))
    assert '.fillna("")' in refusal(written(clean('frame["Age"] = None')))


def test_other_columns_than_for_the_first_rows_are_refused(written: Write) -> None:
    table = Table.of(written(clean('frame[f"Year {frame.index[0] // 100}"] = ""')), INFO, batch())
    assert table.transform is not None

    with pytest.raises(
        TransformError, match="other columns from row 202 on than for the first rows: 'Year 0' is missing"
    ):
        table.transform(batch(first=200))


# --------------------------------------------------------------------------- what cannot be loaded


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def clean(frame)\n    pass\n", "SyntaxError in our_rules.py, line 1"),
        (
            "import nothing_of_that_name\n",
            "ModuleNotFoundError in our_rules.py, line 1 (no module 'nothing_of_that_name')",
        ),
        (f"x = 1\nraise ValueError('{SECRET}')\n", "ValueError in our_rules.py, line 2"),
        ("def cleaned(frame):\n    return frame\n", "our_rules.py has no function 'clean'; did you mean 'cleaned'?"),
        ("clean = 5\n", "'clean' in our_rules.py is not a function"),
    ],
)
def test_what_cannot_be_loaded_is_refused_in_a_sentence(written: Write, code: str, said: str) -> None:
    assert said in refusal(written(code))


def test_a_module_that_is_not_there_is_said_with_the_place_to_put_it(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").write_text('[mapping]\ntransform = "our_rules:clean"\n')

    said = refusal(Profile.load(tmp_path / "profile.toml", environ={}).transform)

    assert "names a module 'our_rules' that is not found" in said
    assert "Put our_rules.py beside the profile" in said


def test_a_file_that_is_gone_or_changed_since_is_not_run(written: Write) -> None:
    settings = written(clean("raise RuntimeError('it was run')"))
    assert settings.file is not None

    settings.file.write_text(clean("pass"))
    with pytest.raises(SourceChangedError, match=r"our_rules\.py, which was changed since") as changed:
        made(settings)
    settings.file.unlink()
    with pytest.raises(SourceChangedError, match=r"our_rules\.py, which is gone") as gone:
        made(settings)
    assert changed.value.exit_code == gone.value.exit_code == ExitCode.SOURCE
    assert "--config" in gone.value.hint


# --------------------------------------------------------------------------- the mapper behind it


def mapper(settings: TransformSettings, mapping: Mapping[str, object], raw: RawBatch | None = None) -> ColumnMapper:
    rules = Profile.model_validate({"mapping": {**REQUIRED, **mapping}}).mapping
    return build_mapper(CUSTOMERS, rules, Table.of(settings, INFO, raw or batch()), today=TODAY)


def test_rules_find_the_columns_that_it_makes_and_rows_stay_the_sources_own(written: Write) -> None:
    made = mapper(written(clean('frame["Upper"] = frame.pop("Name").str.upper()')), {"firstName": "upper"})
    raw = batch()

    mapped = made.map(raw)

    assert mapped.texts("firstName") == ["ADA ADAMS", "BOB BROWN", "CID CLARK"]
    assert mapped.columns["firstName"] == "Upper"
    assert mapped.raw.frame is raw.frame


def test_a_mapper_takes_it_along_to_another_process(written: Write) -> None:
    made = mapper(written(clean('frame["Name"] = "x"')), {"firstName": "Name"})

    copied = pickle.loads(pickle.dumps(made))  # noqa: S301  # our own

    assert copied.map(batch()).texts("firstName") == ["x", "x", "x"]


def test_dates_are_judged_by_what_it_returns(written: Write) -> None:
    made = mapper(written(clean('frame["Born"] = "31/12/1999"')), {"dateOfBirth": "Born"})
    made.observe(batch())

    assert [note.value for note in made.decide() if note.what == "date_order"] == ["Born: day first"]
    assert set(made.map(batch()).texts("dateOfBirth")) == {"1999-12-31"}


def test_a_group_is_known_by_the_columns_that_it_makes(written: Write) -> None:
    table = Table.of(written(clean('frame["Group"] = "x"')), INFO, batch())
    business = {"type": {"value": "BUSINESS"}, "businessName": "Name"}
    rules = Profile.model_validate({"mapping": {**REQUIRED, **business}}).mapping

    grouping = grouping_of(CUSTOMERS, GroupingSettings(group_by=("Group",)), rules, table.info.columns)

    assert grouping is not None
    assert table.sample is not None
    assert table.sample.cells[grouping.indices[0]] == ["x", "x", "x"]


def test_a_cell_that_shows_an_error_is_blank_and_counts_where_the_function_left_it(written: Write) -> None:
    issues = tuple(Issue(0, "cell_error", "It shows an error.", "", column) for column in ("Name", "Phone", "Note"))
    raw = batch(("#REF!", "#REF!", "#REF!"), *ROWS[1:], issues=issues)
    settings = written(
        clean(
            'frame["Phone"] = frame["Phone"] + "0"; frame["Whole"] = frame["Note"]; frame = frame.drop(columns="Note")'
        )
    )
    rules = {"firstName": "Name", "lastName": "Phone", "metadata.note": "Whole"}

    mapped = mapper(settings, rules, raw).map(raw)

    assert [mapped.texts(name)[0] for name in rules] == ["", "0", ""]
    assert [(issue.field, issue.column, issue.severity) for issue in mapped.raw.issues] == [
        ("firstName", "Name", Severity.ERROR),
        ("", "Phone", Severity.WARNING),
        ("", "Note", Severity.WARNING),
    ]


def test_another_sheet_counts_where_the_function_could_go_over_it(written: Write) -> None:
    from dataclasses import replace

    from importer.core.errors import SourceError
    from importer.core.sources import OtherTable

    settings = written(clean('frame = frame.rename(columns={"Name": "Given"})'))
    rules = Profile.model_validate(
        {"mapping": {**REQUIRED, "type": {"value": "INDIVIDUAL"}, "firstName": "Given"}}
    ).mapping
    unlike = replace(INFO, sheet="One", other_tables=(OtherTable("Two", ("Given",)),))
    alike = replace(INFO, sheet="One", other_tables=(OtherTable("Two", COLUMNS),))

    build_mapper(CUSTOMERS, rules, Table.of(settings, unlike, batch()), today=TODAY)
    with pytest.raises(SourceError, match="holds customers on several sheets"):
        build_mapper(CUSTOMERS, rules, Table.of(settings, alike, batch()), today=TODAY)
