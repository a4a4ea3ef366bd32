"""Detects how a text separates, quotes and escapes its cells: the most even table wins. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from importer.core.errors import EmptySourceError, SourceError
from importer.core.sources import Detected
from importer.profile.settings import SourceSettings
from importer.readers.text.dialect import Dialect

DELIMITERS = (",", ";", "\t", "|")
_RARE_DELIMITERS = "^~:!#%*\x01\x1e\x1f¦§¬"
_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_SPOKEN = {"\t": "tab", " ": "space"}
_SAMPLE_RECORDS = 300
_CERTAIN = 0.6
_NEAR_ENOUGH = 0.5
"""How well records must fit under a header that alone decides; a ragged one counts half."""
_MOST_TITLES = 5
"""Lines of one cell that may be above a header."""
_NO_NAME = re.compile(r"[@/]|\d{3}|https?:")
_LONGEST_NAME = 60
_DOUBTFUL = 0.2
"""Share of broken records from which on double quotes may be mere characters."""
_FEWEST_BROKEN = 2.5
"""The fewest broken records for that: one may be an accident, however few records there are."""
_GAP = re.compile(r"\S {2,}\S")
_HINT = "Name it with delimiter in [source], or save the file as .xlsx."


@dataclass(frozen=True, slots=True)
class _Trial:
    """How even a sample is under one dialect.

    Args:
        width: cells that most records have.
        share: how many of the records have them.
        broken: share of the records with quotation marks that do not match.
    """

    dialect: Dialect
    rows: Sequence[Sequence[str]]
    width: int
    share: float
    broken: float

    @property
    def score(self) -> float:
        """Even, wide and clean."""
        return self.share * (1 - 1 / (self.width + 1)) - min(self.broken, 1.0)


def detect_dialect(sample: str, settings: SourceSettings, name: str) -> Dialect:
    """Find the dialect of a text.

    Args:
        sample: the beginning of the text, whole lines.
        settings: `delimiter` and `quote` may be given there.

    Raises:
        SourceError: no delimiter makes a table of it, or the profile's is not a single character.
    """
    if not sample.strip():
        raise EmptySourceError(f"'{name}' is empty: it holds nothing but blank lines.", "Export the customers again.")
    given, quote = _given(settings.delimiter, "delimiter"), _given(settings.quote, "quote")
    first, _, rest = sample.partition("\n")
    separator = _separator(first)
    text = rest if separator else sample
    delimiters = [given or separator] if given or separator else DELIMITERS
    quotes = ['"', "'", ""] if quote is None else [quote]
    dialects = [replace(dialect, separator_line=bool(separator)) for dialect in _candidates(text, delimiters, quotes)]
    trials = [_try(text, dialect) for dialect in dialects]
    best = _best(trials)
    if not (given or separator):
        headed = None if _is_certain(best) else _by_header(trials)
        best = headed or best
        _require_table(best, text, name, headed=headed is not None)
    return _report(best, sample, certain=bool(given or separator))


def _given(text: str, what: str) -> str | None:
    if text == "auto":
        return None
    if what == "quote" and text in {"none", ""}:
        return ""
    character = _NAMES.get(text.lower(), text)
    if len(character) != 1 or character in "\r\n":
        raise SourceError(
            f"The {what} '{text}' in [source] is not one character.", "Use , ; tab | or another character."
        )
    return character


def _separator(line: str) -> str:
    line = line.strip("\r\ufeff").strip('"')
    return line[4] if line.lower().startswith("sep=") and len(line) == 5 else ""


def _candidates(text: str, delimiters: Sequence[str], quotes: Sequence[str]) -> Iterator[Dialect]:
    for delimiter, quote in product(delimiters, quotes):
        padded = bool(quote) and f"{delimiter} {quote}" in text and f"{delimiter}{quote}" not in text
        for escape in _escapes(text, delimiter, quote):
            yield Dialect(delimiter, quote, escape, padded)


def _escapes(text: str, delimiter: str, quote: str) -> tuple[str, ...]:
    """Return the possible escape characters, the likelier one first, since it wins a draw.

    A backslash may escape where one is before a quotation mark and none before an ordinary
    character. At a cell's end it may as well be the cell's last character, so that proves nothing.
    """
    if not quote or "\\" + quote not in text:
        return ("",)
    mark, end = re.escape(quote), re.escape(delimiter) + "\r\n"
    if re.search(rf"\\[^\\{mark}{end}]", text):
        return ("",)
    return ("\\", "") if re.search(rf"\\{mark}[^{mark}{end}]", text) else ("", "\\")


def _try(text: str, dialect: Dialect) -> _Trial:
    rows, broken = _parse(text, dialect)
    widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    if not widths:
        return _Trial(dialect, rows, 1, 0.0, 1.0)
    width, count = max(widths.items(), key=lambda item: item[1] * (1 - 1 / (item[0] + 1)))
    odd = (broken + _odd(rows, dialect)) / max(1, len(rows))
    return _Trial(dialect, rows, width, count / widths.total(), odd)


def _best(trials: Sequence[_Trial]) -> _Trial:
    """Return the best trial; double quotes are quotation marks unless a good part of the records proves otherwise."""
    usual = [trial for trial in trials if trial.dialect.quote == '"']
    best = max(usual or trials, key=lambda trial: trial.score)
    doubtful = best.broken > _DOUBTFUL and best.broken * len(best.rows) >= _FEWEST_BROKEN
    return max(trials, key=lambda trial: trial.score) if doubtful else best


def _is_certain(best: _Trial) -> bool:
    """Whether most records are of one width, the first one among them."""
    first = next((row for row in best.rows if any(map(str.strip, row))), ())
    return best.width > 1 and best.share >= _CERTAIN and len(first) == best.width


def _by_header(trials: Sequence[_Trial]) -> _Trial | None:
    """Return the trial with a first record that reads like the names of a table that most records belong to.

    The rows of a small table may be ragged without being even in the end; its header shows what they should be.
    """
    usual = [trial for trial in trials if trial.dialect.quote == '"'] or list(trials)
    headed = [found for trial in usual if (found := _headed(trial)) is not None]
    return max(headed, key=lambda trial: trial.score, default=None)


def _headed(trial: _Trial) -> _Trial | None:
    filled = [row for row in trial.rows if any(map(str.strip, row))]
    titles = next((place for place, row in enumerate(filled[:_MOST_TITLES]) if len(row) > 1), 0)
    filled = filled[titles:]
    names = [cell.strip() for cell in filled[0] if cell.strip()] if filled else []
    if len(filled) < 2 or len(names) < 2 or len(set(names)) < len(names) or not all(map(_is_name, names)):
        return None
    width = len(filled[0])
    fit = sum(_nearness(row, width) for row in filled[1:]) / (len(filled) - 1)
    return replace(trial, width=width, share=fit) if fit >= _NEAR_ENOUGH else None


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and not _NO_NAME.search(text) and any(map(str.isalpha, text))


def _nearness(row: Sequence[str], width: int) -> float:
    """How well a record fits under a header: 1, a half where it is ragged, nothing where it has one cell."""
    return 1.0 if len(row) == width else 0.5 * (len(row) > 1)


def _parse(text: str, dialect: Dialect) -> tuple[list[list[str]], int]:
    """Parse the sample; a line with quotation marks that do not match is left out."""
    lines = io.StringIO(text, newline="").readlines()
    rows: list[list[str]] = []
    broken = at = 0
    while at < len(lines) and len(rows) + broken < _SAMPLE_RECORDS:
        reader = dialect.reader(lines[at:])
        start = 0
        try:
            while len(rows) + broken < _SAMPLE_RECORDS:
                start = reader.line_num
                rows.append(next(reader))
        except StopIteration:
            break
        except csv.Error:
            broken += 1
            at += start + 1
    return rows, broken


def _odd(rows: Sequence[Sequence[str]], dialect: Dialect) -> int:
    """Count records with cells in quotation marks of another kind, or that share a pair of them."""
    marks = {'"', "'"} - {dialect.quote}
    return sum(any(_is_quoted(row, mark) for mark in marks) for row in rows)


def _is_quoted(row: Sequence[str], mark: str) -> bool:
    if any(len(cell) > 1 and cell[0] == cell[-1] == mark for cell in row):
        return True
    opened = next((i for i, cell in enumerate(row) if cell.startswith(mark)), len(row))
    return mark == '"' and any(cell.endswith(mark) for cell in row[opened + 1 :])


def _require_table(best: _Trial, text: str, name: str, *, headed: bool) -> None:
    if best.width == 1:
        _require_one_column(text, name)
    elif best.share < _CERTAIN and not headed:
        message = f"The columns of '{name}' cannot be separated: no delimiter gives an even table."
        raise SourceError(message, _HINT)
    elif _doubled(best):
        message = f"The columns of '{name}' are separated by two characters, which cannot be read."
        raise SourceError(message, "Export it with one character as delimiter, or save the file as .xlsx.")


def _require_one_column(text: str, name: str) -> None:
    """Refuse a text that is one column only because its delimiter is not known."""
    lines = [line for line in text.splitlines() if line.strip()][:_SAMPLE_RECORDS]
    for rare in _RARE_DELIMITERS:
        count = lines[0].count(rare)  # times and addresses of web pages are in cells, not in a header
        if count and sum(line.count(rare) == count for line in lines) >= 0.9 * len(lines):
            message = f"The delimiter of '{name}' is unusual: it seems to be {rare!r}."
            raise SourceError(message, f"If so, set delimiter = {rare!r} in [source].")
    uneven = sum(any(mark in line for mark in DELIMITERS) for line in lines)
    if uneven >= 0.5 * len(lines) or sum(bool(_GAP.search(line)) for line in lines) > 0.5 * len(lines):
        message = f"The columns of '{name}' cannot be separated: no delimiter gives an even table."
        raise SourceError(message, _HINT)


def _doubled(best: _Trial) -> bool:
    """Whether every second cell of nearly every record is blank: every delimiter is doubled."""
    full = [row for row in best.rows if len(row) == best.width > 2]
    gaps = sum(not any(cell.strip() for cell in row[1::2]) for row in full)
    return bool(full) and gaps > 0.9 * len(full)


def _report(best: _Trial, sample: str, *, certain: bool) -> Dialect:
    dialect = best.dialect
    confidence = 1.0 if certain else round(best.share, 2)
    spoken = _SPOKEN.get(dialect.delimiter, dialect.delimiter)
    note = f"{best.share:.0%} of the first rows have {best.width} cells"
    if best.width == 1 and not certain:
        confidence, spoken, note = 0.5, "none", "the text has one column"
    quoted = 1.0 if certain else round(1 - best.broken, 2)
    detected = (
        Detected("delimiter", spoken, confidence, note),
        Detected("quote", dialect.quote or "none", quoted),
        Detected("escape", dialect.escape or "none", quoted),
        Detected("line_end", _line_end(sample)),
    )
    return replace(dialect, width=best.width, detected=detected)


def _line_end(sample: str) -> str:
    both = sample.count("\r\n")
    counts = {"CRLF": both, "LF": sample.count("\n") - both, "CR": sample.count("\r") - both}
    return max(counts, key=lambda kind: counts[kind])
