"""The least that a client can do: aiohttp, some workers, ready-made bodies. No limit, no retry, no journal, no results.

Usage: bare_loop.py BASE_URL CONCURRENCY BODIES, credentials in the environment. Uses uvloop where it is installed,
as the importer does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp


async def main(base_url: str, concurrency: int, bodies: Iterator[bytes]) -> None:
    """Post every body."""
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        key, secret = os.environ["ROCKETKOR_API_KEY"], os.environ["ROCKETKOR_API_SECRET"]
        exchange = f"{base_url}/v1/api-keys/exchange"
        async with session.post(exchange, auth=aiohttp.BasicAuth(key, secret)) as answer:
            token = (await answer.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = f"{base_url}/v1/customers"

        async def work() -> None:
            for body in bodies:
                async with session.post(url, data=body, headers=headers) as answer:
                    await answer.read()
                    answer.raise_for_status()

        await asyncio.gather(*(work() for _ in range(concurrency)))


def run(base_url: str, concurrency: str, path: str) -> None:
    """Read the bodies, choose the event loop, post."""
    bodies = iter(Path(path).read_bytes().splitlines())
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main(base_url, int(concurrency), bodies))


run(*sys.argv[1:])
