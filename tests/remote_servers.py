"""Real places to fetch from, on loopback: an OpenSSH server, an S3 server, a Google Storage server, a web server."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar
from unittest import mock
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import pytest

from tests.unit.targets.pki import AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY

TEXT = b"First Name,Last Name,Email,Phone\nAnn,Example,ann@example.com,+12125550101\n" * 50

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def require_sshd() -> str:
    """The server's path; a machine without one skips, but never where all tests must run."""
    if SSHD is None:
        if os.environ.get("CI"):
            pytest.fail("openssh-server is not installed, and CI runs every test")
        pytest.skip("openssh-server is not installed")
    return SSHD


@dataclass(frozen=True)
class Sshd:
    """A running OpenSSH server that only the key in `home` may enter."""

    port: int
    root: Path
    home: Path

    def address(self, path: Path, user: str = "") -> str:
        return f"sftp://{user}127.0.0.1:{self.port}{path}"


def keygen(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text()


@contextmanager
def sshd(folder: Path, sftp: str = "internal-sftp") -> Iterator[Sshd]:
    """Run sshd on a free high port with keys of its own; `sftp -R` serves for reading only."""
    program = require_sshd()
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    root = folder / "served"
    root.mkdir()
    host_key = keygen(folder / "host_key")
    (folder / "authorized_keys").write_text(keygen(home / ".ssh" / "id_ed25519"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host_key'}\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\nPasswordAuthentication no\nStrictModes no\n"
        f"KbdInteractiveAuthentication no\nPermitRootLogin yes\nSubsystem sftp {sftp}\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = folder / "sshd.log"
    server = subprocess.Popen([program, "-D", "-E", str(log), "-f", str(config)])
    try:
        while not (log.exists() and "listening on" in log.read_text()):
            assert server.poll() is None, log.read_text()
        yield Sshd(port, root, home)
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def amazon() -> Iterator[dict[str, str]]:
    """Run an S3 server; gives the settings by which AWS's libraries find it and are let in."""
    from botocore.loaders import JSONFileLoader
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    parse = lru_cache(partial(JSONFileLoader._load_file, JSONFileLoader()))
    try:
        # Every session of AWS's library parses megabytes of its own descriptions anew: half of what a test took.
        with mock.patch.object(JSONFileLoader, "_load_file", lambda _, path, opens: parse(path, opens)):
            yield {
                "AWS_ENDPOINT_URL": f"http://{host}:{port}",
                "AWS_ACCESS_KEY_ID": "canary-key",
                "AWS_SECRET_ACCESS_KEY": "canary-secret",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
            }
    finally:
        server.stop()


@dataclass
class Gateway:
    """A proxy before a server that passes everything on, but what a test scripts.

    Args:
        spoil: method, path and body of an answer become the body that is passed on.
        refuse: says whether a request is to be cut off without an answer.
        forbid: says whether a request is to be answered by 403.
        seen: method and path of every request.
    """

    url: str = ""
    spoil: Callable[[str, str, bytes], bytes] = lambda _method, _path, body: body
    refuse: Callable[[str, str], bool] = lambda _method, _path: False
    forbid: Callable[[str, str], bool] = lambda _method, _path: False
    seen: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def before(server: str) -> Iterator[Gateway]:
    """Stand before a server on this machine."""
    script, host = Gateway(), urlsplit(server).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.seen.append((self.command, self.path))
            if script.refuse(self.command, self.path):
                self.close_connection = True
                return
            if script.forbid(self.command, self.path):
                self.send_response(403)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            behind = HTTPConnection(host)
            behind.request(self.command, self.path, body, dict(self.headers.items()))
            answer = behind.getresponse()
            passed = script.spoil(self.command, self.path, answer.read())
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(passed))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            self.wfile.write(passed)
            behind.close()

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815  # the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for _ in _serving(script, Handler, None):
        yield script


@dataclass
class Web:
    """A web server that answers as a test scripts."""

    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    password: str = ""
    with_length: bool = True
    cut_at: int | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)
    generations: dict[str, int] = field(default_factory=dict)
    on_request: Callable[[str, str], None] = lambda _method, _path: None
    url: str = ""


@contextmanager
def web(tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    """Serve on a free port."""
    script = Web()
    yield from _serving(script, type("Handler", (_WebHandler,), {"script": script}), tls)


class _WebHandler(BaseHTTPRequestHandler):
    script: Web

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.script.seen.append((self.command, self.path))
        self.script.on_request(self.command, self.path)
        path = urlsplit(self.path).path
        if self.script.password and not self._let_in():
            return self._say(401, b"", {"WWW-Authenticate": "Basic"})
        if path in self.script.redirects:
            return self._say(302, b"", {"Location": self.script.redirects[path]})
        if path not in self.script.files:
            return self._say(404, b"", {})
        return self._say(200, self.script.files[path], self.script.headers)

    def _let_in(self) -> bool:
        return self.headers.get("Authorization") == f"Basic {b64encode(self.script.password.encode()).decode()}"

    def _say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.script.with_length or not body:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: self.script.cut_at])
        self.close_connection = self.script.cut_at is not None or not self.script.with_length

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def authority(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate authority to trust, and a server it vouches for."""
    trusted, server = folder / "authority.pem", folder / "server.pem"
    trusted.write_text(AUTHORITY)
    server.write_text(SERVER_CERTIFICATE + SERVER_KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return trusted, context


@contextmanager
def google() -> Iterator[Web]:
    """As much of Google Storage's JSON interface as fetching, listing, uploading, copying and deleting take."""
    script = Web()
    yield from _serving(script, type("Handler", (_GoogleHandler,), {"script": script}), None)


class _GoogleHandler(BaseHTTPRequestHandler):
    script: Web

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.script.seen.append((self.command, self.path))
        self.script.on_request(self.command, self.path)
        parts = urlsplit(self.path)
        bucket, _, name = parts.path.partition("/b/")[2].partition("/o")
        place = f"/{bucket}/{unquote(name.lstrip('/').partition('/rewriteTo/')[0])}"
        if self.command == "POST":
            return self._write(place, parts.path, sent)
        if self.command == "DELETE":
            return self._say(204 if self.script.files.pop(place, None) is not None else 404, b"{}")
        return self._read(bucket, name, place, parts)

    do_GET = do_POST = do_DELETE = handle_one  # noqa: N815  # the library's names

    def _read(self, bucket: str, name: str, place: str, parts: SplitResult) -> None:
        if name == "":
            known = any(path.startswith(f"/{bucket}/") for path in self.script.files)
            listed = self._listing(bucket, parse_qs(parts.query)) if "/o" in parts.path else {"name": bucket}
            return self._say(200 if known else 404, json.dumps(listed).encode())
        body = self.script.files.get(place)
        if body is None:
            return self._say(404, b"{}")
        if "alt=media" in parts.query or "/download/" in parts.path:
            return self._say(200, body, "text/csv")
        return self._say(200, json.dumps(self._about(place)).encode())

    def _write(self, place: str, path: str, sent: bytes) -> None:
        if "/rewriteTo/" in path:
            bucket, _, name = path.partition("/rewriteTo/b/")[2].partition("/o/")
            place, content = f"/{bucket}/{unquote(name)}", self.script.files[place]
        else:
            _, about, file, _ = sent.split(b"--==0==")
            place += json.loads(about.partition(b"\n\n")[2])["name"]
            content = file.partition(b"\n\n")[2][:-1]
        self.script.files[place] = content
        self.script.generations[place] = self.script.generations.get(place, 1) + 1
        return self._say(200, json.dumps({**self._about(place), "done": True}).encode())

    def _listing(self, bucket: str, query: dict[str, list[str]]) -> dict[str, object]:
        prefix = f"/{bucket}/{query.get('prefix', [''])[0]}"
        found = [path for path in self.script.files if path.startswith(prefix)]
        items = [self._about(path) for path in found if "/" not in path[len(prefix) :]]
        deeper = {path[len(prefix) :].partition("/")[0] for path in found if "/" in path[len(prefix) :]}
        return {"items": items, "prefixes": [f"{prefix.split('/', 2)[2]}{name}/" for name in sorted(deeper)]}

    def _about(self, place: str) -> dict[str, str]:
        _, bucket, name = place.split("/", 2)
        body = self.script.files[place]
        digest = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        return {
            "kind": "storage#object", "name": name, "bucket": bucket, "size": str(len(body)),
            "md5Hash": self.script.headers.get("md5Hash", digest), "etag": digest,
            "generation": str(self.script.generations.get(place, 1)),
            "updated": "2026-11-22T08:30:00.000Z", "timeCreated": "2026-11-22T08:30:00.000Z",
        }  # fmt: skip

    def _say(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if status != 204 else 0))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that hang up: some tests are about that."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


_Script = TypeVar("_Script", Web, Gateway)


def _serving(script: _Script, handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None) -> Iterator[_Script]:
    server = _QuietServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    script.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
