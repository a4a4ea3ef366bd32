"""The command line: parses, calls the library, prints. Decides nothing.

Importing it costs next to nothing: every command imports what it needs when it runs, so that `--help`
answers at once.
"""

from __future__ import annotations

import time

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    began_s = time.monotonic()  # before the imports: whoever typed the command waits for them, too
    try:
        from importer.cli.entry import main as enter  # noqa: PLC0415  # an impatient Ctrl-C may come this early
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    enter(began_s)
