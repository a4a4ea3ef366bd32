"""A TCP proxy that can cut a server off: it stops passing bytes and closes nothing, or it resets every connection."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE_BYTES = 65_536
_RESETS = struct.pack("ii", 1, 0)
"""SO_LINGER: what closes the socket resets its connection."""


class Proxy:
    """Passes bytes between whoever connects to `port` and a server on loopback."""

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._passes = threading.Event()
        self._passes.set()
        self._refuses = False
        self._lost = b""
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Pass nothing any more, and close nothing: new connections are taken, and hear nothing either."""
        self._passes.clear()

    def reset(self) -> None:
        """Reset every connection, and each new one."""
        self._refuses = True
        self._end_all()

    def lose(self, answer: bytes) -> None:
        """Instead of passing on the next answer with these bytes, reset every connection."""
        self._lost = answer

    def heal(self) -> None:
        """Pass everything again, what was held back first."""
        self._refuses = False
        self._passes.set()

    def close(self) -> None:
        """End it."""
        self.reset()
        self._listening.close()
        self._passes.set()

    def _end_all(self) -> None:
        ending, self._open = self._open, []
        for one in ending:
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
                one.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self._refuses:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
                client.close()
                continue
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._passes.wait()
        try:
            server = socket.create_connection(self._server)
        except OSError:
            client.close()
            return
        self._open += [client, server]
        threading.Thread(target=self._pump, args=(server, client), daemon=True).start()
        self._pump(client, server)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE_BYTES):
                self._passes.wait()
                if self._lost and self._lost in piece:
                    self._lost = b""
                    self._end_all()
                sink.sendall(piece)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(server_port: int) -> Iterator[Proxy]:
    """A proxy for a block."""
    proxy = Proxy(server_port)
    try:
        yield proxy
    finally:
        proxy.close()
