"""Soak the importer: python -m tests.soak --minutes 20 --rate 300."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from tests.soak.soak import Soak
from tests.soak.verdict import verdict


def main() -> int:
    """Soak, and print what it came to; 1 when a promise broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=int, default=300, help="requests a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("build/soak"), help="kept afterwards, emptied before")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.folder, ignore_errors=True)
    arguments.folder.mkdir(parents=True)
    soak = Soak(arguments.folder.resolve(), arguments.minutes, arguments.rate, arguments.seed)
    soak.play()
    lines = verdict(soak)
    for line in lines:
        print(f"{'kept  ' if line.kept else 'BROKEN'}  {line.promise:36}  {line.figure}")  # noqa: T201
    if not all(line.kept for line in lines):
        print(soak.last_words, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
