"""Texts that a cell of a workbook can hold. No cell can run as a formula, and what is read back is known again.

Written without openpyxl, which takes longer to load than a small file takes to import; a test holds the two together.
"""

from __future__ import annotations

import re

MAX_CELL_CHARS = 32_767
_CUT = " … (cut: a workbook cell holds no more)"

ERROR_CODES = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")
"""Texts that a spreadsheet reads as errors."""
_ILLEGAL = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f]")
"""What openpyxl refuses to write."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
"""What XML forbids, and the carriage return, which it would make a line feed."""
_ESCAPED_ALREADY = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPING = re.compile(f"{_FORBIDDEN.pattern}|{_ESCAPED_ALREADY.pattern}")
_RUNS = re.compile(r"[=@\t\r\n]|[+-](?![\d\s()./,x-]*$)")


def safe_text(text: str) -> str:
    """Return a text of our own as a workbook cell can hold it: no formula, no control characters, not too long.

    What a spreadsheet would run gets an apostrophe in front. For the cells of a source see `sheets.put_text`.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")  # XML would do so silently
    if may_run(text):
        text = "'" + text
    text = _ILLEGAL.sub("\ufffd", text)
    return _writable(text)


def may_run(text: str) -> bool:
    """Whether a spreadsheet would run a text, or read it as an error, if it were typed into a cell.

    Numbers and phone numbers keep their sign: a cell that is stored as text is not calculated.
    """
    return bool(_RUNS.match(text)) or text in ERROR_CODES


def stored_text(text: str) -> str:
    """Return a text as a workbook stores it: what XML cannot hold is escaped, as spreadsheet programs do it."""
    if _ESCAPING.search(text):
        text = _ESCAPED_ALREADY.sub("_x005F_", text)
        text = _FORBIDDEN.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return _writable(text)


def _writable(text: str) -> str:
    if len(text) > MAX_CELL_CHARS:
        text = text[: MAX_CELL_CHARS - len(_CUT)] + _CUT
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text
