"""Rows that came back take over what checking them again has found."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from importer.core.batches import CheckedBatch
from importer.core.frames import raw_batch
from importer.core.results import RowResult
from importer.core.states import RowState
from importer.runs.returns.rows import ReturnedRow, take_over


@pytest.mark.parametrize(
    ("after", "brought"),
    [((), [b"", b""]), ((b'{"limits":{"daily":"1.00"}}', None), [b'{"limits":{"daily":"1.00"}}', b""])],
)
def test_what_rows_bring_for_steps_after_their_creates_comes_back_with_them(
    after: Sequence[bytes | None], brought: list[bytes]
) -> None:
    rows = [ReturnedRow(RowResult(n, n + 2, ["a"], RowState.INVALID), ("a",), (), ()) for n in range(2)]
    raw = raw_batch(0, [2, 3], (["a", "a"],))
    take_over(CheckedBatch(raw, [b"{}", b"{}"], ["k0", "k1"], ["", ""], after=after), rows, 0)

    assert [row.after for row in rows] == brought
