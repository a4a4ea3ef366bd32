"""The table of issue codes in the README, made from the code.

python -m tests.codes
"""

from __future__ import annotations

import re
from pathlib import Path

from importer.issue_codes import CODES_BY_STAGE

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCK = re.compile(r"(?<=<!-- issue codes -->\n).*?(?=<!-- end of issue codes -->)", re.DOTALL)


def table() -> str:
    """The table as Markdown."""
    lines = ["| code | when | severity | what it means |", "|---|---|---|---|"]
    for when, codes in CODES_BY_STAGE.items():
        lines += [f"| `{one.code}` | {when} | {one.severity} | {one.title} |" for one in codes.values()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    README.write_text(BLOCK.sub(lambda _: table(), README.read_text(encoding="utf-8")), encoding="utf-8")
