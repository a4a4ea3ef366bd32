"""A TCP proxy that can cut a server off: it stops passing bytes and closes nothing, or it resets every connection.

It can be cut for one process alone: by whose port a connection comes from, as `psutil` knows it.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

_PIECE_BYTES = 65_536
_RESETS = struct.pack("ii", 1, 0)
"""SO_LINGER: what closes the socket resets its connection."""


ALL = 0
"""Instead of the number of one process."""


class Proxy:
    """Passes bytes between whoever connects to `port` and a server on loopback.

    Args:
        processes: whose connections can be held alone.

    Attributes:
        held_back: how many times something of a process had to wait.
        refused: how many connections of a process were reset as they began.
    """

    def __init__(self, server_port: int, processes: Sequence[int] = ()) -> None:
        self._server, self._processes = ("127.0.0.1", server_port), processes
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._held: set[int] = set()
        self._healed = threading.Condition()
        self.held_back: Counter[int] = Counter()
        self.refused: Counter[int] = Counter()
        self._refused: set[int] = set()
        self._lost = b""
        self._open: list[tuple[int, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, process: int = ALL) -> None:
        """Pass nothing any more, and close nothing: new connections are taken, and hear nothing either."""
        self._held.add(process)

    def reset(self, process: int = ALL) -> None:
        """Reset every connection, and each new one."""
        self._refused.add(process)
        self._end(process)

    def lose(self, answer: bytes) -> None:
        """Instead of passing on the next answer with these bytes, reset every connection."""
        self._lost = answer

    def heal(self, process: int = ALL) -> None:
        """Pass everything again, what was held back first."""
        self._refused -= {process} if process else self._refused
        self._pass(process)

    def close(self) -> None:
        """End it: what was held back is lost."""
        self.reset()
        self._listening.close()
        self._pass(ALL)

    def _pass(self, process: int) -> None:
        with self._healed:
            self._held -= {process} if process else self._held
            self._healed.notify_all()

    def _end(self, process: int = ALL) -> None:
        ending = [one for one in self._open if process in {one[0], ALL}]
        self._open = [one for one in self._open if one not in ending]
        for _, one in ending:
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
            process = self._process_of(client)
            if self._refuses(process):
                self.refused[process] += 1
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
                client.close()
                continue
            threading.Thread(target=self._connect, args=(client, process), daemon=True).start()

    def _process_of(self, client: socket.socket) -> int:
        import psutil  # which the group 'dask' brings

        port = client.getpeername()[1]
        for process in self._processes:
            with suppress(psutil.Error):
                if any(one.laddr.port == port for one in psutil.Process(process).net_connections("tcp4")):
                    return process
        return ALL

    def _wait(self, process: int) -> None:
        with self._healed:
            self.held_back[process] += self._holds(process)
            self._healed.wait_for(lambda: not self._holds(process))

    def _refuses(self, process: int) -> bool:
        return not self._refused.isdisjoint({process, ALL})

    def _holds(self, process: int) -> bool:
        return not self._held.isdisjoint({process, ALL})

    def _connect(self, client: socket.socket, process: int) -> None:
        self._wait(process)
        try:
            if self._refuses(process):
                raise OSError
            server = socket.create_connection(self._server)
        except OSError:
            client.close()
            return
        self._open += [(process, client), (process, server)]
        threading.Thread(target=self._pump, args=(server, client, process), daemon=True).start()
        self._pump(client, server, process)

    def _pump(self, source: socket.socket, sink: socket.socket, process: int) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE_BYTES):
                self._wait(process)
                if self._lost and self._lost in piece:
                    self._lost = b""
                    self._end()
                sink.sendall(piece)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(server_port: int, processes: Sequence[int] = ()) -> Iterator[Proxy]:
    """A proxy for a block."""
    proxy = Proxy(server_port, processes)
    try:
        yield proxy
    finally:
        proxy.close()
