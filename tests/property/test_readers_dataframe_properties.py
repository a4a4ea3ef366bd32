"""Whatever a file holds, the DataFrame that is read from it is the same source again."""

from __future__ import annotations

import csv
import io
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.errors import SourceError
from importer.core.ports import Reader
from importer.profile.settings import SourceSettings
from importer.readers import open_frame, open_source
from importer.readers.dataframe.origin import frame_hash, write_csv
from importer.readers.dataframe.reading import read_frame
from tests.effort import examples

SETTINGS = SourceSettings(batch_rows=3)
CELLS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "Ann",
            "ann@example.com",
            "+1 415 555 0100",
            "#N/A",
            "4.16E+09",
            "caf\u00c3\u00a9",
            "Total",
            "-",
            "x | y",
            "02134",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufdd0"), max_size=8),
)
RAW_CELLS = st.one_of(CELLS, st.sampled_from(['"', 'a"b', '"open', "two\nlines", "\x00"]))
HEADER = ["Name", "Email", "Phone", "ZIP"]


def written(rows: list[list[str]], *, raw: bool) -> bytes:
    """The rows as a CSV file; raw: without quotation marks where a cell needs them."""
    if raw:
        return "\n".join(",".join(row) for row in [HEADER, *rows]).encode() + b"\n"
    out = io.StringIO(newline="")
    csv.writer(out).writerows([HEADER, *rows])
    return out.getvalue().encode()


def facts(reader: Reader) -> tuple[list[object], object]:
    batches = list(reader.batches())
    rows = [
        (number, *cells)
        for batch in batches
        for number, cells in zip(batch.rows, zip(*batch.cells, strict=True), strict=True)
    ]
    found = [
        (batch.rows[one.ordinal - batch.first], one.code, one.severity, "" if one.severity == "warning" else one.column)
        for batch in batches
        for one in batch.issues
    ]
    beyond = [(batch.rows[place], cells) for batch in batches for place, cells in batch.surplus.items()]
    return [*rows, *beyond], sorted(set(found))


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.lists(RAW_CELLS, min_size=1, max_size=6), min_size=1, max_size=12), st.booleans())
def test_a_file_and_its_dataframe_have_the_same_rows_and_the_same_issues(rows: list[list[str]], raw: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        path.write_bytes(written(rows, raw=raw))
        try:
            reader = open_source(path, SETTINGS)
        except SourceError:
            return
        with closing(reader):
            frame = read_frame(reader, SETTINGS)
            with closing(open_frame(frame, SETTINGS)) as again:
                assert again.info.columns == reader.info.columns
                assert facts(again) == facts(reader)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=8))
def test_a_dataframe_and_its_file_have_the_same_content(rows: list[list[str]]) -> None:
    frame = pd.DataFrame(rows, columns=HEADER, dtype="str")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        write_csv(frame, path, SETTINGS)
        back = pd.read_csv(path, dtype="str", keep_default_na=False, skip_blank_lines=False, encoding="utf-8")

    assert frame_hash(back) == frame_hash(frame)
    assert back.to_numpy().tolist() == rows


TYPED = st.fixed_dictionaries(
    {
        "Key": st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=6),
        "Count": st.one_of(st.none(), st.integers(-(10**18), 10**18)),
        "Born": st.one_of(st.none(), st.dates(date(1900, 1, 1), date(2100, 1, 1))),
        "Float": st.one_of(st.none(), st.integers(-(10**15) + 1, 10**15 - 1)),
    }
)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(TYPED, min_size=1, max_size=6))
def test_typed_columns_are_read_as_pandas_writes_them_to_csv(rows: list[dict[str, object]]) -> None:
    texts = pd.DataFrame(rows, dtype=object)
    frame = texts.assign(
        Count=texts["Count"].astype("Int64"), Born=pd.to_datetime(texts["Born"]), Float=texts["Float"].astype("float64")
    )
    whole = frame.assign(Float=texts["Float"].astype("Int64"))  # as which it was written before a value was missing
    back = pd.read_csv(io.StringIO(whole.to_csv(index=False)), dtype="str", keep_default_na=False)

    assert frame_hash(frame) == frame_hash(back)
