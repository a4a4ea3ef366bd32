"""Texts of cells agree with openpyxl, which writes them, and need none of it to be read back."""

from __future__ import annotations

import subprocess
import sys

from openpyxl.cell.cell import ERROR_CODES as ERRORS
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from importer.results.cell_text import ERROR_CODES, safe_text


def test_errors_are_those_of_openpyxl() -> None:
    assert set(ERROR_CODES) == set(ERRORS)


def test_no_character_that_openpyxl_refuses_is_left_in_a_text() -> None:
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000)]))
    assert ILLEGAL_CHARACTERS_RE.search(every)
    assert not ILLEGAL_CHARACTERS_RE.search(safe_text(every))


def test_whether_a_file_came_back_is_found_out_without_openpyxl() -> None:
    code = "import sys, importer.runs.returns.file; sys.exit('openpyxl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
