"""The kinds of places that a source may be fetched from: which library, how it is opened, what it raises.

A new kind is one entry in `STORES`. Libraries load when an address of their kind is opened; what they say in
their errors is never passed on, since it quotes addresses.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from importer.errors import UsageError

Faults = tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Store:
    """One kind of place.

    Args:
        group: the optional group that brings its library.
        example: an address of this kind.
        access: how to mend refused credentials, as a sentence.
        options: an address, and the longest silence in seconds, become the library's options.
        also_raises: what its library raises beside OSError.
        close: ends the connection, where the library keeps one until it is collected.
    """

    group: str
    example: str
    access: str
    options: Callable[[str, float], Mapping[str, Any]]
    also_raises: Callable[[], Faults]
    close: Callable[[Any], None] = lambda _: None

    @contextmanager
    def opened(self, address: str, silence_s: float) -> Iterator[tuple[Any, str]]:
        """Connect; gives the file system and the path in it.

        Raises:
            UsageError: the library is not installed.
            one of `faults()`: it cannot be reached.
        """
        try:
            from fsspec import url_to_fs  # noqa: PLC0415  # an optional library

            files, path = url_to_fs(address, skip_instance_cache=True, **self.options(address, silence_s))
        except ImportError as missing:
            raise UsageError(
                f"The library for {address.partition('://')[0]}:// is not installed.",
                f"pip install 'importer[{self.group}]'",
            ) from missing
        try:
            yield files, path
        finally:
            self.close(files)

    def faults(self) -> Faults:
        """Everything that its library raises for trouble outside this program."""
        return (OSError, ValueError, *self.also_raises())


def why(fault: BaseException, store: Store) -> tuple[str, str]:
    """What a fault means and how to mend it, without a word of its own text."""
    links = list(_chain(fault))
    names = {cls.__name__ for link in links for cls in type(link).__mro__}
    statuses = {getattr(link, "status", None) for link in links}
    if "HostKeyNotVerifiable" in names:
        return (
            "the server's host key is not the one that is known",
            "Compare its fingerprint with its owner, and put the key into ~/.ssh/known_hosts.",
        )
    if "SSLCertVerificationError" in names:
        return "its certificate is not trusted", "Let its owner renew it, or name the right authority in SSL_CERT_FILE."
    if names & _REFUSED or statuses & {401, 403} or any(_says_forbidden(link) for link in links):
        return "access was refused", store.access
    if "FileNotFoundError" in names and not statuses - {None, 404, 410} and not names & _UNREACHED:
        return "there is no such file", "Check the address."
    kind = type(links[-1]).__name__
    return f"the other side cannot be reached, or broke off ({kind})", "Check the address and the network; try again."


_REFUSED = {
    "PermissionError", "PermissionDenied", "NoCredentialsError", "PartialCredentialsError", "GoogleAuthError",
    "SFTPPermissionDenied", "KeyImportError", "KeyEncryptionError",
}  # fmt: skip
_UNREACHED = {"ClientConnectionError", "EndpointConnectionError", "ConnectionError", "TimeoutError", "gaierror"}


def _says_forbidden(link: BaseException) -> bool:
    """One library tells refusals apart by their text alone."""
    return isinstance(link, OSError) and str(link).startswith("Forbidden")


def _chain(fault: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = fault
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


# --------------------------------------------------------------------------- the kinds


def _sftp(address: str, silence_s: float) -> Mapping[str, Any]:
    # The library trusts any host unless told otherwise; () means the known_hosts of whoever runs this.
    parts = urlsplit(address)
    told: dict[str, Any] = {
        "known_hosts": (),
        "connect_timeout": silence_s,
        "keepalive_interval": silence_s / 3,
        "keepalive_count_max": 3,
    }
    if parts.username:
        told["username"] = unquote(parts.username)
    if parts.password:
        told["password"] = unquote(parts.password)
    return told


def _hang_up(files: Any) -> None:
    files.loop.call_soon_threadsafe(files.client.close)


def _sftp_faults() -> Faults:
    import asyncssh  # noqa: PLC0415

    return (asyncssh.Error, asyncssh.KeyImportError, asyncssh.KeyEncryptionError)


def _s3(_address: str, silence_s: float) -> Mapping[str, Any]:
    patience = {"connect_timeout": silence_s, "read_timeout": silence_s}
    return {"use_listings_cache": False, "config_kwargs": patience}  # two looks must be two looks


def _gs(_address: str, silence_s: float) -> Mapping[str, Any]:
    return {"use_listings_cache": False, "session_kwargs": {"timeout": _patience(silence_s)}}


def _patience(silence_s: float) -> Any:
    """No bound on the whole, since files may be large; a bound on silence."""
    import aiohttp  # noqa: PLC0415

    return aiohttp.ClientTimeout(total=None, sock_connect=silence_s, sock_read=silence_s)


def _s3_faults() -> Faults:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    return (BotoCoreError, ClientError)


def _gcs_faults() -> Faults:
    import aiohttp  # noqa: PLC0415
    from gcsfs.retry import ChecksumError, HttpError, NonRetryableError  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    return (aiohttp.ClientError, ChecksumError, HttpError, NonRetryableError, GoogleAuthError)


def _http(address: str, silence_s: float) -> Mapping[str, Any]:
    import aiohttp  # noqa: PLC0415

    async def stay_safe(_session: object, _context: object, params: aiohttp.TraceRequestRedirectParams) -> None:
        if params.response.headers.get("Location", "").lower().startswith("http:"):
            raise aiohttp.ClientPayloadError("redirected to plain http")

    # trust_env: the proxy of this network, and .netrc for user and password.
    settings: dict[str, Any] = {"trust_env": True, "timeout": _patience(silence_s)}
    if address.lower().startswith("http:"):
        return {"client_kwargs": settings}
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(stay_safe)
    return {"client_kwargs": {**settings, "trace_configs": [trace]}, "ssl": ssl.create_default_context()}


def _http_faults() -> Faults:
    import aiohttp  # noqa: PLC0415

    return (aiohttp.ClientError,)


_HTTP = Store(
    group="http",
    example="https://files.example.com/customers.csv",
    access="Check user and password (.netrc), or ask for a new link.",
    options=_http,
    also_raises=_http_faults,
)

STORES: Mapping[str, Store] = {
    "sftp": Store(
        group="sftp",
        example="sftp://user@files.example.com/export/customers.csv",
        access="Check the user, your ssh key or agent, and ~/.ssh/config.",
        options=_sftp,
        also_raises=_sftp_faults,
        close=_hang_up,
    ),
    "s3": Store(
        group="s3",
        example="s3://bucket/customers.csv",
        access="Check the AWS credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID) and the bucket's policy.",
        options=_s3,
        also_raises=_s3_faults,
    ),
    "gs": Store(
        group="gcs",
        example="gs://bucket/customers.csv",
        access="Check the Google credentials (GOOGLE_APPLICATION_CREDENTIALS) and the bucket's permissions.",
        options=_gs,
        also_raises=_gcs_faults,
    ),
    "https": _HTTP,
    "http": _HTTP,
}
"""Scheme to kind; plain http is for this machine alone."""
