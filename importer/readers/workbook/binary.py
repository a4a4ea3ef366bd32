"""What `.xls` and `.xlsb` have in common: packed numbers and error codes. Pure."""

from __future__ import annotations

import struct

ERROR_TEXTS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""The code of a cell's error to what the cell shows ([MS-XLSB] 2.5.97.2)."""


def rk_number(packed: int) -> float:
    """Return the number in a packed 32-bit form: a double without its lower half, or an integer; by 100 or not."""
    if packed & 2:
        value = float((packed >> 2) - ((packed & 0x80000000) >> 1))
    else:
        value = float(struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0])
    return value / 100 if packed & 1 else value
