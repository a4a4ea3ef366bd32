"""The importer's command line with a witness inside: once a second it writes down how many tasks there are.

python -m tests.soak.witnessed WITNESS-FILE run people.csv …
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path

from importer.cli import main

EVERY_S = 1.0


def _loop() -> asyncio.AbstractEventLoop | None:
    """Find the event loop of the process: the command line makes one and shows it to nobody."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None:
        runner = frame.f_locals.get("self")
        if isinstance(runner, asyncio.Runner):
            return runner.get_loop()
        frame = frame.f_back
    return None


def _witness(file: Path) -> None:
    loop = None
    while True:
        time.sleep(EVERY_S)  # noqa: TID251  # a thread of its own
        if loop is None or not loop.is_running():
            loop = _loop()
        if loop is not None:
            loop.call_soon_threadsafe(_write, file, loop)


def _write(file: Path, loop: asyncio.AbstractEventLoop) -> None:
    with file.open("a", encoding="ascii") as out:
        out.write(f"{len(asyncio.all_tasks(loop))}\n")


if __name__ == "__main__":
    threading.Thread(target=_witness, args=(Path(sys.argv[1]),), daemon=True).start()
    sys.argv = [sys.argv[0], *sys.argv[2:]]
    main()
