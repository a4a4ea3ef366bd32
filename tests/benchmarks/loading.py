"""What a run does before its first request, and no more: `python -m tests.benchmarks.loading`.

Usage: SOURCE PROFILE WORKSPACE [PLAN]. The source is read and checked as for a run into a live target, with a plan
compared with it; then nobody confirms, so that nothing is sent.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from importer.core.errors import UsageError
from importer.profile import Profile
from importer.runs.context import Context, People
from importer.runs.run import run, run_planned


async def main(source: str, profile: str, workspace: str, plan: str = "") -> None:
    """Load a file."""
    options = {"target": "live", "workspace": workspace}
    context = Context(
        Profile.load(Path(profile), options=options),
        people=People(lambda _host, _rows: False, lambda _host, _used: "new"),
    )
    try:
        await (run_planned(context, Path(plan), source) if plan else run(context, source))
    except UsageError as error:
        if "not confirmed" not in error.message:
            raise
    else:
        raise RuntimeError("something was sent")


asyncio.run(main(*sys.argv[1:]))
