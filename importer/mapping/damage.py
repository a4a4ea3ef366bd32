"""What spreadsheets do to cells, seen from the field that a column fills. Finds it; repairs nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from importer.labels import counted

_MOSTLY = 0.6
_SHORTENED = re.compile(r"[\s'+]*(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})\s*")


def shortened_phones(texts: Sequence[str]) -> list[int]:
    """Find the places of numbers such as `4.15555E+09`, which hold fewer digits than they had."""
    joined = "".join(texts)  # one search over a batch costs a tenth of one for each cell
    if "E" not in joined and "e" not in joined:
        return []
    return [place for place, text in enumerate(texts) if _SHORTENED.fullmatch(text)]


@dataclass(slots=True)
class PostalLengths:
    """How long the all-digit codes of one column are: a spreadsheet that takes 02134 for a number keeps 2134."""

    lengths: Counter[int] = field(default_factory=Counter)
    leading_zeros: int = 0

    def observe(self, texts: Sequence[str]) -> None:
        """See one batch of the column."""
        digits = texts if "".join(texts).isdecimal() else [text for text in texts if text.isdecimal()]
        lengths = Counter(map(len, digits))
        del lengths[0]
        self.lengths.update(lengths)
        self.leading_zeros += "\n".join(["", *digits]).count("\n0")

    def verdict(self) -> str:
        """Say how many codes are short of the usual length; "" where the column shows nothing of the kind."""
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
