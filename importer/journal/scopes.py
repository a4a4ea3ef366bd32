"""Scopes: a server and an account, `https://api.example.com#main`. What was created is known inside one.

Two addresses are one server by letters alone: loopback names, case, default port and slashes at the end; what a name
server says of two names is not a proof.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}


def same_server(base_url: str) -> str:
    """One spelling for every address of one API: loopback names, case, default port, `/v1` and last slashes aside."""
    parts = urlsplit(base_url.strip())
    port = "" if parts.port in {None, _PORTS.get(parts.scheme)} else f":{parts.port}"
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    host = (parts.hostname or "").rstrip(".")
    return f"{parts.scheme}://{'localhost' if host in _LOOPBACK else host}{port}{path}"
