"""The kinds of stores that a source may be fetched from: which library, how it is opened, what it can do.

A new kind is one entry in `STORES`. Libraries load when an address of their kind is opened; the texts of their
errors are never passed on, since they quote addresses.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from importer.core.distribution import how_to_install
from importer.core.errors import ImporterError, UsageError
from importer.readers.remote import store_checksums
from importer.readers.remote.checksums import Checksum
from importer.readers.remote.store_errors import explained

Errors = tuple[type[Exception], ...]
Follows = Callable[[str], bool]
"""Whether an address may be followed that a server leads on to."""


@dataclass(frozen=True, slots=True)
class Library:
    """The library behind one kind of store.

    Args:
        group: the optional group that brings it.
        options: an address, the longest silence in seconds and what may be followed become its options.
        also_raises: what it raises beside OSError.
        close: ends the connection, where the library keeps one until it is collected.
    """

    group: str
    options: Callable[[str, float, Follows], Mapping[str, Any]]
    also_raises: Callable[[], Errors]
    close: Callable[[Any], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Store:
    """One kind of store.

    Args:
        example: an address of this kind.
        access: how to fix refused credentials, as a sentence.
        checksum: asks for the checksum that a copy has to have; None as its answer: there is none.
        reads_again: a copy without a checksum is compared with a second reading; otherwise only its size is checked.
        rename: moves a file in one step, and refuses to overwrite another; None: the store can only copy.
        lists: the store lists folders, and lets files be moved.
    """

    library: Library
    example: str
    access: str
    checksum: Callable[[Any, str, Mapping[str, Any]], Checksum | None]
    reads_again: bool = True
    rename: Callable[[Any, str, str], None] | None = None
    lists: bool = True

    @contextmanager
    def opened(self, address: str, silence_s: float, follows: Follows = lambda _: True) -> Iterator[tuple[Any, str]]:
        """Connect; gives the file system and the path in it.

        Args:
            follows: asked where a server leads on to another address; from https none leads to plain http.

        Raises:
            UsageError: the library is not installed.
            one of `errors()`: it cannot be reached.
        """
        try:
            from fsspec import url_to_fs  # noqa: PLC0415  # an optional library

            scheme, separator, rest = address.partition("://")
            address = f"{scheme.lower()}{separator}{rest}"  # the library knows no others
            options = self.library.options(address, silence_s, follows)
            files, path = url_to_fs(address, skip_instance_cache=True, **options)
        except ImportError as missing:
            raise UsageError(
                f"The library for {address.partition('://')[0]}:// is not installed.",
                how_to_install(self.library.group),
            ) from missing
        try:
            yield files, path
        finally:
            self.library.close(files)

    def errors(self) -> Errors:
        """Everything that its library raises for what goes wrong outside this program."""
        return (OSError, ValueError, *self.library.also_raises())

    @contextmanager
    def errors_explained(self, what: str) -> Iterator[None]:
        """Raise an error with a sentence for what the library raises in the block.

        Args:
            what: the sentence's beginning, such as "sftp://… cannot be fetched".

        Raises:
            AccessError: the credentials or their rights are refused.
            UnreachableError: its server cannot be reached, or broke off.
            SourceError: it is not there, or cannot be trusted.
        """
        try:
            yield
        except ImporterError:  # has its sentence; and without the library its errors are not known either
            raise
        except self.errors() as error:
            raise explained(error, self.access).error(what) from None


# --------------------------------------------------------------------------- the kinds

_NAMES = {"path_errors": "surrogateescape"}
"""Names of files that are not UTF-8 are kept as they are: one of them must not hide all the others."""


def _sftp(address: str, silence_s: float, _: Follows) -> Mapping[str, Any]:
    # The library trusts any host by default; () means the known_hosts of whoever runs this.
    parts = urlsplit(address)
    options: dict[str, Any] = {
        "known_hosts": (),
        "connect_timeout": silence_s,
        "keepalive_interval": silence_s / 3,
        "keepalive_count_max": 3,
        "sftp_client_kwargs": _NAMES,
    }
    if parts.username:
        options["username"] = unquote(parts.username)
    if parts.password:
        options["password"] = unquote(parts.password)
    return options


def _hang_up(files: Any) -> None:
    files.loop.call_soon_threadsafe(files.client.close)


def _sftp_rename(files: Any, path: str, to: str) -> None:
    """The protocol's own rename: the library's overwrites, and where it cannot rename it copies through a shell."""
    from fsspec.asyn import sync  # noqa: PLC0415

    client = files.client

    async def rename() -> None:
        async with client.start_sftp_client(**_NAMES) as sftp:
            await sftp.rename(path, to)

    sync(files.loop, rename)


def _sftp_errors() -> Errors:
    import asyncssh  # noqa: PLC0415

    return (asyncssh.Error, asyncssh.KeyImportError, asyncssh.KeyEncryptionError)


def _s3(_address: str, silence_s: float, _: Follows) -> Mapping[str, Any]:
    patience = {"connect_timeout": silence_s, "read_timeout": silence_s}
    return {"use_listings_cache": False, "config_kwargs": patience}  # two looks must be two looks


def _gs(_address: str, silence_s: float, _: Follows) -> Mapping[str, Any]:
    return {"use_listings_cache": False, "session_kwargs": {"timeout": _patience(silence_s)}}


def _patience(silence_s: float) -> Any:
    """No bound on the whole, since files may be large; a bound on silence."""
    import aiohttp  # noqa: PLC0415

    return aiohttp.ClientTimeout(total=None, sock_connect=silence_s, sock_read=silence_s)


def _s3_errors() -> Errors:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    return (BotoCoreError, ClientError)


def _gcs_errors() -> Errors:
    import aiohttp  # noqa: PLC0415
    from gcsfs.retry import ChecksumError, HttpError, NonRetryableError  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    return (aiohttp.ClientError, ChecksumError, HttpError, NonRetryableError, GoogleAuthError)


def _http(address: str, silence_s: float, follows: Follows) -> Mapping[str, Any]:
    import aiohttp  # noqa: PLC0415

    async def stay_safe(_session: object, _context: object, params: aiohttp.TraceRequestRedirectParams) -> None:
        location = urljoin(str(params.url), params.response.headers.get("Location", ""))
        if (is_safe and location.lower().startswith("http:")) or not follows(location):
            raise aiohttp.InvalidUrlRedirectClientError(location)

    # trust_env: the proxy of this network, and .netrc for user and password.
    trace, is_safe = aiohttp.TraceConfig(), not address.lower().startswith("http:")
    trace.on_request_redirect.append(stay_safe)
    settings = {"trust_env": True, "timeout": _patience(silence_s), "trace_configs": [trace]}
    return {"client_kwargs": settings, **({"ssl": ssl.create_default_context()} if is_safe else {})}


def _http_errors() -> Errors:
    import aiohttp  # noqa: PLC0415

    return (aiohttp.ClientError,)


_HTTP = Store(
    library=Library("http", _http, _http_errors),
    example="https://files.example.com/customers.csv",
    access="Check user and password (.netrc), or ask for a new link.",
    checksum=store_checksums.web,
    reads_again=False,
    lists=False,
)

STORES: Mapping[str, Store] = {
    "sftp": Store(
        library=Library("sftp", _sftp, _sftp_errors, close=_hang_up),
        example="sftp://user@files.example.com/export/customers.csv",
        access="Check the user, your ssh key or agent, and ~/.ssh/config.",
        checksum=store_checksums.nothing,
        rename=_sftp_rename,
    ),
    "s3": Store(
        library=Library("s3", _s3, _s3_errors),
        example="s3://bucket/customers.csv",
        access="Check the AWS credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID) and the bucket's policy.",
        checksum=store_checksums.amazon,
    ),
    "gs": Store(
        library=Library("gcs", _gs, _gcs_errors),
        example="gs://bucket/customers.csv",
        access="Check the Google credentials (GOOGLE_APPLICATION_CREDENTIALS) and the bucket's permissions.",
        checksum=store_checksums.google,
    ),
    "https": _HTTP,
    "http": _HTTP,
}
"""Scheme to kind; plain http is for this machine alone."""
