"""Whether an address is of this machine alone."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(address: str) -> bool:
    """Whether an address with a scheme, such as tcp://127.0.0.1:8786, can be reached from this machine only.

    A name other than `localhost` is not looked up: it may mean another machine tomorrow.
    """
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
