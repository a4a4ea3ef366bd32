"""Cells, request bodies and row numbers to bytes and back: how a batch is stored. Pure."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a third of a second to import: what reads no cells does not pay for it
    import pandas as pd


def pack_cells(frame: pd.DataFrame) -> bytes:
    """The columns of a batch as an Arrow IPC stream."""
    from importer.core.frames import frame_to_bytes  # noqa: PLC0415

    return frame_to_bytes(frame)


def unpack_cells(data: bytes | None, rows: Sequence[int]) -> pd.DataFrame:
    """The frame that `pack_cells` was given; without columns where they were purged."""
    from importer.core.frames import frame_from_bytes, text_frame  # noqa: PLC0415

    return frame_from_bytes(data, rows) if data else text_frame((), (), rows)


def pack_payloads(payloads: Sequence[bytes | None]) -> bytes:
    """Request bodies as lines; JSON never holds a raw line end, and an invalid row has an empty line."""
    return b"\n".join(payload or b"" for payload in payloads)


def pack_after(after: Sequence[bytes | None]) -> bytes | None:
    """What steps after the creates need, as payloads are packed; None where no row brings anything."""
    return pack_payloads(after) if any(after) else None


def unpack_payloads(data: bytes) -> list[bytes]:
    """The bodies that `pack_payloads` was given; empty for invalid rows."""
    return data.split(b"\n")


def pack_rows(rows: Sequence[int]) -> bytes:
    """Row numbers as 64-bit integers."""
    return array("q", rows).tobytes()


def unpack_rows(data: bytes) -> array[int]:
    """The row numbers that `pack_rows` was given."""
    numbers = array("q")
    numbers.frombytes(data)
    return numbers


def pack_surplus(surplus: Mapping[int, tuple[str, ...]]) -> str | None:
    """Put the cells beyond the columns into one text; None where no row has any. Lone surrogates survive."""
    return json.dumps(dict(surplus)) if surplus else None


def unpack_surplus(text: str | None) -> dict[int, tuple[str, ...]]:
    """Take them out again."""
    return {int(place): tuple(cells) for place, cells in json.loads(text).items()} if text else {}
