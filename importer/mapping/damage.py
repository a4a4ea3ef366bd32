"""What spreadsheets do to cells, seen from the field that a column fills. Finds it; repairs nothing."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from importer.core.labels import counted
from importer.mapping.text_columns import Column, places_where, texts_of

_MOSTLY = 0.6
_SHORTENED = re.compile(r"[\s'+]*(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})\s*")


def shortened_phones(column: Column[Any]) -> list[int]:
    """Find the places of numbers such as `4.15555E+09`, which hold fewer digits than they had."""
    texts = texts_of(column)
    places = places_where(pc.or_(pc.match_substring(texts, "E"), pc.match_substring(texts, "e")))
    if not len(places):
        return []
    found = zip(places.tolist(), texts.take(pa.array(places)).to_pylist(), strict=True)
    return [place for place, text in found if _SHORTENED.fullmatch(text)]


@dataclass(slots=True)
class PostalLengths:
    """How long the all-digit codes of one column are: a spreadsheet that takes 02134 for a number keeps 2134."""

    lengths: Counter[int] = field(default_factory=Counter)
    leading_zeros: int = 0

    def observe(self, column: Column[Any]) -> None:
        """See one batch of the column."""
        texts = texts_of(column)
        digits = texts.filter(pc.utf8_is_decimal(texts))
        for length in pc.value_counts(pc.utf8_length(digits)).to_pylist():
            self.lengths[length["values"]] += length["counts"]
        self.leading_zeros += pc.sum(pc.starts_with(digits, "0")).as_py() or 0

    def verdict(self) -> str:
        """Say how many codes are short of the usual length; "" where the column shows no damage."""
        total = sum(self.lengths.values())
        usual, cells = next(iter(self.lengths.most_common(1)), (0, 0))
        short = self.lengths[usual - 1] + self.lengths[usual - 2]
        if not short or self.leading_zeros or cells < _MOSTLY * total or usual < 5:
            return ""
        have = "has" if short == 1 else "have"
        return (
            f"{short} of {counted(total, 'code')} {have} fewer than {usual} digits and none begins with 0: leading "
            "zeros were probably lost in a spreadsheet; format the column as text there, and restore them"
        )
