"""Real parts of real networks: nginx, HAProxy, tinyproxy and certificates, as Debian ships them.

Each runs in the foreground, as whoever runs the tests, on loopback, out of a folder of its own, and is stopped by
its own process id. Where one is not installed its test says so and is skipped; where `CI` is set it fails instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.conftest import wait_until

_ADMIN_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


def needed(program: str, package: str = "") -> str:
    """Find a program, whose package bears its name; without it the test is skipped, and under `CI` it fails.

    Args:
        package: the name of its package, where it has another one.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_ADMIN_FOLDERS])
    found = shutil.which(program, path=path)
    if found is not None:
        return found
    said = f"{program} is not installed: apt-get install {package or program}"
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def _foreground(command: list[str], port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for a block, from the moment when it listens."""
    said = folder / "said.txt"
    with said.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file, cwd=folder) as process:
        try:
            _wait_until_it_listens(process, port, said)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    wait_until(lambda: process.poll() is not None or _listens(port))
    if process.poll() is not None:
        pytest.fail(f"{process.args!r} does not listen: {said.read_text(errors='replace')}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Front:
    """Something that listens in front of the emulator.

    Args:
        log: one line for each request that it answered, beginning with the status.
    """

    port: int
    log: Path

    @property
    def base_url(self) -> str:
        """Where it answers, by plain http."""
        return f"http://127.0.0.1:{self.port}"

    def statuses(self) -> list[str]:
        """Give the status of every answer, in order."""
        return [line.split()[0] for line in self.log.read_text(encoding="utf-8").splitlines()]


def _folder(home: Path, name: str) -> Path:
    folder = home / f"{name}-{free_port()}"
    folder.mkdir()
    return folder


# --------------------------------------------------------------------------- nginx

_NGINX = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  log_format short '$status $request_method $uri';
  access_log access.log short;
  {http}
  upstream emulator {{ server {upstream}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port}{tls};
    {server}
    location / {{
      proxy_pass http://emulator;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream off;
      {location}
    }}
  }}
}}
"""


@contextmanager
def nginx(
    home: Path, upstream: str, *, http: str = "", server: str = "", location: str = "", tls: bool = False
) -> Iterator[Front]:
    """Run nginx in front of a server.

    Args:
        upstream: `HOST:PORT` of that server.
        http: more lines for the block `http`, `server` and `location` likewise.
        tls: whether it speaks TLS; the lines of `server` name the certificate then.
    """
    program, port, folder = needed("nginx"), free_port(), _folder(home, "nginx")
    text = _NGINX.format(
        http=http, upstream=upstream, port=port, tls=" ssl" if tls else "", server=server, location=location
    )
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    command = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with _foreground(command, port, folder):
        yield Front(port, folder / "access.log")


# --------------------------------------------------------------------------- HAProxy

_HAPROXY = """
global
  log stdout format raw daemon
defaults
  mode http
  log global
  log-format "%ST %HM %HP"
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  timeout http-request 5s
  {defaults}
frontend api
  bind 127.0.0.1:{port}
  default_backend emulator
backend emulator
  server one {upstream}
"""


@contextmanager
def haproxy(home: Path, upstream: str, *, defaults: str = "") -> Iterator[Front]:
    """Run HAProxy in front of a server, with more lines for its defaults."""
    program, port, folder = needed("haproxy"), free_port(), _folder(home, "haproxy")
    (folder / "haproxy.cfg").write_text(_HAPROXY.format(port=port, upstream=upstream, defaults=defaults))
    with _foreground([program, "-db", "-f", str(folder / "haproxy.cfg")], port, folder):
        yield Front(port, folder / "said.txt")


# --------------------------------------------------------------------------- a forward proxy

_TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 30
LogFile "{folder}/proxy.log"
LogLevel Connect
MaxClients 100
Allow 127.0.0.1
ConnectPort {target}
{more}
"""


@contextmanager
def tinyproxy(home: Path, target: int, *, more: str = "") -> Iterator[Front]:
    """Run a forward proxy that tunnels to one port and to no other."""
    program, port, folder = needed("tinyproxy"), free_port(), _folder(home, "tinyproxy")
    text = _TINYPROXY.format(port=port, folder=folder, target=target, more=more)
    (folder / "tinyproxy.conf").write_text(text, encoding="utf-8")
    with _foreground([program, "-d", "-c", str(folder / "tinyproxy.conf")], port, folder):
        yield Front(port, folder / "proxy.log")


# --------------------------------------------------------------------------- certificates


@dataclass(frozen=True)
class Certified:
    """An authority of the tests' own, and a server that it vouches for."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def nginx_lines(self) -> str:
        """What an nginx server needs of it."""
        return f"ssl_certificate {self.certificate}; ssl_certificate_key {self.key};"


def certified(home: Path, *names: str) -> Certified:
    """Make an authority and let it vouch for a server.

    Args:
        names: as certificates write them: `IP:127.0.0.1`, `DNS:localhost`.
    """
    openssl, folder = needed("openssl"), _folder(home, "certificates")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    _run(openssl, folder, "req", "-x509", *curve, "-subj", "/CN=Tests", "-keyout", "ca.key", "-out", "ca.pem",
         "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    _run(openssl, folder, "req", "-x509", *curve, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.pem",
         "-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName={','.join(names)}",
         "-addext", "basicConstraints=critical,CA:FALSE")  # fmt: skip
    return Certified(folder / "ca.pem", folder / "server.pem", folder / "server.key")


def _run(program: str, folder: Path, *arguments: str) -> None:
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
