"""The command line: parses, calls the library, prints. Decides nothing.

Importing it costs next to nothing: every command imports what it needs when it runs, so that `--help`
answers at once.
"""

from __future__ import annotations

from importer.cli.entry import main

__all__ = ["main"]
