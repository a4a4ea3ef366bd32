"""The command line: parses, calls the library, prints. Decides nothing.

Importing it costs next to nothing: every command imports what it needs when it runs, so that `--help`
answers at once.
"""

from __future__ import annotations

import gc
import time

__all__ = ["main"]

_OBJECTS = 250_000
"""New objects after which Python looks for garbage: more than all imports make; the default is 700."""


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    began_s = time.monotonic()  # before the imports: the user waits for them, too
    gc.set_threshold(_OBJECTS)  # imports make many objects and no garbage: 0.2 s of a small dry run
    try:
        from importer.cli.entry import main as enter  # noqa: PLC0415  # an impatient Ctrl-C may come this early
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    enter(began_s)
