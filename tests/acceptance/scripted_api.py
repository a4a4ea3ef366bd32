"""An API that says to each row exactly what a test wants it to say: what no emulator and no gateway would."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "canary-token-5f1e"


@dataclass(frozen=True)
class Said:
    """One answer.

    Args:
        length: what `Content-Length` claims; None: the truth.
        headers: more of them.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    length: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


def said(status: int, content: Any, **options: Any) -> Said:
    """An answer in JSON."""
    return Said(status, json.dumps(content).encode(), **options)


@dataclass
class ScriptedApi:
    """What it says and what it saw.

    Args:
        script: to each `externalId` its answers in order; the last one is repeated.
        listed: what the list of customers shows.
        asked: the lines of all requests but those for tokens.
        sent_bytes: how much of its answers the client took.
    """

    script: Mapping[str, Sequence[Said | Callable[[dict[str, Any]], Said]]]
    listed: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    creates: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sent_bytes: int = 0
    base_url: str = ""

    def answer(self, line: str, body: bytes) -> Said:
        """Say what is to be said to one request."""
        if line.endswith("/v1/api-keys/exchange"):
            return said(200, {"access_token": TOKEN, "expires_in": 3600})
        self.asked.append(line)
        if line.startswith("GET"):
            found = [one for one in self.listed if one["externalId"] in line]
            return said(200, {"content": found, "hasNext": False, "totalElements": len(found), "number": 0})
        customer = json.loads(body)
        answers, number = self.script[customer["externalId"]], self.creates[customer["externalId"]]
        self.creates[customer["externalId"]] += 1
        answer = answers[min(number, len(answers) - 1)]
        return answer if isinstance(answer, Said) else answer(customer)


@contextmanager
def scripted_api(api: ScriptedApi) -> Iterator[ScriptedApi]:
    """Serve it for a block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._say(api.answer(f"{self.command} {self.path}", body))

        do_GET = do_POST  # noqa: N815  # the library's names

        def _say(self, answer: Said) -> None:
            self.send_response(answer.status)
            length = len(answer.body) if answer.length is None else answer.length
            headers = {"Content-Type": answer.content_type, "Content-Length": str(length), **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            for start in range(0, len(answer.body), 65_536):
                api.sent_bytes += self.wfile.write(answer.body[start : start + 65_536])
            self.close_connection = length != len(answer.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        api.base_url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
