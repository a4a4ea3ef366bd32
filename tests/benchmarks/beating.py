"""One import through the library, with a heart beating beside it: `python -m tests.benchmarks.beating`.

Usage: SOURCE PROFILE WORKSPACE, credentials in the environment. Prints the longest time that the loop was blocked.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import uvloop

from importer.profile import Profile
from importer.runs.context import Context
from importer.runs.run import run
from tests.benchmarks.heart import Heart


async def main(source: str, profile: str, workspace: str) -> None:
    """Import a file."""
    options = {"target": "sandbox", "workspace": workspace, "yes": True, "delivery.canary": 0}
    context, heart = Context(Profile.load(Path(profile), options=options)), Heart()
    beating = asyncio.create_task(heart.beat())
    await asyncio.sleep(0)  # noqa: TID251  # it begins before the work does
    report = await run(context, source)
    beating.cancel()
    sys.stdout.write(json.dumps({"longest_block_ms": heart.longest_s * 1e3, "counts": dict(report.counts)}) + "\n")


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main(*sys.argv[1:]))
