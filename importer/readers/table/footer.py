"""Tells lines of totals and remarks under a table from customers. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOTALS = re.compile(r"(grand|sub|overall)?[\s-]*(totals?|sums?|counts?)\b.*", re.IGNORECASE | re.DOTALL)
_REMARK = re.compile(
    r"""[(\[]?\s*\d[\d,. ]*\s*(rows?|records?|customers?|entries|contacts|lines)\b.*
      | (total|number\s+of|rows?|records?|count|customers)\b.*\d+.*
      | (end\s+of|generated|exported|printed|created|report|page\s+\d|copyright|©|confidential|source:).*
      | (as\s+of|---|===|\*\*\*).*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"[-+]?[\d.,\s]+%?")
_LONGEST_REMARK = 200
MOST_LINES = 20
"""A footer of more lines than this is none."""


def is_footer(cells: Sequence[str], width: int) -> bool:
    """Tell whether a record under a table is a line of totals or a remark, not a customer.

    Args:
        cells: the record.
        width: how many columns the table has.
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled or width < 3 or len(filled[0]) > _LONGEST_REMARK:
        return False
    first, rest = filled[0], filled[1:]
    if _TOTALS.fullmatch(first) and len(filled) < max(3, width / 2) and all(map(_NUMBER.fullmatch, rest)):
        return True
    return (
        len(filled) <= max(1, width // 5) and bool(_REMARK.fullmatch(first)) and not any("@" in cell for cell in filled)
    )
