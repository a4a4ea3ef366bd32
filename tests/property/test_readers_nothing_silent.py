"""Whatever single character that holds a table together is lost or added: no row is read otherwise without a word.

A row may come out as it was, be named with an issue, or the file be refused. Where the damaged text
is itself a sound table, the reader must give exactly what stands there.
"""

from __future__ import annotations

import csv
import io
import random
from contextlib import closing
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.errors import SourceError
from importer.profile.settings import SourceSettings
from importer.readers import open_source
from tests.effort import examples

COLUMNS = [
    "ID",
    "First Name",
    "Last Name",
    "Phone",
    "Email",
    "DOB",
    "Street",
    "City",
    "State",
    "Zip",
    "Country",
    "Notes",
]


def customers(dice: random.Random, count: int, width: int, delimiter: str) -> list[list[str]]:
    return [
        [
            f"C{n:04d}",
            dice.choice(["Sarah", "Jos\u00e9", "Bob", "Li"]),
            dice.choice(["Green", "Mu\u00f1oz", "O'Brien", "King"]),
            f"415-555-01{n % 100:02d}",
            f"p{n}@example.com",
            f"19{50 + n % 40}-0{1 + n % 9}-1{n % 10}" if dice.random() < 0.8 else "",
            f"{n} Main Street" + (f"{delimiter} Flat {n}" if dice.random() < 0.2 else ""),
            dice.choice(["Springfield", "New York"]),
            dice.choice(["IL", "NY"]),
            f"{62000 + n}",
            dice.choice(["USA", "USA", ""]),
            dice.choice(["", "", "vip", 'says "hi"', "line\nbreak"]),
        ][:width]
        for n in range(1, count + 1)
    ]


def damaged(text: str, dice: random.Random, delimiter: str) -> str:
    """Lose or add one character below the header, or everything from it on."""
    start = text.index("\n") + 1
    at = dice.randrange(start, len(text))
    kind = dice.randrange(6)
    if kind == 0:
        return text[:at]
    if kind < 4:
        return text[:at] + (delimiter, '"', "\n")[kind - 1] + text[at:]
    places = [i for i in range(start, len(text)) if text[i] in {delimiter, '"', "\n"}]
    lost = dice.choice(places)
    return text[:lost] + text[lost + 1 :]


def sound_rows(text: str, delimiter: str, width: int) -> set[tuple[str, ...]]:
    """The rows that a strict parser finds, if the text is sound as a whole."""
    try:
        return {tuple(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)}
    except csv.Error:
        return set()


@settings(max_examples=examples(150), deadline=None)
@given(
    seed=st.integers(0, 2**32),
    delimiter=st.sampled_from(",;\t|"),
    count=st.sampled_from([5, 20, 60]),
    width=st.integers(5, 12),
    style=st.tuples(st.sampled_from(["\n", "\r\n"]), st.booleans()),
)
def test_no_row_is_read_otherwise_without_a_word(
    seed: int, delimiter: str, count: int, width: int, style: tuple[str, bool]
) -> None:
    end, everywhere = style
    dice = random.Random(seed)
    rows = customers(dice, count, width, delimiter)
    out = io.StringIO(newline="")
    quoting: Any = csv.QUOTE_ALL if everywhere else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([COLUMNS[:width], *rows])
    text = damaged(out.getvalue(), dice, delimiter)
    expected = {tuple(row) for row in rows} | sound_rows(text, delimiter, width)
    try:
        with closing(open_source("-", SourceSettings(), stdin=io.BytesIO(text.encode()))) as reader:
            batches = list(reader.batches())
            columns = list(reader.info.columns)
    except SourceError:
        return
    assert columns == COLUMNS[:width]
    named = {issue.ordinal for batch in batches for issue in batch.issues}
    found = [row for batch in batches for row in zip(*batch.cells, strict=True)]
    assert not [row for i, row in enumerate(found) if row not in expected and i not in named]
