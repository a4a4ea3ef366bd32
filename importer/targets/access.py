"""How a target is reached: address, credentials, timeouts. Checked when made; never opens anything.

Plain http is for this machine alone: whatever leaves it carries credentials and people's data, so it
is https or refused. No message, `repr` or address made here contains a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from importer.core.errors import ProfileError

if TYPE_CHECKING:
    from pydantic import SecretStr


_PLAIN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class TargetAccess:
    """Everything a target needs to be opened, except the run's limiter and clock.

    Args:
        base_url: where the API lives; slashes at its end are cut.
        credentials: to each name of `TargetKind.credentials` its secret; masked wherever it is shown.
        connect_timeout_s: name look-up, connection and TLS handshake together, in seconds.
        read_timeout_s: the longest silence while an answer is awaited or read, in seconds.
        total_timeout_s: one request from its first step to the last byte of its answer, in seconds.
        max_connections: open connections at most; at least the number of workers, or they wait for each other.
        user_agent: how the importer names itself; empty: `importer/<version>`.

    Raises:
        ProfileError: the address cannot be used, or a timeout makes no sense.
    """

    base_url: str
    credentials: Mapping[str, SecretStr]
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    total_timeout_s: float = 60.0
    max_connections: int = 16
    user_agent: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", _checked_base_url(self.base_url))
        if min(self.connect_timeout_s, self.read_timeout_s, self.total_timeout_s) <= 0:
            msg = "A timeout of the target is zero or less."
            raise ProfileError(msg, "Give every timeout in seconds, for example read_timeout_s = 30.")
        if self.max_connections < 1:
            msg = "The target is allowed no connection at all."
            raise ProfileError(msg, "Set concurrency to 1 or more.")

    @property
    def is_loopback(self) -> bool:
        """Whether the target runs on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


def _checked_base_url(text: str) -> str:
    parts = _split(text.strip())
    if parts.username is not None or parts.password is not None:
        msg = "The target's base_url holds a user name or password."
        raise ProfileError(msg, "Take it out; credentials come from environment variables.")
    if parts.query or parts.fragment:
        msg = "The target's base_url holds a '?' or '#'."
        raise ProfileError(msg, "Give the plain address, for example https://api.example.com.")
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        msg = f"The target {parts.hostname} would be reached by plain http, where anyone on the way can read the data."
        raise ProfileError(msg, "Write its base_url with https://; plain http is for this machine (127.0.0.1) only.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _split(text: str) -> SplitResult:
    fix = "Set base_url to the address your provider gave you, for example https://api.example.com."
    if not text:
        msg = "The target has no base_url."
        raise ProfileError(msg, fix)
    try:
        parts = urlsplit(text)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and _PLAIN.fullmatch(text):
            return parts
    except ValueError:
        pass
    msg = "The target's base_url is not a web address."
    raise ProfileError(msg, fix)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its name or number alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
