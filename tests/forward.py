"""Forwards connections: `python -m tests.forward FROM TO`, each HOST:PORT or the path of a socket.

A socket's path leads from one network namespace into another.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress


async def main(source: str, sink: str) -> None:
    """Forward until it is ended; says when it listens."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asks = await (
            asyncio.open_unix_connection(sink) if "/" in sink else asyncio.open_connection(*_of(sink))
        )
        await asyncio.gather(_pump(reader, asks), _pump(answers, writer))

    if "/" in source:
        server = await asyncio.start_unix_server(connected, source)
    else:
        server = await asyncio.start_server(connected, *_of(source))
    print("ready", flush=True)  # noqa: T201
    await server.serve_forever()


def _of(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
