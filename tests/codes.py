"""The table of issue codes in the README, made from the code.

python -m tests.codes
"""

from __future__ import annotations

import re
from pathlib import Path

from importer.customers.codes import ISSUE_CODES
from importer.delivery.codes import DELIVERY_CODES
from importer.mapping import MAPPING_CODES
from importer.readers.codes import READING_CODES
from importer.results.codes import RETURN_CODES

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCK = re.compile(r"(?<=<!-- issue codes -->\n).*?(?=<!-- end of issue codes -->)", re.DOTALL)
GROUPS = (
    ("reading", READING_CODES),
    ("mapping", MAPPING_CODES),
    ("checking", ISSUE_CODES),
    ("sending", DELIVERY_CODES),
    ("returning", RETURN_CODES),
)


def table() -> str:
    """The table as Markdown."""
    lines = ["| code | when | severity | what it means |", "|---|---|---|---|"]
    for when, codes in GROUPS:
        lines += [f"| `{one.code}` | {when} | {one.severity} | {one.title} |" for one in codes.values()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    README.write_text(BLOCK.sub(lambda _: table(), README.read_text(encoding="utf-8")), encoding="utf-8")
