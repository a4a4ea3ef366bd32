"""Plain English in what people read: words and sentences that were replaced stay out of the code and its texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = {".py", ".md", ".toml", ".yml", ".service", ".timer", ".j2", ".sql"}

WORDS = (
    "told", "tells?", "mend(s|ed|ing)?", "borne", "mischief", "blots?", "governor", "custody", "dropfolder",
    "whereabouts", "otherside", "workforce", "messenger", "announcing", "neighbou?rs?", "stands", "lies", "heed",
    "witness(es)?", "trouble", "underway",
)  # fmt: skip
"""Words with a plain one instead: `reported`, `fix`, `is`, `is in`, `error` …; also as a part of a name."""

PHRASES = (
    r"(?<!there )\b(is|are|was|were|be) no (?!longer|more)[a-z]", r"so many (rows|seconds|faults|requests|times)",
    r"no (email address|phone number|country) \(reads as", "rows are at the target", "mend the marked", "hands out",
    "translate your words", "a usual name for it", "is for its owner alone", r"\b1 rows\b", "1 shortened numbers",
)  # fmt: skip

FIXED = re.compile(r"told_by_headers_per_s")
"""A name that receipts of earlier versions hold."""

FORBIDDEN = re.compile(f"(?<![a-z])(?:{'|'.join(WORDS)})(?![a-z])|{'|'.join(PHRASES)}", re.IGNORECASE)


def texts() -> list[Path]:
    found = [path for folder in ("importer", "configs") for path in (ROOT / folder).rglob("*") if path.is_file()]
    return sorted(path for path in (*found, ROOT / "README.md") if path.suffix in SUFFIXES)


@pytest.mark.parametrize("text", ["The file is no workbook", "as_it_stands", "Mend the cells", "rows of a neighbour"])
def test_replaced_wordings_are_found(text: str) -> None:
    assert FORBIDDEN.search(text)


@pytest.mark.parametrize("text", ["There is no file", "it is no longer there", "families", "an understanding"])
def test_plain_wordings_are_allowed(text: str) -> None:
    assert not FORBIDDEN.search(text)


def test_no_replaced_wording_is_used() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in FORBIDDEN.finditer(FIXED.sub("", line))
    ]

    assert found == []
