"""`make profile`: a flame graph of a dry run with all its processes, as an SVG that a browser opens.

Usage: python -m tests.benchmarks.flame [SOURCE]; without a source, people are made up.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import webbrowser
from pathlib import Path

from tests.benchmarks.bench import BUILD, IMPORTER, Settings, a_folder, environ
from tests.benchmarks.people import write_people

ROWS = 300_000
GRAPH = BUILD / "profile.svg"
SEEN = (0, 3)


def main(arguments: list[str]) -> int:
    """Draw the graph, and show it where there is a screen."""
    source = Path(arguments[0]) if arguments else write_people(Settings().data / f"people-{ROWS}.csv", ROWS)
    with a_folder() as folder:
        command = [*IMPORTER, "validate", str(source), "--workspace", str(folder / "runs"), "--quiet"]
        recording = [*_recorder(), *command]
        code = subprocess.run(recording, env=environ(), stdout=subprocess.DEVNULL, check=False).returncode
    if not GRAPH.exists() or code not in SEEN:
        sys.stderr.write(f"No flame graph of '{source}' was drawn (exit code {code}).\n")
        return 1
    sys.stdout.write(f"{GRAPH}\n")
    if sys.stdout.isatty():
        webbrowser.open(GRAPH.as_uri())
    return 0


def _recorder() -> list[str]:
    GRAPH.parent.mkdir(parents=True, exist_ok=True)
    GRAPH.unlink(missing_ok=True)
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or "py-spy"
    return [program, "record", "--subprocesses", "--rate", "200", "--output", str(GRAPH), "--"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
